//! Who is there at this moment: counts of teams over the people that somebody sees, and how each of these stands.

use super::{
    house::now,
    objects::{OPENED_BY, SEEING_ALL, World, house, ids},
    truth::Truth,
};
use crate::oracle::{
    generate::Dice,
    questions::Kind,
    semantics::{Data, Right},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// People of the organisation itself whom somebody sees whole.
fn people(world: &World, person: &str) -> BTreeSet<String> {
    let permissions = OPENED_BY.map(str::to_owned);
    let right = Right { permissions: &permissions, action: "view", data: Data::User, archived: false };
    let scope = world.truth.directory.entitlements(person, &right, now().as_second());
    let case = Truth::case(person, Kind::UserObservations, &Value::Null);
    let all = ids(&world.directory, "users").into_iter();
    all.filter(|user| case.user_inside(&world.truth.directory, &scope, user, false))
        .filter(|user| !world.truth.directory.bpo(user))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn teams_are_counted_over_the_people_that_are_seen() {
    let (house, world) = house(&[]).await;
    let path = "/api/v2/analytics/teams/activity/query";
    let (mut compared, mut hidden) = (0, 0);
    for (nth, person) in SEEING_ALL.iter().cycle().take(18).enumerate() {
        let mut dice = Dice::new(1_900 + nth as u64);
        let metrics =
            dice.some(&["oTeamPresences", "oTeamOnQueueUsers", "oTeamOffQueueUsers", "oTeamRoutingStatuses"], 1, 3);
        let metrics: Vec<Value> = metrics.iter().map(|name| json!({ "metric": name })).collect();
        let mut asked = json!({ "groupBy": ["teamId"], "metrics": metrics });
        let teams = world.owned("teams", &world.whole(person));
        let plain = dice.percent(50).then(|| json!({ "dimension": "systemPresence", "value": "ON_QUEUE" }));
        if let Some(plain) = &plain {
            asked["filter"] = json!({ "type": "and", "predicates": [plain] });
        }
        let heard = house.post(person, path, &asked).await;
        assert_eq!(heard.status, 200, "{person} {asked}: {heard:?}");
        let region = world.truth.region(person);
        // one person after the other
        let mut due: BTreeMap<String, u64> = BTreeMap::new();
        for user in people(&world, person) {
            let mut alone = asked.clone();
            let predicates = [json!({ "dimension": "userId", "value": user })].into_iter().chain(plain.clone());
            alone["filter"] = json!({ "type": "and", "predicates": predicates.collect::<Vec<_>>() });
            add(&house.sandbox.evaluate(region, path, &alone).unwrap(), &teams, &mut due);
        }
        let (mut got, mut whole) = (BTreeMap::new(), BTreeMap::new());
        add(&heard.json(), &ids(&world.directory, "teams").into_iter().collect(), &mut got);
        add(&house.sandbox.evaluate(region, path, &asked).unwrap(), &teams, &mut whole);
        assert_eq!(got, due, "{person} {asked}");
        compared += usize::from(!due.is_empty());
        hidden += usize::from(whole != due);
        let outside = ids(&world.directory, "teams").into_iter().find(|team| !teams.contains(team)).unwrap();
        for team in [outside.as_str(), "no-such-team"] {
            asked["filter"] = json!({ "type": "and", "predicates": [{ "dimension": "teamId", "value": team }] });
            assert_eq!(house.post(person, path, &asked).await.code(), "scope.outside", "{person} {team}");
        }
    }
    println!("teams: {compared} answers with rows compared, {hidden} over somebody hidden");
    assert!(compared >= 10 && hidden >= 10, "the cases are too easy");
    assert_eq!(
        house
            .post("sofia", path, &json!({ "groupBy": ["teamId"], "metrics": [{ "metric": "oTeamPresences" }] }))
            .await
            .code(),
        "operation.unscopable"
    );
}

fn add(answer: &Value, teams: &BTreeSet<String>, to: &mut BTreeMap<String, u64>) {
    for row in answer["results"].as_array().into_iter().flatten() {
        let team = row["group"]["teamId"].as_str().unwrap();
        for one in row["data"].as_array().into_iter().flatten().filter(|_| teams.contains(team)) {
            *to.entry(format!("{team} {} {}", one["metric"], one["qualifier"])).or_default() +=
                one["count"].as_u64().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_people_stand_is_told_of_those_that_are_seen_and_without_their_sessions() {
    let (house, world) = house(&[]).await;
    let path = "/api/v2/analytics/agents/status/query";
    let (mut compared, mut hidden, mut rows) = (0, 0, 0);
    for (nth, person) in
        ["dana", "olga", "carl", "sofia", "ana", "viola", "greg", "nils"].iter().cycle().take(24).enumerate()
    {
        let mut dice = Dice::new(2_900 + nth as u64);
        let visible = people(&world, person);
        let mut asked = json!({ "userOrderBy": *dice.pick(&["userName", "presenceDate"]), "userOrder": *dice.pick(&["asc", "desc"]) });
        if dice.percent(60) {
            let presence = json!({ "dimension": "systemPresence", "value": *dice.pick(&["ON_QUEUE", "busy"]) });
            let some: Vec<String> = visible.iter().cloned().collect();
            let user = json!({ "dimension": "userId", "value": dice.pick(&some) });
            asked["userFilter"] = json!({ "type": *dice.pick(&["and", "or"]), "predicates": [presence, user] });
        }
        let heard = house.post(person, path, &asked).await;
        assert_eq!(heard.status, 200, "{person} {asked}: {heard:?}");
        let region = world.truth.region(person);
        let whole = house.sandbox.evaluate(region, path, &asked).unwrap();
        let mut due = whole["entities"].as_array().unwrap().clone();
        due.retain(|row| visible.contains(row["userId"].as_str().unwrap()));
        for row in &mut due {
            row.as_object_mut().unwrap().retain(|key, _| !key.starts_with("session"));
        }
        hidden += usize::from(due.len() < whole["entities"].as_array().unwrap().len());
        rows += due.len();
        assert_eq!(heard.json()["entities"].as_array().cloned().unwrap_or_default(), due, "{person} {asked}");
        compared += 1;
        for user in ["carl", "ana", "bo", "u-0123", "no-such-person"] {
            let heard = house.get(person, &format!("/api/v2/analytics/agents/{user}/status")).await;
            if visible.contains(user) {
                let shown = heard.json();
                assert_eq!((heard.status, &shown["userId"]), (200, &json!(user)), "{person}");
                assert!(shown.get("sessions").is_none() && shown.get("sessionCount").is_none(), "{shown}");
            } else {
                assert_eq!((heard.status, heard.code()), (404, "scope.outside".to_owned()), "{person} {user}");
            }
        }
    }
    println!("how people stand: {compared} answers compared, {rows} rows, {hidden} over somebody hidden");
    assert!(hidden >= 10, "the cases are too easy");
}
