use super::*;
use crate::{
    base::clock::FixedClock,
    directory::source::{Update, Watch, open},
};
use std::{
    fs,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

#[test]
fn a_missing_file_is_a_problem_of_the_whole() {
    let problems = open(std::path::Path::new("/nonexistent/directory.json"), &*FixedClock::at(now())).unwrap_err();
    assert!(problems[0].line == 0 && problems[0].what.contains("cannot be read"));
}

#[test]
fn changes_are_told_within_a_second_and_wrong_files_never_swap() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.json");
    fs::write(&path, GOOD).unwrap();
    let clock = FixedClock::at(now());
    let first = open(&path, &*clock).unwrap();
    let (tell, told) = mpsc::channel();
    let (poll, alone) = (Duration::from_secs(30), Arc::default());
    let told_to = move |update| {
        tell.send(update).ok();
    };
    let watch = Watch::start(path.clone(), clock, poll, first.version.clone(), alone, told_to).unwrap();
    let next = || told.recv_timeout(Duration::from_secs(5)).unwrap();
    assert!(matches!(next(), Update::Confirmed { .. }));

    let begun = Instant::now();
    fs::write(&path, with(r#"["u-3"]}"#, "[]}")).unwrap();
    // A write in place may be seen half done; the whole text follows.
    let changed = std::iter::repeat_with(next).find_map(|update| match update {
        Update::Changed(org) => Some(org),
        Update::Confirmed { .. } | Update::Rejected(_) => None,
    });
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(changed.is_some_and(|org| org.queue(queue(&org, "q-2")).members.is_empty()));

    // Replaced as editors do, by a wrong file and then by the first one.
    let replace = |text: &str| {
        let beside = folder.path().join("new");
        fs::write(&beside, text).unwrap();
        fs::rename(&beside, &path).unwrap();
    };
    replace(&with(r#"["u-3"]}"#, r#"["u-33"]}"#));
    let Update::Rejected(problems) = next() else { panic!("not rejected") };
    assert_eq!(problems[0].line, 27);
    replace(GOOD);
    assert!(matches!(next(), Update::Changed(org) if org.version == first.version));
    fs::remove_file(&path).unwrap();
    assert!(matches!(next(), Update::Rejected(_)));
    drop(watch);
    // The thread ends: nothing is told any more.
    while told.recv_timeout(Duration::from_secs(3)).is_ok() {}
}

#[test]
fn a_text_that_was_replaced_while_another_read_the_file_is_never_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("directory.json");
    fs::write(&path, GOOD).unwrap();
    let clock = FixedClock::at(now());
    let first = open(&path, &*clock).unwrap();
    let alone = Arc::<Mutex<()>>::default();
    let (tell, told) = mpsc::channel();
    let watch = {
        let _reading = alone.lock().unwrap();
        let told_to = move |update| {
            tell.send(update).ok();
        };
        fs::write(&path, with(r#"["u-3"]}"#, "[]}")).unwrap();
        let (poll, alone) = (Duration::from_secs(30), Arc::clone(&alone));
        let watch = Watch::start(path.clone(), clock, poll, first.version.clone(), alone, told_to).unwrap();
        // Long enough for the watch to come for the file, which it must not read yet.
        thread::sleep(Duration::from_millis(300));
        assert!(told.try_recv().is_err());
        fs::write(&path, GOOD).unwrap();
        watch
    };
    for update in [told.recv_timeout(Duration::from_secs(5)).unwrap()].into_iter().chain(told.try_iter()) {
        assert!(matches!(update, Update::Confirmed { ref version, .. } if *version == first.version), "{update:?}");
    }
    drop(watch);
}
