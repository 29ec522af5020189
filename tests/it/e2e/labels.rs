//! Labels: who may put one on which interaction, by the directory file alone; what was put on, by the sandbox's own store.

use super::{
    house::{EU, House, Plan, US, now},
    truth::Truth,
};
use crate::oracle::{
    generate::Dice,
    semantics::{Data, Right},
};
use bailiwick::sandbox::Mark;
use serde_json::{Value, json};

const LABELS: &str = include_str!("../../../rules/genesys/labels/labels.json");
const PERMISSION: &str = "analytics:conversationProperties:index";

async fn house() -> House {
    House::of(Plan { directory: LABELS.parse().unwrap(), interactions: 60, ..Plan::default() }).await
}

fn list<'d>(directory: &'d Value, name: &str) -> &'d [Value] {
    directory[name].as_array().unwrap()
}

/// Whether somebody was given the right in the division that owns the label of this mark, or all of that division.
fn owns(directory: &Value, person: &str, mark: &str) -> bool {
    let Some(label) = list(directory, "labels").iter().find(|one| list(one, "marks").contains(&json!(mark))) else {
        return false;
    };
    let leaf = list(directory, "divisions").iter().all(|one| one["parent"] != label["division"]);
    let opens = |role: &Value| {
        let role = list(directory, "roles").iter().find(|one| one["id"] == role["role"]).unwrap();
        list(role, "permissions").iter().any(|one| one["permission"] == PERMISSION)
    };
    let user = list(directory, "users").iter().find(|one| one["id"] == person).unwrap();
    let by_role = user["roles"].as_array().into_iter().flatten();
    let by_role = by_role.filter(|one| one["division"] == label["division"]).any(opens);
    let by_grant = list(directory, "grants").iter().any(|one| {
        one["beneficiary"] == person
            && list(one, "resources").contains(&json!({ "kind": "division", "id": label["division"] }))
    });
    leaf && (by_role || by_grant)
}

/// Whether all of an interaction is somebody's to change.
fn changes(truth: &Truth, person: &str, id: &str) -> bool {
    let permissions = [PERMISSION.to_owned()];
    let right = Right { permissions: &permissions, action: "edit", data: Data::Interaction, archived: false };
    let scope = truth.directory.entitlements(person, &right, now().as_second());
    let mut legs = truth.rows(person).iter().filter(|row| row.conversation == id);
    let owned = |row: &&bailiwick::sandbox::LegRow| row.queue.is_some() || row.agent.is_some();
    let all: Vec<_> = legs.by_ref().filter(owned).collect();
    !all.is_empty() && all.iter().all(|row| truth.sees(person, &scope, row))
}

fn asked(id: &str, marks: &[&str]) -> Value {
    let n = id.rsplit('-').next().unwrap();
    let properties: Vec<Value> =
        marks.iter().map(|mark| json!({ "property": mark, "propertyType": "string", "value": "large" })).collect();
    json!({ "sessionId": format!("s-{n}-2"), "targetDate": "2026-11-20T09:00:00Z", "properties": properties })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_is_put_on_exactly_when_interaction_and_label_are_ones_own() {
    let house = house().await;
    let mut ids = Vec::new();
    for queue in ["q-new", "q-renewals", "q-care"] {
        ids.push(house.sandbox.schedule(US, queue, None).unwrap());
    }
    ids.push(house.sandbox.schedule(US, "q-new", Some((Some("q-care"), "vic"))).unwrap());
    ids.push(house.sandbox.schedule(US, "q-new", Some((None, "desk"))).unwrap());
    let truth = Truth::of(&house.sandbox, &house.directory);
    let people = ["sara", "desk", "both", "vic", "pete", "view", "gina", "gwen", "nobody"];
    let marks = ["offer", "offer_size", "complaint", "everywhere", "angebot", "priority", "l-offer"];
    let (mut stored, mut done, mut refused) = (Vec::new(), 0, 0);
    for case in 0..160 {
        let mut dice = Dice::new(91_000 + case);
        let person = *dice.pick(&people);
        let known = [&marks[..3], &marks[..]];
        let wide = usize::from(dice.percent(30));
        let these = dice.some(known[wide], 1, 2);
        let id = if dice.percent(4) { "cb-us-east-1-999".to_owned() } else { dice.pick(&ids).clone() };
        let allowed = changes(&truth, person, &id) && these.iter().all(|mark| owns(&house.directory, person, mark));
        house.received(US);
        let line = format!("POST /api/v2/analytics/conversations/{id}/details/properties");
        let heard = house.ask(person, &line, &asked(&id, &these).to_string()).await;
        let about = format!("case {case}: {person} {id} {these:?}: {heard:?}");
        let writes = house.received(US).into_iter().filter(|one| one.target.ends_with("/properties")).count();
        assert_eq!((heard.status == 200, writes), (allowed, usize::from(allowed)), "{about}");
        if allowed {
            done += 1;
            let shown = heard.json();
            assert_eq!(shown, asked(&id, &these), "what is shown is listed: {about}");
            let n = id.rsplit('-').next().unwrap();
            stored.extend(these.iter().map(|mark| Mark {
                conversation: id.clone(),
                session: format!("s-{n}-2"),
                property: (*mark).to_owned(),
                value: "large".to_owned(),
            }));
        } else {
            refused += 1;
            let all: Vec<&str> = ids.iter().map(String::as_str).collect();
            assert!(all.iter().all(|other| *other == id || !heard.body.contains(other)), "{about}");
        }
    }
    assert_eq!(house.sandbox.marks(US).unwrap(), stored);
    println!("{done} labels put on, {refused} refused");
    assert!(done >= 20 && refused >= 50);
    house.assert_no_connection_to(EU);
}

/// What is not there, and what marks nothing or something of others, is told alike.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strange_labels_and_interactions_are_refused_alike() {
    let house = house().await;
    let id = house.sandbox.schedule(US, "q-new", None).unwrap();
    let other = house.sandbox.schedule(US, "q-care", None).unwrap();
    let mut told = Vec::new();
    for (id, mark) in [(&id, "complaint"), (&id, "priority"), (&id, "angebot")] {
        let line = format!("POST /api/v2/analytics/conversations/{id}/details/properties");
        let heard = house.ask("sara", &line, &asked(id, &[mark]).to_string()).await;
        assert_eq!(heard.code(), "scope.outside", "{heard:?}");
        told.push(heard.refusal());
    }
    assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{told:?}");
    let mut told = Vec::new();
    for id in [other.as_str(), "cb-us-east-1-999"] {
        let line = format!("POST /api/v2/analytics/conversations/{id}/details/properties");
        let heard = house.ask("sara", &line, &asked(id, &["offer"]).to_string()).await;
        told.push(heard.refusal());
    }
    assert_eq!(told[0], told[1]);
    // a session of another interaction would mark that one
    let line = format!("POST /api/v2/analytics/conversations/{id}/details/properties");
    let mixed = asked(&other, &["offer"]);
    assert_eq!(house.ask("sara", &line, &mixed.to_string()).await.code(), "scope.outside");
    assert!(house.sandbox.marks(US).unwrap().is_empty());
}
