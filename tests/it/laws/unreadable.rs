//! What is no answer is refused whole, and what nobody asked for is told of.

use super::guard::{asked, organisation, text};
use crate::oracle::questions::Kind;
use bailiwick::{model::refusal::Code, policy::guard::Unguarded};
use serde_json::json;

const WEEK: &str = "2026-11-15T00:00:00Z/2026-11-21T00:00:00Z";

#[test]
fn what_is_no_answer_is_refused_whole() {
    let organisation = organisation();
    let plan = asked(
        &organisation,
        "sofia",
        Kind::Aggregates,
        &json!({ "interval": WEEK, "metrics": ["tHandle"], "groupBy": ["queueId"] }),
    );
    let guard = |status: u16, text: &str| {
        plan.guard(Unguarded::new(status, text.as_bytes().to_vec())).map_err(|refusal| refusal.code)
    };
    for (status, text) in [
        (201, "{}"),
        (204, "{}"),
        (500, "{}"),
        (200, ""),
        (200, "[]"),
        (200, "{}{}"),
        (200, r#"{"results":{}}"#),
        (200, r#"{"results":7}"#),
    ] {
        assert_eq!(guard(status, text).unwrap_err(), Code::AnswerUnreadable, "{status} {text}");
    }
    let unread = plan.guard(Unguarded::new(200, br#"{"results":{}}"#.to_vec())).unwrap_err();
    assert_eq!(unread.cause.as_deref(), Some("`$.results` is not a list"));
    let none = guard(200, r#"{"total":7}"#).unwrap();
    assert_eq!((none.body(), none.rows_in(), none.rows_out()), (&b"{}"[..], 0, 0));
    let rows = json!({ "results": [
        { "group": { "queueId": "cards" }, "data": [], "sum": 3 }, { "group": { "queueId": "motor" } }, { "group": { "queueId": "loans" } },
    ] });
    let some = guard(200, &rows.to_string()).unwrap();
    assert_eq!((some.rows_in(), some.rows_out(), some.notices().len()), (3, 2, 1));
    assert_eq!(some.notices()[0].code, "answer.foreign-rows");
    assert!(some.rows_foreign() == 1 && !some.notices()[0].text.contains(char::is_numeric), "{:?}", some.notices());
    let due =
        json!({ "results": [{ "group": { "queueId": "cards" }, "data": [] }, { "group": { "queueId": "loans" } }] });
    assert_eq!(text(&some.into_body()), due);
    let raw = Unguarded::new(418, b"teapot".to_vec());
    assert_eq!((raw.status(), raw.len(), raw.is_empty()), (418, 6, false));
    assert!(Unguarded::new(200, vec![]).is_empty());
}
