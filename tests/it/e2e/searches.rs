//! Searches of people and groups through HTTP, posted and by links: what is found is what the directory file has among the
//! people that somebody sees, each once, however the upstream disobeys.

use super::{
    house::{House, Plan, US},
    truth::Truth,
};
use crate::oracle::{generate::Dice, questions::Kind};
use bailiwick::sandbox::Disobedience;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PEOPLE: [&str; 9] = ["ana", "bo", "ines", "viola", "greg", "rita", "nils", "elsa", "mona"];
const USERS: &str = "/api/v2/users/search";
const GROUPS: &str = "/api/v2/groups/search";

type Ids = BTreeSet<String>;
type Fits = Box<dyn Fn(&Value) -> bool>;
type Change = fn(&mut Disobedience);

struct Sight<'a> {
    house: &'a House,
    person: &'a str,
    users: Ids,
}

impl<'a> Sight<'a> {
    fn of(house: &'a House, truth: &'a Truth, person: &'a str) -> Self {
        let rights = ["directory:user:view", "user:profile:view"];
        let scope = truth.scope_of_list(person, Kind::UserObservations, &rights);
        let case = Truth::case(person, Kind::UserObservations, &Value::Null);
        let inside =
            truth.directory.users.iter().filter(|one| case.user_inside(&truth.directory, &scope, &one.id, false));
        Self { house, person, users: inside.map(|one| one.id.clone()).collect() }
    }

    fn file(&self, list: &str) -> &'a [Value] {
        self.house.directory[list].as_array().unwrap()
    }

    /// Name and id of what is due, in the order of names.
    fn due(&self, path: &str, fits: &dyn Fn(&Value) -> bool) -> Vec<(String, String)> {
        let shown = |one: &&Value| {
            let id = one["id"].as_str().unwrap();
            let member = |users: &Value| {
                users.as_array().into_iter().flatten().any(|user| self.users.contains(user.as_str().unwrap()))
            };
            let of_group = |user: &&Value| user["groups"].as_array().into_iter().flatten().any(|group| group == id);
            if path == USERS {
                return self.users.contains(id);
            }
            let mut own = self.file("users").iter().filter(of_group);
            member(&one["members"]) || own.any(|user| self.users.contains(user["id"].as_str().unwrap()))
        };
        let all = self.file(if path == USERS { "users" } else { "groups" });
        let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
        let due = all.iter().filter(shown).filter(|one| fits(one));
        let mut due: Vec<_> = due.map(|one| (text(one, "name"), text(one, "id"))).collect();
        due.sort();
        due
    }

    /// Every page, the first posted, the others by the links that are handed out.
    async fn walk(&self, path: &str, query: &Value, size: usize, total: usize) -> Vec<String> {
        let body = json!({ "query": query, "pageSize": size, "sortBy": "name", "sortOrder": "ASC" });
        let mut heard = self.house.post(self.person, path, &body).await;
        let mut got = Vec::new();
        for number in 1.. {
            assert_eq!(heard.status, 200, "{} {query}: {heard:?}", self.person);
            let answer = heard.json();
            let told = ["total", "pageCount", "pageNumber", "pageSize"].map(|key| answer[key].as_u64().unwrap());
            let due = [total, total.div_ceil(size), number, size].map(|number| number as u64);
            assert_eq!(told, due, "{} {query}: {answer}", self.person);
            let page = answer["results"].as_array().unwrap();
            assert!(page.iter().all(|row| row.get("manager").is_none() && row.get("owners").is_none()), "{answer}");
            got.extend(page.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
            let Some(next) = answer["nextPage"].as_str() else { break };
            assert!(next.starts_with(path) && number < 100, "{answer}");
            heard = self.house.get(self.person, next).await;
        }
        got
    }
}

fn by_link(body: &Value) -> String {
    let text = STANDARD.encode(body.to_string());
    percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A criterion, and what fits it, in plain words.
fn drawn(dice: &mut Dice, all: &[Value]) -> (Value, Fits) {
    let name = |one: &Value| one["name"].as_str().unwrap().to_lowercase();
    let like = name(dice.pick(all));
    let start = like.chars().next().unwrap().to_string();
    let middle: String = like.chars().skip(1).take(2).collect();
    match dice.below(4) {
        0 => (
            json!({ "type": "CONTAINS", "fields": ["name"], "value": middle }),
            Box::new(move |one| name(one).contains(&middle)),
        ),
        1 => (
            json!({ "type": "STARTS_WITH", "fields": ["name"], "values": [start, "v"], "operator": "AND" }),
            Box::new(move |one| name(one).starts_with(&start) || name(one).starts_with('v')),
        ),
        2 => {
            (json!({ "type": "EXACT", "fields": ["state"], "value": "ACTIVE" }), Box::new(|one| one["active"] != false))
        }
        _ => (json!({ "type": "MATCH_ALL" }), Box::new(|_| true)),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_found_is_what_there_is_among_the_visible() {
    let house = House::of(Plan { interactions: 100, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let mut dice = Dice::new(17);
    let (mut searches, mut rows, mut closed) = (0, 0, 0);
    for person in PEOPLE {
        let sight = Sight::of(&house, &truth, person);
        for path in [USERS, GROUPS] {
            if house.post(person, path, &json!({})).await.code() == "permission.missing" {
                assert!(sight.users.is_empty(), "{person} is due {path}");
                closed += 1;
                continue;
            }
            for _ in 0..3 {
                let all = sight.file(if path == USERS { "users" } else { "groups" });
                let (one, other) = (drawn(&mut dice, all), drawn(&mut dice, all));
                let due = sight.due(path, &|entry| one.1(entry) && other.1(entry));
                let due: Vec<String> = due.into_iter().map(|(_, id)| id).collect();
                let query = json!([one.0, other.0]);
                let got = sight.walk(path, &query, 1 + dice.below(7), due.len()).await;
                assert_eq!(got, due, "{person} {path} {query}");
                let linked = house.get(person, &format!("{path}?q64={}", by_link(&json!({ "query": query })))).await;
                assert_eq!(linked.status, 200, "{linked:?}");
                assert_eq!(linked.json()["total"], due.len(), "{person} {path} {query}");
                searches += 1;
                rows += due.len();
            }
        }
        // somebody whom he does not see and somebody whom there is not are the same
        let all = sight.file("users");
        let hidden = all.iter().map(|one| one["id"].as_str().unwrap()).find(|id| !sight.users.contains(*id)).unwrap();
        let asked = |id: &str| json!({ "query": [{ "type": "EXACT", "fields": ["id"], "value": id }] });
        let outside = house.post(person, USERS, &asked(hidden)).await.refusal();
        assert_eq!(outside, house.post(person, USERS, &asked("no-such-person")).await.refusal(), "{person}");
        assert_eq!(outside, house.get(person, &format!("{USERS}?q64={}", by_link(&asked(hidden)))).await.refusal());
    }
    println!("searches: {searches} with {rows} rows, each once and in order; {closed} closed");
    assert!(searches >= 20 && rows > 100, "{searches} {rows}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_finds_others_shows_nobody_else() {
    let house = House::of(Plan { interactions: 100, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let query = json!([{ "type": "CONTAINS", "fields": ["name"], "value": "a" }]);
    let faults: [(&str, Change); 5] = [
        ("foreign rows", |faults| faults.foreign_rows = true),
        ("rows of another region", |faults| faults.other_region = true),
        ("false totals", |faults| faults.false_totals = true),
        ("more fields", |faults| faults.extra_fields = true),
        ("no filters", |faults| faults.ignore_filters = true),
    ];
    let mut alarms = 0;
    for person in ["greg", "ana", "bo"] {
        let sight = Sight::of(&house, &truth, person);
        for path in [USERS, GROUPS] {
            let named = |one: &Value| one["name"].as_str().unwrap().to_lowercase().contains('a');
            let due: Ids = sight.due(path, &named).into_iter().map(|(_, id)| id).collect();
            let visible: Ids = sight.due(path, &|_| true).into_iter().map(|(_, id)| id).collect();
            for (fault, set) in faults {
                house.sandbox.disobey(set);
                let heard = house.post(person, path, &json!({ "query": query, "pageSize": 100 })).await;
                house.sandbox.obey();
                assert_eq!(heard.status, 200, "{person} {path} {fault}: {heard:?}");
                let answer = heard.json();
                let rows = answer["results"].as_array().unwrap();
                let got: Ids = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
                // of the visible, whom a filter would have left out nobody here can tell
                if ["foreign rows", "no filters"].contains(&fault) {
                    assert!(got.is_subset(&visible) && due.is_subset(&got), "{person} {path} {fault}: {answer}");
                } else {
                    assert_eq!(got, due, "{person} {path} {fault}");
                }
                assert_eq!(answer["total"], got.len(), "{person} {path} {fault}");
                assert!(!heard.body.contains("internalNote"), "{person} {path} {fault}");
                alarms += usize::from(heard.notices().iter().any(|notice| notice.contains("answer.foreign-rows")));
            }
            house.sandbox.set_traits(|traits| assert!(traits.set("criteria-and", false)));
            let heard = house.post(person, path, &json!({ "query": query, "pageSize": 100 })).await;
            house.sandbox.set_traits(|traits| assert!(traits.set("criteria-and", true)));
            let rows = heard.json();
            let mut got = rows["results"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned());
            assert!(got.all(|id| visible.contains(&id)), "{person} {path}: {heard:?}");
        }
    }
    assert!(alarms >= 6, "{alarms} notices of foreign rows");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_reads_in_two_ways_is_refused_before_anybody_is_asked() {
    let house = House::of(Plan { interactions: 100, ..Plan::default() }).await;
    house.received(US);
    let good = by_link(&json!({ "query": [{ "type": "CONTAINS", "fields": ["name"], "value": "??>>" }] }));
    assert_eq!(house.get("bo", &format!("{USERS}?q64={good}")).await.status, 200);
    assert_eq!(house.received(US).len(), 1, "what a link asks is posted");
    let twice = by_link(&Value::Null);
    let long = STANDARD.encode(format!("{{\"sortBy\":\"{}\"}}", "a".repeat(40_000)));
    let odd = [
        (String::new(), "query.malformed"),
        ("?q64=".to_owned(), "query.malformed"),
        ("?q64=e30".to_owned(), "query.malformed"),
        ("?q64=e30%3D%3D".to_owned(), "query.malformed"),
        ("?q64=eyJhIjoi_v8ifQ%3D%3D".to_owned(), "query.malformed"),
        ("?q64=e31%3D".to_owned(), "query.malformed"),
        (format!("?q64={twice}"), "query.malformed"),
        (format!("?q64={good}&q64={good}"), "query.malformed"),
        (format!("?q64={good}&expand=manager"), "query.malformed"),
        (format!("?Q64={good}"), "query.malformed"),
        (format!("?q64={}", by_link(&json!([]))), "query.malformed"),
        (format!("?q64={}", STANDARD.encode("{\"query\":[],\"query\":[]}").replace('=', "%3D")), "query.malformed"),
        (format!("?q64={}", by_link(&json!({ "expand": ["manager"] }))), "query.malformed"),
        (
            format!("?q64={}", by_link(&json!({ "query": [{ "type": "EXACT", "fields": ["teamId"], "value": "t" }] }))),
            "field.hidden",
        ),
    ];
    for (query, due) in odd {
        let heard = house.get("bo", &format!("{USERS}{query}")).await;
        let status = if due == "field.hidden" { 403 } else { 400 };
        assert_eq!((heard.status, heard.code().as_str()), (status, due), "{query}: {heard:?}");
    }
    let heard = house.get("bo", &format!("{USERS}?q64={long}")).await;
    assert!((400..500).contains(&heard.status), "{heard:?}");
    assert!(house.received(US).is_empty(), "nothing of it is sent");
    house.assert_no_connection_to(super::house::EU);
}

/// A link that servers on the way would refuse is not handed out, and that there is a page behind is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_would_be_too_long_is_left_out_with_a_notice() {
    let house = House::of(Plan { interactions: 100, ..Plan::default() }).await;
    let page = async |person: &str, long: bool, number: u64| {
        let mut values = vec!["a".to_owned()];
        values.extend(
            (0..80).filter(|_| long).map(|nth| format!("nobody-of-such-a-long-name-is-here-to-be-found-{nth}")),
        );
        let query = json!([{ "type": "CONTAINS", "fields": ["name"], "values": values }]);
        let heard = house.post(person, USERS, &json!({ "query": query, "pageSize": 1, "pageNumber": number })).await;
        let answer = heard.json();
        let told: Vec<_> =
            heard.notices().into_iter().filter(|notice| notice.contains("page.no-link")).map(str::to_owned).collect();
        (answer["total"].as_u64().unwrap(), answer["nextPage"].is_string(), told)
    };
    let mut found = ("nobody", 0);
    for person in ["greg", "ana", "bo"] {
        let (total, linked, told) = page(person, false, 1).await;
        assert!(linked == (total > 1) && told.is_empty(), "{person}: {total} {linked} {told:?}");
        if total > found.1 {
            found = (person, total);
        }
    }
    let (person, total) = found;
    assert!(total > 1, "nobody sees two people");
    let (same, linked, told) = page(person, true, 1).await;
    assert!(
        same == total && !linked && told.len() == 1 && told[0].contains("`pageNumber` 2"),
        "{same} {linked} {told:?}"
    );
    let (_, linked, told) = page(person, true, total).await;
    assert!(!linked && told.is_empty(), "nothing is behind the last page: {told:?}");
}

/// A link holds a body, and stands in the record as one: its text when it was understood, nothing of it before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_link_holds_is_recorded_as_a_body() {
    let house = House::of(Plan { interactions: 100, ..Plan::default() }).await;
    let body = json!({ "query": [{ "type": "CONTAINS", "fields": ["name"], "value": "vi" }] });
    for (body, kept) in [(&body, true), (&json!({ "expand": ["a-secret"] }), false)] {
        let (text, link) = (body.to_string(), by_link(body));
        let heard = house.get("bo", &format!("{USERS}?q64={link}")).await;
        let (_, outcome) = house.lines(heard.decision()).await;
        let asked = outcome.asked.and_then(|asked| asked.text).expect("what was asked");
        assert_eq!(asked.query, vec![], "{heard:?}");
        assert_eq!(asked.body, kept.then_some(text), "{heard:?}");
    }
    // what cannot be read counts in the digest
    let mut digests = BTreeSet::new();
    for link in ["", "e30", "e31=", "bnVsbA=="] {
        let link = link.replace('=', "%3D");
        let heard = house.get("bo", &format!("{USERS}?q64={link}")).await;
        assert_eq!(heard.code(), "query.malformed", "{heard:?}");
        let asked = house.lines(heard.decision()).await.1.asked.expect("what was asked");
        assert_eq!(asked.text.map(|text| (text.query, text.body)), Some((vec![], None)));
        digests.insert(asked.digest);
    }
    assert_eq!(digests.len(), 4, "two links have one digest");
}

/// Whoever asks for a division names its people alone, so that those of others do not count against the limit of a search.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_division_that_is_asked_for_leaves_out_the_people_of_others() {
    let mut directory: Value = bailiwick::sandbox::sample::text().parse().unwrap();
    let people = json!([{ "permission": "user:profile:view", "scope": "all" }]);
    directory["roles"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "id": "r-people", "name": "People", "permissions": people }));
    let rita = directory["users"].as_array_mut().unwrap().iter_mut().find(|user| user["id"] == "rita").unwrap();
    rita["roles"] =
        ["d-fraud-us", "d-payments-us"].map(|division| json!({ "role": "r-people", "division": division })).into();
    let house = House::of(Plan { directory, interactions: 100, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let mut narrowed = 0;
    for person in ["rita", "ana"] {
        let sight = Sight::of(&house, &truth, person);
        let visible = || sight.file("users").iter().filter(|one| sight.users.contains(one["id"].as_str().unwrap()));
        let divisions: BTreeSet<&str> = visible().map(|one| one["division"].as_str().unwrap()).collect();
        for division in divisions {
            let here = visible().filter(|one| one["division"] == division).map(|one| one["id"].as_str().unwrap());
            let here: BTreeSet<String> = here.map(str::to_owned).collect();
            house.received(US);
            let asked = json!({ "query": [{ "type": "EXACT", "fields": ["divisionId"], "value": division }] });
            let heard = house.post(person, USERS, &asked).await;
            let sent = house.received(US);
            let Some(sent) = sent.first() else { continue };
            let sent: Value = std::str::from_utf8(&sent.body).unwrap().parse().unwrap();
            let named = sent["query"].as_array().unwrap().iter().find(|one| one["fields"][0] == "id").unwrap();
            let named: BTreeSet<String> = serde_json::from_value(named["values"].clone()).unwrap();
            assert_eq!(named, here, "{person} {division}: {heard:?}");
            narrowed += usize::from(here.len() < sight.users.len());
        }
    }
    assert!(narrowed > 0, "somebody sees people of two divisions");
}
