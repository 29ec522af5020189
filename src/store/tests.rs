use super::*;
use crate::model::job::JobKind;
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
    assert_eq!(store.job("us", "j-1", None).await, Ok(Some(bound.clone())));
    assert_eq!(
        store.job("us", "j-1", Some("next")).await,
        Ok(Some(Job { cursor: Some("next".into()), ..bound.clone() }))
    );
    assert_eq!(store.job("us", "j-1", Some("other")).await, Ok(Some(bound.clone())));
    assert_eq!(store.job("eu", "j-1", None).await, Ok(None));
    assert_eq!(store.job("us", "J-1", None).await, Ok(None));
    let empty = Job { kind: JobKind::Empty(Bytes::from_static(b"{}")), ..job("j-2", "ana", NOW) };
    store.bind(empty.clone()).await.unwrap();
    assert_eq!(store.job("us", "j-2", None).await, Ok(Some(empty)));
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
    assert_eq!(store.job("us", "j-1", None).await, Ok(Some(bound.clone())));
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
    assert!(store.job("us", "old", None).await.unwrap().is_some());
    store.bind(job("new", "ana", "2026-12-21T10:00:01Z")).await.unwrap();
    assert_eq!(store.job("us", "old", None).await, Ok(None));
    assert!(store.job("us", "young", None).await.unwrap().is_some());
    // nothing is named of a job that is not there
    assert!(store.name_cursor("us", "old", "again").await.is_err());
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let told = Store::open(&file).unwrap_err().to_string();
    assert!(told.contains("bailiwick.sqlite") && told.contains("cannot be opened"), "{told}");
}

/// Nobody fills the disk, and nobody's jobs are forgotten for another's.
#[tokio::test]
async fn the_oldest_jobs_of_one_holder_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    store.bind(job("of-ben", "ben", "2026-11-20T09:00:00Z")).await.unwrap();
    let now: jiff::Timestamp = NOW.parse().unwrap();
    for number in 0..=jobs::MOST {
        let mut one = job(&format!("j-{number}"), "ana", NOW);
        one.submitted = now + jiff::SignedDuration::from_secs(i64::from(number));
        store.bind(one).await.unwrap();
    }
    for (id, there) in [("j-0", false), ("j-1", true), ("of-ben", true)] {
        assert_eq!(store.job("us", id, None).await.unwrap().is_some(), there, "{id}");
    }
}

#[test]
fn its_files_are_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let _store = Store::open(&data).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}
