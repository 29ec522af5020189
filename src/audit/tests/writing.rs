//! Intents and outcomes on their way to the disk, and a disk that fails.

use super::*;

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
