//! One round of one side: queries by the clock, or one after another on each connection.

use super::{Plan, asker::Asker, figures::Run};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};

/// How long before its due time a query is waited for without sleeping: sleeping is not that exact.
const SPIN: Duration = Duration::from_micros(150);

pub(super) async fn run(asker: &Asker, rate: Option<u32>, plan: &Plan) -> Run {
    let run = Arc::new(Mutex::new(Run::default()));
    let began = Instant::now();
    match rate {
        Some(rate) => by_the_clock(asker, rate, plan, &run).await,
        None => one_after_another(asker, plan, &run).await,
    }
    let took = began.elapsed();
    let mut run = std::mem::take(&mut *run.lock().unwrap_or_else(PoisonError::into_inner));
    run.took = took;
    run
}

async fn by_the_clock(asker: &Asker, rate: u32, plan: &Plan, run: &Arc<Mutex<Run>>) {
    let free = Arc::new(Semaphore::new(plan.connections));
    let mut under_way = JoinSet::new();
    let mut due = clock(rate, plan.round);
    while let Some((due, late)) = due.recv().await {
        note(run, |run| run.late.record(late));
        let (asker, free, run) = (asker.clone(), free.clone(), run.clone());
        under_way.spawn(async move {
            let _one = free.acquire_owned().await;
            let answered = asker.ask().await;
            let took = due.elapsed();
            note(&run, |run| run.count(took, answered));
        });
    }
    while under_way.join_next().await.is_some() {}
}

/// Says when each query is due, from a thread of its own: nothing that answers late can hold it up.
fn clock(rate: u32, round: Duration) -> mpsc::UnboundedReceiver<(Instant, Duration)> {
    let (tell, told) = mpsc::unbounded_channel();
    let rate = f64::from(rate.max(1));
    let begin = Instant::now() + Duration::from_millis(1);
    std::thread::spawn(move || {
        for at in 0_u32.. {
            let since = Duration::from_secs_f64(f64::from(at) / rate);
            if since >= round {
                return;
            }
            let due = begin + since;
            std::thread::sleep(due.saturating_duration_since(Instant::now()).saturating_sub(SPIN));
            while Instant::now() < due {
                std::hint::spin_loop();
            }
            if tell.send((due, due.elapsed())).is_err() {
                return;
            }
        }
    });
    told
}

async fn one_after_another(asker: &Asker, plan: &Plan, run: &Arc<Mutex<Run>>) {
    let end = Instant::now() + plan.round;
    let mut connections = JoinSet::new();
    for _ in 0..plan.connections {
        let (asker, run) = (asker.clone(), run.clone());
        connections.spawn(async move {
            while Instant::now() < end {
                let began = Instant::now();
                let answered = asker.ask().await;
                let failed = answered.is_err();
                let took = began.elapsed();
                note(&run, |run| run.count(took, answered));
                if failed {
                    // nobody there is asked again at once, as fast as it goes
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        });
    }
    while connections.join_next().await.is_some() {}
}

fn note(run: &Arc<Mutex<Run>>, fact: impl FnOnce(&mut Run)) {
    fact(&mut run.lock().unwrap_or_else(PoisonError::into_inner));
}
