use super::*;
use crate::egress::Way;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

/// A server that answers the `n`th query as `answer` says, after its delay.
async fn server(
    answer: impl Fn(usize) -> (u16, Duration, Option<&'static str>) + Send + Sync + Clone + 'static,
) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let counted = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (answer, counted) = (answer.clone(), counted.clone());
            let service = service_fn(move |_: Request<hyper::body::Incoming>| {
                let (status, delay, timing) = answer(counted.fetch_add(1, Ordering::SeqCst));
                async move {
                    tokio::time::sleep(delay).await;
                    let mut response = Response::builder().status(status);
                    if let Some(timing) = timing {
                        response = response.header("server-timing", timing);
                    }
                    Ok::<_, Infallible>(response.body(Full::new(Bytes::from_static(b"{\"results\":[]}"))).unwrap())
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

fn at(address: SocketAddr) -> Target {
    Target { base: format!("http://{address}"), token: None, way: Way::default() }
}

fn asked() -> Asked {
    Asked { method: http::Method::POST, path: "/api/v2/x".to_owned(), body: Some(b"{}".to_vec()) }
}

fn plan() -> Plan {
    Plan {
        rate: 100,
        round: Duration::from_millis(500),
        rounds: 2,
        connections: 1,
        full_speed: false,
        patience: Duration::from_secs(5),
    }
}

/// One answer in fifty holds its connection up: those that are due meanwhile wait, and say so.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_behind_a_late_answer_is_late_itself() {
    let stall = Duration::from_millis(200);
    let address = server(move |at| (200, if at % 50 == 10 { stall } else { Duration::ZERO }, None)).await;
    let measured = measure(&asked(), None, &at(address), &plan()).await.unwrap();
    let times = &measured.fixed.through.times;
    assert_eq!(measured.fixed.through.answered, 100);
    // twenty of fifty were due while one was waited for, the last of them hardly late: a tenth is later than half of it
    assert!(times.p90.min > 80_000.0, "{times:?}");
    assert!(times.max.max >= 190_000.0, "{times:?}");
    assert!(measured.fixed.added.is_none() && measured.full.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_added_time_is_the_difference_of_both_sides() {
    let direct = server(|_| (200, Duration::from_millis(5), None)).await;
    let through = server(|_| (200, Duration::from_millis(25), Some("read;dur=1.5, decide;dur=0.250"))).await;
    let plan = Plan { rate: 20, connections: 8, full_speed: true, ..plan() };
    let measured = measure(&asked(), Some(&at(direct)), &at(through), &plan).await.unwrap();
    let added = measured.fixed.added.as_ref().unwrap().p50.median;
    assert!(added > 15_000.0, "{added}");
    let names: Vec<_> = measured.phases.iter().map(|phase| format!("{} {:.0}", phase.name, phase.p50)).collect();
    assert_eq!(names, ["read 1500", "decide 250"]);
    let full = measured.full.as_ref().unwrap();
    assert!(full.throughput.unwrap().median < 1.0, "{full:?}");
    assert!(full.through.answered > 50, "{full:?}");
    for (bound, broken) in [
        ("added-p50=1ms", true),
        ("added-p50=5s", false),
        ("p99=1ms", true),
        ("failed=0", false),
        ("throughput=1", true),
        ("throughput=0.01", false),
    ] {
        assert_eq!(bound.parse::<Bound>().unwrap().broken(&measured).is_some(), broken, "{bound}");
    }
    let page = page(&measured, "POST /x?a=<b>", &["how & when".to_owned()]);
    assert!(page.contains("&lt;b&gt;") && page.contains("how &amp; when") && page.contains("<polyline"), "{page}");
    for loads in ["src=", "href=", "url(", "@import", "<script"] {
        assert!(!page.contains(loads), "{loads}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_counted_by_what_it_was_and_breaks_its_bound() {
    let address = server(|at| (if at % 2 == 1 { 503 } else { 200 }, Duration::ZERO, None)).await;
    let measured = measure(&asked(), None, &at(address), &plan()).await.unwrap();
    let through = &measured.fixed.through;
    assert_eq!((through.answered, through.failed.get("status 503")), (50, Some(&50)));
    assert_eq!("failed=49".parse::<Bound>().unwrap().broken(&measured), Some(50.0));
    // of two sides nothing was measured
    assert!("added-p50=1s".parse::<Bound>().unwrap().broken(&measured).is_some_and(f64::is_nan));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_measured_of_what_refuses_the_first() {
    let address = server(|_| (401, Duration::ZERO, None)).await;
    let began = Instant::now();
    let why = measure(&asked(), None, &at(address), &plan()).await.unwrap_err().to_string();
    assert!(why.contains("status 401"), "{why}");
    assert!(began.elapsed() < Duration::from_secs(3));
    let nowhere = Target { base: "127.0.0.1:8600".to_owned(), ..at(address) };
    let why = measure(&asked(), None, &nowhere, &plan()).await.unwrap_err().to_string();
    assert!(why.contains("is no base address"), "{why}");
}

#[test]
fn bounds_say_what_they_are() {
    for (text, said) in [
        ("added-p99.9=1.5ms", "added p99.9 at most 1500 us"),
        ("max=2s", "max at most 2000000 us"),
        ("failed=3", "at most 3 failed"),
        ("throughput=0.5", "throughput at least 0.5 of the direct one"),
    ] {
        assert_eq!(text.parse::<Bound>().unwrap().to_string(), said);
    }
    for text in ["p50", "p50=1", "p50=-1ms", "p51=1ms", "failed=1ms", "throughput=NaN", "added-failed=1", "p50=1m"] {
        assert!(text.parse::<Bound>().is_err(), "{text}");
    }
}
