//! The head gate: what it lets through, a second reader of HTTP takes from the stranger's own bytes in the same way.

use super::http::{Request, requests};
use crate::server::fuzzed::{Passed, gate};

/// `bytes`: all that comes on a connection. However they are cut, the same is let through, and `httparse` reads it as it reads
/// them.
pub fn head(bytes: &[u8]) {
    let passed = gate(bytes, usize::MAX);
    let forwarded = compare(bytes, &passed.bytes);
    for step in [1, 7] {
        let Passed { bytes, fault, broken } = gate(bytes, step);
        assert_eq!((fault, broken), (passed.fault, passed.broken), "cut in pieces of {step}");
        let cut = requests(&bytes);
        assert_eq!(cut.len(), forwarded.len(), "cut in pieces of {step}");
        assert!(cut.iter().zip(&forwarded).all(|(one, other)| same(one, other)), "{cut:?} and {forwarded:?}");
    }
}

/// What was let through is what a second reader takes from what came.
pub(super) fn compare(came: &[u8], passed: &[u8]) -> Vec<Request> {
    let (forwarded, asked) = (requests(passed), requests(came));
    for (place, one) in forwarded.iter().enumerate() {
        let seen = asked.get(place);
        assert!(seen.is_some_and(|seen| same(one, seen)), "forwarded {one:?}, read by another as {seen:?}");
    }
    forwarded
}

fn same(one: &Request, other: &Request) -> bool {
    let head = |of: &Request| {
        let field = |name| of.field(name).map(<[u8]>::to_vec);
        let host = field("host").map(|host| host.to_ascii_lowercase());
        (of.method.clone(), of.target.clone(), host, field("authorization"), field("content-type"))
    };
    head(one) == head(other) && (!one.whole || (other.whole && one.body == other.body))
}
