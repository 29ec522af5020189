//! Draws organisations, interactions and questions. Everything follows from one number, so a case can be drawn again.

use super::{
    data::{Directory, Interaction, Leg, Time, instant},
    questions::Kind,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A small deterministic source of numbers (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66)
    }
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.number() % limit.max(1) as u64) as usize
    }
    pub(crate) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
    /// `from..=to` different items.
    pub(crate) fn some<T: Clone>(&mut self, from: &[T], least: usize, most: usize) -> Vec<T> {
        let mut left = from.to_vec();
        let wanted = least + self.below(most - least + 1);
        let mut taken = Vec::new();
        while taken.len() < wanted && !left.is_empty() {
            let at = self.below(left.len());
            taken.push(left.swap_remove(at));
        }
        taken
    }
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let other = self.below(at + 1);
            items.swap(at, other);
        }
    }
}

/// Monday, midnight. All instants of a case are whole hours near it, so that boundaries are hit on purpose.
pub(crate) const MONDAY: Time = 1_794_787_200;
pub(crate) const HOUR: Time = 3_600;

fn moment(dice: &mut Dice) -> Time {
    MONDAY + HOUR * dice.below(72) as Time
}

pub(crate) fn now(dice: &mut Dice) -> Time {
    MONDAY + 24 * HOUR * 3 + HOUR * dice.below(6) as Time + *dice.pick(&[0, 0, 0, 1, -1])
}

/// What permission strings open each kind of operation.
pub(crate) type Opened = BTreeMap<Kind, Vec<String>>;

/// Ids that a careless program would mix up: prefixes of each other, twins but for case, quotes, spaces, very long ones.
fn ids(dice: &mut Dice, kind: &str, least: usize, most: usize) -> Vec<String> {
    let count = least + dice.below(most - least + 1);
    let base = format!("{kind}-{}", dice.below(9));
    let mut pool = vec![
        base.clone(),
        format!("{base}1"),
        format!("{base}11"),
        base.to_uppercase(),
        format!("{base} with spaces"),
        format!("{base}\"quoted\""),
        format!("{base}'; drop"),
        format!("{base}-żółw-日本"),
        format!("{base}\\back/slash"),
        format!("{base}-{}", "long".repeat(40)),
        format!("{base}%2c{{}}"),
        format!("{base}<&>"),
    ];
    dice.shuffle(&mut pool);
    let plain = (0..count).map(|at| format!("{kind}-plain-{at}"));
    if dice.percent(40) { pool.into_iter().chain(plain).take(count).collect() } else { plain.collect() }
}

const SCOPES: [&str; 9] = ["self", "assigned", "assigned", "assigned", "view", "group", "all", "all", "all"];

struct Draft {
    leaves: Vec<String>,
    bpo_leaves: Vec<String>,
    parents: Vec<String>,
    abroad: Vec<String>,
    shared: String,
    divisions: Vec<Value>,
}

fn divisions(dice: &mut Dice) -> Draft {
    let names = ids(dice, "d", 10, 10);
    let mut left = names.into_iter();
    let mut next = || left.next().unwrap();
    let (us, eu, bpo, shared) = (next(), next(), next(), next());
    let leaves: Vec<String> = (0..2).map(|_| next()).collect();
    let bpo_leaves: Vec<String> = (0..2).map(|_| next()).collect();
    let abroad: Vec<String> = (0..2).map(|_| next()).collect();
    let mut divisions = vec![
        json!({ "id": us, "region": "us-east-1", "name": "twin" }),
        json!({ "id": eu, "region": "eu-west-1", "name": "twin" }),
        json!({ "id": bpo, "parent": us, "region": "us-east-1" }),
        json!({ "id": shared, "parent": us, "region": "us-east-1", "shared": true }),
    ];
    divisions.extend(leaves.iter().map(|id| json!({ "id": id, "parent": us, "region": "us-east-1", "name": "twin" })));
    divisions.extend(bpo_leaves.iter().map(|id| json!({ "id": id, "parent": bpo, "region": "us-east-1" })));
    divisions.extend(abroad.iter().map(|id| json!({ "id": id, "parent": eu, "region": "eu-west-1" })));
    Draft { leaves, bpo_leaves, parents: vec![us, bpo, eu], abroad, shared, divisions }
}

/// One organisation in the form of the directory file.
pub(crate) fn directory(dice: &mut Dice, opened: &Opened) -> Value {
    let draft = divisions(dice);
    let home: Vec<&String> = draft.leaves.iter().chain(&draft.bpo_leaves).collect();
    let mut user_ids = ids(dice, "u", 24, 24).into_iter();
    let mut users: Vec<(String, String, &str)> = Vec::new();
    for division in home.iter().copied().chain(&draft.abroad) {
        let region = if draft.abroad.contains(division) { "eu-west-1" } else { "us-east-1" };
        for _ in 0..2 + dice.below(2) {
            users.push((user_ids.next().unwrap(), division.clone(), region));
        }
    }
    users.push((user_ids.next().unwrap(), draft.parents[0].clone(), "us-east-1"));
    let people: Vec<String> = users.iter().map(|(id, ..)| id.clone()).collect();
    let of_division = |division: &str| -> Vec<String> {
        users.iter().filter(|(_, home, _)| home == division).map(|(id, ..)| id.clone()).collect()
    };

    let group_ids = ids(dice, "g", 2, 5);
    let folder_ids = if dice.percent(50) { ids(dice, "f", 2, 4) } else { vec![] };
    let role_ids = ids(dice, "r", 4, 7);
    let view_ids = ids(dice, "v", 2, 2);
    let assignment = |dice: &mut Dice, own: &str| {
        let division = match dice.below(100) {
            0..45 => own.to_owned(),
            45..80 => (*dice.pick(&home)).clone(),
            80..88 => draft.shared.clone(),
            88..95 => dice.pick(&draft.parents).clone(),
            _ => dice.pick(&draft.abroad).clone(),
        };
        json!({ "role": dice.pick(&role_ids), "division": division })
    };

    let mut queue_ids = ids(dice, "q", 30, 30).into_iter();
    let mut queues = Vec::new();
    let places = home.iter().copied().chain([&draft.shared]).chain(&draft.abroad).chain([&draft.parents[0]]);
    for division in places {
        let own = of_division(division);
        for _ in 0..1 + dice.below(3) {
            let mut queue = json!({ "id": queue_ids.next().unwrap(), "division": division, "name": "twin" });
            let staff = dice.some(if own.is_empty() { &people } else { &own }, 0, 3);
            let guests = if dice.percent(30) { dice.some(&people, 1, 2) } else { vec![] };
            let mut members = staff;
            members.extend(guests);
            members.sort();
            members.dedup();
            queue["members"] = json!(members);
            if dice.percent(25) {
                queue["memberGroups"] = json!(dice.some(&group_ids, 1, 1));
            }
            if dice.percent(15) {
                queue["restricted"] = json!(true);
            }
            if dice.percent(14) {
                queue["state"] = json!(dice.pick(&["archived", "deleted"]));
            }
            if dice.percent(6) {
                queue["moved"] = json!(true);
            }
            if !folder_ids.is_empty() && dice.percent(85) {
                queue["folder"] = json!(dice.pick(&folder_ids));
            }
            if dice.percent(if folder_ids.is_empty() { 3 } else { 15 }) {
                queue["readList"] = json!(dice.some(&group_ids, 0, 3));
            }
            queues.push(queue);
        }
    }
    let all_queues: Vec<String> = queues.iter().map(|queue| queue["id"].as_str().unwrap().to_owned()).collect();

    let folders: Vec<Value> = folder_ids
        .iter()
        .enumerate()
        .map(|(at, id)| {
            let mut folder = json!({ "id": id, "propagate": dice.percent(60) });
            if at > 0 && dice.percent(60) {
                folder["parent"] = json!(folder_ids[dice.below(at)]);
            }
            if dice.percent(75) {
                folder["readList"] = json!(dice.some(&group_ids, 1, 4));
            }
            folder
        })
        .collect();
    let groups: Vec<Value> = group_ids
        .iter()
        .map(|id| {
            let mut group = json!({ "id": id, "members": dice.some(&people, 2, 12) });
            if dice.percent(15) {
                group["roles"] = json!([assignment(dice, home[0])]);
            }
            group
        })
        .collect();
    let views: Vec<Value> = view_ids
        .iter()
        .map(|id| {
            let queues = if dice.percent(25) { json!("any") } else { json!(dice.some(&all_queues, 1, 8)) };
            let users = if dice.percent(40) { json!("any") } else { json!(dice.some(&people, 1, 8)) };
            json!({ "id": id, "queues": queues, "users": users })
        })
        .collect();
    let roles: Vec<Value> = role_ids
        .iter()
        .map(|id| {
            let kinds: Vec<&Vec<String>> = opened.values().filter(|strings| !strings.is_empty()).collect();
            let mut permissions = Map::new();
            for _ in 0..1 + dice.below(5) {
                let strings = *dice.pick(&kinds);
                let name = if dice.percent(5) { "nothing:at:all".to_owned() } else { dice.pick(strings).clone() };
                let scope = *dice.pick(&SCOPES);
                let mut one = json!({ "permission": name, "scope": scope });
                match scope {
                    "view" => one["view"] = json!(dice.pick(&view_ids)),
                    "group" => one["groups"] = json!(dice.some(&group_ids, 1, 2)),
                    "assigned" if dice.percent(50) => one["team"] = json!(true),
                    _ => {}
                }
                permissions.insert(one["permission"].as_str().unwrap().to_owned(), one);
            }
            json!({ "id": id, "permissions": permissions.values().collect::<Vec<_>>() })
        })
        .collect();

    let written: Vec<Value> = users
        .iter()
        .map(|(id, division, region)| {
            let mut user = json!({ "id": id, "division": division, "region": region, "name": "twin" });
            let mut held: Vec<Value> = Vec::new();
            for _ in 0..1 + dice.below(4) {
                let one = assignment(dice, division);
                if !held.contains(&one) {
                    held.push(one);
                }
            }
            user["roles"] = json!(held);
            if draft.bpo_leaves.contains(division) && dice.percent(80) {
                user["bpo"] = json!(true);
            }
            if dice.percent(5) {
                user["moved"] = json!(true);
            }
            if dice.percent(5) {
                user["legacy"] = json!({ "ges": dice.some(&all_queues, 0, 6), "gms": dice.some(&all_queues, 0, 6) });
            }
            user
        })
        .collect();

    let mut grants = Vec::new();
    for at in 0..dice.below(16) {
        let kind = *dice.pick(&["queue", "queue", "queue", "division", "user", "group", "conversation"]);
        let every: Vec<String> = draft.divisions.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        let id = match kind {
            "queue" => dice.pick(&all_queues).clone(),
            "division" => dice.pick(&every).clone(),
            "user" => dice.pick(&people).clone(),
            "group" => dice.pick(&group_ids).clone(),
            _ => format!("c-{}", dice.below(40)),
        };
        let from = MONDAY + HOUR * (60 + dice.below(18) as Time);
        let mut grant = json!({
            "id": format!("grant-{at}"), "beneficiary": dice.pick(&people), "resources": [{ "kind": kind, "id": id }],
            "actions": [dice.pick(&["view", "playback", "transcript"])],
            "from": instant(from), "until": instant(from + HOUR * (1 + dice.below(12) as Time)),
        });
        if dice.percent(40) {
            let start = moment(dice);
            grant["data"] =
                json!({ "from": instant(start), "until": instant(start + HOUR * (1 + dice.below(96) as Time)) });
        }
        grants.push(grant);
    }
    let service = json!({
        "id": "svc-exporter", "region": "us-east-1", "clientIds": ["exporter-client"],
        "groups": dice.some(&group_ids, 0, 2),
        "roles": [assignment(dice, home[0])],
    });
    json!({
        "version": "drawn", "defaultRead": if dice.percent(20) { "open" } else { "closed" },
        "regions": [
            { "id": "us-east-1", "upstream": "http://127.0.0.1:1" }, { "id": "eu-west-1", "upstream": "http://127.0.0.1:2" },
        ],
        "divisions": draft.divisions, "folders": folders, "groups": groups, "roles": roles, "views": views,
        "users": written, "queues": queues, "serviceAccounts": [service], "grants": grants,
    })
}

const MEDIA: [&str; 3] = ["voice", "chat", "email"];
const WRAP: [&str; 2] = ["done", "again"];

fn leg(dice: &mut Dice, directory: &Directory, start: Time) -> Leg {
    let queue = (!directory.queues.is_empty() && dice.percent(75)).then(|| dice.pick(&directory.queues));
    let anybody = dice.pick(&directory.users).id.clone();
    let members = queue.map(|queue| directory.members_of_queue(queue)).unwrap_or_default();
    let agent = match dice.below(100) {
        0..55 if !members.is_empty() => Some(dice.pick(&members).clone()),
        0..82 => Some(anybody),
        82..85 => Some("u-nobody-knows".to_owned()),
        _ => None,
    };
    let queue = queue.map(|queue| if dice.percent(2) { "q-nobody-knows".to_owned() } else { queue.id.clone() });
    let mut plain = BTreeMap::from([("mediaType", (*dice.pick(&MEDIA)).to_owned())]);
    plain.insert("direction", (*dice.pick(&["inbound", "outbound"])).to_owned());
    if dice.percent(60) {
        plain.insert("wrapUpCode", (*dice.pick(&WRAP)).to_owned());
    }
    let mut leg = Leg {
        queue,
        agent,
        start,
        end: start + *dice.pick(&[60, HOUR, HOUR, 2 * HOUR]),
        plain,
        handle: 1 + dice.below(1000) as i64,
        tag: None,
    };
    let moved = leg.queue.as_ref().and_then(|id| directory.queue(id)).is_some_and(|queue| queue.moved);
    leg.tag = if moved && dice.percent(60) {
        Some(dice.pick(&directory.divisions).id.clone())
    } else {
        directory.division_of(&leg).map(str::to_owned)
    };
    leg
}

/// Interactions of one to four legs over the whole organisation, other regions included.
pub(crate) fn interactions(dice: &mut Dice, directory: &Directory, count: usize) -> Vec<Interaction> {
    (0..count)
        .map(|at| {
            let start = moment(dice);
            let number = 1 + dice.below(4);
            let legs: Vec<Leg> = (0..number as Time).map(|nth| leg(dice, directory, start + nth * HOUR)).collect();
            let evaluations = if dice.percent(40) { dice.some(&legs, 1, 2) } else { vec![] };
            Interaction {
                id: format!("c-{at}"),
                start,
                end: legs.iter().map(|leg| leg.end).max().unwrap(),
                facts: BTreeMap::from([("originatingDirection", (*dice.pick(&["inbound", "outbound"])).to_owned())]),
                legs,
                evaluations,
            }
        })
        .collect()
}

/// What is going on now in each queue: one row for each queue and kind of media.
pub(crate) fn waiting(dice: &mut Dice, directory: &Directory) -> Vec<Interaction> {
    let mut all = Vec::new();
    for queue in &directory.queues {
        for media in MEDIA {
            if !dice.percent(70) {
                continue;
            }
            let mut one = leg(dice, directory, MONDAY);
            one.queue = Some(queue.id.clone());
            one.agent = None;
            one.plain = BTreeMap::from([("mediaType", media.to_owned())]);
            all.push(alone(format!("w-{}-{media}", queue.id), one));
        }
    }
    all
}

/// What each user is doing: legs without a queue.
pub(crate) fn presences(dice: &mut Dice, directory: &Directory) -> Vec<Interaction> {
    let mut all = Vec::new();
    for user in &directory.users {
        for nth in 0..1 + dice.below(2) {
            let at = moment(dice);
            let mut one = leg(dice, directory, at);
            one.queue = None;
            one.agent = Some(user.id.clone());
            all.push(alone(format!("p-{}-{nth}", user.id), one));
        }
    }
    all
}

fn alone(id: String, leg: Leg) -> Interaction {
    Interaction { id, start: leg.start, end: leg.end, facts: BTreeMap::new(), legs: vec![leg], evaluations: vec![] }
}

/// What the asker may name, and what stands in the directory besides.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub(crate) queues: Vec<String>,
    pub(crate) users: Vec<String>,
    pub(crate) divisions: Vec<String>,
    pub(crate) all_queues: Vec<String>,
    pub(crate) all_users: Vec<String>,
    pub(crate) all_divisions: Vec<String>,
}

impl Names {
    fn one(dice: &mut Dice, mine: &[String], all: &[String]) -> String {
        match dice.below(100) {
            0 => "invented".to_owned(),
            1..4 => dice.pick(all).clone(),
            _ if mine.is_empty() => dice.pick(all).clone(),
            _ => dice.pick(mine).clone(),
        }
    }
}

fn spelling(dice: &mut Dice, word: &str) -> String {
    match dice.below(8) {
        0 => word.to_uppercase(),
        1 => word.to_lowercase(),
        _ => word.to_owned(),
    }
}

fn predicate(dice: &mut Dice, dimension: &str, value: Option<String>) -> Value {
    let mut one = Map::new();
    if dice.percent(80) {
        one.insert("type".to_owned(), json!(spelling(dice, "dimension")));
    }
    one.insert("dimension".to_owned(), json!(spelling(dice, dimension)));
    match value {
        Some(value) => {
            if dice.percent(80) {
                one.insert("operator".to_owned(), json!(spelling(dice, "matches")));
            }
            one.insert("value".to_owned(), json!(value));
        }
        None => {
            let word = *dice.pick(&["exists", "notExists"]);
            one.insert("operator".to_owned(), json!(spelling(dice, word)));
        }
    }
    Value::Object(one)
}

/// An atom over the dimensions of one filter: its canonical name and a value, or none for `exists` and `notExists`.
fn atom(dice: &mut Dice, names: &Names, dimensions: &[&str]) -> (String, Option<String>) {
    let mut dimension = *dice.pick(dimensions);
    for _ in 0..3 {
        let bare = match dimension {
            "queueId" => names.queues.is_empty(),
            "userId" | "agentId" => names.users.is_empty(),
            "divisionId" => names.divisions.is_empty(),
            _ => false,
        };
        if bare {
            dimension = *dice.pick(dimensions);
        }
    }
    if dice.percent(10) && !["conversationId", "divisionId"].contains(&dimension) {
        return (dimension.to_owned(), None);
    }
    let value = match dimension {
        "queueId" => Names::one(dice, &names.queues, &names.all_queues),
        "userId" | "agentId" => Names::one(dice, &names.users, &names.all_users),
        "divisionId" => Names::one(dice, &names.divisions, &names.all_divisions),
        "mediaType" => (*dice.pick(&MEDIA)).to_owned(),
        "direction" | "originatingDirection" => (*dice.pick(&["inbound", "outbound"])).to_owned(),
        "wrapUpCode" => (*dice.pick(&WRAP)).to_owned(),
        _ => format!("c-{}", dice.below(40)),
    };
    (dimension.to_owned(), Some(value))
}

/// Every two-level shape: flat, `and` of `or`s, `or` of `and`s, mixed roots.
pub(crate) fn two_level(dice: &mut Dice, names: &Names, dimensions: &[&str]) -> Value {
    let level = |dice: &mut Dice, least: usize, most: usize| -> Vec<Value> {
        (0..least + dice.below(most - least + 1))
            .map(|_| {
                let (dimension, value) = atom(dice, names, dimensions);
                predicate(dice, &dimension, value)
            })
            .collect()
    };
    let mut filter = Map::new();
    let word = *dice.pick(&["and", "or"]);
    filter.insert("type".to_owned(), json!(spelling(dice, word)));
    let shape = dice.below(4);
    if shape != 0 {
        let clauses: Vec<Value> = (0..1 + dice.below(3))
            .map(|_| {
                let word = *dice.pick(&["and", "or"]);
                json!({ "type": spelling(dice, word), "predicates": level(dice, 1, 3) })
            })
            .collect();
        filter.insert("clauses".to_owned(), json!(clauses));
    }
    if shape == 0 || dice.percent(30) {
        filter.insert("predicates".to_owned(), json!(level(dice, 1, 3)));
    }
    Value::Object(filter)
}

fn interval(dice: &mut Dice) -> String {
    let from = moment(dice) - 12 * HOUR;
    let hours = *dice.pick(&[24, 48, 72, 96, 120]);
    format!("{}/{}", instant(from), instant(from + HOUR * hours))
}

/// Words that a list of the body model allows.
pub(crate) type Words = BTreeMap<&'static str, Vec<String>>;

pub(crate) fn question(dice: &mut Dice, kind: Kind, names: &Names, words: &Words) -> Value {
    let legs = ["queueId", "queueId", "queueId", "userId", "userId", "mediaType", "direction", "wrapUpCode"];
    let metrics = |dice: &mut Dice| dice.some(&words["metrics"], 1, 2);
    match kind {
        Kind::Aggregates => {
            let mut body = json!({ "interval": interval(dice), "metrics": metrics(dice) });
            if dice.percent(75) {
                let by = ["queueId", "userId", "mediaType", "direction"].map(str::to_owned);
                body["groupBy"] = json!(dice.some(&by, 1, 2));
            }
            if dice.percent(3) {
                body["groupBy"] = json!([dice.pick(&["divisionId", "conversationId", "participantName"])]);
            }
            if dice.percent(80) {
                let mut dimensions = legs.to_vec();
                if dice.percent(15) {
                    dimensions.push("divisionId");
                }
                if dice.percent(2) {
                    dimensions.push("participantName");
                }
                body["filter"] = two_level(dice, names, &dimensions);
            }
            body
        }
        Kind::Details => {
            let mut body = json!({ "interval": interval(dice), "paging": { "pageSize": 100, "pageNumber": 1 } });
            if dice.percent(20) {
                body["paging"] = json!({ "pageSize": 3, "pageNumber": 1 + dice.below(3) });
            }
            if dice.percent(65) {
                let entries: Vec<Value> = (0..1 + dice.below(2)).map(|_| two_level(dice, names, &legs)).collect();
                body["segmentFilters"] = json!(entries);
            }
            if dice.percent(20) {
                let dimensions: &[&str] = if dice.percent(25) { &["divisionId"] } else { &["originatingDirection"] };
                body["conversationFilters"] = json!([two_level(dice, names, dimensions)]);
            }
            if dice.percent(15) {
                body["evaluationFilters"] = json!([two_level(dice, names, &["queueId", "userId"])]);
            }
            if dice.percent(30) {
                body["order"] = json!(dice.pick(&["asc", "desc"]));
                body["orderBy"] = json!("conversationStart");
            }
            body
        }
        Kind::QueueObservations => {
            json!({ "filter": two_level(dice, names, &["queueId", "queueId", "mediaType"]), "metrics": metrics(dice) })
        }
        Kind::UserObservations => {
            json!({ "filter": two_level(dice, names, &["userId"]), "metrics": metrics(dice) })
        }
        Kind::UserAggregates => {
            let mut body = json!({ "interval": interval(dice), "metrics": metrics(dice), "groupBy": ["userId"] });
            if dice.percent(70) {
                body["filter"] = two_level(dice, names, &["userId"]);
            }
            body
        }
        Kind::Platform => definition(dice, names),
    }
}

fn nested(dice: &mut Dice, names: &Names, depth: usize) -> Value {
    let dimensions =
        ["queueId", "queueId", "queueId", "agentId", "userId", "mediaType", "direction", "wrapUpCode", "divisionId"];
    let mut predicates = Vec::new();
    for _ in 0..1 + dice.below(3) {
        let (dimension, value) = atom(dice, names, &dimensions);
        predicates.push(match value {
            None => json!({ "dimension": dimension, "operator": dice.pick(&["EXISTS", "NOT_EXISTS"]), "values": [] }),
            Some(_) if dimension == "queueId" && dice.percent(12) => {
                json!({ "dimension": dimension, "operator": "IN", "values": ["${user.queueIds}"] })
            }
            Some(value) if dice.percent(40) => {
                let mut values = vec![value];
                for _ in 0..dice.below(3) {
                    if let (same, Some(other)) = atom(dice, names, &[&dimension]) && same == dimension && !values.contains(&other) {
                        values.push(other);
                    }
                }
                json!({ "dimension": dimension, "operator": dice.pick(&["IN", "IN", "NOT_IN"]), "values": values })
            }
            Some(value) => {
                json!({ "dimension": dimension, "operator": dice.pick(&["EQUALS", "EQUALS", "NOT_EQUALS"]), "values": [value] })
            }
        });
    }
    let mut filter = json!({ "type": dice.pick(&["AND", "OR"]), "predicates": predicates });
    if depth > 0 && dice.percent(50) {
        let clauses: Vec<Value> = (0..1 + dice.below(2)).map(|_| nested(dice, names, depth - 1)).collect();
        filter["clauses"] = json!(clauses);
    }
    filter
}

fn definition(dice: &mut Dice, names: &Names) -> Value {
    let from = moment(dice) - 12 * HOUR;
    let by = ["queueId", "agentId", "mediaType", "direction"].map(str::to_owned);
    let mut query = json!({
        "dateFrom": instant(from), "dateTo": instant(from + HOUR * dice.pick(&[24, 48, 96])),
        "groupBy": dice.some(&by, 0, 2),
        "aggregations": [{ "dimension": "interactions", "function": "COUNT" }],
    });
    if dice.percent(20) {
        query["dateFrom"] = json!(dice.pick(&["now-5d", "now-60h", "now-1w"]));
        query["dateTo"] = json!("now");
    }
    if dice.percent(70) {
        let function = *dice.pick(&["SUM", "COUNT", "AVG", "MIN", "MAX"]);
        query["aggregations"] = json!([{ "dimension": "handleTime", "function": function }, { "dimension": "interactions", "function": "COUNT" }]);
    }
    if dice.percent(75) {
        query["filter"] = nested(dice, names, 1);
    }
    let mut body = json!({ "name": "drawn", "query": query });
    if dice.percent(80) {
        body["divisionId"] = json!(Names::one(dice, &names.divisions, &names.all_divisions));
    }
    body
}

#[test]
fn drawn_organisations_load() {
    let opened = Opened::from([(Kind::Details, vec!["analytics:conversationDetail:view".to_owned()])]);
    for seed in 0..300 {
        let file = directory(&mut Dice::new(seed), &opened).to_string();
        let loaded = bailiwick::directory::load(&file, "drawn.json", jiff::Timestamp::UNIX_EPOCH);
        if let Err(problems) = loaded {
            panic!("seed {seed}: {}", problems.iter().map(|one| one.report()).collect::<Vec<_>>().join("\n"));
        }
        assert!(!Directory::read(&file).users.is_empty());
    }
}
