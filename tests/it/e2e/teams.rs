//! Teams through HTTP: lists, reads, members and searches are those of divisions of which somebody sees everybody, each once,
//! and of the members those whom he sees.

use super::{
    house::{House, Plan},
    truth::Truth,
};
use crate::oracle::{generate::Dice, questions::Kind};
use bailiwick::sandbox::{Disobedience, sample};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const LIST: &str = "/api/v2/teams";
const SEARCH: &str = "/api/v2/teams/search";
/// Who reviews access, and of which divisions.
const REVIEWERS: [(&str, &[&str]); 4] = [
    ("nils", &["d-fraud-us"]),
    ("carl", &["d-claims-us"]),
    ("olga", &["d-sales-us", "d-service-us"]),
    // people of another firm see nothing by `all`
    ("bo", &["d-bpo-acme-voice"]),
];

/// The sample with teams in every division, whose members are of many, and more who review.
fn directory() -> Value {
    let mut directory = sample::directory();
    let ids = |directory: &Value, list: &str| -> Vec<Value> {
        directory[list].as_array().unwrap().iter().map(|one| one["id"].clone()).collect()
    };
    let (divisions, people) = (ids(&directory, "divisions"), ids(&directory, "users"));
    for (nth, division) in divisions.iter().enumerate() {
        for one in 0..3 {
            let members: Vec<&Value> = people.iter().skip(nth + one).step_by(11).collect();
            let name = format!("{} {nth}", ["Early", "Late", "Night"][one]);
            let team =
                json!({ "id": format!("t-{nth}-{one}"), "name": name, "division": division, "members": members });
            directory["teams"].as_array_mut().unwrap().push(team);
        }
    }
    for user in directory["users"].as_array_mut().unwrap() {
        let Some((_, divisions)) = REVIEWERS.iter().find(|(id, _)| user["id"] == *id && *id != "nils") else {
            continue;
        };
        let held = divisions.iter().map(|division| json!({ "role": "r-access-reviewer", "division": division }));
        user["roles"].as_array_mut().unwrap().extend(held);
    }
    directory
}

struct Sight<'a> {
    house: &'a House,
    person: &'a str,
    divisions: BTreeSet<&'a str>,
    users: BTreeSet<String>,
}

impl<'a> Sight<'a> {
    fn of(house: &'a House, truth: &Truth, person: &'a str) -> Self {
        let (_, divisions) = REVIEWERS.iter().find(|(id, _)| *id == person).unwrap();
        let own = |id: &&&str| !id.contains("bpo");
        let scope = truth.scope_of_list(person, Kind::UserObservations, &["directory:user:view", "user:profile:view"]);
        let case = Truth::case(person, Kind::UserObservations, &Value::Null);
        let users = truth.directory.users.iter();
        let users = users.filter(|one| case.user_inside(&truth.directory, &scope, &one.id, false));
        Self {
            house,
            person,
            divisions: divisions.iter().filter(own).copied().collect(),
            users: users.map(|one| one.id.clone()).collect(),
        }
    }

    fn teams(&self) -> impl Iterator<Item = &'a Value> {
        self.house.directory["teams"].as_array().unwrap().iter()
    }

    fn sees(&self, team: &Value) -> bool {
        self.divisions.contains(team["division"].as_str().unwrap())
    }

    fn due(&self, fits: impl Fn(&str) -> bool) -> BTreeSet<String> {
        let mine = self.teams().filter(|team| self.sees(team) && fits(team["name"].as_str().unwrap()));
        mine.map(|team| team["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Every entry of a list that goes by places.
    async fn follow(&self, path: &str, query: &str, size: usize) -> BTreeSet<String> {
        let (mut got, mut many) = (BTreeSet::new(), 0);
        let mut next = Some(format!("{path}?pageSize={size}{query}"));
        while let Some(target) = next {
            let heard = self.house.get(self.person, &target).await;
            assert_eq!(heard.status, 200, "{} {target}: {heard:?}", self.person);
            let answer = heard.json();
            let page = answer["entities"].as_array().unwrap();
            assert!(page.len() <= size && page.iter().all(|row| row.get("memberCount").is_none()), "{answer}");
            many += page.len();
            got.extend(page.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
            assert_eq!(got.len(), many, "{target}: some came twice");
            next = answer["nextUri"].as_str().map(str::to_owned);
            assert!(next.as_deref().is_none_or(|next| next.starts_with(path)) && many < 500, "{answer}");
        }
        got
    }

    /// Every page of a search.
    async fn search(&self, query: &Value, size: usize) -> BTreeSet<String> {
        let mut got = Vec::new();
        for number in 1.. {
            let asked = json!({ "query": query, "pageSize": size, "pageNumber": number });
            let heard = self.house.post(self.person, SEARCH, &asked).await;
            assert_eq!(heard.status, 200, "{} {asked}: {heard:?}", self.person);
            assert!(heard.notices().is_empty(), "{heard:?}");
            let answer = heard.json();
            let page = answer["results"].as_array().unwrap();
            assert!(page.len() <= size && page.iter().all(|row| row.get("memberCount").is_none()), "{answer}");
            got.extend(page.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
            let total = usize::try_from(answer["total"].as_u64().unwrap()).unwrap();
            assert_eq!(answer["pageCount"], total.div_ceil(size), "{answer}");
            if number * size >= total {
                assert_eq!(got.len(), total, "{query}");
                break;
            }
        }
        let once: BTreeSet<String> = got.iter().cloned().collect();
        assert_eq!(once.len(), got.len(), "{query}: some came twice");
        once
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn teams_and_their_members_are_those_that_are_seen_each_once() {
    let house = House::of(Plan { interactions: 50, directory: directory(), ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let mut dice = Dice::new(41);
    let (mut teams, mut members, mut closed) = (0, 0, 0);
    for (person, _) in REVIEWERS {
        let sight = Sight::of(&house, &truth, person);
        if sight.divisions.is_empty() {
            assert_eq!(house.get(person, LIST).await.code(), "scope.empty", "{person}");
            assert_eq!(house.post(person, SEARCH, &json!({})).await.code(), "scope.empty", "{person}");
            continue;
        }
        let size = 1 + dice.below(3);
        assert_eq!(sight.follow(LIST, "", size).await, sight.due(|_| true), "{person}");
        assert_eq!(
            sight.follow(LIST, "&name=night", size).await,
            sight.due(|name| name.starts_with("Night")),
            "{person}"
        );
        let criterion = |kind: &str, value: &str| json!([{ "type": kind, "fields": ["name"], "value": value }]);
        assert_eq!(sight.search(&json!([]), size).await, sight.due(|_| true), "{person}");
        let late = sight.search(&criterion("STARTS_WITH", "la"), size).await;
        assert_eq!(late, sight.due(|name| name.starts_with("Late")), "{person}");
        // what only hidden teams are called finds what nobody is called
        let mut names = sight.teams().filter(|team| !sight.sees(team)).map(|team| team["name"].as_str().unwrap());
        let hidden = names.find(|name| sight.due(|own| own == *name).is_empty()).unwrap();
        for name in [hidden, "No such team"] {
            assert!(sight.search(&criterion("EXACT", name), size).await.is_empty(), "{person} {name}");
        }
        let invented = house.get(person, "/api/v2/teams/no-such-team").await;
        for team in sight.teams() {
            let path = format!("{LIST}/{}", team["id"].as_str().unwrap());
            let heard = house.get(person, &path).await;
            if !sight.sees(team) {
                assert_eq!(heard.refusal(), invented.refusal(), "{person} {path}");
                assert_eq!(house.get(person, &format!("{path}/members")).await.refusal(), invented.refusal());
                closed += 1;
                continue;
            }
            let shown = heard.json();
            assert_eq!((&shown["id"], &shown["division"]["id"]), (&team["id"], &team["division"]), "{person} {path}");
            assert!(shown["memberCount"].is_null() && shown["selfUri"].is_null(), "{shown}");
            let all: BTreeSet<String> =
                team["members"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect();
            let due: BTreeSet<String> = all.intersection(&sight.users).cloned().collect();
            members += due.len();
            assert_eq!(sight.follow(&format!("{path}/members"), "", 2).await, due, "{person} {path}");
            teams += 1;
        }
    }
    println!("teams: {teams} with {members} visible members, each once; {closed} that are not there");
    assert!(teams >= 12 && members > 12 && closed > 60, "{teams} {members} {closed}");
    assert_eq!(house.get("ana", LIST).await.code(), "permission.missing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disobedient_upstream_shows_no_other_team() {
    let house = House::of(Plan { interactions: 50, directory: directory(), ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let changes: [fn(&mut Disobedience); 5] = [
        |faults| faults.foreign_rows = true,
        |faults| faults.other_region = true,
        |faults| faults.false_totals = true,
        |faults| faults.extra_fields = true,
        |faults| faults.ignore_filters = true,
    ];
    for change in changes {
        house.sandbox.disobey(change);
        for person in ["nils", "olga"] {
            let sight = Sight::of(&house, &truth, person);
            let (all, late) = (sight.due(|_| true), sight.due(|name| name.starts_with("Late")));
            assert_eq!(sight.follow(LIST, "", 2).await, all, "{person}");
            let query = json!([{ "type": "STARTS_WITH", "fields": ["name", "description"], "value": "Late" }]);
            let found = sight.search(&query, 2).await;
            assert!(found.is_subset(&all) && found.is_superset(&late), "{person} {found:?}");
        }
        house.sandbox.disobey(|faults| *faults = Disobedience::default());
    }
}
