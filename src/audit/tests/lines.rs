//! What a line says, and what it keeps out.

use super::*;

#[tokio::test]
async fn digests_keep_the_text_out() {
    let folder = tempfile::tempdir().unwrap();
    let recorder =
        recorder(Settings { queries: Queries::Digest, durability: Durability::Relaxed, ..settings(folder.path()) });
    let decision = Uuid::now_v7();
    recorder.intend(draft(decision, "eu"), &proved("c-1")).await.unwrap();
    let asked = Some(Query::new::<&str>("GET", "/secret-path", &[], None));
    recorder.reserve().await.unwrap().record(OutcomeRecord { asked, ..outcome(decision) });
    recorder.close().await;
    let lines = read_dir(folder.path()).unwrap();
    let Record::Intent(intent) = &lines[0].record else { panic!("no intent") };
    assert!(intent.asked.text.is_none() && intent.sent.text.is_none());
    assert_eq!(intent.sent.digest, Query::new::<&str>("GET", "/api/v2/conversations/c-1", &[], None).digest);
    let (_, path) = segment::list(folder.path()).unwrap().remove(0);
    assert!(!std::fs::read_to_string(path).unwrap().contains("secret-path"));
}

#[test]
fn queries_that_differ_have_different_digests() {
    let pair = |name: &'static str, value: &str| (name, value.to_owned());
    let of = |query: &[(&str, String)], body: Option<&[u8]>| Query::new("GET", "/a", query, body).digest;
    let all = [
        of(&[], None),
        of(&[pair("a", "bc")], None),
        of(&[pair("ab", "c")], None),
        of(&[pair("a", "b"), pair("c", "")], None),
        of(&[], Some(b"x")),
    ];
    let unique: std::collections::HashSet<_> = all.iter().collect();
    assert_eq!(unique.len(), all.len());
}

#[test]
fn a_scope_record_names_sources_and_changes_with_the_ids() {
    use crate::model::entitlement::Scope;
    let (org, holder) = org();
    let scope = |users| Scope {
        holder,
        region: Ix::new(0),
        action: Action::View,
        entitlements: vec![Entitlement { users, ..entitlement(holder) }],
        inert: Set::new(),
        lifts: Vec::new(),
        openings: Vec::new(),
        good_until: None,
    };
    let wide = ScopeRecord::of(&scope(Dim::Any), &org);
    let narrow = ScopeRecord::of(&scope(Dim::Only(Set::one(Ix::new(0)))), &org);
    assert_eq!((wide.sources[0].source.as_str(), wide.sources[0].users.as_str()), ("grant g-1", "any"));
    assert_eq!(narrow.sources[0].users, "1");
    assert_ne!(wide.digest, narrow.digest);
    assert_eq!(wide, ScopeRecord::of(&scope(Dim::Any), &org));
}

#[tokio::test]
async fn what_an_asker_or_an_upstream_made_long_is_cut_and_marked() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(Settings { durability: Durability::Relaxed, ..settings(folder.path()) });
    let body = "ü".repeat(500_000);
    let params = [("name", "n".repeat(10))];
    let asked = Query::new("POST", "/p", &params, Some(body.as_bytes()));
    let cases = [
        (Verdict::Refused, "query.malformed", CAUSE, true),
        (Verdict::Failed, "verify.failed", UNPROVED, true),
        (Verdict::Local, "n", CAUSE, false),
        (Verdict::Forwarded, "n", CAUSE, false),
    ];
    for (verdict, code, ..) in cases {
        recorder.reserve().await.unwrap().record(OutcomeRecord {
            verdict,
            code: Some(code.to_owned()),
            cause: Some("€".repeat(1_000_000)),
            asked: Some(asked.clone()),
            ..outcome(Uuid::now_v7())
        });
    }
    recorder.close().await;
    let lines = read_dir(folder.path()).unwrap();
    for (line, (verdict, _, limit, cut)) in lines.iter().zip(cases) {
        let Record::Outcome(outcome) = &line.record else { panic!("no outcome") };
        let cause = outcome.cause.as_ref().unwrap();
        assert!(cause.len() <= limit + 40 && cause.len() > limit - 4, "{verdict:?}: {}", cause.len());
        let left = cause.trim_end_matches(|c: char| c != '€').len();
        assert!(cause.ends_with(&format!(" [cut: {} bytes more]", 3_000_000 - left)), "{verdict:?}");
        let kept = outcome.asked.as_ref().unwrap();
        assert_eq!(kept.digest, asked.digest);
        let text = kept.text.as_ref().unwrap();
        let length = text.body.as_ref().unwrap().len();
        assert_eq!(text.query, [("name".to_owned(), "n".repeat(10))]);
        assert_eq!(text.cut, cut.then(|| 1_000_000 - length as u64), "{verdict:?}");
        assert!(if cut { length < REFUSED_TEXT && length > REFUSED_TEXT - 32 } else { length == 1_000_000 });
    }
    assert_eq!(lines.len(), cases.len());
}
