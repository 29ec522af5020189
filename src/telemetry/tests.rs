use super::{
    Event as _, Metrics,
    event::{
        AnswerRowsDropped, ForeignRowsReceived, Part, QueryRefused, RecordFailed, RecordRecovered, SnapshotRejected,
        SnapshotSwapped, VerifyFailed,
    },
    metrics::render,
};
use crate::model::refusal::Code;
use prometheus_client::registry::Registry;
use uuid::Uuid;

#[test]
fn events_count_themselves_and_the_page_shows_it() {
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let decision = Uuid::nil();
    for code in [Code::ScopeOutside, Code::ScopeOutside, Code::UpstreamTimeout] {
        QueryRefused { decision, operation: Some("o"), code, cause: Some("id `q-hidden`") }.emit(&metrics);
    }
    VerifyFailed { decision, operation: "o", cause: "c" }.emit(&metrics);
    AnswerRowsDropped { decision, operation: "o", rows: 5 }.emit(&metrics);
    ForeignRowsReceived { decision, operation: "o", rows: 2 }.emit(&metrics);
    SnapshotRejected { part: Part::Rules, why: "w" }.emit(&metrics);
    let page = render(&registry);
    for line in [
        "bailiwick_queries_refused_total{code=\"scope.outside\"} 2",
        "bailiwick_queries_refused_total{code=\"upstream.timeout\"} 1",
        "bailiwick_verify_failed_total 1",
        "bailiwick_answer_rows_dropped_total{operation=\"o\"} 5",
        "bailiwick_answer_rows_foreign_total{operation=\"o\"} 2",
        "bailiwick_snapshots_rejected_total{part=\"rules\"} 1",
        "bailiwick_snapshot_broken{part=\"rules\"} 1",
        "bailiwick_record_available 1",
    ] {
        assert!(page.lines().any(|shown| shown == line), "{line} is not in\n{page}");
    }
    assert!(!page.contains("q-hidden"), "what was asked for is no label");
}

#[test]
fn what_recovers_is_shown_as_recovered() {
    let metrics = Metrics::detached();
    RecordFailed { why: "disk full" }.emit(&metrics);
    assert_eq!((metrics.record_available.get(), metrics.record_failures.get()), (0, 1));
    RecordRecovered.emit(&metrics);
    assert_eq!(metrics.record_available.get(), 1);
    SnapshotSwapped { part: Part::Directory, version: "v" }.emit(&metrics);
}
