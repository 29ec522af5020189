use super::{
    record::{CAUSE, REFUSED_TEXT, UNPROVED},
    *,
};
use crate::{
    model::{
        answer::Shape,
        body::Access,
        contract::{Contract, Data, Method, Segment, Template},
        entitlement::{Action, Entitlement, Scope, Source, Validity},
        org::{Division, Org, Principal, Region, User},
        outgoing::{Outgoing, Residual},
        set::{Dim, Ix, Set},
    },
    telemetry::Metrics,
    verify::{self, Verified},
};
use jiff::Timestamp;
use serde_json::Value;
use std::{path::Path, sync::Arc, time::Duration};
use uuid::Uuid;

/// A proved read of one conversation, for tests of what is downstream of the proof.
pub(crate) fn proved(conversation: &str) -> Verified {
    let (org, holder) = org();
    let literal = |text: &str| Segment::Literal(text.into());
    let contract = Contract {
        operation: "conversation-by-id".into(),
        method: Method::Get,
        template: Template {
            segments: vec![
                literal("api"),
                literal("v2"),
                literal("conversations"),
                Segment::Param { name: "conversationId".into(), access: Access::Conversation },
            ],
        },
        action: Action::View,
        data: Data::Interaction,
        params: Vec::new(),
        body: None,
        words: Vec::new(),
        masks: std::collections::BTreeMap::new(),
        ids: None,
        shape: Shape::Conversation,
        time: None,
        archived: false,
        rows_decide: true,
        max_values: 100,
    };
    let outgoing = Outgoing {
        method: Method::Get,
        path: format!("/api/v2/conversations/{conversation}"),
        query: Vec::new(),
        body: None,
    };
    let residual = Residual { legs: true, keys: true, windows: false };
    let scope = Scope {
        holder,
        region: Ix::new(0),
        action: Action::View,
        entitlements: vec![entitlement(holder)],
        inert: Set::new(),
        lifts: Vec::new(),
        good_until: None,
    };
    verify::check(&contract, outgoing, residual, &scope, &org, Timestamp::UNIX_EPOCH).unwrap()
}

fn entitlement(holder: Principal) -> Entitlement {
    Entitlement {
        holder,
        region: Ix::new(0),
        divisions: Dim::Only(Set::one(Ix::new(0))),
        queues: Dim::Any,
        users: Dim::Any,
        conversations: Dim::Any,
        data: None,
        actions: vec![Action::View],
        valid: Validity::ALWAYS,
        source: Source::Grant { id: "g-1".into() },
    }
}

fn org() -> (Org, Principal) {
    let (region, division) = (Ix::new(0), Ix::new(0));
    let org = Org {
        regions: vec![Region { id: "eu".into(), upstream: "".into(), hosts: Vec::new() }],
        divisions: vec![Division {
            id: "d".into(),
            name: "d".into(),
            parent: None,
            region,
            leaf: true,
            shared: false,
            home: false,
            queues: Set::new(),
            users: Set::new(),
        }],
        users: vec![User {
            id: "u".into(),
            person: "u".into(),
            name: "u".into(),
            email: None,
            division,
            region,
            active: true,
            moved: false,
            manager: None,
            groups: Set::new(),
            bpo: false,
            licence: None,
            named_queues: Set::new(),
            queues: Set::new(),
            assignments: Vec::new(),
            legacy: None,
        }],
        ..Org::default()
    };
    (org, Principal::User(Ix::new(0)))
}

fn settings(folder: &Path) -> Settings {
    Settings {
        folder: folder.to_owned(),
        durability: Durability::Strict,
        queries: Queries::Full,
        segment_bytes: 64 * 1024,
        slots: 64,
    }
}

pub(crate) fn draft(decision: Uuid, region: &str) -> IntentDraft {
    let subject = Subject {
        kind: "user".into(),
        id: "u".into(),
        actor: None,
        session: None,
        client: None,
        method: "static".into(),
    };
    IntentDraft {
        decision,
        time: Timestamp::UNIX_EPOCH,
        subject,
        peer: "127.0.0.1:5".into(),
        operation: "conversation-by-id".into(),
        region: region.into(),
        asked: Query::new(Method::Get, "/api/v2/conversations/c-1", &[], None),
        scope: Arc::new(ScopeRecord { digest: "0".into(), sources: Vec::new() }),
        versions: VersionsRecord { rules: "r".into(), directory: "d".into(), grants: "g".into() },
        notices: Vec::new(),
    }
}

fn outcome(decision: Uuid) -> OutcomeRecord {
    OutcomeRecord {
        decision,
        opened: Timestamp::UNIX_EPOCH,
        time: Timestamp::UNIX_EPOCH,
        subject: None,
        peer: "127.0.0.1:5".into(),
        operation: Some("conversation-by-id".into()),
        verdict: Verdict::Forwarded,
        code: None,
        cause: None,
        status: 200,
        asked: None,
        scope: None,
        versions: None,
        cache: Cache::None,
        upstream_status: Some(200),
        rows_in: 3,
        rows_out: 2,
        bytes_in: 100,
        bytes_out: 50,
        phases: vec![("identify".into(), 12), ("upstream".into(), 900)],
        notices: vec![NoticeRecord { code: "n".into(), text: "t".into() }],
    }
}

fn recorder(settings: Settings) -> Recorder {
    Recorder::start(settings, Metrics::detached()).unwrap()
}

fn decisions(lines: &[Line]) -> Vec<(Uuid, bool)> {
    lines.iter().map(|line| (line.record.decision(), matches!(line.record, Record::Intent(_)))).collect()
}

#[tokio::test]
async fn an_intent_is_readable_before_it_is_granted_and_an_outcome_follows() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(settings(folder.path()));
    let decision = Uuid::now_v7();
    let reserved = recorder.reserve().await.unwrap();
    let intent = recorder.intend(draft(decision, "eu"), &proved("c-1")).await.unwrap();
    assert!(intent.covers(&proved("c-1")) && !intent.covers(&proved("c-2")));
    let lines = read_dir(folder.path()).unwrap();
    assert_eq!(decisions(&lines), [(decision, true)]);
    let Record::Intent(line) = &lines[0].record else { panic!("no intent") };
    assert_eq!(line.sent.text.as_ref().unwrap().path, "/api/v2/conversations/c-1");
    assert_eq!(line.certificate.len(), 1);

    reserved.record(outcome(decision));
    recorder.close().await;
    let lines = read_dir(folder.path()).unwrap();
    assert_eq!(decisions(&lines), [(decision, true), (decision, false)]);
    assert_eq!(lines[1].record, Record::Outcome(Box::new(outcome(decision))));
    assert!(recorder.intend(draft(decision, "eu"), &proved("c-1")).await.is_err(), "closed");
}

#[tokio::test]
async fn many_at_once_share_syncs_and_rotate() {
    let folder = tempfile::tempdir().unwrap();
    let metrics = Metrics::detached();
    let small = Settings { segment_bytes: 4096, ..settings(folder.path()) };
    let recorder = Recorder::start(small, metrics.clone()).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let recorder = recorder.clone();
        tasks.spawn(async move {
            let decision = Uuid::now_v7();
            let reserved = recorder.reserve().await.unwrap();
            recorder.intend(draft(decision, "eu"), &proved("c-1")).await.unwrap();
            reserved.record(outcome(decision));
            decision
        });
    }
    let made = tasks.join_all().await;
    recorder.close().await;
    let lines = read_dir(folder.path()).unwrap();
    assert_eq!(lines.len(), 400);
    for decision in made {
        let at = |intent| decisions(&lines).iter().position(|line| *line == (decision, intent)).unwrap();
        assert!(at(true) < at(false));
    }
    assert!(metrics.record_syncs.get() < 400, "{} syncs", metrics.record_syncs.get());
    assert!(segment::list(folder.path()).unwrap().len() > 1);
}

#[tokio::test]
async fn a_disk_that_fails_refuses_and_comes_back() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("record");
    // Every group of lines needs a new segment.
    let recorder = recorder(Settings { segment_bytes: 1, ..settings(&folder) });
    let (first, second, third) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let reserved = recorder.reserve().await.unwrap();
    recorder.intend(draft(first, "eu"), &proved("c-1")).await.unwrap();
    assert_eq!(recorder.trouble(), None);

    let aside = outer.path().join("aside");
    std::fs::rename(&folder, &aside).unwrap();
    let unavailable = recorder.intend(draft(second, "eu"), &proved("c-1")).await.unwrap_err();
    let refusal = crate::model::refusal::Refusal::from(unavailable);
    assert_eq!(refusal.code.as_str(), "audit.unavailable");
    assert!(recorder.trouble().is_some());
    // The outcome waits for the disk and is not lost.
    reserved.record(outcome(first));

    std::fs::rename(&aside, &folder).unwrap();
    recorder.intend(draft(third, "eu"), &proved("c-1")).await.unwrap();
    assert_eq!(recorder.trouble(), None);
    recorder.close().await;
    let lines = decisions(&read_dir(&folder).unwrap());
    assert_eq!(lines, [(first, true), (first, false), (third, true)]);
}

#[tokio::test]
async fn a_failing_disk_recovers_without_a_new_request() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("record");
    let recorder = recorder(Settings { segment_bytes: 1, ..settings(&folder) });
    let decision = Uuid::now_v7();
    recorder.reserve().await.unwrap().record(outcome(Uuid::now_v7()));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let aside = outer.path().join("aside");
    std::fs::rename(&folder, &aside).unwrap();
    recorder.reserve().await.unwrap().record(outcome(decision));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(recorder.trouble().is_some());
    std::fs::rename(&aside, &folder).unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(recorder.trouble(), None);
    assert!(decisions(&read_dir(&folder).unwrap()).contains(&(decision, false)));
}

#[tokio::test]
async fn no_room_is_a_refusal_not_a_wait_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = recorder(Settings { slots: 1, ..settings(folder.path()) });
    let held = recorder.reserve().await.unwrap();
    assert!(recorder.reserve().await.unwrap_err().why.contains("too many decisions"));
    drop(held);
    assert!(recorder.reserve().await.is_ok());
}

#[tokio::test]
async fn digests_keep_the_text_out() {
    let folder = tempfile::tempdir().unwrap();
    let recorder =
        recorder(Settings { queries: Queries::Digest, durability: Durability::Relaxed, ..settings(folder.path()) });
    let decision = Uuid::now_v7();
    recorder.intend(draft(decision, "eu"), &proved("c-1")).await.unwrap();
    let asked = Some(Query::new(Method::Get, "/secret-path", &[], None));
    recorder.reserve().await.unwrap().record(OutcomeRecord { asked, ..outcome(decision) });
    recorder.close().await;
    let lines = read_dir(folder.path()).unwrap();
    let Record::Intent(intent) = &lines[0].record else { panic!("no intent") };
    assert!(intent.asked.text.is_none() && intent.sent.text.is_none());
    assert_eq!(intent.sent.digest, Query::new(Method::Get, "/api/v2/conversations/c-1", &[], None).digest);
    let (_, path) = segment::list(folder.path()).unwrap().remove(0);
    assert!(!std::fs::read_to_string(path).unwrap().contains("secret-path"));
}

#[test]
fn a_torn_tail_is_left_out_and_a_broken_line_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let line = serde_json::to_string(&Record::Outcome(Box::new(outcome(Uuid::now_v7())))).unwrap();
    std::fs::write(folder.path().join("0000000001.jsonl"), format!("{line}\n{line}\n{{\"kind\":\"out")).unwrap();
    std::fs::write(folder.path().join("note.txt"), "not a segment").unwrap();
    assert_eq!(read_dir(folder.path()).unwrap().len(), 1, "written twice, counted once");
    std::fs::write(folder.path().join("0000000002.jsonl"), "nonsense\n").unwrap();
    let why = read_dir(folder.path()).unwrap_err().to_string();
    assert!(why.contains("0000000002.jsonl` line 1"), "{why}");
}

#[test]
fn a_new_start_never_writes_into_an_old_segment() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("0000000007.jsonl"), "{\"torn").unwrap();
    drop(segment::Segments::open(folder.path(), 1).unwrap());
    let numbers: Vec<u64> = segment::list(folder.path()).unwrap().into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, [7, 8]);
}

#[test]
fn queries_that_differ_have_different_digests() {
    let pair = |name: &str, value: &str| (Box::<str>::from(name), value.to_owned());
    let of = |query: &[(Box<str>, String)], body: Option<&[u8]>| Query::new(Method::Get, "/a", query, body).digest;
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
    let params = [("name".into(), "n".repeat(10))];
    let asked = Query::new(Method::Post, "/p", &params, Some(body.as_bytes()));
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

/// Lines written before a field was there, and the words of what is not offered.
#[test]
fn who_acts_which_session_and_which_cache_always_stand_in_a_line() {
    let line = serde_json::to_value(Record::Outcome(Box::new(OutcomeRecord {
        subject: Some(draft(Uuid::nil(), "eu").subject),
        ..outcome(Uuid::nil())
    })))
    .unwrap();
    assert_eq!(line["cache"], "none");
    assert_eq!((&line["subject"]["actor"], &line["subject"]["session"]), (&Value::Null, &Value::Null));
    let members = line["subject"].as_object().unwrap();
    assert!(members.contains_key("actor") && members.contains_key("session"));
    let mut older = line.clone();
    older.as_object_mut().unwrap().remove("cache");
    older["subject"].as_object_mut().unwrap().retain(|name, _| name != "actor" && name != "session");
    let read: Record = serde_json::from_value(older).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), line);
}
