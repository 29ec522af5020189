//! Lists that are read from their beginning, whatever the upstream does: each visible row once, in its order, or a refusal.

use super::{
    case::{Organisation, Stock},
    lists::{Asker, every_asker},
    program,
    random::{cases, judges_shares},
};
use crate::oracle::lists::{self, List};
use bailiwick::{
    decision::{self, Decided},
    model::refusal::{Code, Refusal},
    policy::guard::{Gathered, Read, Unguarded},
    query::Question,
    sandbox::sample,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

fn question(path: &str, queue: Option<&str>, params: &[(&str, String)]) -> Question {
    Question {
        operation: Arc::clone(program::read(path)),
        ids: queue.map(|id| ("queueId".into(), id.to_owned())).into_iter().collect(),
        params: params.iter().map(|(name, value)| ((*name).into(), vec![value.clone()])).collect(),
        body: None,
        kept: None,
        seen: None,
    }
}

/// The answer, and how many pages the upstream was asked for.
fn walk(
    asker: &Asker<'_>,
    question: &Question,
    mut upstream: impl FnMut(&dyn Fn(&str) -> Option<usize>) -> Value,
) -> Result<(Value, usize), Refusal> {
    let (world, now) = (&asker.organisation.world, program::at(asker.now));
    let holder = program::principal(&world.org, &asker.person);
    let scope = Arc::new(decision::scope(world, holder, &question.operation, now)?);
    let mut forward = match decision::decide(world, &scope, question, now)? {
        Decided::Local(guarded) => return Ok((program::text(guarded.body()), 0)),
        Decided::Forward(forward) => *forward,
        Decided::Split(_) | Decided::Kept(_) => panic!("a list is asked for in one piece"),
    };
    let (mut gathered, mut pages) = (Gathered::default(), 0);
    loop {
        let sent = forward.verified.query().to_vec();
        let number =
            |name: &str| sent.iter().find(|(known, _)| **known == *name).and_then(|(_, value)| value.parse().ok());
        let answer = upstream(&number);
        pages += 1;
        match forward.plan.read(gathered, Unguarded::new(200, answer.to_string().into_bytes()))? {
            Read::Done(guarded) => {
                // whether others' rows met a parameter is nobody's to learn
                assert!(guarded.notices().is_empty() && guarded.rows_foreign() == 0);
                return Ok((program::text(guarded.body()), pages));
            }
            Read::Look(_) => panic!("these rows are of no interactions"),
            Read::More(more) => gathered = more,
        }
        forward = decision::read_on(world, &scope, question, &gathered, now)?;
    }
}

fn users(ids: impl IntoIterator<Item = String>) -> Value {
    ids.into_iter().map(|id| json!({ "id": id, "division": { "id": "?" }, "user": { "id": id } })).collect()
}

#[test]
fn members_of_a_queue_in_pages_of_any_size_are_the_visible_ones_each_once() {
    let (mut walked, mut rows, mut closed, mut further) = (0, 0, 0, 0);
    every_asker(cases() / 20, &mut |asker, dice| {
        let directory = asker.directory();
        let of_users = asker.scope(program::list_of(List::Users), lists::data_of(List::Users));
        let of_queues = asker.scope(program::list_of(List::Queues), lists::data_of(List::Queues));
        let seen = lists::due(List::Queues, directory, &asker.person, &of_queues, &lists::Asked::default());
        let seen: BTreeSet<String> = seen.into_iter().map(|entry| entry.id).collect();
        // whoever there is, a member or not: the upstream says who is one
        let everybody: Vec<String> = directory.users.iter().map(|user| user.id.clone()).collect();
        let due: Vec<&String> =
            everybody.iter().filter(|id| lists::shows_user(directory, &asker.person, &of_users, id)).collect();
        // what the upstream gives at a time, whatever it was asked for
        let (step, size) = (1 + dice.below(9), 1 + dice.below(4));
        let mine = directory.queues.iter().filter(|queue| seen.contains(&queue.id)).take(2).cloned();
        for queue in dice.some(&directory.queues, 2, 2).into_iter().chain(mine) {
            let mut got = Vec::new();
            for number in 1..=due.len().div_ceil(size).max(1) {
                let asked = question(
                    "/api/v2/routing/queues/q/members",
                    Some(&queue.id),
                    &[("pageSize", size.to_string()), ("pageNumber", number.to_string())],
                );
                let heard = walk(asker, &asked, |number| {
                    let at = number("pageNumber").unwrap();
                    let page: Vec<String> = everybody.iter().skip((at - 1) * step).take(step).cloned().collect();
                    let more = at * step < everybody.len();
                    let mut answer = json!({ "entities": users(page) });
                    if more {
                        answer["nextUri"] = json!("/next");
                    }
                    answer
                });
                match heard {
                    Ok((answer, pages)) => {
                        if !seen.contains(&queue.id) && pages > 0 {
                            return Err(format!("`{}` is answered: {answer}", queue.id));
                        }
                        further += pages.saturating_sub(1);
                        got.extend(
                            answer["entities"]
                                .as_array()
                                .unwrap()
                                .iter()
                                .map(|one| one["id"].as_str().unwrap().to_owned()),
                        );
                    }
                    // a scan has patience for pages that are shorter than asked, and not for ever
                    Err(refusal) if refusal.code == Code::AnswerUnreadable => {
                        return Err(format!("{refusal} {:?}", refusal.cause));
                    }
                    Err(_) if seen.contains(&queue.id) && !due.is_empty() => {
                        return Err(format!("`{}` is due", queue.id));
                    }
                    Err(_) => {
                        closed += 1;
                        got.clear();
                        break;
                    }
                }
            }
            if seen.contains(&queue.id) && !due.is_empty() {
                if got.iter().collect::<Vec<_>>() != due {
                    return Err(format!("`{}`: due {due:?}, got {got:?}", queue.id));
                }
                walked += 1;
                rows += got.len();
            }
        }
        Ok(())
    });
    println!("scans: {walked} lists with {rows} rows, {further} further pages, {closed} closed");
    assert!((walked > 20 && further > 50 && closed > 50) || !judges_shares(), "{walked} {rows} {further} {closed}");
}

/// The first asker who sees somebody through a list of people.
fn with_a_seer(test: &mut dyn FnMut(&Asker<'_>, &[String])) {
    let mut done = false;
    every_asker(200, &mut |asker, _| {
        let directory = asker.directory();
        let scope = asker.scope(program::list_of(List::Users), lists::data_of(List::Users));
        let seen = directory.users.iter().filter(|user| lists::shows_user(directory, &asker.person, &scope, &user.id));
        let seen: Vec<String> = seen.map(|user| user.id.clone()).collect();
        if !done && seen.len() > 2 {
            done = true;
            test(asker, &seen);
        }
        Ok(())
    });
    assert!(done, "nobody sees three people");
}

#[test]
fn an_upstream_that_never_ends_or_goes_in_a_circle_is_refused() {
    with_a_seer(&mut |asker, seen| {
        let all = question("/api/v2/users/query", None, &[]);
        let rows = || users(seen.to_vec());
        let refused = |heard: Result<(Value, usize), Refusal>| heard.unwrap_err().code;
        // the same rows again, under another place each time
        let mut place = 0;
        let same = walk(asker, &all, |_| {
            place += 1;
            json!({ "entities": rows(), "cursor": format!("p-{place}") })
        });
        assert_eq!(refused(same), Code::AnswerUnreadable);
        // new rows each time, and the same place
        let mut row = 0;
        let circle = walk(asker, &all, |_| {
            row += 1;
            json!({ "entities": users([format!("stranger-{row}")]), "cursor": "here" })
        });
        assert_eq!(refused(circle), Code::AnswerUnreadable);
        // new rows and new places for ever
        let (mut row, mut pages) = (0, 0);
        let endless = walk(asker, &all, |_| {
            pages += 1;
            let page: Vec<String> = (0..200)
                .map(|_| {
                    row += 1;
                    format!("stranger-{row}")
                })
                .collect();
            json!({ "entities": users(page), "cursor": format!("p-{pages}") })
        });
        assert_eq!(refused(endless), Code::QueryTooWide);
        assert_eq!(pages, 26, "5,000 rows in pages of 200, and one more");
        // small pages for ever
        let (mut row, mut pages) = (0, 0);
        let drip = walk(asker, &all, |_| {
            (row, pages) = (row + 1, pages + 1);
            json!({ "entities": users([format!("stranger-{row}")]), "cursor": format!("p-{pages}") })
        });
        assert_eq!((refused(drip), pages), (Code::AnswerUnreadable, 100));
        // empty pages for ever
        let mut pages = 0;
        let empty = walk(asker, &all, |_| {
            pages += 1;
            json!({ "entities": [], "cursor": format!("p-{pages}") })
        });
        assert_eq!((refused(empty), pages), (Code::AnswerUnreadable, 100));
        for odd in [
            json!({ "entities": {} }),
            json!({ "entities": [], "cursor": 7 }),
            json!({ "entities": [], "nextUri": "/next?other=1" }),
            json!([]),
        ] {
            assert_eq!(refused(walk(asker, &all, |_| odd.clone())), Code::AnswerUnreadable, "{odd}");
        }
    });
}

#[test]
fn rows_that_move_under_the_reading_come_once_and_what_ends_early_ends() {
    with_a_seer(&mut |asker, seen| {
        let all = question("/api/v2/users/query", None, &[("pageSize", "200".to_owned())]);
        let directory = asker.directory();
        let division = |id: &str| directory.users.iter().find(|user| user.id == id).unwrap().division.clone();
        let row = |id: &str| json!({ "id": id, "division": { "id": division(id) } });
        let ids = |answer: &Value| -> Vec<String> {
            answer["entities"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
        };
        // somebody came in before the second page: the last of the first page is the first of the second
        let mut pages = 0;
        let moved = walk(asker, &all, |_| {
            pages += 1;
            match pages {
                1 => json!({ "entities": [row(&seen[0]), row(&seen[1])], "cursor": "p" }),
                _ => json!({ "entities": [row(&seen[1]), row(&seen[2])] }),
            }
        });
        assert_eq!(ids(&moved.unwrap().0), seen[..3]);
        // a row of two people, one without an id, one of nobody, and one of a division that is not his
        let odd = walk(
            asker,
            &all,
            |_| json!({ "entities": [row(&seen[0]), { "id": "nobody" }, { "name": "no id" }, { "id": [seen[1]] }, { "id": seen[2], "division": { "id": "no-division" } }] }),
        );
        let (answer, pages) = odd.unwrap();
        assert_eq!((ids(&answer), pages), (vec![seen[0].clone()], 1));
        assert!(answer["cursor"].is_null() && answer["nextUri"].is_null() && answer["total"].is_null(), "{answer}");
        let (nothing, _) = walk(asker, &all, |_| json!({})).unwrap();
        assert_eq!(nothing["entities"], json!([]));
    });
}

/// An interaction of hers; every third has a leg of somebody else too.
fn interaction(number: usize) -> Value {
    let leg = |queue: &str, user: &str| {
        let segment =
            json!({ "segmentStart": "2026-11-02T09:00:00Z", "segmentEnd": "2026-11-02T09:05:00Z", "queueId": queue });
        json!({ "userId": user, "sessions": [{ "segments": [segment] }] })
    };
    let mut participants = vec![leg("q-pay-cards", "ana")];
    if number.is_multiple_of(3) {
        participants.push(leg("q-sales-new", "u-0088"));
    }
    json!({ "conversationId": format!("c-{number:03}"), "participants": participants })
}

#[test]
fn interactions_of_rows_are_looked_at_a_hundred_at_a_time_and_each_once() {
    let organisation = Organisation::of(sample::directory(), Stock::default()).unwrap();
    let (world, now) =
        (&organisation.world, program::at("2026-11-20T10:00:00Z".parse::<Timestamp>().unwrap().as_second()));
    let params = [("agentUserId", "ana".to_owned()), ("pageSize", "100".to_owned()), ("pageNumber", "2".to_owned())];
    let question = question("/api/v2/quality/evaluations/query", None, &params);
    let holder = program::principal(&world.org, "sofia");
    let scope = Arc::new(decision::scope(world, holder, &question.operation, now).unwrap());
    let Ok(Decided::Forward(mut forward)) = decision::decide(world, &scope, &question, now) else {
        panic!("not asked")
    };
    // two rows of each of 230 interactions, more than one look can name, on a page that is longer than asked
    let rows: Vec<Value> = (0..460)
        .map(|row| json!({ "id": format!("e-{row:03}"), "conversation": { "id": format!("c-{:03}", row % 230) } }))
        .collect();
    let page = json!({ "entities": rows, "pageCount": 1 }).to_string().into_bytes();
    let mut read = forward.plan.read(Gathered::default(), Unguarded::new(200, page)).unwrap();
    let (mut looked, mut looks) = (BTreeSet::new(), 0);
    let shown = loop {
        read = match read {
            Read::Done(guarded) => break program::text(guarded.body()),
            // a full page may have another behind it
            Read::More(gathered) => {
                *forward = decision::read_on(world, &scope, &question, &gathered, now).unwrap();
                let nothing = Unguarded::new(200, br#"{"entities":[]}"#.to_vec());
                forward.plan.read(gathered, nothing).unwrap()
            }
            Read::Look(gathered) => {
                let look = decision::look_at_rows(world, &scope, &question, (&forward.plan, &gathered), now).unwrap();
                let (_, ids) = &look.verified.query()[0];
                let ids: Vec<usize> = ids.split(',').map(|id| id.trim_start_matches("c-").parse().unwrap()).collect();
                assert!(ids.len() <= 100 && ids.iter().all(|id| looked.insert(*id)), "{ids:?}");
                looks += 1;
                let seen: Vec<Value> = ids.iter().map(|id| interaction(*id)).collect();
                let seen = Unguarded::new(200, json!({ "conversations": seen }).to_string().into_bytes());
                decision::judge_rows(world, &scope, &question, (&look.plan, &seen), (&forward.plan, gathered), now)
                    .unwrap()
            }
        };
    };
    assert_eq!((looked.len(), looks), (230, 3));
    let due: Vec<usize> = (0..460).filter(|row| !(row % 230usize).is_multiple_of(3)).collect();
    let ids: Vec<String> =
        shown["entities"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    let second: Vec<String> = due.iter().skip(100).take(100).map(|row| format!("e-{row:03}")).collect();
    assert_eq!((ids, &shown["total"]), (second, &json!(due.len())));
}
