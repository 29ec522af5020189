//! What stands in segments, torn and old ones too.

use super::*;

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
