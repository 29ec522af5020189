//! Organisations in the form of the directory file.

use super::{Dice, HOUR, MONDAY, Opened, ids, moment};
use crate::oracle::data::{Time, instant};
use serde_json::{Map, Value, json};

const SCOPES: [&str; 9] = ["self", "assigned", "assigned", "assigned", "view", "group", "all", "all", "all"];

/// Names are shown and found, never compared with ids: many things may have one.
const NAMES: [&str; 5] = ["twin", "twin", "Twin two", "żółw", "alpha"];

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
    // A mistake of the directory that loads with a finding: placed in a division of another region.
    for (_, _, region) in &mut users {
        if dice.percent(3) {
            *region = if *region == "us-east-1" { "eu-west-1" } else { "us-east-1" };
        }
    }
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
        for _ in 0..=dice.below(3) {
            let mut queue = json!({ "id": queue_ids.next().unwrap(), "division": division, "name": dice.pick(&NAMES) });
            let staff = dice.some(if own.is_empty() { &people } else { &own }, 0, 3);
            let guests = if dice.percent(30) { dice.some(&people, 1, 2) } else { vec![] };
            let mut members = staff;
            members.extend(guests);
            members.sort();
            members.dedup();
            queue["members"] = json!(members);
            if dice.percent(35) {
                queue["memberGroups"] = json!(dice.some(&group_ids, 1, 1));
            }
            if dice.percent(20) {
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
    let mut dangerous: Vec<String> = Vec::new();
    let roles: Vec<Value> = role_ids
        .iter()
        .map(|id| {
            let kinds: Vec<&Vec<String>> = opened.iter().filter(|strings| !strings.is_empty()).collect();
            let mut permissions = Map::new();
            for _ in 0..=dice.below(7) {
                let strings = *dice.pick(&kinds);
                let name = match dice.below(100) {
                    0..5 => "nothing:at:all".to_owned(),
                    5..8 => {
                        dangerous.push(format!("wildcard:{id}"));
                        let mut parts: Vec<&str> = dice.pick(strings).split(':').collect();
                        parts[dice.below(3)] = "*";
                        parts.join(":")
                    }
                    _ => dice.pick(strings).clone(),
                };
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
            let mut user = json!({ "id": id, "division": division, "region": region, "name": dice.pick(&NAMES) });
            let mut held: Vec<Value> = Vec::new();
            for _ in 0..=dice.below(4) {
                let one = assignment(dice, division);
                if !held.contains(&one) {
                    held.push(one);
                }
            }
            user["roles"] = json!(held);
            if draft.bpo_leaves.contains(division) && dice.percent(80) {
                user["bpo"] = json!(true);
            }
            if dice.percent(4) {
                user["active"] = json!(false);
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

    let placed_in = |division: &String| if draft.abroad.contains(division) { "eu-west-1" } else { "us-east-1" };
    let misplaced: Vec<String> = users
        .iter()
        .filter(|(_, division, region)| *region != placed_in(division))
        .map(|(id, ..)| id.clone())
        .collect();
    let mut grants = Vec::new();
    for at in 0..4 + dice.below(22) {
        let kind = *dice.pick(&["queue", "queue", "queue", "division", "user", "group", "conversation"]);
        let every: Vec<String> = draft.divisions.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        let id = match kind {
            "queue" => dice.pick(&all_queues).clone(),
            "division" => dice.pick(&every).clone(),
            "user" if dice.percent(20) && !misplaced.is_empty() => dice.pick(&misplaced).clone(),
            "user" => dice.pick(&people).clone(),
            "group" => dice.pick(&group_ids).clone(),
            _ => format!("c-{}", dice.below(40)),
        };
        let from = MONDAY + HOUR * (60 + dice.below(24) as Time);
        let mut grant = json!({
            "id": format!("grant-{at}"), "beneficiary": dice.pick(&people), "resources": [{ "kind": kind, "id": id }],
            "actions": [dice.pick(&["view", "playback", "transcript"])],
            "from": instant(from), "until": instant(from + HOUR * (1 + dice.below(12) as Time)),
        });
        if dice.percent(40) {
            // Half of them are whole days: only these count in lists of interactions.
            let (start, hours) = if dice.percent(50) {
                (MONDAY - 24 * HOUR * dice.below(2) as Time, 24 * (1 + dice.below(5)))
            } else {
                (moment(dice), 1 + dice.below(96))
            };
            grant["data"] = json!({ "from": instant(start), "until": instant(start + HOUR * hours as Time) });
        }
        grants.push(grant);
    }
    let service = json!({
        "id": "svc-exporter", "region": "us-east-1", "clientIds": ["exporter-client"],
        "groups": dice.some(&group_ids, 0, 2),
        "roles": [assignment(dice, home[0])],
    });
    json!({
        "version": "drawn", "unsafeAllow": dangerous, "defaultRead": if dice.percent(20) { "open" } else { "closed" },
        "regions": [
            { "id": "us-east-1", "upstream": "http://127.0.0.1:1" }, { "id": "eu-west-1", "upstream": "http://127.0.0.1:2" },
        ],
        "divisions": draft.divisions, "folders": folders, "groups": groups, "roles": roles, "views": views,
        "users": written, "queues": queues, "serviceAccounts": [service], "grants": grants,
    })
}

#[test]
fn drawn_organisations_load() {
    let opened = Opened::from([vec!["analytics:conversationDetail:view".to_owned()]]);
    for seed in 0..300 {
        let file = directory(&mut Dice::new(seed), &opened).to_string();
        let loaded = bailiwick::directory::load(&file, "drawn.json", jiff::Timestamp::UNIX_EPOCH);
        if let Err(problems) = loaded {
            panic!(
                "seed {seed}: {}",
                problems.iter().map(bailiwick::directory::Problem::report).collect::<Vec<_>>().join("\n")
            );
        }
        assert!(!crate::oracle::data::Directory::read(&file).users.is_empty());
    }
}
