use super::*;
use crate::model::{
    job::JobKind,
    schedule::{Ids, KeptAnswer, Right, Rights, RunState},
};
use bytes::Bytes;

fn job(id: &str, holder: &str, submitted: &str) -> Job {
    Job {
        id: id.into(),
        region: "us".into(),
        holder: ("user".into(), holder.into()),
        operation: "aggregates.job".into(),
        submitted: submitted.parse().unwrap(),
        kind: JobKind::Sent(Bytes::from_static(b"{\"interval\":\"a/b\"}")),
        cursor: None,
    }
}

const NOW: &str = "2026-11-20T10:00:00Z";

#[tokio::test]
async fn a_job_is_its_submitters_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let bound = job("j-1", "ana", NOW);
    {
        let store = Store::open(folder.path()).unwrap();
        store.bind(bound.clone()).await.unwrap();
        store.name_cursor("us", "j-1", "next").await.unwrap();
    }
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.job("us", "j-1", None, true).await, Ok(Some(bound.clone())));
    assert_eq!(
        store.job("us", "j-1", Some("next"), true).await,
        Ok(Some(Job { cursor: Some("next".into()), ..bound.clone() }))
    );
    assert_eq!(store.job("us", "j-1", Some("other"), true).await, Ok(Some(bound.clone())));
    assert_eq!(store.job("eu", "j-1", None, true).await, Ok(None));
    assert_eq!(store.job("us", "J-1", None, true).await, Ok(None));
    let empty = Job { kind: JobKind::Empty(Bytes::from_static(b"{}")), ..job("j-2", "ana", NOW) };
    store.bind(empty.clone()).await.unwrap();
    assert_eq!(store.job("us", "j-2", None, true).await, Ok(Some(empty)));
}

/// An upstream that gives one id twice must not give one person's job to another.
#[tokio::test]
async fn an_id_is_bound_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let bound = job("j-1", "ana", NOW);
    store.bind(bound.clone()).await.unwrap();
    store.bind(job("j-1", "ana", "2026-11-20T10:00:05Z")).await.unwrap();
    let body = || JobKind::Sent(Bytes::from_static(b"{}"));
    let changes: [fn(&mut Job); 3] = [
        |job| job.holder = ("user".into(), "ben".into()),
        |job| job.holder = ("service".into(), "ana".into()),
        |job| job.operation = "details.job".into(),
    ];
    let mut others: Vec<Job> = vec![Job { kind: body(), ..bound.clone() }];
    others.extend(changes.iter().map(|change| {
        let mut other = bound.clone();
        change(&mut other);
        other
    }));
    for other in others {
        assert_eq!(store.bind(other.clone()).await, Err(Failed::Taken("j-1".into())), "{other:?}");
    }
    assert_eq!(store.job("us", "j-1", None, true).await, Ok(Some(bound.clone())));
    // another region's upstream counts for itself
    store.bind(Job { region: "eu".into(), holder: ("user".into(), "eva".into()), ..bound }).await.unwrap();
}

#[tokio::test]
async fn old_jobs_go_with_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.bind(job("old", "ana", NOW)).await.unwrap();
    store.name_cursor("us", "old", "next").await.unwrap();
    store.bind(job("young", "ana", "2026-12-20T10:00:00Z")).await.unwrap();
    assert!(store.job("us", "old", None, true).await.unwrap().is_some());
    store.bind(job("new", "ana", "2026-12-21T10:00:01Z")).await.unwrap();
    assert_eq!(store.job("us", "old", None, true).await, Ok(None));
    assert!(store.job("us", "young", None, true).await.unwrap().is_some());
    // nothing is named of a job that is not there
    assert_eq!(store.name_cursor("us", "old", "again").await, Ok(false));
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let told = Store::open(&file).unwrap_err().to_string();
    assert!(told.contains("bailiwick.sqlite") && told.contains("cannot be opened"), "{told}");
}

/// Nobody fills the disk, and nobody's jobs are forgotten for another's.
#[tokio::test]
async fn the_oldest_jobs_of_one_holder_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.bind(job("of-ben", "ben", "2026-11-20T09:00:00Z")).await.unwrap();
    let now: Timestamp = NOW.parse().unwrap();
    for number in 0..=jobs::MOST {
        let mut one = job(&format!("j-{number}"), "ana", NOW);
        one.submitted = now + jiff::SignedDuration::from_secs(i64::from(number));
        store.bind(one).await.unwrap();
    }
    for (id, there) in [("j-0", false), ("j-1", true), ("of-ben", true)] {
        assert_eq!(store.job("us", id, None, true).await.unwrap().is_some(), there, "{id}");
    }
}

#[test]
fn its_files_are_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let files = || fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let store = Store::open(&data).unwrap();
    assert_eq!(mode(&data), 0o700);
    assert!(files().len() > 1 && files().iter().all(|path| mode(path) == 0o600), "{:?}", files());
    // as somebody left them who copied them
    for path in files() {
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    }
    let _again = Store::open(&data).unwrap();
    assert!(files().iter().all(|path| mode(path) == 0o600), "{:?}", files());
    drop(store);
}

/// A short question may be sent as a long one: what is kept of one holder is bound by its bytes too.
#[tokio::test]
async fn the_bytes_of_one_holder_are_bound() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let large = |id: &str, holder: &str, submitted: &str| {
        let body = Bytes::from(vec![b' '; jobs::MOST_BYTES / 4]);
        Job { kind: JobKind::Sent(body), ..job(id, holder, submitted) }
    };
    store.bind(large("of-ben", "ben", "2026-11-20T09:00:00Z")).await.unwrap();
    for (number, id) in ["j-0", "j-1", "j-2", "j-3"].iter().enumerate() {
        store.bind(large(id, "ana", &format!("2026-11-20T10:00:0{number}Z"))).await.unwrap();
    }
    let there = async |id: &str| store.job("us", id, None, false).await.unwrap().is_some();
    assert!(there("j-0").await && there("j-3").await);
    store.bind(large("j-4", "ana", "2026-11-20T10:00:04Z")).await.unwrap();
    assert!(!there("j-0").await && there("j-1").await && there("j-4").await && there("of-ben").await);
    store.bind(job("small", "ana", "2026-11-20T10:00:05Z")).await.unwrap();
    assert!(!there("j-1").await && there("j-2").await && there("small").await);
}

#[tokio::test]
async fn a_cancelled_job_is_forgotten_and_what_was_sent_is_read_only_where_it_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let bound = job("j-1", "ana", NOW);
    store.bind(bound.clone()).await.unwrap();
    store.bind(job("j-2", "ana", NOW)).await.unwrap();
    let short = Job { kind: JobKind::Sent(Bytes::new()), ..bound };
    assert_eq!(store.job("us", "j-1", None, false).await, Ok(Some(short)));
    store.forget("us", "j-1").await.unwrap();
    assert_eq!(store.job("us", "j-1", None, true).await, Ok(None));
    assert!(store.job("us", "j-2", None, true).await.unwrap().is_some());
}

/// An upstream that names a new place for every question fills nothing, and nobody can by many jobs.
#[test]
fn the_places_of_one_holder_are_bound() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = connect(&folder.path().join("it.sqlite"), "full").unwrap();
    let held = |connection: &Connection, id: &str| -> u32 {
        connection.query_row("select count(*) from places where id = ?", [id], |row| row.get(0)).unwrap()
    };
    for (id, holder, seconds) in [("j-0", "ana", 0), ("j-1", "ana", 1), ("j-2", "ana", 2), ("j-3", "ben", 0)] {
        let submitted = format!("2026-11-20T10:00:0{seconds}Z");
        jobs::bind(&mut connection, &job(id, holder, &submitted)).unwrap();
    }
    let name = |connection: &mut Connection, id: &str, place: &str| jobs::name_cursor(connection, "us", id, place);
    let fill = |connection: &Connection, id: &str, count: u32| {
        let many = format!(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < {count})
             insert into places (region, id, digest) select 'us', '{id}', cast('d' || i as blob) from n"
        );
        connection.execute_batch(&many).unwrap();
    };
    fill(&connection, "j-1", 2);
    fill(&connection, "j-2", jobs::MOST_PLACES - 3);
    assert_eq!(name(&mut connection, "j-2", "last"), Ok(true));
    assert_eq!(name(&mut connection, "j-2", "last"), Ok(true), "a place that is known takes none");
    assert_eq!((held(&connection, "j-1"), held(&connection, "j-2")), (2, jobs::MOST_PLACES - 2));
    assert_eq!(name(&mut connection, "j-2", "more"), Ok(true), "the oldest other job with places makes room");
    let there = |connection: &Connection, id: &str| jobs::find(connection, "us", id, None, false).unwrap().is_some();
    assert!(!there(&connection, "j-1") && there(&connection, "j-0") && there(&connection, "j-2"));
    assert_eq!(name(&mut connection, "j-2", "one more"), Ok(true));
    assert_eq!(name(&mut connection, "j-2", "too many"), Err(Failed::Places("j-2".into())), "nothing else makes room");
    assert!(there(&connection, "j-0"), "what has no places is not forgotten for them");
    assert_eq!(name(&mut connection, "j-3", "more"), Ok(true), "another's jobs are not counted");
}

/// A list of one's own holds one's own: of this region, of this operation, the newest first. What was sent for them is read
/// for those that are named, and for no others.
#[tokio::test]
async fn the_jobs_of_a_holder_are_his() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mine = [job("j-1", "ana", NOW), job("j-2", "ana", "2026-11-20T11:00:00Z")];
    let mut others = [job("j-3", "ben", NOW), job("j-4", "ana", NOW), job("j-5", "ana", NOW), job("j-6", "ana", NOW)];
    others[1].region = "eu".into();
    others[2].operation = "details.job".into();
    others[3].holder.0 = "service".into();
    for one in mine.iter().chain(&others) {
        store.bind(one.clone()).await.unwrap();
    }
    let [first, second] = mine;
    let bare = |job: &Job| Job { kind: JobKind::Sent(Bytes::new()), ..job.clone() };
    assert_eq!(store.jobs_of("us", ("user", "ana"), "aggregates.job").await, Ok(vec![bare(&second), bare(&first)]));
    assert_eq!(store.jobs("us", vec!["j-1".into(), "j-9".into(), "j-4".into()]).await, Ok(vec![first]));
    assert_eq!(store.jobs_of("us", ("user", "ANA"), "aggregates.job").await, Ok(vec![]));
}

fn definition(id: &str, owner: &str, version: u32) -> Definition {
    Definition {
        id: id.into(),
        region: "us".into(),
        operation: "query".into(),
        owner: ("user".into(), owner.into()),
        division: "d-1".into(),
        shared: id.ends_with('s'),
        name: format!("{id} {version}").into(),
        body: Bytes::from_static(b"{}"),
        version,
        changed: NOW.parse().unwrap(),
    }
}

#[tokio::test]
async fn a_definition_is_changed_in_the_version_that_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let put = |one: Definition| store.change(DefinitionChange::Put(one));
    put(definition("q-s", "ana", 1)).await.unwrap();
    assert_eq!(put(definition("q-s", "bob", 1)).await, Err(Failed::Changed), "an id is given once");
    put(definition("q-s", "ana", 2)).await.unwrap();
    assert_eq!(put(definition("q-s", "ana", 2)).await, Err(Failed::Changed));
    assert_eq!(store.definition("us", "q-s").await, Ok(Some(definition("q-s", "ana", 2))));
    assert_eq!(store.definition("eu", "q-s").await, Ok(None));
    let remove = |version| store.change(DefinitionChange::Remove(definition("q-s", "ana", version)));
    assert_eq!(remove(1).await, Err(Failed::Changed));
    assert_eq!((remove(2).await, store.definition("us", "q-s").await), (Ok(()), Ok(None)));
}

#[tokio::test]
async fn around_somebody_are_his_own_and_what_is_shared() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for (id, owner) in [("c-s", "bob"), ("a", "ana"), ("b", "bob"), ("b-s", "bob")] {
        store.change(DefinitionChange::Put(definition(id, owner, 1))).await.unwrap();
    }
    let elsewhere = Definition { division: "d-2".into(), ..definition("d-s", "bob", 1) };
    store.change(DefinitionChange::Put(elsewhere)).await.unwrap();
    let store = &store;
    let part = async |region: &str, kind: &str, operation: &str, divisions: &[&str], skip, take| {
        let divisions = divisions.iter().map(|id| (*id).into()).collect();
        let (region, operation) = (Box::from(region), Box::from(operation));
        let wanted = Wanted { region, operation, holder: (Box::from(kind), "ana".into()), divisions, skip, take };
        let (found, total) = store.definitions(wanted).await.unwrap();
        (found.into_iter().map(|one| one.id.to_string()).collect::<Vec<_>>().join(","), total)
    };
    let whole =
        async |region, kind, operation, divisions: &[&str]| part(region, kind, operation, divisions, 0, 100).await;
    assert_eq!(whole("us", "user", "query", &["d-1"]).await, ("a,b-s,c-s".into(), 3));
    assert_eq!(whole("us", "user", "query", &["d-1", "d-2"]).await, ("a,b-s,c-s,d-s".into(), 4));
    assert_eq!(whole("us", "user", "query", &["d-3"]).await, ("a".into(), 1), "one's own, wherever it is");
    assert_eq!(whole("us", "service", "query", &["d-1"]).await, ("b-s,c-s".into(), 2));
    assert_eq!(whole("us", "user", "other", &["d-1"]).await, (String::new(), 0));
    assert_eq!(whole("eu", "user", "query", &["d-1"]).await, (String::new(), 0));
    // a page is a part, and its total that of the whole
    assert_eq!(part("us", "user", "query", &["d-1"], 1, 1).await, ("b-s".into(), 3));
    assert_eq!(part("us", "user", "query", &["d-1"], 3, 2).await, (String::new(), 3));
}

#[tokio::test]
async fn one_person_does_not_fill_the_disk_with_definitions() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for number in 0..definitions::MOST {
        store.change(DefinitionChange::Put(definition(&number.to_string(), "ana", 1))).await.unwrap();
    }
    assert_eq!(store.change(DefinitionChange::Put(definition("more", "ana", 1))).await, Err(Failed::Full(500)));
    store.change(DefinitionChange::Put(definition("other", "bob", 1))).await.unwrap();
}

#[tokio::test]
async fn what_somebody_asked_is_remembered_and_the_oldest_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let execution = |holder: &str, at: i64| Execution {
        region: "us".into(),
        operation: "query".into(),
        holder: ("user".into(), holder.into()),
        definition: (at % 2 == 0).then(|| "q-1".into()),
        name: Some(at.to_string().into()),
        began: Timestamp::from_second(at).unwrap(),
        micros: 7,
        rows: (at % 3 == 0).then_some(5),
    };
    store.note(execution("bob", 1));
    let most = i64::from(definitions::MOST_EXECUTIONS);
    for at in 1..=most + 3 {
        store.note(execution("ana", at));
        // no more may wait than there are places
        if at % 100 == 0 {
            store.executions("us", ("user", "nobody"), "query").await.unwrap();
        }
    }
    let held = store.executions("us", ("user", "ana"), "query").await.unwrap();
    let due: Vec<_> = (4..=most + 3).rev().map(|at| execution("ana", at)).collect();
    assert_eq!(held, due);
    assert_eq!(store.executions("us", ("user", "bob"), "query").await.unwrap(), [execution("bob", 1)]);
    assert!(store.executions("us", ("service", "ana"), "query").await.unwrap().is_empty());
    assert!(store.executions("eu", ("user", "ana"), "query").await.unwrap().is_empty());
}

/// Notes of what people asked wait for the file by themselves: whose a job is, is answered meanwhile.
#[tokio::test]
async fn notes_hold_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.bind(job("j-1", "ana", NOW)).await.unwrap();
    let mut other = connect(&folder.path().join("bailiwick.sqlite"), "full").unwrap();
    let held = other.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
    let note = |at: i64| Execution {
        region: "us".into(),
        operation: "query".into(),
        holder: ("user".into(), "ana".into()),
        definition: None,
        name: None,
        began: Timestamp::from_second(at).unwrap(),
        micros: 7,
        rows: None,
    };
    let began = std::time::Instant::now();
    let many = i64::try_from(NOTES).unwrap();
    for at in 0..many * 3 {
        store.note(note(at));
    }
    assert!(store.job("us", "j-1", None, false).await.unwrap().is_some());
    assert!(began.elapsed() < BUSY / 2, "{:?}", began.elapsed());
    held.commit().unwrap();
    // what found a place is there, and what found none is lost without more
    let kept = store.executions("us", ("user", "ana"), "query").await.unwrap();
    assert!(kept.len() >= NOTES && kept.len() < NOTES * 3, "{}", kept.len());
    assert_eq!(kept.last(), Some(&note(0)));
}

/// Two processes that share the file do not keep each other from keeping.
#[test]
fn definitions_are_kept_from_two_sides() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it.sqlite");
    connect(&file, "full").unwrap();
    let side = |name: &'static str| {
        let mut connection = connect(&file, "off").unwrap();
        std::thread::spawn(move || {
            let put =
                |number: u32| definitions::put(&mut connection, &definition(&format!("{name}-{number}"), name, 1));
            (0..200).try_for_each(put)
        })
    };
    let sides = ["ana", "bob", "cem"].map(side);
    for side in sides {
        assert_eq!(side.join().unwrap(), Ok(()));
    }
}

fn schedule(id: &str, next: &str) -> Schedule {
    Schedule {
        id: id.into(),
        region: "us".into(),
        operation: "query".into(),
        owner: ("user".into(), "ana".into()),
        name: id.into(),
        definition: "d-1".into(),
        cron: "0 7 * * *".into(),
        zone: "UTC".into(),
        recipients: vec!["ben".into()],
        enabled: true,
        then: Rights {
            region: "us".into(),
            sources: vec![Right {
                divisions: Ids::Only(vec!["pay".into()]),
                queues: Ids::Any,
                users: Ids::Only(Vec::new()),
                conversations: Ids::Any,
                data: Some((Timestamp::MIN, Timestamp::MAX)),
                from: None,
                until: Some(Timestamp::MAX),
            }],
            closed: vec!["q-1".into()],
            restricted: Vec::new(),
        },
        version: 1,
        changed: NOW.parse().unwrap(),
        next: Some(next.parse().unwrap()),
        waiting: Vec::new(),
        tries: 0,
    }
}

fn begun(schedule: &str, reader: &str, nth: i64) -> Run {
    Run {
        id: format!("{schedule}-{reader}-{nth}").into(),
        schedule: schedule.into(),
        region: "us".into(),
        reader: ("user".into(), reader.into()),
        began: Timestamp::from_second(nth).unwrap(),
        state: RunState::Begun,
    }
}

/// Whatever process sees that it is due: one begins it, and a change in between begins nothing.
#[tokio::test]
async fn a_schedule_is_begun_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let other = Store::open(folder.path()).unwrap();
    let one = schedule("s-1", "2026-11-20T07:00:00Z");
    store.reschedule(ScheduleChange::Put(one.clone())).await.unwrap();
    assert_eq!(store.schedule("us", "s-1").await, Ok(Some(one.clone())));
    assert_eq!(store.due("us", "2026-11-20T06:59:59Z".parse().unwrap(), 9).await, Ok(Vec::new()));
    let now: Timestamp = "2026-11-20T07:00:00Z".parse().unwrap();
    let (due, seen) = (store.due("us", now, 9).await.unwrap(), other.due("us", now, 9).await.unwrap());
    assert_eq!((due.as_slice(), seen.as_slice()), (&[one.clone()][..], &[one.clone()][..]));
    let tomorrow: Timestamp = "2026-11-21T07:00:00Z".parse().unwrap();
    let next = Some(tomorrow);
    assert_eq!(store.begin(one.clone(), next, vec![begun("s-1", "ana", 1)]).await, Ok(true));
    assert_eq!(other.begin(one.clone(), next, vec![begun("s-1", "ana", 2)]).await, Ok(false));
    assert_eq!(store.runs(("us", "s-1"), ("user", "ana"), None).await, Ok(vec![begun("s-1", "ana", 1)]));
    let seen = store.due("us", tomorrow, 9).await.unwrap().remove(0);
    let changed = Schedule { version: 2, enabled: false, next: None, ..one.clone() };
    store.reschedule(ScheduleChange::Put(changed.clone())).await.unwrap();
    assert_eq!(other.begin(seen, None, vec![begun("s-1", "ana", 3)]).await, Ok(false));
    assert_eq!(store.due("us", Timestamp::MAX, 9).await, Ok(Vec::new()));
    // nobody else's change in its place, and no second one of the same version
    let stolen = Schedule { owner: ("user".into(), "ben".into()), version: 3, ..one.clone() };
    assert_eq!(store.reschedule(ScheduleChange::Put(stolen)).await, Err(Failed::Changed));
    assert_eq!(store.reschedule(ScheduleChange::Put(changed)).await, Err(Failed::Changed));
}

/// The last runs of each reader are kept, and nothing of a schedule that is gone.
#[tokio::test]
async fn runs_are_bounded_and_go_with_their_schedule() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut one = schedule("s-1", NOW);
    store.reschedule(ScheduleChange::Put(one.clone())).await.unwrap();
    for nth in 0..15 {
        let next = Some(Timestamp::from_second(nth).unwrap());
        let both = vec![begun("s-1", "ana", nth), begun("s-1", "ben", nth)];
        assert_eq!(store.begin(one.clone(), next, both).await, Ok(true));
        one.next = next;
    }
    for reader in ["ana", "ben"] {
        let kept = store.runs(("us", "s-1"), ("user", reader), None).await.unwrap();
        let due: Vec<Run> = (5..15).rev().map(|nth| begun("s-1", reader, nth)).collect();
        assert_eq!(kept, due);
    }
    assert_eq!(store.runs(("us", "s-1"), ("service", "ana"), None).await, Ok(Vec::new()));
    let kept = KeptAnswer {
        decision: "d-1".into(),
        asked: Bytes::from_static(b"{}"),
        sent: None,
        answer: Bytes::from_static(b"[]"),
        said: vec!["a part is left out".into()],
    };
    let ended = Run { state: RunState::Kept(kept), ..begun("s-1", "ana", 14) };
    store.end(ended.clone()).await.unwrap();
    assert_eq!(store.runs(("us", "s-1"), ("user", "ana"), Some("s-1-ana-14")).await, Ok(vec![ended.clone()]));
    assert_eq!(store.runs(("us", "s-1"), ("user", "ben"), Some("s-1-ana-14")).await, Ok(Vec::new()));
    store.reschedule(ScheduleChange::Remove(one)).await.unwrap();
    assert_eq!(store.runs(("us", "s-1"), ("user", "ana"), None).await, Ok(Vec::new()));
    // one that ends later is kept nowhere
    store.end(ended).await.unwrap();
    assert_eq!(store.runs(("us", "s-1"), ("user", "ana"), None).await, Ok(Vec::new()));
}

/// Whoever is left out, or leaves, keeps no answer here; others keep theirs.
#[tokio::test]
async fn an_answer_goes_with_its_reader() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut one = Schedule { recipients: vec!["ben".into(), "cem".into()], ..schedule("s-1", NOW) };
    store.reschedule(ScheduleChange::Put(one.clone())).await.unwrap();
    let runs = ["ana", "ben", "cem"].map(|reader| begun("s-1", reader, 1)).to_vec();
    assert_eq!(store.begin(one.clone(), one.next, runs).await, Ok(true));
    let many = async |reader: &str| store.runs(("us", "s-1"), ("user", reader), None).await.unwrap().len();
    store.reschedule(ScheduleChange::Leave(one.clone(), "cem".into())).await.unwrap();
    assert_eq!([many("ana").await, many("ben").await, many("cem").await], [1, 1, 0]);
    assert_eq!(store.schedule("us", "s-1").await.unwrap().unwrap().recipients, [Box::from("ben")]);
    let of_cem = store.schedules(("us", "query"), ("user", "cem"), (0, 9)).await.unwrap();
    assert_eq!(of_cem, (Vec::new(), 0));
    (one.version, one.recipients) = (2, vec!["dan".into()]);
    store.reschedule(ScheduleChange::Put(one.clone())).await.unwrap();
    assert_eq!([many("ana").await, many("ben").await], [1, 0]);
    assert_eq!(store.schedules(("us", "query"), ("user", "dan"), (0, 9)).await.unwrap().1, 1);
    assert_eq!(store.schedules(("us", "query"), ("service", "dan"), (0, 9)).await.unwrap().1, 0);
}

/// It comes again for those who wait, sooner than it would have, and knows how often that was so.
#[tokio::test]
async fn what_was_put_off_is_due_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let one = schedule("s-1", "2026-11-20T07:00:00Z");
    store.reschedule(ScheduleChange::Put(one.clone())).await.unwrap();
    let (tomorrow, soon) = (at("2026-11-21T07:00:00Z"), at("2026-11-20T07:05:00Z"));
    let runs = ["ana", "ben"].map(|reader| begun("s-1", reader, 1)).to_vec();
    assert_eq!(store.begin(one.clone(), Some(tomorrow), runs.clone()).await, Ok(true));
    store.put_off(one, soon, runs[1..].to_vec()).await.unwrap();
    assert_eq!(store.runs(("us", "s-1"), ("user", "ben"), None).await, Ok(Vec::new()));
    let again = store.due("us", soon, 9).await.unwrap().remove(0);
    assert_eq!((again.tries, again.waiting.as_slice()), (1, &[("user".into(), "ben".into())][..]));
    assert_eq!(store.begin(again.clone(), Some(tomorrow), runs[1..].to_vec()).await, Ok(true));
    // no time that would come later than its own, and then it is everybody's
    store.put_off(again, at("2026-11-22T07:00:00Z"), runs[1..].to_vec()).await.unwrap();
    let again = store.due("us", tomorrow, 9).await.unwrap().remove(0);
    assert_eq!((again.tries, again.next, again.waiting.len()), (0, Some(tomorrow), 0));
    // answered at last, it begins anew
    assert_eq!(store.begin(again, Some(tomorrow), runs[1..].to_vec()).await, Ok(true));
    let fresh = store.due("us", tomorrow, 9).await.unwrap().remove(0);
    assert_eq!(store.begin(fresh, Some(tomorrow), Vec::new()).await, Ok(true));
    assert_eq!(store.due("us", tomorrow, 9).await.unwrap().remove(0).tries, 0);
}

/// One owner's answers take no more than their room, whoever reads them; the oldest go.
#[tokio::test]
async fn answers_of_one_owner_have_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let big = Bytes::from(vec![b'x'; 12 * 1024 * 1024]);
    for nth in 0..7 {
        let id = format!("s-{nth}");
        let one = schedule(&id, NOW);
        store.reschedule(ScheduleChange::Put(one.clone())).await.unwrap();
        let run = begun(&id, "ana", nth);
        assert_eq!(store.begin(one.clone(), one.next, vec![run.clone()]).await, Ok(true));
        let kept =
            KeptAnswer { decision: "d".into(), asked: Bytes::new(), sent: None, answer: big.clone(), said: Vec::new() };
        store.end(Run { state: RunState::Kept(kept), ..run }).await.unwrap();
    }
    let mut left = Vec::new();
    for nth in 0..7 {
        let id = format!("s-{nth}");
        if !store.runs(("us", &id), ("user", "ana"), None).await.unwrap().is_empty() {
            left.push(nth);
        }
    }
    assert_eq!(left, [2, 3, 4, 5, 6]);
}

/// One person's many do not keep another's one waiting.
#[tokio::test]
async fn each_owner_has_his_turn() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for nth in 0..9 {
        store.reschedule(ScheduleChange::Put(schedule(&format!("s-{nth}"), "2026-11-20T07:00:00Z"))).await.unwrap();
    }
    let late = Schedule { owner: ("user".into(), "ben".into()), ..schedule("t", NOW) };
    store.reschedule(ScheduleChange::Put(late)).await.unwrap();
    let due = store.due("us", NOW.parse().unwrap(), 3).await.unwrap();
    assert_eq!(due.iter().map(|one| &*one.id).collect::<Vec<_>>(), ["s-0", "t", "s-1"]);
    assert_eq!(store.due("eu", NOW.parse().unwrap(), 3).await, Ok(Vec::new()));
}
