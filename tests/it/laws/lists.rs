//! Lists and reads by id over drawn organisations: every visible entry is reached exactly once over the pages, totals
//! speak of visible entries, nothing else shows, and ids from elsewhere have one refusal.

use super::{
    case::{Case, Organisation},
    program,
    random::{cases, judges_shares, seed},
};
use crate::oracle::{
    data::{Directory, Interaction, Time},
    generate::{self, Dice},
    lists::{self, Asked, Entry, List, due, listed, read_by_id},
    questions::Kind,
    semantics::{Data, Dim, Entitlement, Right},
};
use bailiwick::{
    decision::{self, Decided},
    model::{
        operation::Operation,
        refusal::{Code, Refusal},
    },
    policy::guard::Unguarded,
    query::Question,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const CASES_OF_ONE_ORGANISATION: u64 = 20;

/// One person at one instant.
pub(crate) struct Asker<'a> {
    pub(crate) organisation: &'a Organisation,
    pub(crate) person: String,
    pub(crate) now: Time,
}

/// What came back: an answer, and whether the upstream was asked for it.
pub(super) type Heard = Result<(Value, bool), Refusal>;

impl<'a> Asker<'a> {
    pub(super) fn draw(dice: &mut Dice, organisation: &'a Organisation) -> Self {
        let person = if dice.percent(3) {
            dice.pick(&organisation.directory.service_accounts).id.clone()
        } else {
            dice.pick(&organisation.directory.users).id.clone()
        };
        Self { organisation, person, now: generate::now(dice) }
    }

    pub(super) fn directory(&self) -> &'a Directory {
        &self.organisation.directory
    }

    pub(crate) fn scope(&self, operation: &Operation, data: Data) -> Vec<Entitlement> {
        let permissions: Vec<String> = operation.opened_by.iter().map(ToString::to_string).collect();
        let right = Right { permissions: &permissions, action: "view", data, archived: operation.archived };
        let mut scope = self.directory().entitlements(&self.person, &right, self.now);
        match data {
            Data::Interaction => {}
            Data::Queue => scope.retain(|one| one.users == Dim::Any && one.conversations == Dim::Any),
            Data::User => scope.retain(|one| one.queues == Dim::Any && one.conversations == Dim::Any),
            Data::Division => {
                scope.retain(|one| one.queues == Dim::Any && one.users == Dim::Any && one.conversations == Dim::Any);
            }
        }
        scope
    }

    pub(super) fn put(
        &self,
        question: &Question,
        upstream: impl Fn(&[(Box<str>, String)], &str) -> Option<Value>,
    ) -> Heard {
        let world = &self.organisation.world;
        let holder = program::principal(&world.org, &self.person);
        let scope = Arc::new(decision::scope(world, holder, &question.operation, program::at(self.now))?);
        match decision::decide(world, &scope, question, program::at(self.now))? {
            Decided::Split(_) | Decided::Kept(_) => panic!("nothing here is asked in parts"),
            Decided::Local(guarded) => Ok((program::text(guarded.body()), false)),
            Decided::Forward(forward) => {
                let Some(answer) = upstream(forward.verified.query(), forward.verified.path()) else {
                    // What the data path makes of an upstream that knows no such id.
                    return Err(Refusal::outside("").in_path());
                };
                let guarded = forward.plan.guard(Unguarded::new(200, answer.to_string().into_bytes()))?;
                Ok((program::text(guarded.body()), true))
            }
        }
    }

    fn list(&self, list: List, asked: &Asked, size: usize, number: usize) -> Heard {
        let mut params: Vec<(Box<str>, Vec<String>)> =
            vec![("pageSize".into(), vec![size.to_string()]), ("pageNumber".into(), vec![number.to_string()])];
        for (name, values) in [("id", &asked.ids), ("divisionId", &asked.divisions)] {
            if !values.is_empty() {
                params.push((name.into(), values.clone()));
            }
        }
        params.extend(asked.name.iter().map(|name| ("name".into(), vec![name.clone()])));
        if asked.descending {
            params.push(("sortOrder".into(), vec!["desc".to_owned()]));
        }
        let question = Question {
            operation: Arc::clone(program::list_of(list)),
            ids: vec![],
            params,
            body: None,
            kept: None,
            seen: None,
        };
        self.put(&question, |query, _| Some(obedient(list, self.directory(), query)))
    }

    fn read(&self, id: &str) -> Heard {
        let ids = vec![("conversationId".into(), id.to_owned())];
        let operation = Arc::clone(program::read_by_id());
        let question = Question { operation, ids, params: vec![], body: None, kept: None, seen: None };
        self.put(&question, |_, path| {
            assert!(path.starts_with("/api/v2/conversations/"), "{path}");
            self.organisation.stock.interactions.iter().find(|one| one.id == id).map(read_by_id)
        })
    }
}

/// The upstream reads the query string that was sent, and nothing else.
pub(super) fn obedient(list: List, directory: &Directory, query: &[(Box<str>, String)]) -> Value {
    let of = |name: &str| query.iter().find(|(known, _)| **known == *name).map(|(_, value)| value.as_str());
    let many = |name: &str| of(name).map(|text| text.split(',').map(str::to_owned).collect()).unwrap_or_default();
    let asked = Asked {
        ids: many("id"),
        divisions: many("divisionId"),
        name: of("name").map(str::to_owned),
        descending: of("sortOrder") == Some("desc"),
    };
    let number = |name: &str| of(name).map_or(25, |text| text.parse().unwrap());
    listed(list, directory, &asked, number("pageSize"), of("pageNumber").map_or(1, |_| number("pageNumber")))
}

/// Every string of an answer, wherever it stands.
pub(super) fn strings(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(members) => members.iter().for_each(|(_, member)| strings(member, found)),
        Value::String(text) => {
            found.insert(text.clone());
        }
        _ => {}
    }
}

pub(super) fn known_ids(directory: &Directory) -> BTreeSet<String> {
    let queues = directory.queues.iter().map(|one| &one.id);
    let users = directory.users.iter().map(|one| &one.id);
    queues.chain(users).chain(directory.divisions.iter().map(|one| &one.id)).cloned().collect()
}

#[derive(Debug, Default)]
struct Tally {
    walks: usize,
    pages: usize,
    entries: usize,
    /// Lists in which something of the directory is hidden.
    hiding: usize,
    with_rows: usize,
    refused: BTreeMap<&'static str, usize>,
}

pub(crate) fn draw_asked(dice: &mut Dice, list: List, entries: &[Entry]) -> Asked {
    let mut asked = Asked::default();
    if !entries.is_empty() && dice.percent(25) {
        asked.ids = dice.some(entries, 1, 4).into_iter().map(|one| one.id).collect();
    }
    if !entries.is_empty() && list == List::Queues && dice.percent(20) {
        asked.divisions = vec![dice.pick(entries).division.clone()];
    }
    if list != List::Users && dice.percent(20) {
        asked.name = Some((*dice.pick(&["twin", "TWIN", "*TW*", "tw*", "*two", "ŻÓŁW", "*", "nothing"])).to_owned());
    }
    asked.descending = list != List::Divisions && dice.percent(30);
    asked
}

/// Mostly somebody to whom something is listed: the others only show refusals.
fn with_entries<'a>(asker: &Asker<'a>, list: List, dice: &mut Dice) -> Asker<'a> {
    let mut one = Asker { organisation: asker.organisation, person: asker.person.clone(), now: asker.now };
    for _ in 0..6 {
        let scope = one.scope(program::list_of(list), lists::data_of(list));
        if !due(list, one.directory(), &one.person, &scope, &Asked::default()).is_empty() {
            break;
        }
        one = Asker::draw(dice, asker.organisation);
    }
    one
}

fn walk(asker: &Asker<'_>, list: List, dice: &mut Dice, tally: &mut Tally) -> Result<(), String> {
    let directory = asker.directory();
    let operation = program::list_of(list);
    let scope = asker.scope(operation, lists::data_of(list));
    let all = due(list, directory, &asker.person, &scope, &Asked::default());
    let wanted = draw_asked(dice, list, &all);
    let due = due(list, directory, &asker.person, &scope, &wanted);
    let most = if dice.percent(80) { 4 } else { 40 };
    let size = 1 + dice.below(most);
    let pages = due.len().div_ceil(size);
    tally.walks += 1;
    let everything = match list {
        List::Queues => directory.queues.len(),
        List::Users => directory.users.len(),
        List::Divisions => directory.divisions.len(),
    };
    tally.hiding += usize::from(all.len() < everything);
    let mut allowed: BTreeSet<&str> = due.iter().flat_map(|one| [&*one.id, &*one.division]).collect();
    allowed.extend(due.iter().map(|one| &*one.name));
    let known = known_ids(directory);
    let mut got = Vec::new();
    for number in 1..=pages + 1 {
        let (answer, sent) = match asker.list(list, &wanted, size, number) {
            Ok(heard) => heard,
            Err(refusal) => {
                *tally.refused.entry(refusal.code.as_str()).or_default() += 1;
                let lawful = match refusal.code {
                    Code::PermissionMissing | Code::DivisionParentScan | Code::ScopeEmpty => all.is_empty(),
                    // Only sources with a data window show anything, and a list has no time.
                    Code::WindowOutside => all.is_empty() && scope.iter().any(|one| one.window.is_some()),
                    _ => false,
                };
                return if lawful { Ok(()) } else { Err(format!("refused: {refusal} {:?}", refusal.cause)) };
            }
        };
        let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
        if keys.iter().any(|key| !["entities", "pageSize", "pageNumber", "total", "pageCount"].contains(&key.as_str()))
        {
            return Err(format!("something beside the entries: {keys:?}"));
        }
        let numbers = [("total", due.len()), ("pageCount", pages), ("pageNumber", number), ("pageSize", size)];
        for (name, value) in numbers {
            if answer[name] != json!(value) {
                return Err(format!("{name} is {} and not {value}", answer[name]));
            }
        }
        let mut said = BTreeSet::new();
        strings(&answer, &mut said);
        if let Some(id) = said.iter().find(|id| known.contains(*id) && !allowed.contains(id.as_str())) {
            return Err(format!("speaks of `{id}`"));
        }
        if number <= pages && !sent {
            return Err("a page of visible entries was not wanted for".to_owned());
        }
        for row in answer["entities"].as_array().unwrap() {
            got.push(Entry {
                name: row["name"].as_str().unwrap().to_owned(),
                id: row["id"].as_str().unwrap().to_owned(),
                division: row["division"]["id"].as_str().or(row["id"].as_str()).unwrap().to_owned(),
            });
        }
        tally.pages += 1;
    }
    tally.entries += got.len();
    tally.with_rows += usize::from(!got.is_empty());
    if got == due { Ok(()) } else { Err(format!("{wanted:?} by {size}\ndue {due:#?}\ngot {got:#?}")) }
}

/// Draws people; each law counts in its own tally and says what is wrong.
pub(super) fn every_asker(count: usize, judge: &mut dyn FnMut(&Asker<'_>, &mut Dice) -> Result<(), String>) {
    let mut left = count;
    for number in 0.. {
        let mut dice = Dice::new(seed() * 2_000_003 + number);
        let organisation = Organisation::draw(&mut dice);
        for _ in 0..CASES_OF_ONE_ORGANISATION {
            if left == 0 {
                return;
            }
            left -= 1;
            let asker = Asker::draw(&mut dice, &organisation);
            if let Err(why) = judge(&asker, &mut dice) {
                panic!("{} at {}: {why}\ndirectory {}", asker.person, asker.now, organisation.file);
            }
        }
    }
}

#[test]
fn every_visible_entry_is_reached_exactly_once() {
    for list in [List::Queues, List::Users, List::Divisions] {
        let mut tally = Tally::default();
        every_asker(cases() / 20, &mut |asker, dice| {
            let asker = with_entries(asker, list, dice);
            walk(&asker, list, dice, &mut tally).map_err(|why| format!("{list:?} {}: {why}", asker.person))
        });
        println!("{list:?}: {tally:?}");
        if !judges_shares() {
            continue;
        }
        assert!(tally.with_rows * 100 >= 30 * tally.walks, "too few lists with entries: {tally:?}");
        assert!(tally.hiding * 100 >= 30 * tally.walks, "too few lists that hide something: {tally:?}");
        assert!(tally.pages > tally.walks, "{tally:?}");
    }
}

/// The refusal as the asker has it: all but the cause, which stands in the record.
pub(super) fn told(refusal: &Refusal) -> Refusal {
    Refusal { cause: None, ..refusal.clone() }
}

/// Ids that a list may not name, with the code that is due.
fn strangers(asker: &Asker<'_>, list: List, scope: &[Entitlement]) -> Vec<(String, Code)> {
    let directory = asker.directory();
    let kind = if list == List::Users { Kind::UserObservations } else { Kind::QueueObservations };
    let case = Case { person: asker.person.clone(), kind, body: "{}".to_owned(), now: asker.now };
    let mut all = vec![("no-such-thing".to_owned(), Code::ScopeOutside)];
    match list {
        List::Queues => {
            for queue in &directory.queues {
                let dead = !matches!(queue.state.as_deref(), None | Some("active"));
                match (case.queue_inside(directory, scope, &queue.id), dead) {
                    (true, false) => {
                        all.push((format!("{} ", queue.id), Code::ScopeOutside));
                        all.push((format!("{}x", queue.id), Code::ScopeOutside));
                    }
                    (true, true) => all.push((queue.id.clone(), Code::QueryDeadQueue)),
                    // One of his own may be told as stale (`named::a_dead_queue_of_ones_own_is_stale_...`).
                    (false, true) if directory.members_of_queue(queue).contains(&asker.person) => {}
                    (false, _) => all.push((queue.id.clone(), Code::ScopeOutside)),
                }
            }
        }
        List::Users => {
            let hidden = directory.users.iter().filter(|one| !case.user_inside(directory, scope, &one.id, false));
            all.extend(hidden.map(|one| (one.id.clone(), Code::ScopeOutside)));
        }
        List::Divisions => {
            for division in &directory.divisions {
                let code = match () {
                    () if division.region != directory.region_of_person(&asker.person) => Code::RegionCrossRegionScan,
                    () if !directory.leaf(&division.id) => Code::DivisionParentScan,
                    () if !case.division_inside(directory, scope, &division.id) => Code::ScopeOutside,
                    () => continue,
                };
                all.push((division.id.clone(), code));
            }
        }
    }
    // An id that is another one's twin but for case may be a thing of its own.
    all.retain(|(id, code)| {
        *code != Code::ScopeOutside
            || !due(list, directory, &asker.person, scope, &Asked::default()).iter().any(|one| one.id == *id)
    });
    all
}

#[test]
fn ids_from_elsewhere_have_one_refusal() {
    let mut by_code: BTreeMap<&str, usize> = BTreeMap::new();
    every_asker(cases() / 50, &mut |asker, dice| {
        for list in [List::Queues, List::Users, List::Divisions] {
            let asker = &with_entries(asker, list, dice);
            let operation = program::list_of(list);
            let scope = asker.scope(operation, lists::data_of(list));
            let mine = due(list, asker.directory(), &asker.person, &scope, &Asked::default());
            if mine.is_empty() {
                continue;
            }
            let mut first: BTreeMap<Code, Refusal> = BTreeMap::new();
            let mut ids = strangers(asker, list, &scope);
            dice.shuffle(&mut ids);
            ids.sort_by_key(|(_, code)| *code != Code::QueryDeadQueue);
            for (id, code) in ids.into_iter().take(12) {
                let mut ids: Vec<String> =
                    if dice.percent(50) { vec![] } else { mine.iter().take(2).map(|one| one.id.clone()).collect() };
                ids.push(id.clone());
                let wanted = Asked { ids, ..Asked::default() };
                let refusal = match asker.list(list, &wanted, 25, 1) {
                    Err(refusal) => refusal,
                    Ok((answer, _)) => return Err(format!("{list:?} `{id}` is answered: {answer}")),
                };
                if refusal.code != code {
                    return Err(format!("{list:?} `{id}`: {refusal} instead of {}", code.as_str()));
                }
                if code == Code::ScopeOutside {
                    let known = first.entry(code).or_insert_with(|| told(&refusal));
                    if *known != told(&refusal) {
                        return Err(format!("{list:?} `{id}`: two refusals\n{known:#?}\n{refusal:#?}"));
                    }
                }
                *by_code.entry(code.as_str()).or_default() += 1;
            }
        }
        Ok(())
    });
    println!("ids from elsewhere: {by_code:?}");
    for code in [Code::ScopeOutside, Code::QueryDeadQueue, Code::RegionCrossRegionScan, Code::DivisionParentScan] {
        let often = by_code.get(code.as_str()).is_some_and(|count| *count >= 5);
        assert!(often || !judges_shares(), "{by_code:?}");
    }
}

/// What is shown of one interaction: its own times and its owned legs.
fn legs_of(answer: &Value) -> (String, BTreeSet<String>) {
    let participants = answer["participants"].as_array().into_iter().flatten();
    let owned = participants.filter(|one| one["queueId"].is_string() || one["userId"].is_string());
    let legs = owned.map(|one| format!("{} {} {}", one["queueId"], one["userId"], one["startTime"])).collect();
    (format!("{} {} {}", answer["id"], answer["startTime"], answer["endTime"]), legs)
}

fn judge_read(asker: &Asker<'_>, one: &Interaction, scope: &[Entitlement], heard: &Heard) -> Result<bool, String> {
    let visible = asker.directory().view(&asker.person, scope, std::slice::from_ref(one));
    match (visible.first(), heard) {
        (Some(due), Ok((answer, _))) => {
            let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
            let listed = ["id", "startTime", "endTime", "originatingDirection", "participants"];
            if keys.iter().any(|key| !listed.contains(&key.as_str())) {
                return Err(format!("something beside the legs: {keys:?}"));
            }
            let (due, got) = (legs_of(&read_by_id(due)), legs_of(answer));
            if due == got { Ok(true) } else { Err(format!("due {due:#?}\ngot {got:#?}")) }
        }
        (None, Ok((answer, _))) => Err(format!("nothing of `{}` is visible, and it was answered {answer}", one.id)),
        (_, Err(refusal)) if refusal.code == Code::ScopeTooComplex => Ok(false),
        (Some(_), Err(refusal)) => Err(format!("`{}` has a visible leg: {refusal} {:?}", one.id, refusal.cause)),
        (None, Err(_)) => Ok(false),
    }
}

#[test]
fn a_read_by_id_shows_visible_legs_or_is_not_there() {
    let (mut reads, mut shown, mut cut, mut hidden) = (0, 0, 0, 0);
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    every_asker(cases() / 50, &mut |asker, dice| {
        let scope = asker.scope(program::read_by_id(), Data::Interaction);
        let invented = asker.read("c-invented");
        for one in dice.some(&asker.organisation.stock.interactions, 6, 6) {
            let heard = asker.read(&one.id);
            reads += 1;
            if judge_read(asker, &one, &scope, &heard)? {
                shown += 1;
                let legs = heard.as_ref().map_or(0, |(answer, _)| legs_of(answer).1.len());
                cut += usize::from(legs < legs_of(&read_by_id(&one)).1.len());
            }
            if let Err(refusal) = &heard {
                *codes.entry(refusal.code.as_str()).or_default() += 1;
                hidden += usize::from(refusal.code == Code::ScopeOutside);
                // Not his, and not there: nobody can tell which.
                let other = invented.as_ref().err().map(told);
                if other != Some(told(refusal)) {
                    return Err(format!("`{}`: {refusal:?}, and an invented one {other:?}", one.id));
                }
            }
        }
        Ok(())
    });
    println!("reads by id: {reads}, {shown} shown ({cut} with legs cut), refused {codes:?}");
    let enough = shown * 100 >= 10 * reads && cut > 50 && hidden * 100 >= 30 * reads;
    assert!(enough || !judges_shares(), "{reads} {shown} {cut} {hidden}");
}
