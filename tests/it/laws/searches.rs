//! Searches by criteria over drawn organisations: what is found is what an obedient upstream finds among the visible people,
//! each once, with totals of these; and no small fault in what is sent is proved.

use super::{
    lists::{Asker, every_asker},
    program,
    random::{cases, judges_shares},
};
use crate::oracle::{
    data::User,
    generate::Dice,
    lists::{self, List},
};
use bailiwick::{
    decision::{self, Decided},
    model::{contract::Method, operation::Operation, refusal::Refusal},
    policy::{
        guard::{Gathered, Read, Unguarded},
        narrow::{Outcome, narrow},
    },
    query::{
        Question,
        json::{self, Limits},
    },
    verify,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

fn operation() -> &'static Arc<Operation> {
    program::rules().find(Method::Post, &["api", "v2", "users", "search"]).expect("a rule governs it").0
}

fn question(body: &Value) -> Question {
    let body = json::parse_object(body.to_string().as_bytes(), &Limits::default()).unwrap();
    Question { operation: operation().clone(), ids: vec![], params: vec![], body: Some(body), kept: None, seen: None }
}

fn state(user: &User) -> &'static str {
    if user.active == Some(false) { "inactive" } else { "active" }
}

/// One criterion of somebody, as the upstream reads it.
fn fits(user: &User, criterion: &Value) -> bool {
    let held = |field: &str| match field {
        "id" => user.id.clone(),
        "divisionId" => user.division.clone(),
        "name" => user.name.clone().unwrap_or_default(),
        "email" => user.email.clone().unwrap_or_default(),
        "state" => state(user).to_owned(),
        other => panic!("`{other}` is sent"),
    };
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_lowercase()).collect()
    };
    let mut wanted = texts(&criterion["values"]);
    wanted.extend(criterion["value"].as_str().map(str::to_lowercase));
    criterion["fields"].as_array().unwrap().iter().any(|field| {
        let field = field.as_str().unwrap();
        // ids are themselves, in capitals or not
        if matches!(field, "id" | "divisionId") {
            let mut values = criterion["values"].as_array().into_iter().flatten().chain(criterion.get("value"));
            return values.any(|value| *value == json!(held(field)));
        }
        let held = held(field).to_lowercase();
        !held.is_empty()
            && wanted.iter().any(|wanted| match criterion["type"].as_str().unwrap() {
                "CONTAINS" => held.contains(wanted),
                "STARTS_WITH" => held.starts_with(wanted),
                _ => held == *wanted,
            })
    })
}

fn found<'u>(users: impl Iterator<Item = &'u User>, query: &Value) -> Vec<&'u User> {
    let criteria = query.as_array().cloned().unwrap_or_default();
    users.filter(|user| criteria.iter().all(|criterion| fits(user, criterion))).collect()
}

fn piece(dice: &mut Dice, text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let from = dice.below(letters.len().max(1));
    let piece: String = letters.iter().skip(from).take(1 + dice.below(3)).collect();
    if piece.is_empty() { "a".to_owned() } else { piece }
}

/// Criteria, and whether they may name what is not the asker's.
fn criteria(dice: &mut Dice, all: &[User], visible: &[&User]) -> (Value, bool) {
    let mut strange = false;
    let mut criteria = Vec::new();
    for _ in 0..dice.below(4) {
        let like = dice.pick(all);
        let name = like.name.clone().unwrap_or_else(|| "a".to_owned());
        criteria.push(match dice.below(6) {
            0 => json!({ "type": "CONTAINS", "fields": ["name"], "value": piece(dice, &name) }),
            1 => json!({ "type": "STARTS_WITH", "fields": ["name", "email"], "values": [name.chars().next().unwrap_or('a').to_string(), "z"] }),
            2 => json!({ "type": "EXACT", "fields": ["state"], "value": "active", "operator": "AND" }),
            3 => json!({ "type": "MATCH_ALL" }),
            4 if !visible.is_empty() && !dice.percent(15) => {
                let some = dice.some(visible, 1, 4);
                let ids: BTreeSet<&str> = some.iter().map(|user| user.id.as_str()).collect();
                let kind = *dice.pick(&["EXACT", "TERM", "TERMS"]);
                json!({ "type": kind, "fields": ["id"], "values": ids })
            }
            4 => {
                strange = true;
                json!({ "type": "TERMS", "fields": ["id"], "values": [like.id] })
            }
            _ if !visible.is_empty() && !dice.percent(15) => {
                json!({ "type": "EXACT", "fields": ["divisionId"], "value": dice.pick(visible).division })
            }
            _ => {
                strange = true;
                json!({ "type": "EXACT", "fields": ["divisionId"], "value": like.division })
            }
        });
    }
    (Value::Array(criteria), strange)
}

/// What comes back of a search, over an obedient upstream that gives so many rows at a time.
fn ask(asker: &Asker<'_>, body: &Value, step: usize, sent: &mut Vec<Value>) -> Result<Value, Refusal> {
    let (world, now, question) = (&asker.organisation.world, program::at(asker.now), question(body));
    let holder = program::principal(&world.org, &asker.person);
    let scope = Arc::new(decision::scope(world, holder, &question.operation, now)?);
    let mut forward = match decision::decide(world, &scope, &question, now)? {
        Decided::Local(guarded) => return Ok(program::text(guarded.body())),
        Decided::Forward(forward) => *forward,
        Decided::Split(_) | Decided::Kept(_) => panic!("a search is asked for in one piece"),
    };
    let mut gathered = Gathered::default();
    loop {
        let posted = program::text(forward.verified.body().expect("a search has a body"));
        let all = found(asker.directory().users.iter(), &posted["query"]);
        let number = usize::try_from(posted["pageNumber"].as_u64().unwrap()).unwrap();
        let rows: Vec<Value> = all
            .iter()
            .skip((number - 1) * step)
            .take(step)
            .map(|user| json!({ "id": user.id, "name": user.name, "division": { "id": user.division }, "manager": {} }))
            .collect();
        let answer = json!({ "results": rows, "total": all.len(), "pageCount": all.len().div_ceil(step), "types": [] });
        sent.push(posted);
        match forward.plan.read(gathered, Unguarded::new(200, answer.to_string().into_bytes()))? {
            Read::Done(guarded) => {
                assert!(guarded.rows_foreign() == 0 && guarded.notices().is_empty(), "{:?}", guarded.notices());
                return Ok(program::text(guarded.body()));
            }
            Read::Look(_) => panic!("these rows are of no interactions"),
            Read::More(more) => gathered = more,
        }
        forward = decision::read_on(world, &scope, &question, &gathered, now)?;
    }
}

fn visible<'a>(asker: &'a Asker<'_>) -> Vec<&'a User> {
    let directory = asker.directory();
    let scope = asker.scope(operation(), lists::data_of(List::Users));
    let sees = |user: &&User| lists::shows_user(directory, &asker.person, &scope, &user.id);
    directory.users.iter().filter(sees).collect()
}

#[test]
fn a_search_finds_what_it_finds_among_the_visible_people() {
    let (mut answered, mut rows, mut closed, mut further) = (0, 0, 0, 0);
    every_asker((cases() / 20).max(200), &mut |asker, dice| {
        let visible = visible(asker);
        let (query, strange) = criteria(dice, &asker.directory().users, &visible);
        let (size, step, mut got) = (1 + dice.below(5), 2 + dice.below(9), Vec::new());
        let due: Vec<&str> =
            found(visible.iter().copied(), &without_match_all(&query)).iter().map(|user| user.id.as_str()).collect();
        for number in 1..=due.len().div_ceil(size).max(1) {
            let mut sent = Vec::new();
            let body = json!({ "query": query, "pageSize": size, "pageNumber": number });
            let answer = match ask(asker, &body, step, &mut sent) {
                Ok(answer) => answer,
                Err(_) if strange || visible.is_empty() => {
                    closed += 1;
                    return Ok(());
                }
                Err(refusal) => return Err(format!("{query}: {refusal} {:?}", refusal.cause)),
            };
            further += sent.len().saturating_sub(1);
            for sent in &sent {
                let ids = sent["query"].as_array().unwrap().iter().filter(|one| one["fields"] == json!(["id"]));
                for id in ids.flat_map(|one| one["values"].as_array().unwrap()) {
                    if !visible.iter().any(|user| id == &json!(user.id)) {
                        return Err(format!("{query}: `{id}` is sent"));
                    }
                }
            }
            if (&answer["total"], &answer["pageCount"]) != (&json!(due.len()), &json!(due.len().div_ceil(size))) {
                return Err(format!("{query}: due {due:?}, told {answer}"));
            }
            let page = answer["results"].as_array().unwrap();
            if page.iter().any(|row| row.get("manager").is_some()) || answer.get("types").is_some() {
                return Err(format!("{query}: {answer}"));
            }
            let next = answer["nextPage"].as_str();
            if next.is_some() != (number * size < due.len()) {
                return Err(format!("{query}, page {number} of {}: {answer}", due.len()));
            }
            got.extend(page.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        }
        if got != due {
            return Err(format!("{query}: due {due:?}, got {got:?}"));
        }
        answered += 1;
        rows += got.len();
        Ok(())
    });
    println!("searches: {answered} answered with {rows} rows, {further} further pages, {closed} closed");
    assert!((answered > 60 && rows > 60 && further > 5) || !judges_shares(), "{answered} {rows} {further} {closed}");
}

/// Whoever was named and has moved where the asker sees nobody is passed over without a word, as in lists: it would say that the
/// criteria fit him. Somebody who was not named is an alarm.
#[test]
fn nothing_is_told_of_whoever_moved_away() {
    let (mut moved, mut strange) = (0, 0);
    every_asker((cases() / 20).max(200), &mut |asker, _| {
        let visible = visible(asker);
        let stranger = asker.directory().users.iter().find(|user| !visible.iter().any(|seen| seen.id == user.id));
        let (world, now, question) =
            (&asker.organisation.world, program::at(asker.now), question(&json!({ "query": [] })));
        let holder = program::principal(&world.org, &asker.person);
        let Ok(scope) = decision::scope(world, holder, operation(), now).map(Arc::new) else { return Ok(()) };
        let Ok(Decided::Forward(forward)) = decision::decide(world, &scope, &question, now) else { return Ok(()) };
        let told = |user: &User, division: &str| {
            let row = json!({ "id": user.id, "name": user.name, "division": { "id": division } });
            let answer = json!({ "results": [row], "total": 1, "pageCount": 1 }).to_string();
            match forward.plan.read(Gathered::default(), Unguarded::new(200, answer.into_bytes())).unwrap() {
                Read::Done(guarded) => (guarded.rows_out(), guarded.rows_foreign(), guarded.notices().len()),
                Read::Look(_) | Read::More(_) => panic!("one page is all"),
            }
        };
        if let Some(one) = visible.first() {
            let seen = [told(one, &one.division), told(one, "a-division-of-today")];
            if seen != [(1, 0, 0), (0, 0, 0)] {
                return Err(format!("`{}`: {seen:?}", one.id));
            }
            moved += 1;
        }
        if let Some(other) = stranger {
            // with the division of somebody who is seen
            let seen = told(other, visible.first().map_or("", |one| &one.division));
            if seen != (0, 1, 1) {
                return Err(format!("`{}`: {seen:?}", other.id));
            }
            strange += 1;
        }
        Ok(())
    });
    println!("searches: {moved} who moved, {strange} strangers");
    assert!((moved > 20 && strange > 20) || !judges_shares(), "{moved} {strange}");
}

/// What holds of everybody is no criterion.
fn without_match_all(query: &Value) -> Value {
    query.as_array().unwrap().iter().filter(|one| one["type"] != "MATCH_ALL").cloned().collect()
}

#[test]
fn no_small_fault_in_what_is_sent_is_proved() {
    let (mut proved, mut refused) = (0, 0);
    every_asker((cases() / 20).max(200), &mut |asker, dice| {
        let visible = visible(asker);
        let query = criteria(dice, &asker.directory().users, &visible).0;
        let (world, now, question) =
            (&asker.organisation.world, program::at(asker.now), question(&json!({ "query": query })));
        let holder = program::principal(&world.org, &asker.person);
        let Ok(scope) = decision::scope(world, holder, operation(), now).map(Arc::new) else { return Ok(()) };
        let Ok(Outcome::Send(narrowed)) = narrow(world, &scope, &question, now) else { return Ok(()) };
        let sent = program::text(narrowed.outgoing.body.as_deref().unwrap());
        let check = |body: &Value| {
            let mut outgoing = narrowed.outgoing.clone();
            outgoing.body = Some(body.to_string().into_bytes().into());
            verify::check(&operation().contract, outgoing, narrowed.residual.clone(), &scope, &world.org, now)
        };
        check(&sent).map_err(|unproved| format!("{sent}: {unproved}"))?;
        proved += 1;
        let place = sent["query"].as_array().unwrap().iter().position(|one| one["fields"] == json!(["id"])).unwrap();
        let with = |change: &dyn Fn(&mut Value)| {
            let mut body = sent.clone();
            change(&mut body["query"][place]);
            body
        };
        let hidden = asker.directory().users.iter().find(|user| !visible.iter().any(|seen| seen.id == user.id));
        let mut faulty = vec![
            with(&|one| one["operator"] = json!("OR")),
            with(&|one| one["operator"] = json!("NOT")),
            with(&|one| drop(one.as_object_mut().unwrap().shift_remove("operator"))),
            with(&|one| one["fields"] = json!(["id", "name"])),
            with(&|one| one["fields"] = json!(["name"])),
            with(&|one| one["fields"] = json!([])),
            with(&|one| one["type"] = json!("CONTAINS")),
            with(&|one| one["type"] = json!("EXACT")),
            with(&|one| one["type"] = json!("QUERY_STRING")),
            with(&|one| one["values"] = json!([])),
            with(&|one| one["values"].as_array_mut().unwrap().push(json!("no-such-person"))),
            with(&|one| one["value"] = json!("x")),
            with(&|one| one["group"] = json!([])),
            with(&|one| *one = json!({ "type": "MATCH_ALL" })),
            with(&|one| *one = json!([one.clone()])),
        ];
        faulty.extend(hidden.map(|user| with(&|one| one["values"].as_array_mut().unwrap().push(json!(user.id)))));
        let mut whole = sent.clone();
        whole["query"].as_array_mut().unwrap().remove(place);
        faulty.push(whole.clone());
        whole.as_object_mut().unwrap().shift_remove("query");
        faulty.push(whole);
        let mut more = sent.clone();
        more["query"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "fields": ["manager.id"], "operator": "AND", "type": "TERMS", "values": ["x"] }));
        faulty.push(more);
        let mut sorted = sent.clone();
        sorted["sortBy"] = json!("manager.id");
        faulty.push(sorted);
        for body in faulty {
            if check(&body).is_ok() {
                return Err(format!("{body} is proved"));
            }
            refused += 1;
        }
        Ok(())
    });
    println!("bytes of searches: {proved} proved, {refused} faulty ones refused");
    assert!(proved > 40 || !judges_shares(), "{proved}");
}
