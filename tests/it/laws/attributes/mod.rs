//! An upstream without queue ids, narrowed by an attribute that the directory binds to queues: asked, over the visible
//! legs whose queue has a value of its own. The oracle counts values in the directory file.

use super::{
    case::{Case, Organisation},
    program, wrong_bytes,
};
use crate::oracle::{
    data::{Interaction, Leg, instant},
    generate::{Dice, MONDAY},
    questions::{Facts, Kind, Meaning, answer, facts_of, within},
    semantics::{Dim, Entitlement},
};
use bailiwick::{
    app::selftest,
    decision::{self, Decided},
    model::{
        operation::{Operation, Rules},
        outgoing::Outgoing,
        refusal::{Code, Notice},
        world::World,
    },
    policy::{guard::Unguarded, lint},
    query::{
        Question,
        json::{self, Limits},
    },
    rules, verify,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

const NAME: &str = "customAttribute_region_queue";
const NOW: i64 = MONDAY + 3 * 86_400;
const DAY: i64 = 86_400;

fn files() -> Vec<(String, String)> {
    let mut files = rules::embedded();
    files.retain(|(name, _)| name.ends_with("permissions.toml"));
    files.push(("sample/exporter.json".to_owned(), include_str!("directory.json").to_owned()));
    files.push(("exporter/models.toml".to_owned(), include_str!("models.toml").to_owned()));
    files.push(("exporter/query.toml".to_owned(), include_str!("rules.toml").to_owned()));
    files
}

static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| {
    let compiled = rules::compile(files(), selftest::policy());
    Arc::new(compiled.unwrap_or_else(|problems| panic!("{}", problems[0])).rules)
});

fn operation() -> Arc<Operation> {
    RULES.operations[0].clone()
}

#[test]
fn the_exporter_passes_its_query_tests() {
    let compiled = rules::compile(files(), selftest::policy()).unwrap_or_else(|problems| panic!("{}", problems[0]));
    let failed = selftest::failures(&compiled);
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert_eq!(compiled.tests.len(), 9);
}

#[test]
fn check_names_the_queues_that_no_value_says() {
    let org = program::org(include_str!("directory.json")).unwrap();
    let found = lint::findings(&RULES, &org, program::at(NOW));
    let found: Vec<_> = found.iter().map(|one| (one.code, one.at.as_str(), one.why.as_str())).collect();
    assert_eq!(
        found,
        [
            ("A01", "`regionQueue` = `twin`", "shared by `q-other`, `q-twin`, so its rows are nobody's"),
            ("A01", "attribute `regionQueue`", "missing from `q-bare`, `q-plain`, so their rows are nobody's"),
        ]
    );
}

#[test]
fn queues_without_a_value_of_their_own_are_counted_in_a_notice() {
    let org = program::org(include_str!("directory.json")).unwrap();
    let world = World { rules: RULES.clone(), ..program::world(&org) };
    let scope = decision::scope(&world, program::principal(&org, "cora"), &operation(), program::at(NOW)).unwrap();
    let body = json!({ "query": { "dateFrom": "now-1d", "dateTo": "now",
        "aggregations": [{ "dimension": "interactions", "function": "COUNT" }] } });
    let decided = decision::decide(&world, &Arc::new(scope), &question(&body.to_string()), program::at(NOW)).unwrap();
    let Decided::Forward(forward) = decided else { panic!("nothing is answered here") };
    let told = forward.notices.iter().find(|notice| notice.code == "scope.unbound").unwrap();
    assert!(told.text.starts_with("2 queues of yours are left out"), "{}", told.text);
}

/// A drawn organisation whose queues have values: most their own, some shared, some none, some the id of another queue.
struct Bound {
    organisation: Organisation,
    world: World,
    /// By queue, when it is of this queue alone.
    own: BTreeMap<String, String>,
    /// By queue, as the file says.
    any: BTreeMap<String, String>,
    values: Vec<String>,
}

impl Bound {
    fn draw(dice: &mut Dice) -> Self {
        let Organisation { mut file, stock, .. } = Organisation::draw(dice);
        let ids: Vec<String> =
            file["queues"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        let mut any = BTreeMap::new();
        for (at, queue) in file["queues"].as_array_mut().unwrap().iter_mut().enumerate() {
            let value = match dice.below(10) {
                0 => continue,
                1 => "shared".to_owned(),
                2 => dice.pick(&ids).clone(),
                _ => format!("v-{at}"),
            };
            queue["attributes"] = json!({ "regionQueue": value });
            any.insert(ids[at].clone(), value);
        }
        let mut organisation = Organisation::of(file, stock).unwrap();
        let alone = |(_, value): &(&String, &String)| any.values().filter(|other| other == value).count() == 1;
        let own = any.iter().filter(alone).map(|(id, value)| (id.clone(), value.clone())).collect();
        for leg in organisation.stock.interactions.iter_mut().flat_map(|one| &mut one.legs) {
            mark(leg, &any);
        }
        let world = World { rules: RULES.clone(), ..organisation.world.clone() };
        let mut values: Vec<String> = any.values().cloned().collect();
        values.extend(["shared".to_owned(), "invented".to_owned()]);
        values.extend(ids);
        Self { organisation, world, own, any, values }
    }

    /// What the asker may see of what this upstream can say.
    fn view(&self, person: &str, counts: impl Fn(&Entitlement) -> bool) -> Vec<Interaction> {
        let directory = &self.organisation.directory;
        let mut scope = self.case(person, &json!({})).scope(directory);
        scope.retain(counts);
        let mut view = directory.view(person, &scope, &self.organisation.stock.interactions);
        for one in &mut view {
            one.legs.retain(|leg| leg.queue.as_ref().is_some_and(|queue| self.own.contains_key(queue)));
        }
        view.retain(|one| !one.legs.is_empty());
        view
    }

    fn case(&self, person: &str, body: &Value) -> Case {
        Case { person: person.to_owned(), kind: Kind::Platform, body: body.to_string(), now: NOW }
    }

    /// Whether this value stands for a queue of which something may be visible.
    fn stands(&self, person: &str, value: &str) -> bool {
        let directory = &self.organisation.directory;
        let case = self.case(person, &json!({}));
        let scope = case.scope(directory);
        self.own.iter().any(|(queue, own)| own == value && case.queue_inside(directory, &scope, queue))
    }
}

fn mark(leg: &mut Leg, values: &BTreeMap<String, String>) {
    if let Some(value) = leg.queue.as_ref().and_then(|queue| values.get(queue)) {
        leg.plain.insert(NAME, value.clone());
    }
}

fn group(dice: &mut Dice, names: &[String], people: &[String], depth: usize) -> Value {
    let mut predicates = Vec::new();
    for _ in 0..=dice.below(3) {
        predicates.push(match dice.below(10) {
            0 => json!({ "dimension": NAME, "operator": dice.pick(&["EXISTS", "NOT_EXISTS"]), "values": [] }),
            1 => json!({ "dimension": NAME, "operator": "NOT_IN", "values": dice.some(names, 1, 2) }),
            2 | 3 => {
                json!({ "dimension": "mediaType", "operator": "EQUALS", "values": [dice.pick(&["voice", "chat"])] })
            }
            4 if !people.is_empty() => {
                json!({ "dimension": "agentId", "operator": "EQUALS", "values": [dice.pick(people)] })
            }
            _ => json!({ "dimension": NAME, "operator": "IN", "values": dice.some(names, 1, 3) }),
        });
    }
    let mut filter = json!({ "type": dice.pick(&["AND", "OR"]), "predicates": predicates });
    if depth > 0 && dice.percent(50) {
        filter["clauses"] = json!([group(dice, names, people, depth - 1)]);
    }
    filter
}

fn asked(dice: &mut Dice, bound: &Bound, person: &str) -> Value {
    let mine: Vec<String> = bound.own.values().filter(|value| bound.stands(person, value)).cloned().collect();
    let names = if mine.is_empty() || dice.percent(20) { &bound.values } else { &mine };
    let case = bound.case(person, &json!({}));
    let by = [NAME, "agentId", "mediaType"].map(str::to_owned);
    let mut body = json!({ "query": {
        "dateFrom": instant(MONDAY - DAY), "dateTo": instant(MONDAY + 5 * DAY), "groupBy": dice.some(&by, 0, 2),
        "aggregations": [{ "dimension": "interactions", "function": "COUNT" }, { "dimension": "handleTime", "function": "SUM" }],
    } });
    if dice.percent(80) {
        body["query"]["filter"] = group(dice, names, &case.names(&bound.organisation.directory).users, 1);
    }
    body
}

fn values(body: &Value, found: &mut BTreeSet<String>) {
    match body {
        Value::Array(items) => items.iter().for_each(|item| values(item, found)),
        Value::Object(members) => {
            if members.get("dimension").is_some_and(|name| name == NAME) {
                let listed = members.get("values").and_then(Value::as_array).into_iter().flatten();
                found.extend(listed.filter_map(Value::as_str).map(str::to_owned));
            }
            members.values().for_each(|member| values(member, found));
        }
        _ => {}
    }
}

fn question(body: &str) -> Question {
    let body = json::parse(body.as_bytes(), &Limits::default()).unwrap();
    Question { operation: operation(), ids: vec![], params: vec![], body: Some(body), kept: None, seen: None }
}

fn cases() -> u64 {
    std::env::var("BAILIWICK_CASES").ok().and_then(|count| count.parse().ok()).map_or(60, |count: u64| count / 300)
}

#[test]
fn asked_over_what_values_can_say() {
    let (mut answered, mut compared, mut with_rows, mut outside) = (0, 0, 0, 0);
    for seed in 0..cases().max(30) {
        let mut dice = Dice::new(77_000 + seed);
        let bound = Bound::draw(&mut dice);
        let people: Vec<String> = bound.organisation.directory.users.iter().map(|one| one.id.clone()).collect();
        for _ in 0..30 {
            let person = dice.pick(&people).clone();
            let body = asked(&mut dice, &bound, &person).to_string();
            let value: Value = serde_json::from_str(&body).unwrap();
            let mut named = BTreeSet::new();
            values(&value, &mut named);
            let strange = named.iter().any(|value| !bound.stands(&person, value));
            let view = bound.view(&person, |_| true);
            let due = facts_of(Kind::Platform, &answer(Kind::Platform, &value, &view, Meaning::Tags, NOW));
            let told = || format!("{person} {body}\n{}", bound.organisation.file);
            match ask(&bound, &person, &body) {
                Ok((sent, facts, exact)) => {
                    assert!(!strange, "answered, though a value stands for nothing of the asker's\n{}", told());
                    let right = if exact { facts == due } else { within(&facts, &due) };
                    assert!(right, "sent {sent:?}\nexpected {due:#?}\ngot {facts:#?}\n{}", told());
                    compared += usize::from(exact);
                    answered += 1;
                    with_rows += usize::from(!facts.is_empty());
                    if let Some(sent) = sent {
                        let again = ask(&bound, &person, &sent);
                        let same =
                            again == Ok((Some(sent.clone()), facts, exact)) || again == Err(Code::QueryDeadQueue);
                        assert!(same, "rewritten twice: {again:?}\nsent {sent}\n{}", told());
                    }
                }
                Err(Code::ScopeOutside) => {
                    let user = body.contains("agentId");
                    assert!(strange || user, "refused, though nothing is outside\n{}", told());
                    outside += 1;
                }
                Err(Code::ScopeEmpty | Code::PermissionMissing | Code::DivisionParentScan) => {
                    assert!(due.is_empty(), "refused, though something is visible\n{}", told());
                }
                // Rights to single interactions, and such of some days only, may not count at all.
                Err(Code::OperationUnscopable) => {
                    let counts = |one: &Entitlement| one.conversations == Dim::Any && one.window.is_none();
                    assert!(bound.view(&person, counts).is_empty(), "refused, though something is visible\n{}", told());
                }
                Err(Code::VerifyFailed | Code::Internal | Code::QueryMalformed) => panic!("a fault\n{}", told()),
                Err(_) => {}
            }
        }
    }
    println!("by attribute: {answered} answered, {compared} exactly, {with_rows} with rows, {outside} outside");
    assert!(
        compared > answered / 2 && with_rows > 20 && outside > 20,
        "{answered} answered, {with_rows} with rows, {outside} outside"
    );
}

/// What was sent, what is shown, and whether only that was lost which no value can say.
type Shown = (Option<String>, Facts, bool);

fn ask(bound: &Bound, person: &str, body: &str) -> Result<Shown, Code> {
    let world = &bound.world;
    let refused = |refusal: bailiwick::model::refusal::Refusal| refusal.code;
    let scope = decision::scope(world, program::principal(&world.org, person), &operation(), program::at(NOW));
    let scope = Arc::new(scope.map_err(refused)?);
    let facts = |bytes: &[u8]| facts_of(Kind::Platform, &program::text(bytes));
    match decision::decide(world, &scope, &question(body), program::at(NOW)).map_err(refused)? {
        Decided::Split(_) | Decided::Kept(_) => panic!("nothing here is asked in parts"),
        Decided::Local(guarded) => Ok((None, facts(guarded.body()), lost(guarded.notices()))),
        Decided::Forward(forward) => {
            let sent = program::sent(&forward.verified);
            let asked: Value = serde_json::from_str(&sent).unwrap();
            let data = &bound.organisation.stock.interactions;
            let upstream = answer(Kind::Platform, &asked, data, Meaning::Tags, NOW).to_string();
            let guarded = forward.plan.guard(Unguarded::new(200, upstream.into_bytes())).map_err(refused)?;
            assert_eq!(guarded.rows_in(), guarded.rows_out(), "an obedient upstream was taken for another\n{sent}");
            Ok((Some(sent), facts(guarded.body()), lost(&forward.notices)))
        }
    }
}

fn lost(notices: &[Notice]) -> bool {
    notices.iter().all(|notice| ["scope.no-queue", "scope.unbound"].contains(&notice.code))
}

/// Every queue or none with every of a few agents: which of these would the bytes bring?
fn leaks(bound: &Bound, person: &str, body: &Value) -> bool {
    let directory = &bound.organisation.directory;
    let scope = bound.case(person, &json!({})).scope(directory);
    let queues = directory.queues.iter().map(|one| Some(one.id.clone())).chain([None]);
    let agents: Vec<_> = directory.users.iter().take(8).map(|one| Some(one.id.clone())).chain([None]).collect();
    let template = bound.organisation.stock.interactions[0].clone();
    queues.into_iter().any(|queue| {
        agents.iter().any(|agent| {
            let mut leg = template.legs[0].clone();
            (leg.queue, leg.agent) = (queue.clone(), agent.clone());
            (leg.start, leg.end) = (MONDAY, MONDAY + 60);
            leg.plain.remove(NAME);
            mark(&mut leg, &bound.any);
            let hidden = !directory.visible(person, &scope, "c-any", &leg);
            let one = Interaction { legs: vec![leg], ..template.clone() };
            hidden && !facts_of(Kind::Platform, &answer(Kind::Platform, body, &[one], Meaning::Tags, NOW)).is_empty()
        })
    })
}

#[test]
fn changed_values_are_refused_by_the_second_reader() {
    let (mut leaking, mut tried) = (0, 0);
    for seed in 0..12 {
        let mut dice = Dice::new(78_000 + seed);
        let bound = Bound::draw(&mut dice);
        let people: Vec<String> = bound.organisation.directory.users.iter().map(|one| one.id.clone()).collect();
        for _ in 0..25 {
            let person = dice.pick(&people).clone();
            let body = asked(&mut dice, &bound, &person).to_string();
            let (world, at) = (&bound.world, program::at(NOW));
            let Ok(scope) = decision::scope(world, program::principal(&world.org, &person), &operation(), at) else {
                continue;
            };
            let (scope, question) = (Arc::new(scope), question(&body));
            let Ok(Decided::Forward(forward)) = decision::decide(world, &scope, &question, at) else { continue };
            let sent: Value = serde_json::from_str(&program::sent(&forward.verified)).unwrap();
            let ids = [dice.pick(&bound.values).clone(), "shared".to_owned(), dice.pick(&people).clone()];
            let mut mutants = wrong_bytes::faulty(&sent, &ids);
            dice.shuffle(&mut mutants);
            for (what, mutant) in mutants.into_iter().take(30) {
                let Ok(canonical) = json::parse(mutant.to_string().as_bytes(), &Limits::default()) else { continue };
                let outgoing = Outgoing {
                    method: forward.verified.method(),
                    path: forward.verified.path().to_owned(),
                    query: vec![],
                    body: Some(canonical.to_bytes().into()),
                };
                tried += 1;
                let residual = forward.verified.residual().clone();
                let contract = &question.operation.contract;
                let checked = verify::check(contract, outgoing, residual, &scope, &world.org, at);
                // Of those that are refused anyway, some are looked at, to know that there was something to refuse.
                let looked_at = checked.is_ok() || dice.percent(30);
                let leak = looked_at && wrong_bytes::well_formed(&mutant) && leaks(&bound, &person, &mutant);
                leaking += usize::from(leak);
                assert!(
                    !(leak && checked.is_ok()),
                    "{what} was accepted, though it leaks\n{person} {body}\nsent {sent}\nmutant {mutant}\n{}",
                    bound.organisation.file
                );
            }
        }
    }
    println!("outgoing mutants of values: {tried} tried, {leaking} leak");
    assert!(leaking > 80, "{leaking} of {tried} leak");
}
