//! Each pure stage by itself, and all of them: `cargo bench --bench stages`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::let_underscore_must_use,
    reason = "a bench stops at the first thing that is wrong, and prints what it measured"
)]

mod support;

use bailiwick::{
    decision::{self, Decided},
    policy::{self, guard::Unguarded},
    query::json::{self, Limits},
    verify,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use support::{Asking, Size, now};

const AROUND: Size = Size { rules: 0, divisions: 10, unrelated_queues: 100, own_queues: 0 };

fn stages(criterion: &mut Criterion) {
    for queues in [10, 500, 5_000] {
        let asking = Asking::new(Size { own_queues: queues, ..AROUND }, false);
        let scope = asking.scope();
        let mut group = criterion.benchmark_group(format!("{queues} queues"));
        group.throughput(Throughput::Elements(1));
        group.bench_function("parse", |bench| {
            bench.iter(|| json::parse_object(black_box(&asking.bytes), &Limits::default()).unwrap());
        });
        group.bench_function("scope", |bench| {
            bench.iter(|| decision::scope(&asking.world, asking.holder, &asking.operation, now()).unwrap());
        });
        group.bench_function("narrow", |bench| {
            bench.iter(|| policy::narrow::narrow(&asking.world, &scope, &asking.question, now()).unwrap());
        });
        let policy::narrow::Outcome::Send(narrowed) =
            policy::narrow::narrow(&asking.world, &scope, &asking.question, now()).unwrap()
        else {
            panic!("nothing is sent");
        };
        group.bench_function("verify", |bench| {
            bench.iter(|| {
                verify::check(
                    &asking.operation.contract,
                    narrowed.outgoing.clone(),
                    narrowed.residual.clone(),
                    &scope,
                    &asking.world.org,
                    now(),
                )
                .unwrap()
            });
        });
        let Decided::Forward(forward) = asking.decide(&scope) else { panic!("nothing is sent") };
        let answer = answer(queues.min(40));
        group.bench_function("guard", |bench| {
            bench.iter(|| forward.plan.guard(Unguarded::new(200, answer.clone())).unwrap());
        });
        group.bench_function("handle", |bench| bench.iter(|| asking.request(&scope)));
        group.finish();
    }
    let mut group = criterion.benchmark_group("one of many queues named");
    for queues in [10, 500, 5_000] {
        let asking = Asking::new(Size { own_queues: queues, ..AROUND }, true);
        let scope = asking.scope();
        group.bench_with_input(BenchmarkId::new("handle", queues), &queues, |bench, _| {
            bench.iter(|| asking.request(&scope));
        });
    }
    group.finish();
}

/// About four kilobytes of groups.
fn answer(groups: usize) -> Vec<u8> {
    let results: Vec<serde_json::Value> = (0..groups)
        .map(|n| {
            serde_json::json!({
                "group": {"queueId": format!("q-{n:05}-0000-4000-8000-000000000000")},
                "data": [{"interval": "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z", "metrics": [{"metric": "tHandle", "stats": {"count": n, "sum": 1234.5}}]}]
            })
        })
        .collect();
    serde_json::json!({ "results": results }).to_string().into_bytes()
}

criterion_group!(benches, stages);
criterion_main!(benches);
