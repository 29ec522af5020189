//! Questions about more people than one query may name: asked in parts, and answered as if the upstream had no limit. What
//! is due is added up here, person by person, from what the sandbox's SQL finds without any filter.

use super::{
    house::{House, Plan, US, USER_AGGREGATES, USER_DETAILS, USER_OBSERVATIONS, WEEK},
    truth::Truth,
};
use crate::oracle::{generate::Dice, questions::Kind};
use bailiwick::sandbox::sample;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const METRICS: [&str; 3] = ["tSystemPresence", "tOrganizationPresence", "tAgentRoutingStatus"];

/// The sample, with most people of the United States in two divisions.
fn directory() -> Value {
    let mut directory = sample::directory();
    let outsourcers = ["d-bpo-acme-voice", "d-bpo-acme-chat"];
    for (nth, user) in directory["users"].as_array_mut().unwrap().iter_mut().enumerate() {
        let nameless = user["id"].as_str().unwrap().starts_with("u-");
        if user["region"] == US && nameless && !outsourcers.contains(&user["division"].as_str().unwrap()) {
            user["division"] = json!(if nth % 9 == 0 { "d-retail-us" } else { "d-claims-us" });
        }
    }
    directory
}

fn visible(truth: &Truth, person: &str, body: &Value) -> BTreeSet<String> {
    let case = Truth::case(person, Kind::UserAggregates, body);
    let scope = case.scope(&truth.directory);
    let all = truth.directory.users.iter().map(|user| user.id.clone());
    all.filter(|user| case.user_inside(&truth.directory, &scope, user, false)).collect()
}

/// (group, interval, metric, qualifier) -> sum.
type Sums = BTreeMap<[String; 4], i64>;

fn sums(answer: &Value, of: &BTreeSet<String>, apart: bool) -> Sums {
    let mut sums = Sums::new();
    for row in answer["results"].as_array().into_iter().flatten() {
        let user = row["group"]["userId"].as_str();
        if user.is_some_and(|user| !of.contains(user)) {
            continue;
        }
        let group = user.filter(|_| apart).unwrap_or_default().to_owned();
        for data in row["data"].as_array().unwrap() {
            for metric in data["metrics"].as_array().unwrap() {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let key = [group.clone(), text(&data["interval"]), text(&metric["metric"]), text(&metric["qualifier"])];
                *sums.entry(key).or_default() += metric["stats"]["sum"].as_i64().unwrap();
                assert_eq!(metric["stats"].as_object().unwrap().len(), 1, "nothing but sums: {metric}");
            }
        }
    }
    sums
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_in_parts_is_the_unsplit_answer() {
    let house = House::of(Plan { interactions: 200, directory: directory(), ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let (mut parts_in_all, mut in_parts, mut rows) = (0, 0, 0);
    for case in 0..40 {
        let mut dice = Dice::new(4_400 + case);
        let person = *dice.pick(&["carl", "carl", "carl", "carl", "dana", "sofia"]);
        let apart = dice.percent(50);
        let mut asked = json!({ "interval": WEEK, "metrics": dice.some(&METRICS, 1, 3) });
        if apart {
            asked["groupBy"] = json!(["userId"]);
        }
        if dice.percent(40) {
            asked["granularity"] = json!("P1D");
        }
        let all: Vec<String> = visible(&truth, person, &asked).into_iter().collect();
        let mut of: BTreeSet<String> = all.iter().cloned().collect();
        if dice.percent(60) {
            // a list of his own, in one of three shapes
            let some = dice.some(&all, all.len().min(30), all.len());
            of = some.iter().cloned().collect();
            let one_of: Vec<Value> = some.iter().map(|user| json!({ "dimension": "userId", "value": user })).collect();
            asked["filter"] = match dice.below(3) {
                0 => json!({ "type": "or", "predicates": one_of }),
                1 => json!({ "type": "and", "clauses": [{ "type": "or", "predicates": one_of }],
                    "predicates": [{ "dimension": "userId", "operator": "exists" }] }),
                _ => {
                    let more = dice.some(&all, all.len().min(30), all.len());
                    of.retain(|user| more.contains(user));
                    let two: Vec<Value> =
                        more.iter().map(|user| json!({ "dimension": "userId", "value": user })).collect();
                    json!({ "type": "and", "clauses": [
                        { "type": "or", "predicates": one_of }, { "type": "or", "predicates": two },
                    ] })
                }
            };
        }
        house.received(US);
        let heard = house.post(person, USER_AGGREGATES, &asked).await;
        assert_eq!(heard.status, 200, "{person} {}: {}", asked["metrics"], heard.body);
        let sent = house.received(US);
        assert_eq!(sent.len(), of.len().div_ceil(100), "{person}: {} people", of.len());
        let mut named = BTreeSet::new();
        for one in &sent {
            let body: Value = serde_json::from_str(std::str::from_utf8(&one.body).unwrap()).unwrap();
            let text = body["filter"].to_string();
            let these: BTreeSet<String> =
                all.iter().filter(|user| text.contains(&format!("\"{user}\""))).cloned().collect();
            assert!(these.len() <= 100 && named.is_disjoint(&these), "{text}");
            named.extend(these);
        }
        assert_eq!(named, of);
        let mut open = asked.clone();
        open.as_object_mut().unwrap().shift_remove("filter");
        open["groupBy"] = json!(["userId"]);
        let everybody = house.sandbox.evaluate(US, USER_AGGREGATES, &open).unwrap();
        let due = sums(&everybody, &of, apart);
        assert_eq!(sums(&heard.json(), &of, apart), due, "{person}, {} people", of.len());
        parts_in_all += sent.len();
        in_parts += usize::from(sent.len() > 1);
        rows += heard.json()["results"].as_array().map_or(0, Vec::len);
        // each part has an intent of its own, under one decision
        if sent.len() > 1 {
            let (_, outcome) = house.lines(heard.decision()).await;
            let ours = house.record().into_iter().filter(|one| one.decision() == heard.decision()).count();
            assert_eq!(ours, sent.len() + 1, "{outcome:?}");
            assert_eq!(outcome.rows_out, heard.json()["results"].as_array().unwrap().len() as u64);
        }
    }
    println!("parts: 40 questions, {in_parts} in several parts, {parts_in_all} parts, {rows} rows");
    assert!(in_parts >= 15, "the cases are too easy");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_put_together_is_too_wide() {
    let house = House::of(Plan { interactions: 200, directory: directory(), ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let asked = json!({ "interval": WEEK, "metrics": ["tSystemPresence"] });
    let people = visible(&truth, "carl", &asked).len();
    assert!(people > 100, "{people}");
    // each person has a row of his own
    let heard = house.post("carl", USER_OBSERVATIONS, &json!({ "metrics": ["oMemberQueues"] })).await;
    assert_eq!((heard.status, heard.json()["results"].as_array().unwrap().len()), (200, people), "{}", heard.body);
    // pages over several answers are none
    let heard = house.post("carl", USER_DETAILS, &json!({ "interval": WEEK })).await;
    assert_eq!((heard.status, heard.code()), (400, "query.too-wide".to_owned()));
    // the results of several jobs would be read at places of one
    let jobs = "/api/v2/analytics/users/aggregates/jobs";
    assert_eq!(house.post("carl", jobs, &asked).await.code(), "query.too-wide");
    house.received(US);
    // a metric that is not said to be additive, unless rows are of one person; more parts than the rule allows
    let rules = |old, new| vec![("genesys/users.toml", old, new)];
    let additive = "additive = [\"tAgentRoutingStatus\", \"tOrganizationPresence\", \"tSystemPresence\"]";
    let own = |rules| Plan { interactions: 200, directory: directory(), own_rules: true, rules, ..Plan::default() };
    let fewer = House::of(own(rules(additive, "additive = [\"tAgentRoutingStatus\"]"))).await;
    assert_eq!(fewer.post("carl", USER_AGGREGATES, &asked).await.code(), "query.too-wide");
    assert!(fewer.received(US).is_empty(), "nothing is sent of what cannot be answered");
    let apart = json!({ "interval": WEEK, "metrics": ["tSystemPresence"], "groupBy": ["userId"] });
    assert_eq!(fewer.post("carl", USER_AGGREGATES, &apart).await.status, 200);
    let shorter = House::of(own(rules("max-values = 100", "max-values = 7"))).await;
    let heard = shorter.post("carl", USER_AGGREGATES, &asked).await;
    assert_eq!(heard.code(), "query.too-wide");
    assert!(heard.body.contains("name at most 70 yourself"), "{}", heard.body);
    assert!(shorter.received(US).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disobedient_part_shows_nobody_and_a_failed_one_fails_all() {
    let house = House::of(Plan { interactions: 200, directory: directory(), ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let asked = json!({ "interval": WEEK, "metrics": ["tSystemPresence"], "groupBy": ["userId"] });
    let mine = visible(&truth, "carl", &asked);
    house.sandbox.disobey(|faults| {
        faults.ignore_filters = true;
        faults.other_region = true;
    });
    let heard = house.post("carl", USER_AGGREGATES, &asked).await;
    let rows = heard.json();
    let shown: Vec<&str> =
        rows["results"].as_array().unwrap().iter().map(|row| row["group"]["userId"].as_str().unwrap()).collect();
    // every part brings everybody; each row is kept by the one part that asked for it
    assert_eq!(shown.iter().collect::<BTreeSet<_>>().len(), shown.len(), "nobody twice");
    assert!(!shown.is_empty() && shown.iter().all(|user| mine.contains(*user)));
    house.sandbox.obey();
    house.sandbox.disobey(|faults| faults.truncated = true);
    let heard = house.post("carl", USER_AGGREGATES, &asked).await;
    assert!(heard.status >= 500, "{heard:?}");
}
