//! The laws over drawn organisations, people and questions. `BAILIWICK_CASES` sets how many.

use super::{
    case::{Case, Organisation, data_of},
    counts::Counts,
    program::{self, Answered, Got},
    shrink,
};
use crate::oracle::{
    data::{Time, instant, seconds},
    generate::{Dice, HOUR, MONDAY},
    questions::{Kind, within},
    semantics::Data,
};
use bailiwick::model::refusal::Code;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

const MOST_CASES_OF_ONE_ORGANISATION: usize = 200;
const THREADS: usize = 2;

/// How many kinds of failures are made small and told in full.
fn reports() -> usize {
    std::env::var("BAILIWICK_REPORTS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

pub(super) fn cases() -> usize {
    std::env::var("BAILIWICK_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(USUAL)
}

const USUAL: usize = 20_000;

/// Whether so many cases are drawn that their shares mean something. A shorter run judges each case, and no share.
pub(super) fn judges_shares() -> bool {
    cases() >= USUAL
}

/// Where the numbers start; another one draws other cases.
pub(super) fn seed() -> u64 {
    std::env::var("BAILIWICK_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

type Judge<'a> = dyn Fn(&Organisation, &Case, &mut Dice, &Mutex<Counts>) -> Result<(), String> + Sync + 'a;

/// Draws `count` cases, up to 200 of each organisation, on two threads; fails with small reproductions.
fn every_case(law: &str, count: usize, judge: &Judge<'_>) -> Counts {
    let next = AtomicUsize::new(0);
    let counts = Mutex::new(Counts::default());
    let seen: Mutex<BTreeSet<String>> = Mutex::default();
    let failures: Mutex<Vec<String>> = Mutex::default();
    let failed = AtomicUsize::new(0);
    // A short run draws many organisations too.
    let each = (count / 20).clamp(1, MOST_CASES_OF_ONE_ORGANISATION);
    let organisations = count.div_ceil(each);
    std::thread::scope(|threads| {
        for _ in 0..THREADS {
            threads.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= organisations {
                        break;
                    }
                    let mut dice = Dice::new(seed() * 1_000_003 + number as u64);
                    let organisation = Organisation::draw(&mut dice);
                    counts.lock().unwrap().tally(&organisation);
                    for _ in 0..each.min(count - number * each) {
                        let case_seed = dice.number();
                        let mut dice = Dice::new(case_seed);
                        let case = Case::draw(&mut dice, &organisation);
                        let Err(why) = judge(&organisation, &case, &mut dice.clone(), &counts) else { continue };
                        failed.fetch_add(1, Ordering::Relaxed);
                        let class = format!("{:?} {}", case.kind, shrink::class(&why));
                        *counts.lock().unwrap().failures.entry(class.clone()).or_default() += 1;
                        let known = {
                            let mut seen = seen.lock().unwrap();
                            let known = seen.contains(&class) || seen.len() >= reports();
                            seen.insert(class.clone());
                            known
                        };
                        if !known {
                            let muted = Mutex::new(Counts::default());
                            let breaks = |organisation: &Organisation, case: &Case| {
                                judge(organisation, case, &mut dice.clone(), &muted).err()
                            };
                            let report = shrink::report(&organisation, &case, case_seed, &breaks);
                            failures.lock().unwrap().push(format!("{class}\n{report}"));
                        }
                    }
                }
            });
        }
    });
    let counts = counts.into_inner().unwrap();
    counts.print(law);
    let failures = failures.into_inner().unwrap();
    let failed = failed.into_inner();
    assert!(failed == 0, "{law}: {failed} cases fail; the first of each kind:\n{}", failures.join("\n=======\n"));
    counts
}

#[test]
fn soundness_and_completeness() {
    let counts = every_case("soundness_and_completeness", cases(), &|organisation, case, _, counts| {
        let got = case.ask(organisation);
        let forbidden = case.has_forbidden_part(organisation);
        {
            let mut counts = counts.lock().unwrap();
            counts.note(&got);
            counts.forbidden += usize::from(forbidden);
            if let Got::Answered(answered) = &got {
                counts.rows += usize::from(!answered.facts.is_empty());
                counts.noticed += usize::from(answered.tells_of_losses());
            }
        }
        note_displaced(organisation, case, &got, counts);
        case.judge(organisation, &got)
    });
    counts.show_enough();
    for code in [Code::QueryTooComplex, Code::OperationUnscopable] {
        assert!(
            counts.percent(counts.of(code.as_str())) < 5.0 || !judges_shares(),
            "`{}` refuses too much",
            code.as_str()
        );
    }
}

/// Lists of interactions under data windows, where the guard alone holds the window: exact but for places on a page.
#[test]
fn windows_over_whole_days_cost_places_and_nothing_else() {
    let counts = every_case("windows_over_whole_days", cases() / 20, &|organisation, case, dice, counts| {
        let mut file = organisation.file.clone();
        let day = |nth: i64| instant(MONDAY + 24 * HOUR * nth);
        let person = dice.pick(&organisation.directory.users).id.clone();
        let mine = |one: &Value| one["beneficiary"] == json!(person);
        file["grants"].as_array_mut().unwrap().retain(|grant| !mine(grant) || grant["data"].is_null());
        let (begin, until) = (dice.below(2) as i64, 2 + dice.below(2) as i64);
        for nth in 0..=dice.below(2) {
            let (kind, list) =
                *dice.pick(&[("queue", "queues"), ("division", "divisions"), ("user", "users"), ("group", "groups")]);
            let id = dice.pick(file[list].as_array().unwrap())["id"].clone();
            let grant = json!({
                "id": format!("window-{nth}"), "beneficiary": person, "resources": [{ "kind": kind, "id": id }],
                "actions": ["view"], "from": instant(case.now), "until": instant(case.now + 1),
                "data": { "from": day(begin - dice.below(2) as i64), "until": day(until) },
            });
            file["grants"].as_array_mut().unwrap().push(grant);
        }
        let richer = Organisation::of(file, organisation.stock.clone())?;
        let size = 1 + dice.below(3);
        let body = json!({
            "interval": format!("{}/{}", instant(MONDAY + 24 * HOUR * begin + HOUR * dice.below(20) as i64), day(until)),
            "paging": { "pageSize": size, "pageNumber": 1 + dice.below(3) },
            "order": dice.pick(&["asc", "desc"]),
        });
        let case = Case { person, kind: Kind::Details, body: body.to_string(), now: case.now };
        let got = case.ask(&richer);
        counts.lock().unwrap().note(&got);
        note_displaced(&richer, &case, &got, counts);
        case.judge(&richer, &got)
    });
    let displaced = counts.percent(counts.displaced);
    println!("  a place was taken in {displaced:.1} %");
    assert!(displaced >= 1.0 || !judges_shares(), "too few windows are crossed to show anything: {displaced:.1} %");
}

fn note_displaced(organisation: &Organisation, case: &Case, got: &Got, counts: &Mutex<Counts>) {
    let Got::Answered(answered) = got else { return };
    let expected = case.expected(&organisation.directory, organisation.stock.of(case.kind));
    let displaced = !answered.tells_of_losses() && Some(&answered.facts) != expected.as_ref();
    counts.lock().unwrap().displaced += usize::from(displaced);
}

// ---- 2 -----------------------------------------------------------------------------------------------------------

fn shuffled(value: &Value, dice: &mut Dice) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| shuffled(item, dice)).collect();
            dice.shuffle(&mut items);
            Value::Array(items)
        }
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> =
                members.iter().map(|(key, member)| (key.clone(), shuffled(member, dice))).collect();
            dice.shuffle(&mut members);
            Value::Object(members.into_iter().collect())
        }
        plain => plain.clone(),
    }
}

/// The same JSON with other white space, escapes and letter case of enums.
fn respelt(value: &Value, genesys: bool, key: &str, dice: &mut Dice) -> String {
    let gap = |dice: &mut Dice| *dice.pick(&["", " ", "\n", "\t "]);
    match value {
        Value::Array(items) => {
            let items: Vec<String> =
                items.iter().map(|item| format!("{}{}", gap(dice), respelt(item, genesys, key, dice))).collect();
            format!("[{}{}]", items.join(","), gap(dice))
        }
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, member)| {
                    format!(
                        "{}{}{}:{}",
                        gap(dice),
                        escaped(name, dice),
                        gap(dice),
                        respelt(member, genesys, name, dice)
                    )
                })
                .collect();
            format!("{{{}{}}}", members.join(","), gap(dice))
        }
        Value::String(text) => {
            let folds = genesys && ["type", "dimension", "operator"].contains(&key);
            let text = match (folds, dice.below(3)) {
                (true, 0) => text.to_uppercase(),
                (true, 1) => text.to_lowercase(),
                _ => text.clone(),
            };
            escaped(&text, dice)
        }
        plain => plain.to_string(),
    }
}

fn escaped(text: &str, dice: &mut Dice) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        if (c as u32) < 0x1_0000 && dice.percent(20) {
            out.push_str(&format!("\\u{:04x}", c as u32));
        } else {
            let quoted = serde_json::to_string(&c.to_string()).unwrap();
            out.push_str(&quoted[1..quoted.len() - 1]);
        }
    }
    out + "\""
}

fn same(left: &Got, right: &Got, what: &str) -> Result<(), String> {
    let code = |got: &Got| match got {
        Got::Refused { code, .. } => code.as_str().to_owned(),
        Got::Answered(answered) => format!("answered, sent {:?}", answered.sent),
    };
    match (left, right) {
        (Got::Answered(left_answer), Got::Answered(right_answer))
            if left_answer.facts == right_answer.facts && left_answer.sent == right_answer.sent =>
        {
            Ok(())
        }
        (Got::Refused { code: one, .. }, Got::Refused { code: other, .. }) if one == other => Ok(()),
        _ => Err(format!("{what}\none {}\nother {}", code(left), code(right))),
    }
}

#[test]
fn order_and_form_do_not_matter() {
    every_case("order_and_form_do_not_matter", cases() / 10, &|organisation, case, dice, counts| {
        let got = case.ask(organisation);
        counts.lock().unwrap().note(&got);
        let body: Value = serde_json::from_str(&case.body).unwrap();
        let genesys = case.kind != Kind::Platform;
        let spelt = Case { body: respelt(&body, genesys, "", dice), ..case.clone() };
        same(&got, &spelt.ask(organisation), "spelling matters")?;
        if dice.percent(10) {
            let other = Organisation::of(shuffled(&organisation.file, dice), organisation.stock.clone())?;
            same(&got, &case.ask(&other), "order in the directory matters")?;
        }
        Ok(())
    });
}

/// Keys and clauses of a question in another order: the same question. Only the order of columns (`groupBy`,
/// `metrics`, `aggregations`) and of filter entries is the asker's own.
#[test]
fn order_of_keys_and_clauses_does_not_matter() {
    every_case("order_of_keys_and_clauses", cases() / 10, &|organisation, case, dice, counts| {
        let got = case.ask(organisation);
        counts.lock().unwrap().note(&got);
        let body = reordered(&serde_json::from_str(&case.body).unwrap(), "", dice);
        let other = Case { body: body.to_string(), ..case.clone() };
        let other = other.ask(organisation);
        match (&got, &other) {
            (Got::Answered(one), Got::Answered(other)) if one.facts != other.facts => {
                Err("order of clauses changes the answer".to_owned())
            }
            _ => same(&got, &other, "order of keys and clauses matters"),
        }
    });
}

fn reordered(value: &Value, key: &str, dice: &mut Dice) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| reordered(item, key, dice)).collect();
            if ["clauses", "predicates", "values"].contains(&key) {
                dice.shuffle(&mut items);
            }
            Value::Array(items)
        }
        Value::Object(members) => {
            let filter = members.contains_key("predicates") || members.contains_key("dimension");
            let mut members: Vec<(String, Value)> =
                members.iter().map(|(name, member)| (name.clone(), reordered(member, name, dice))).collect();
            if filter {
                dice.shuffle(&mut members);
            }
            Value::Object(members.into_iter().collect())
        }
        plain => plain.clone(),
    }
}

// ---- 3 -----------------------------------------------------------------------------------------------------------

/// The directory with one more source for this person: a role assignment or a grant that acts now.
pub(super) fn enriched(organisation: &Organisation, person: &str, now: Time, dice: &mut Dice) -> Value {
    let mut file = organisation.file.clone();
    let pick = |dice: &mut Dice, list: &str| dice.pick(file[list].as_array().unwrap())["id"].clone();
    let users = organisation.directory.users.iter().position(|user| user.id == person);
    match users {
        Some(at) if dice.percent(50) => {
            let one = json!({ "role": pick(dice, "roles"), "division": pick(dice, "divisions") });
            let held = file["users"][at]["roles"].as_array_mut().unwrap();
            if !held.contains(&one) {
                held.push(one);
            }
        }
        Some(_) => {
            let (kind, list) =
                *dice.pick(&[("queue", "queues"), ("division", "divisions"), ("user", "users"), ("group", "groups")]);
            let grant = json!({
                "id": "one-more", "beneficiary": person, "resources": [{ "kind": kind, "id": pick(dice, list) }],
                "actions": ["view"], "from": instant(now), "until": instant(now + 1),
            });
            file["grants"].as_array_mut().unwrap().push(grant);
        }
        None => {
            let one = json!({ "role": pick(dice, "roles"), "division": pick(dice, "divisions") });
            let held = file["serviceAccounts"][0]["roles"].as_array_mut().unwrap();
            if !held.contains(&one) {
                held.push(one);
            }
        }
    }
    file
}

/// A page of fewer rows holds later rows, so that whole answers are compared.
fn unpaged(case: &Case) -> Case {
    let mut body: Value = serde_json::from_str(&case.body).unwrap();
    if case.kind == Kind::Details {
        body["paging"] = json!({ "pageSize": 100, "pageNumber": 1 });
    }
    Case { body: body.to_string(), ..case.clone() }
}

#[test]
fn more_rights_more_rows() {
    every_case("more_rights_more_rows", cases() / 20, &|organisation, case, dice, counts| {
        let case = unpaged(case);
        if case.body.contains("${") {
            // A placeholder stands for more when there are more rights: the question itself changes.
            return Ok(());
        }
        let before = case.ask(organisation);
        counts.lock().unwrap().note(&before);
        let richer =
            Organisation::of(enriched(organisation, &case.person, case.now, dice), organisation.stock.clone())?;
        let after = case.ask(&richer);
        case.judge(&richer, &after)?;
        match (&before, &after) {
            (Got::Answered(before), Got::Answered(after)) if !within(&before.facts, &after.facts) => {
                Err(format!("one more right removes rows\nbefore {before:#?}\nafter {after:#?}"))
            }
            _ => Ok(()),
        }
    });
}

// ---- 4 -----------------------------------------------------------------------------------------------------------

#[test]
fn once_is_enough() {
    let counts = every_case("once_is_enough", cases() / 5, &|organisation, case, _, counts| {
        let got = case.ask(organisation);
        counts.lock().unwrap().note(&got);
        let Got::Answered(Answered { sent: Some(sent), facts, .. }) = &got else { return Ok(()) };
        let again = Case { body: sent.clone(), ..case.clone() };
        match again.ask(organisation) {
            Got::Answered(other) if other.sent.as_ref() == Some(sent) && other.facts == *facts => Ok(()),
            // Narrowing may leave a dead queue as the only one of its division: as a question, that is a stale list.
            Got::Refused { code: Code::QueryDeadQueue, .. } if names_a_dead_queue(organisation, sent) => {
                counts.lock().unwrap().stale += 1;
                Ok(())
            }
            other => Err(format!("a rewritten query is changed again\nsent {sent}\nagain {other:#?}")),
        }
    });
    println!("  what was sent is refused as a stale list: {}", counts.stale);
    assert!(
        !judges_shares() || counts.percent(counts.stale) < 0.1,
        "{} of {} are refused again",
        counts.stale,
        counts.all
    );
}

fn names_a_dead_queue(organisation: &Organisation, sent: &str) -> bool {
    let named = super::case::named(&serde_json::from_str(sent).unwrap());
    named.iter().any(|(kind, id)| {
        let queue = organisation.directory.queue(id).filter(|_| *kind == "queue");
        queue.is_some_and(|queue| !matches!(queue.state.as_deref(), None | Some("active")))
    })
}

// ---- 5 -----------------------------------------------------------------------------------------------------------

#[test]
fn time() {
    every_case("time", cases() / 20, &|organisation, case, dice, counts| {
        let Some(grant) = organisation.directory.grants.first() else { return Ok(()) };
        let grants = &organisation.directory.grants;
        let beneficiary = if grants.iter().any(|grant| grant.beneficiary == case.person) {
            case.person.clone()
        } else {
            grants.get(dice.below(grants.len())).unwrap_or(grant).beneficiary.clone()
        };
        let drawn = Case::draw_for(dice, organisation, Some(&beneficiary));
        let case = if beneficiary == case.person { case } else { &drawn };
        let mine: Vec<usize> = (0..organisation.directory.grants.len())
            .filter(|at| organisation.directory.grants[*at].beneficiary == case.person)
            .collect();
        if mine.is_empty() {
            return Ok(());
        }
        let at = *dice.pick(&mine);
        let grant = &organisation.directory.grants[at];
        let (from, until) = (seconds(&grant.from), seconds(&grant.until));
        let mut without = organisation.file.clone();
        without["grants"].as_array_mut().unwrap().remove(at);
        let without = Organisation::of(without, organisation.stock.clone())?;
        let mut always = organisation.file.clone();
        always["grants"][at]["from"] = json!(instant(from - 1_000_000));
        always["grants"][at]["until"] = json!(instant(until + 1_000_000));
        let always = Organisation::of(always, organisation.stock.clone())?;
        for (now, other, what) in [
            (from - 1, &without, "a grant acts before it begins"),
            (from, &always, "a grant does not act when it begins"),
            (until - 1, &always, "a grant does not act until its end"),
            (until, &without, "a grant acts when it has ended"),
        ] {
            let case = Case { now, ..case.clone() };
            let got = case.ask(organisation);
            counts.lock().unwrap().note(&got);
            same(&got, &case.ask(other), what)?;
            if let Ok(scope) = program::scope(&organisation.world, &case.person, case.kind, now)
                && let Some(good_until) = scope.good_until
            {
                let last = good_until.as_second() - 1;
                let later = program::scope(&organisation.world, &case.person, case.kind, last);
                let later = later.map_err(|refusal| format!("a scope ends before its time: {refusal}"))?;
                if good_until.as_second() <= now || later.entitlements != scope.entitlements {
                    return Err(format!("a scope is good until {good_until}, but changes before"));
                }
            }
        }
        Ok(())
    });
}

// ---- 6 -----------------------------------------------------------------------------------------------------------

/// Other people's rights, other divisions' things, and every name, changed.
pub(super) fn disturbed(organisation: &Organisation, person: &str, dice: &mut Dice) -> Option<Value> {
    let mut file = organisation.file.clone();
    let region = organisation.directory.region_of_person(person);
    let other = if region == "us-east-1" { "eu-west-1" } else { "us-east-1" };
    let root = |region: &str| -> Option<String> {
        let one = organisation.directory.divisions.iter().find(|one| one.parent.is_none() && one.region == region);
        one.map(|one| one.id.clone())
    };
    let (root_abroad, root_here) = (root(other)?, root(region)?);
    let push = |file: &mut Value, list: &str, one: Value| file[list].as_array_mut().unwrap().push(one);
    push(&mut file, "divisions", json!({ "id": "noise-abroad", "parent": root_abroad, "region": other }));
    push(&mut file, "divisions", json!({ "id": "noise-here", "parent": root_here, "region": region }));
    push(&mut file, "queues", json!({ "id": "noise-q-abroad", "division": "noise-abroad", "members": [] }));
    push(
        &mut file,
        "queues",
        json!({ "id": "noise-q-here", "division": "noise-here", "members": [], "restricted": true }),
    );
    push(&mut file, "users", json!({ "id": "noise-u", "division": "noise-abroad", "region": other, "roles": [] }));
    push(&mut file, "views", json!({ "id": "noise-v", "queues": "any", "users": "any" }));
    for list in ["divisions", "queues", "users", "groups", "folders", "roles", "views"] {
        for one in file[list].as_array_mut().unwrap() {
            if dice.percent(50) {
                one["name"] = json!(format!("renamed {}", dice.below(5)));
            }
        }
    }
    let roles: Vec<Value> = file["roles"].as_array().unwrap().clone();
    for user in file["users"].as_array_mut().unwrap().iter_mut().filter(|user| user["id"] != person) {
        let division = user["division"].clone();
        user["roles"] = if dice.percent(50) {
            json!([])
        } else {
            json!([{ "role": dice.pick(&roles)["id"], "division": division }])
        };
    }
    file["grants"].as_array_mut().unwrap().retain(|grant| grant["beneficiary"] == person);
    let queue = file["queues"][0]["id"].clone();
    push(
        &mut file,
        "grants",
        json!({
            "id": "noise-grant", "beneficiary": "noise-u", "resources": [{ "kind": "queue", "id": queue }], "actions": ["view"],
            "from": "2020-01-01T00:00:00Z", "until": "2030-01-01T00:00:00Z",
        }),
    );
    Some(file)
}

#[test]
fn others_do_not_matter() {
    every_case("others_do_not_matter", cases() / 20, &|organisation, case, dice, counts| {
        let got = case.ask(organisation);
        counts.lock().unwrap().note(&got);
        let mut stock = organisation.stock.clone();
        for one in stock.of_mut(case.kind).iter_mut() {
            let mut hidden = one.legs[0].clone();
            if data_of(case.kind) == Data::User {
                hidden.agent = Some("noise-u".to_owned());
            } else {
                hidden.queue = Some((*dice.pick(&["noise-q-abroad", "noise-q-here"])).to_owned());
            }
            hidden.tag = Some("noise-abroad".to_owned());
            one.legs.push(hidden);
        }
        let Some(file) = disturbed(organisation, &case.person, dice) else { return Ok(()) };
        let other = Organisation::of(file, stock)?;
        same(&got, &case.ask(&other), "others matter")
    });
}

// ---- 7 -----------------------------------------------------------------------------------------------------------

#[test]
fn the_walls_stand() {
    every_case("the_walls_stand", cases() / 5, &|organisation, case, _, counts| {
        let directory = &organisation.directory;
        let region = directory.region_of_person(&case.person);
        let beyond = |division: Option<&str>| {
            division
                .and_then(|id| directory.division(id))
                .is_some_and(|one| one.region != region || !directory.leaf(&one.id))
        };
        let mut data = organisation.stock.of(case.kind).to_vec();
        for one in &mut data {
            one.legs.retain(|leg| beyond(directory.division_of(leg)));
        }
        data.retain(|one| !one.legs.is_empty());
        let got = program::ask(&organisation.world, &case.person, case.kind, &case.body, case.now, &data);
        counts.lock().unwrap().note(&got);
        match got {
            Got::Answered(answered) if !answered.facts.is_empty() => {
                Err(format!("rows beyond the walls: {:#?}", answered.facts))
            }
            _ => Ok(()),
        }
    });
}
