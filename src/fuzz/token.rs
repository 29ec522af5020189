//! Tokens: nobody is somebody by a token that was not signed for him.

use crate::identity::fuzzed::{Judge, bearer};
use serde_json::Value;
use std::{collections::BTreeSet, sync::OnceLock};

/// Keys, a clock, and tokens of which it is known whether they are good.
const CASES: &str = include_str!("../../tests/corpora/jwt/jwt_cases.json");

struct Known {
    judge: Judge,
    /// Header and claims of those that are good.
    good: BTreeSet<String>,
}

/// The value of an `Authorization` header: what is taken from it is its own end, and it is believed only with header and claims
/// that the issuer signed.
pub fn token(bytes: &[u8]) {
    let Ok(value) = std::str::from_utf8(bytes) else { return };
    let Some(token) = bearer(value) else { return };
    assert!(value.ends_with(token) && value.len() == token.len() + "Bearer ".len(), "{value:?}");
    assert!(token.bytes().all(|byte| byte.is_ascii_graphic() && !b",;\"'\\".contains(&byte)), "{value:?}");
    let known = known();
    if known.judge.believes(token) {
        let signed = token.rsplit_once('.').map(|(signed, _)| signed);
        assert!(signed.is_some_and(|signed| known.good.contains(signed)), "{token}");
    }
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let cases: Value = serde_json::from_str(CASES).unwrap_or_default();
        let text = |key: &str| cases.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let now = cases.get("now").and_then(Value::as_i64).unwrap_or_default();
        let keys = cases.get("jwks").map(ToString::to_string).unwrap_or_default();
        let judge = Judge::new(&keys, &text("issuer"), &text("audience"), now);
        let good = |case: &Value| {
            let token = case.get("token")?.as_str()?;
            let (signed, _) = token.rsplit_once('.')?;
            judge.believes(token).then(|| signed.to_owned())
        };
        let good: BTreeSet<String> =
            cases.get("cases").and_then(Value::as_array).into_iter().flatten().filter_map(good).collect();
        assert!(good.len() > 5, "the cases hold good tokens");
        Known { judge, good }
    })
}
