//! What the requests of one connection are about, and when somebody has waited for its client long enough.

use super::super::Settings;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Requests that a client may give up before they are answered, beside as many as it lets be answered.
const GIVEN_UP: u64 = 100;

#[derive(Debug)]
pub(super) struct Life {
    state: Mutex<State>,
    /// The client has given up too many requests.
    pub(super) restless: CancellationToken,
    /// No further request is taken.
    pub(super) full: CancellationToken,
    limit: u64,
}

#[derive(Debug)]
struct State {
    begun: u64,
    answered: u64,
    given_up: u64,
    going: BTreeMap<u64, Mark>,
    idle_since: Instant,
}

/// One request that has not ended.
#[derive(Debug, Default)]
struct Mark {
    /// The answer's first byte could leave.
    answering: Option<Instant>,
    /// Since when the client has taken nothing of what is there for it.
    waiting: Option<Instant>,
}

impl Life {
    pub(super) fn new(settings: &Settings) -> Arc<Self> {
        let state = State { begun: 0, answered: 0, given_up: 0, going: BTreeMap::new(), idle_since: Instant::now() };
        Arc::new(Self {
            state: Mutex::new(state),
            restless: CancellationToken::new(),
            full: CancellationToken::new(),
            limit: settings.requests_per_connection,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(self: &Arc<Self>) -> Going {
        let mut state = self.state();
        state.begun = state.begun.saturating_add(1);
        let number = state.begun;
        state.going.insert(number, Mark::default());
        if number >= self.limit {
            self.full.cancel();
        }
        Going { life: Arc::clone(self), number, answered: false }
    }

    /// What the connection waits for, as it stands now.
    pub(super) fn end(&self, settings: &Settings) -> End {
        let state = self.state();
        if state.going.is_empty() {
            return End::Idle(state.idle_since);
        }
        let after = |since: Option<Instant>, time: Duration| since.map(|since| since + time);
        let ends = state
            .going
            .values()
            .flat_map(|mark| [after(mark.answering, settings.answer_time), after(mark.waiting, settings.write_time)]);
        ends.flatten().min().map_or(End::None, End::Unread)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing is asked, since then.
    Idle(Instant),
    /// An answer is not read: it has been waited for until then.
    Unread(Instant),
    /// It is for us to do something.
    None,
}

/// One request, until the last byte of its answer was taken.
#[derive(Debug)]
pub(super) struct Going {
    life: Arc<Life>,
    number: u64,
    answered: bool,
}

impl Going {
    fn mark(&self, fact: impl FnOnce(&mut Mark)) {
        if let Some(mark) = self.life.state().going.get_mut(&self.number) {
            fact(mark);
        }
    }

    /// There is an answer.
    pub(super) fn answers(&mut self) {
        self.answered = true;
        let now = Instant::now();
        self.mark(|mark| *mark = Mark { answering: Some(now), waiting: Some(now) });
    }

    /// The client took what was there, and there is more for it.
    pub(super) fn takes(&self) {
        self.mark(|mark| mark.waiting = Some(Instant::now()));
    }

    /// The client took all that is there so far.
    pub(super) fn waits(&self) {
        self.mark(|mark| mark.waiting = None);
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let mut state = self.life.state();
        state.going.remove(&self.number);
        state.idle_since = Instant::now();
        let counted = if self.answered { &mut state.answered } else { &mut state.given_up };
        *counted = counted.saturating_add(1);
        if state.given_up > state.answered.saturating_add(GIVEN_UP) {
            self.life.restless.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            idle_time: Duration::from_mins(1),
            write_time: Duration::from_secs(30),
            answer_time: Duration::from_mins(5),
            requests_per_connection: 3,
            ..Settings::default()
        }
    }

    #[test]
    fn idleness_and_unread_answers_have_an_end() {
        let settings = settings();
        let life = Life::new(&settings);
        let began = Instant::now();
        let idle = || matches!(life.end(&settings), End::Idle(_));
        // seconds from the beginning, as far as these few lines take none
        let unread = || match life.end(&settings) {
            End::Unread(until) => (until - began).as_secs(),
            other => panic!("{other:?}"),
        };
        assert!(idle());
        let mut one = life.begin();
        assert_eq!(life.end(&settings), End::None, "it is for us to answer");
        one.answers();
        assert_eq!(unread(), 30);
        one.waits();
        assert_eq!(unread(), 300, "the client took what there was, and the whole answer has an end");
        let mut two = life.begin();
        two.answers();
        assert_eq!(unread(), 30);
        let before = life.end(&settings);
        std::thread::sleep(Duration::from_millis(2));
        two.takes();
        let (End::Unread(before), End::Unread(after)) = (before, life.end(&settings)) else {
            panic!("both are unread")
        };
        assert!(before < after, "each piece that is taken has its own time");
        drop((one, two));
        assert!(idle());
    }

    #[tokio::test]
    async fn who_gives_up_more_than_he_lets_be_answered_is_restless() {
        let life = Life::new(&Settings::default());
        for _ in 0..10 {
            life.begin().answers();
        }
        for _ in 0..GIVEN_UP + 10 {
            drop(life.begin());
            assert!(!life.restless.is_cancelled());
        }
        drop(life.begin());
        assert!(life.restless.is_cancelled());
    }

    #[tokio::test]
    async fn requests_are_counted() {
        let life = Life::new(&settings());
        let _going = [life.begin(), life.begin()];
        assert!(!life.full.is_cancelled());
        let _last = life.begin();
        assert!(life.full.is_cancelled());
    }
}
