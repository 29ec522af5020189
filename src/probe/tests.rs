//! Witnesses and verdicts without a socket: a sample in, questions out; answers in, a verdict out.

use super::{
    ask::{Ask, List},
    criteria, division, entries, interval, leg, lists, recordings,
    sample::{self, Interaction, Person, Sample},
    segment,
    trial::{Judged, Part, Trial, together},
};
use crate::{
    model::facts::Verdict::{self, DoesNotHold, Holds, Unknown},
    query::json::{self, Limits, Value},
};
use serde_json::json;
use std::collections::BTreeSet;

fn answer(value: &serde_json::Value) -> Value {
    json::parse(value.to_string().as_bytes(), &Limits::answer(1 << 20)).unwrap()
}

/// Segments as (participant's user, session, queue, wrap-up, from second, to second).
type Segment<'a> = (&'a str, usize, &'a str, &'a str, u32, u32);

fn conversation(id: &str, divisions: &[&str], segments: &[Segment<'_>]) -> serde_json::Value {
    let at = |second: u32| format!("2026-11-10T10:{:02}:{:02}Z", second / 60, second % 60);
    let mut participants: Vec<serde_json::Value> = Vec::new();
    let agents: BTreeSet<&str> = segments.iter().map(|segment| segment.0).collect();
    for agent in agents {
        let own: Vec<&Segment<'_>> = segments.iter().filter(|segment| segment.0 == agent).collect();
        let sessions: BTreeSet<usize> = own.iter().map(|segment| segment.1).collect();
        let session = |number: usize| {
            let segments = own.iter().filter(|segment| segment.1 == number).map(|(_, _, queue, wrap_up, from, to)| {
                let mut shown = json!({ "segmentStart": at(*from), "segmentEnd": at(*to) });
                for (key, value) in [("queueId", queue), ("wrapUpCode", wrap_up)] {
                    if !value.is_empty() {
                        shown[key] = json!(value);
                    }
                }
                shown
            });
            json!({ "segments": segments.collect::<Vec<_>>() })
        };
        let mut shown = json!({ "sessions": sessions.into_iter().map(session).collect::<Vec<_>>() });
        if !agent.is_empty() {
            shown["userId"] = json!(agent);
        }
        participants.push(shown);
    }
    json!({
        "conversationId": id, "conversationStart": "2026-11-10T10:00:00Z", "conversationEnd": "2026-11-10T10:30:00Z",
        "originatingDirection": "inbound", "divisionIds": divisions, "participants": participants,
    })
}

fn rows(conversations: &[serde_json::Value]) -> Value {
    answer(&json!({ "totalHits": conversations.len(), "conversations": conversations }))
}

fn sample(conversations: &[serde_json::Value]) -> Sample {
    Sample { interactions: sample::interactions(&rows(conversations)), ..Sample::default() }
}

fn groups(dimension: &str, values: &[Option<&str>]) -> Value {
    let row = |value: Option<&str>| {
        let group = value.map_or(json!({}), |value| json!({ dimension: value }));
        json!({ "group": group, "data": [{ "metrics": [{ "metric": "tHandle", "stats": { "count": 1, "sum": 5 } }] }] })
    };
    answer(&json!({ "results": values.iter().copied().map(row).collect::<Vec<_>>() }))
}

fn only(parts: &[Part], says: &str) -> usize {
    parts.iter().position(|part| part.says == says).unwrap_or_else(|| panic!("no part `{says}`"))
}

fn verdict(trial: &Trial, answers: &[Value]) -> Verdict {
    trial.judge(answers).verdict
}

#[test]
fn without_a_witness_nothing_is_asked() {
    // One interaction that touches one queue, and one without any.
    let poor = sample(&[conversation("c-1", &["d-1"], &[("u-1", 1, "q-1", "", 0, 60)]), conversation("c-2", &[], &[])]);
    for parts in [segment::parts(&poor), division::parts(&poor), lists::parts(&poor)] {
        assert!(!parts.is_empty() && parts.iter().all(|part| part.trials.is_empty() && !part.lacks.is_empty()));
    }
    let empty = Sample::default();
    for (name, parts) in [
        ("entries", entries::parts(&empty)),
        ("segment", segment::parts(&empty)),
        ("leg", leg::parts(&empty)),
        ("interval", interval::parts(&empty)),
        ("division", division::parts(&empty)),
        ("lists", lists::parts(&empty)),
        ("criteria", criteria::parts(&empty)),
        ("recordings", recordings::parts(&empty)),
    ] {
        assert!(!parts.is_empty() && parts.iter().all(|part| part.trials.is_empty()), "{name}");
    }
    assert!(leg::parts(&poor).iter().all(|part| part.trials.is_empty()));
}

#[test]
fn all_parts_must_hold_and_one_is_enough_for_the_contrary() {
    let judged = |verdict: Verdict| Judged { verdict, evidence: "seen".to_owned() };
    let of =
        |verdicts: &[Verdict]| together(&verdicts.iter().map(|one| ("part", judged(*one))).collect::<Vec<_>>()).verdict;
    assert_eq!(of(&[]), Unknown);
    assert_eq!(of(&[Holds, Holds]), Holds);
    assert_eq!(of(&[Holds, Unknown]), Unknown);
    assert_eq!(of(&[Unknown, DoesNotHold, Holds]), DoesNotHold);
}

#[test]
fn an_answer_that_is_missing_decides_nothing() {
    let two = sample(&[
        conversation("c-1", &[], &[("u-1", 1, "q-1", "", 0, 60)]),
        conversation("c-2", &[], &[("u-2", 1, "q-2", "", 0, 60)]),
    ]);
    for part in entries::parts(&two) {
        for trial in &part.trials {
            assert_eq!(verdict(trial, &[]), Unknown);
            assert_eq!(verdict(trial, &[rows(&[])]), Unknown);
        }
    }
}

#[test]
fn entries_are_judged_by_what_satisfies_one_of_them() {
    let (one, other) = (
        conversation("c-1", &[], &[("u-1", 1, "q-1", "", 0, 60)]),
        conversation("c-2", &[], &[("u-2", 1, "q-2", "", 0, 60)]),
    );
    let mut two = sample(&[one.clone(), other.clone()]);
    let person = |id: &str, presences: &[&str]| Person {
        id: id.to_owned(),
        presences: presences.iter().map(|one| (*one).to_owned()).collect(),
    };
    two.people = vec![person("u-1", &["AVAILABLE"]), person("u-2", &["AVAILABLE", "MEAL"])];
    two.day = super::ask::Span::day_of(two.interactions[0].start);
    let parts = entries::parts(&two);
    assert_eq!(parts.len(), 5);
    for part in &parts {
        let trial = &part.trials[0];
        let people = matches!(trial.asks[0], Ask::People(_));
        let rows = |ids: &[&str]| {
            if people {
                let people: Vec<_> = ids.iter().map(|id| json!({ "userId": id })).collect();
                return answer(&json!({ "userDetails": people }));
            }
            rows(&ids.iter().map(|id| conversation(id, &[], &[])).collect::<Vec<_>>())
        };
        let (own, other) = if people { ("u-1", "u-2") } else { ("c-1", "c-2") };
        let judge = |both: &[&str], lacking: &[&str]| verdict(trial, &[rows(both), rows(lacking)]);
        assert_eq!(judge(&[own], &[]), Holds, "{}", part.says);
        assert_eq!(judge(&[own], &[own]), DoesNotHold, "{}", part.says);
        assert_eq!(judge(&[own, other], &[]), DoesNotHold, "{}", part.says);
        assert_eq!(judge(&[other], &[]), DoesNotHold, "{}", part.says);
        assert_eq!(judge(&[], &[]), Unknown, "{}: it finds nothing at all", part.says);
        assert_ne!(trial.asks[0], trial.asks[1], "{}", part.says);
    }
    // Somebody who lacks no presence shows nothing.
    let presences = &parts[only(&parts, "user details, userFilters beside presenceFilters")];
    assert_eq!(presences.trials.len(), 1);
}

#[test]
fn segments_are_judged_by_an_interaction_that_has_two_values_apart() {
    // q-1 with w-1 and q-2 with w-2 in one session; q-1 and w-2 on no segment.
    let apart = [("u-1", 1, "q-1", "w-1", 0, 60), ("u-1", 1, "q-2", "w-2", 60, 120)];
    let witness = conversation("c-1", &[], &apart);
    let parts = segment::parts(&sample(std::slice::from_ref(&witness)));
    assert_eq!(
        parts.iter().map(|part| part.says).collect::<Vec<_>>(),
        ["conversation details, two segments of one session"]
    );
    let trial = &parts[0].trials[0];
    let Ask::Details(body) = &trial.asks[1] else { panic!("{:?}", trial.asks[1]) };
    let predicates = body["segmentFilters"][0]["predicates"].as_array().unwrap();
    let values: Vec<&str> = predicates.iter().map(|predicate| predicate["value"].as_str().unwrap()).collect();
    assert!(values == ["q-1", "w-2"] || values == ["q-2", "w-1"], "{values:?}");
    let found = std::slice::from_ref(&witness);
    let both = conversation("c-2", &[], &[("u-2", 1, values[0], values[1], 0, 9)]);
    assert_eq!(verdict(trial, &[rows(found), rows(&[])]), Holds);
    assert_eq!(verdict(trial, &[rows(found), rows(std::slice::from_ref(&both))]), Holds);
    assert_eq!(verdict(trial, &[rows(found), rows(found)]), DoesNotHold);
    assert_eq!(
        verdict(trial, &[rows(std::slice::from_ref(&both)), rows(&[])]),
        DoesNotHold,
        "the control shows a stranger"
    );
    assert_eq!(verdict(trial, &[rows(&[]), rows(&[])]), Unknown, "it finds nothing at all");
    let more = answer(&json!({ "totalHits": 900, "conversations": [both] }));
    assert_eq!(verdict(trial, &[rows(found), more]), Unknown, "it may be on another page");
}

/// The usual interaction of the real service: a code is given on a segment of its own.
#[test]
fn the_kind_of_a_segment_tells_two_of_one_session_apart() {
    let mut shown = conversation("c-1", &[], &[("u-1", 1, "q-1", "", 0, 60), ("u-1", 1, "q-1", "w-1", 60, 70)]);
    for (place, kind) in ["interact", "wrapup"].into_iter().enumerate() {
        shown["participants"][0]["sessions"][0]["segments"][place]["segmentType"] = json!(kind);
    }
    let parts = segment::parts(&sample(&[shown]));
    assert_eq!(
        parts.iter().map(|part| part.says).collect::<Vec<_>>(),
        ["conversation details, two segments of one session"]
    );
    let Ask::Details(body) = &parts[0].trials[0].asks[1] else { panic!("{:?}", parts[0].trials[0].asks[1]) };
    let asked = body["segmentFilters"][0]["predicates"].to_string();
    assert!(asked.contains("\"w-1\"") && asked.contains("\"interact\""), "{asked}");
}

#[test]
fn how_near_two_segments_stand_is_told_apart() {
    let says = |segments: &[Segment<'_>]| -> Vec<&'static str> {
        segment::parts(&sample(&[conversation("c-1", &[], segments)])).iter().map(|part| part.says).collect()
    };
    let sessions = [("u-1", 1, "q-1", "w-1", 0, 60), ("u-1", 2, "q-2", "w-2", 60, 120)];
    assert_eq!(says(&sessions), ["conversation details, two sessions of one participant"]);
    let participants = [("u-1", 1, "q-1", "", 0, 60), ("u-2", 2, "q-2", "", 60, 120)];
    assert_eq!(says(&participants), ["conversation details, two participants of one interaction"]);
    // Every combination stands on a segment somewhere: nothing can be told.
    let all = [
        ("u-1", 1, "q-1", "w-1", 0, 9),
        ("u-1", 1, "q-1", "w-2", 9, 19),
        ("u-1", 1, "q-2", "w-1", 19, 29),
        ("u-1", 1, "q-2", "w-2", 29, 39),
    ];
    assert_eq!(says(&all), ["conversation details, segments of one interaction"]);
}

#[test]
fn legs_are_judged_by_an_interaction_of_two() {
    let two = [("u-1", 1, "q-1", "", 0, 60), ("u-2", 2, "q-2", "", 60, 120)];
    for part in leg::parts(&sample(&[conversation("c-1", &[], &two)])) {
        let dimension = if part.says.ends_with("by queue") { "queueId" } else { "userId" };
        let (own, other) = if part.says.ends_with("by queue") { ("q-2", "q-1") } else { ("u-2", "u-1") };
        let judge = |whole: &[Option<&str>], one: &[Option<&str>]| {
            verdict(&part.trials[0], &[groups(dimension, whole), groups(dimension, one)])
        };
        let whole = [Some(own), Some(other), None];
        assert_eq!(judge(&whole, &[Some(own)]), Holds);
        assert_eq!(judge(&whole, &[Some(own), Some(other)]), DoesNotHold);
        assert_eq!(judge(&whole, &[Some(own), None]), DoesNotHold);
        assert_eq!(judge(&whole, &[]), Unknown);
        assert_eq!(judge(&[Some(own)], &[Some(own)]), Unknown, "nothing else could have come");
        assert_eq!(judge(&[Some(other), None], &[Some(own)]), Unknown);
    }
}

#[test]
fn an_interval_is_judged_by_a_segment_over_its_end() {
    let one = [("u-1", 1, "q-1", "", 0, 600)];
    let parts = interval::parts(&sample(&[conversation("c-1", &[], &one)]));
    let trial = &parts[0].trials[0];
    let (has, has_not) = (groups("userId", &[Some("u-1")]), groups("userId", &[]));
    let judge = |answers: [&Value; 4]| verdict(trial, &answers.map(Clone::clone));
    assert_eq!(judge([&has, &has_not, &has, &has_not]), Holds);
    assert_eq!(judge([&has, &has, &has, &has_not]), DoesNotHold);
    assert_eq!(judge([&has, &has_not, &has, &has]), DoesNotHold);
    for (first, last) in [(&has, &has_not), (&has_not, &has), (&has_not, &has_not)] {
        assert_eq!(judge([first, &has_not, last, &has_not]), Unknown, "what never counts shows nothing");
    }
    let strangers = groups("userId", &[Some("u-2"), None]);
    assert_eq!(judge([&has, &strangers, &has, &strangers]), Holds, "others say nothing of the witness");
    let trials = |legs: &[_]| interval::parts(&sample(&[conversation("c-1", &[], legs)]))[0].trials.len();
    assert_eq!(trials(&[("u-1", 1, "q-1", "", 0, 600), ("u-1", 1, "q-1", "", 600, 900)]), 1);
    // Which of two segments counted could not be said.
    assert_eq!(trials(&[("u-1", 1, "q-1", "", 0, 900), ("u-1", 1, "q-1", "", 600, 900)]), 0);
}

#[test]
fn divisions_are_judged_by_the_tags_that_are_not_the_queues() {
    let two = [("u-1", 1, "q-1", "", 0, 60), ("u-2", 2, "q-2", "", 60, 120)];
    let mut tagged = sample(&[conversation("c-1", &["d-1", "d-2"], &two)]);
    assert!(division::parts(&tagged)[0].trials.is_empty(), "the division of no queue is known");
    tagged.homes.insert("q-1".to_owned(), "d-1".to_owned());
    let parts = division::parts(&tagged);
    let trial = &parts[0].trials[0];
    let queue = |there: bool| groups("queueId", if there { &[Some("q-1")] } else { &[] });
    let by = |divisions: &[&str]| {
        let row = |division: &&str| json!({ "group": { "queueId": "q-1", "divisionId": division }, "data": [{ "metrics": [{ "metric": "nOffered", "stats": { "count": 1 } }] }] });
        answer(&json!({ "results": divisions.iter().map(row).collect::<Vec<_>>() }))
    };
    assert_eq!(verdict(trial, &[queue(true), by(&["d-1"]), queue(false)]), Holds);
    assert_eq!(verdict(trial, &[queue(true), by(&["d-1"]), queue(true)]), DoesNotHold);
    assert_eq!(verdict(trial, &[queue(true), by(&["d-1", "d-2"]), queue(false)]), DoesNotHold);
    assert_eq!(verdict(trial, &[queue(false), by(&["d-2"]), queue(false)]), Unknown, "a queue that has moved");
    assert_eq!(verdict(trial, &[queue(true), by(&[]), queue(false)]), Unknown);
    tagged.homes.insert("q-1".to_owned(), "d-3".to_owned());
    assert!(division::parts(&tagged)[0].trials.is_empty(), "its division is none of the tags");
}

#[test]
fn lists_are_judged_by_what_was_not_asked_for() {
    let of = |ids: &[&str], total: i64| Sample {
        lists: vec![(List::Queues, ids.iter().map(|id| (*id).to_owned()).collect(), total)],
        ..Sample::default()
    };
    let page = |ids: &[&str], total: usize| {
        let entities: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
        answer(&json!({ "entities": entities, "total": total }))
    };
    assert!(lists::parts(&of(&["q-1"], 1))[0].trials.is_empty(), "no other one could come");
    let parts = lists::parts(&of(&["q-1", "q-2", "q-3"], 3));
    let trial = &parts[0].trials[0];
    assert_eq!(verdict(trial, &[page(&["q-1", "q-2"], 2)]), Holds);
    assert_eq!(verdict(trial, &[page(&["q-2", "q-1", "q-3"], 3)]), DoesNotHold);
    assert_eq!(verdict(trial, &[page(&["q-1", "q-3"], 2)]), DoesNotHold);
    assert_eq!(verdict(trial, &[page(&["q-1"], 1)]), Unknown);
    assert_eq!(verdict(trial, &[page(&["q-1", "q-2"], 3)]), Unknown, "another page may hold another one");
    assert_eq!(verdict(trial, &[answer(&json!({ "entities": [{}, { "id": "q-1" }, { "id": "q-2" }] }))]), DoesNotHold);
}

#[test]
fn what_has_not_ended_is_no_witness() {
    let mut going_on = conversation("c-1", &[], &[("u-1", 1, "q-1", "", 0, 60)]);
    going_on.as_object_mut().unwrap().remove("conversationEnd");
    assert_eq!(sample::interactions(&rows(&[going_on])), Vec::<Interaction>::new());
}

/// Two people of whom nobody is both: found alone, never together, and both by a list of the two.
#[test]
fn criteria_are_told_by_two_people() {
    let of = |ids: &[&str]| Sample {
        lists: vec![(List::Users, ids.iter().map(|id| (*id).to_owned()).collect(), 9)],
        ..Sample::default()
    };
    for few in [&[][..], &["ann"], &["ann", "ann"]] {
        assert!(criteria::parts(&of(few)).iter().all(|part| part.trials.is_empty()), "{few:?}");
    }
    let parts = criteria::parts(&of(&["ann", "ben", "cy", "dee", "odd"]));
    let trials = &parts[0].trials;
    assert_eq!(trials.len(), 2);
    assert!(trials[0].asks.iter().all(|ask| ask.path() == "/api/v2/users/search"));
    let people = |ids: &[&str]| {
        let rows: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
        answer(&json!({ "results": rows, "total": ids.len() }))
    };
    let told = |first: &[&str], second: &[&str], joined: &[&str], either: &[&str]| {
        verdict(&trials[0], &[first, second, joined, either].map(people))
    };
    let (ann, ben, both) = (&["ann"][..], &["ben"][..], &["ann", "ben"][..]);
    assert_eq!(told(ann, ben, &[], both), Holds);
    assert_eq!(told(ann, ben, both, both), DoesNotHold);
    assert_eq!(told(ann, ben, ann, both), DoesNotHold);
    assert_eq!(told(ann, ben, &[], ann), DoesNotHold);
    assert_eq!(told(ann, ben, &[], &["ann", "ben", "cy"]), DoesNotHold);
    for (first, second) in [(&[][..], ben), (ann, &[][..]), (both, ben), (ben, ann)] {
        assert_eq!(told(first, second, &[], both), Unknown, "{first:?} {second:?}");
    }
    let counted = answer(&json!({ "results": [], "total": 1 }));
    assert_eq!(verdict(&trials[0], &[people(ann), people(ben), counted, people(both)]), Unknown);
}

/// A recording is there below its own interaction; below another one, nothing is the answer that is due.
#[test]
fn a_recording_is_looked_for_below_another_interaction() {
    let two = |ids: [&str; 2]| {
        let mut taken = sample(&ids.map(|id| conversation(id, &[], &[("u-1", 1, "q-1", "", 0, 60)])));
        taken.recordings = vec![(ids[0].to_owned(), "r-1".to_owned())];
        taken
    };
    // an id that would be something else in a path is no witness
    assert!(recordings::parts(&two(["c-1", "../c-2"]))[0].trials.is_empty());
    let parts = recordings::parts(&two(["c-1", "c-2"]));
    let trial = &parts[0].trials[0];
    let targets: Vec<String> = trial.asks.iter().map(Ask::target).collect();
    assert_eq!(targets, ["c-1", "c-2"].map(|id| format!("/api/v2/conversations/{id}/recordingmetadata/r-1")));
    assert!(trial.asks.iter().all(|ask| ask.may_be_missing() && !ask.is_list() && !ask.path().contains("c-")));
    let (it, other, nothing) = (answer(&json!({ "id": "r-1" })), answer(&json!({ "id": "r-2" })), Value::Null);
    let told = |here: &Value, there: &Value| verdict(trial, &[here.clone(), there.clone()]);
    assert_eq!(told(&it, &nothing), Holds);
    assert_eq!(told(&it, &it), DoesNotHold);
    for (here, there) in [(&nothing, &nothing), (&other, &nothing), (&it, &other), (&nothing, &it)] {
        assert_eq!(told(here, there), Unknown);
    }
}
