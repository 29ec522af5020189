//! Lists below one queue, person, group, role or division, through HTTP: walked to the end in pages of odd sizes, they are
//! what the directory file says that somebody may see, each entry once; below what is not his there is nothing.

use super::{
    house::{House, Plan, QUEUES, USERS},
    truth::Truth,
};
use crate::oracle::{generate::Dice, questions::Kind, semantics::Entitlement};
use bailiwick::sandbox::Disobedience;
use serde_json::Value;
use std::collections::BTreeSet;

const PEOPLE: [&str; 8] = ["sofia", "ana", "ines", "viola", "greg", "rita", "nils", "elsa"];

const QUEUE_RIGHTS: [&str; 2] = ["routing:queue:view", "telephony:queue:view"];
const USER_RIGHTS: [&str; 2] = ["directory:user:view", "user:profile:view"];

/// What the directory file says of one person's sight.
struct Sight<'a> {
    house: &'a House,
    truth: &'a Truth,
    person: &'a str,
    users: BTreeSet<String>,
    queues: BTreeSet<String>,
}

type Ids = BTreeSet<String>;

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

impl<'a> Sight<'a> {
    fn of(house: &'a House, truth: &'a Truth, person: &'a str) -> Self {
        let scope = |kind, rights: &[&str]| truth.scope_of_list(person, kind, rights);
        let (of_queues, of_users) =
            (scope(Kind::QueueObservations, &QUEUE_RIGHTS), scope(Kind::UserObservations, &USER_RIGHTS));
        let mut sight = Self { house, truth, person, users: Ids::new(), queues: Ids::new() };
        sight.users = sight.users_by(&of_users);
        let case = Truth::case(person, Kind::QueueObservations, &Value::Null);
        let alive = truth.directory.queues.iter().filter(|one| matches!(one.state.as_deref(), None | Some("active")));
        sight.queues = alive
            .filter(|one| case.queue_inside(&truth.directory, &of_queues, &one.id))
            .map(|one| one.id.clone())
            .collect();
        sight
    }

    fn users_by(&self, scope: &[Entitlement]) -> Ids {
        let case = Truth::case(self.person, Kind::UserObservations, &Value::Null);
        let directory = &self.truth.directory;
        let inside = directory.users.iter().filter(|one| case.user_inside(directory, scope, &one.id, false));
        inside.map(|one| one.id.clone()).collect()
    }

    fn file(&self, list: &str) -> &'a [Value] {
        self.house.directory[list].as_array().unwrap()
    }

    fn of_group(&self, id: &str) -> Ids {
        let listed = self.file("groups").iter().filter(|group| group["id"] == id);
        let listed = listed.flat_map(|group| texts(&group["members"]));
        let own = self.file("users").iter().filter(|user| texts(&user["groups"]).any(|group| group == id));
        listed.chain(own.filter_map(|user| user["id"].as_str())).map(str::to_owned).collect()
    }

    fn members(&self, queue: &Value) -> Ids {
        let through = texts(&queue["memberGroups"]).flat_map(|group| self.of_group(group));
        texts(&queue["members"]).map(str::to_owned).chain(through).collect()
    }

    fn active(&self, ids: &Ids) -> Ids {
        let active = self.file("users").iter().filter(|user| user["active"] != false);
        active.filter_map(|user| user["id"].as_str()).filter(|id| ids.contains(*id)).map(str::to_owned).collect()
    }

    /// Every entry of a list, page by page, by the field that names it.
    async fn walk(&self, path: &str, size: usize, named: &str) -> Result<Vec<String>, (u16, String, Value)> {
        let mut got = Vec::new();
        for number in 1.. {
            let heard = self.house.get(self.person, &format!("{path}?pageSize={size}&pageNumber={number}")).await;
            if heard.status != 200 {
                return Err(heard.refusal());
            }
            let answer = heard.json();
            assert_eq!((&answer["pageNumber"], &answer["pageSize"]), (&number.into(), &size.into()), "{path}");
            let page = answer["entities"].as_array().unwrap();
            assert!(page.len() <= size && number < 500, "{} {path}: {answer}", self.person);
            got.extend(page.iter().map(|one| one[named].as_str().unwrap().to_owned()));
            // where nobody is told how many there are, a link says that there are more
            let more = if let Some(total) = answer["total"].as_u64() {
                assert!(answer["nextUri"].is_null());
                assert_eq!(answer["pageCount"].as_u64().unwrap(), total.div_ceil(size as u64), "{path}");
                got.len() < usize::try_from(total).unwrap()
            } else {
                let next = answer["nextUri"].as_str();
                assert!(next.is_none_or(|next| next.starts_with(path)), "{answer}");
                next.is_some()
            };
            if !more {
                break;
            }
        }
        Ok(got)
    }

    /// The same for a list that goes by places.
    async fn follow(&self, path: &str, size: usize) -> Vec<String> {
        let mut got = Vec::new();
        let mut next = Some(format!("{path}?pageSize={size}"));
        while let Some(target) = next {
            let heard = self.house.get(self.person, &target).await;
            assert_eq!(heard.status, 200, "{} {target}: {heard:?}", self.person);
            let answer = heard.json();
            let page = answer["entities"].as_array().unwrap();
            assert!(page.len() <= size && got.len() < 1_000);
            got.extend(page.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
            next = answer["nextUri"].as_str().map(str::to_owned);
            assert!(next.as_deref().is_none_or(|next| next.starts_with(path)), "{answer}");
        }
        got
    }
}

/// Each of them once, and they are these.
fn assert_same(got: Vec<String>, due: &Ids, what: &str) {
    let many = got.len();
    let got: Ids = got.into_iter().collect();
    assert_eq!(got.len(), many, "{what}: some came twice");
    assert_eq!(got, *due, "{what}");
}

fn both(one: &Ids, other: &Ids) -> Ids {
    one.intersection(other).cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_queues_are_those_whom_one_sees_in_queues_that_one_sees() {
    let house = House::of(Plan { interactions: 100, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let mut dice = Dice::new(11);
    let (mut lists, mut entries, mut closed) = (0, 0, 0);
    for person in PEOPLE {
        let sight = Sight::of(&house, &truth, person);
        let invented = house.get(person, &format!("{QUEUES}/no-such-queue/members")).await;
        for queue in sight.file("queues") {
            let id = queue["id"].as_str().unwrap();
            for tail in ["members", "users"] {
                let path = format!("{QUEUES}/{id}/{tail}");
                match sight.walk(&path, 1 + dice.below(5), "id").await {
                    Ok(got) => {
                        assert!(sight.queues.contains(id), "{person} is shown {path}");
                        let due = both(&sight.members(queue), &sight.users);
                        entries += due.len();
                        assert_same(got, &due, &format!("{person} {path}"));
                        lists += 1;
                    }
                    Err(refusal) => {
                        let rightless = refusal.1 == "permission.missing" && sight.users.is_empty();
                        assert!(rightless || !sight.queues.contains(id), "{person} is due {path}: {refusal:?}");
                        // an archived queue of his own is no secret to him
                        let dead = queue["state"] != Value::Null && refusal.1 == "query.dead-queue";
                        assert!(dead || refusal == invented.refusal(), "{person} {path}: {refusal:?}");
                        closed += 1;
                    }
                }
            }
        }
    }
    println!("members: {lists} lists with {entries} entries, each once; {closed} queues that are not there");
    assert!(lists > 20 && entries > 100 && closed > 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_below_a_person_or_a_group_is_what_one_sees_of_it() {
    let house = House::of(Plan { interactions: 100, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let mut dice = Dice::new(12);
    let (mut queues, mut people, mut groups, mut closed) = (0, 0, 0, 0);
    for person in PEOPLE {
        let sight = Sight::of(&house, &truth, person);
        let invented = house.get(person, &format!("{USERS}/no-such-person/queues")).await;
        for user in sight.file("users").iter().step_by(11).chain(sight.file("users").iter().take(6)) {
            let id = user["id"].as_str().unwrap();
            let path = format!("{USERS}/{id}/queues");
            match sight.walk(&path, 1 + dice.below(3), "id").await {
                Ok(got) => {
                    assert!(sight.users.contains(id), "{person} is shown {path}");
                    let mine = sight.file("queues").iter().filter(|queue| sight.members(queue).contains(id));
                    let mine: Ids = mine.map(|queue| queue["id"].as_str().unwrap().to_owned()).collect();
                    let due = both(&mine, &sight.queues);
                    queues += due.len();
                    assert_same(got, &due, &format!("{person} {path}"));
                    assert_eq!(house.get(person, &format!("{USERS}/{id}")).await.status, 200, "{person} {id}");
                }
                Err(refusal) => {
                    assert_eq!(refusal, invented.refusal(), "{person} {path}");
                    let rightless = refusal.1 == "permission.missing";
                    assert!(rightless || !sight.users.contains(id), "{person} is due {path}");
                    closed += 1;
                }
            }
        }
        if sight.users.is_empty() {
            continue;
        }
        let ids = |heard: &super::house::Heard| -> Vec<String> {
            let rows = heard.json();
            rows.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
        };
        for id in sight.users.iter().take(5).chain([&"ana".to_owned()]) {
            let manager = sight.file("users").iter().find(|user| user["id"] == **id).unwrap()["manager"].as_str();
            let below = sight.file("users").iter().filter(|user| user["manager"] == **id);
            let below: Ids = below.map(|user| user["id"].as_str().unwrap().to_owned()).collect();
            let above: Ids = manager.map(str::to_owned).into_iter().collect();
            for (tail, due) in [("superiors", above), ("directreports", below)] {
                let heard = house.get(person, &format!("{USERS}/{id}/{tail}")).await;
                if sight.users.contains(id) {
                    let due = both(&due, &sight.users);
                    people += due.len();
                    assert_same(ids(&heard), &due, &format!("{person} {id} {tail}"));
                } else {
                    assert_eq!(heard.code(), "scope.outside", "{person} {id} {tail}");
                }
            }
        }
        let due = sight.file("groups").iter().map(|group| group["id"].as_str().unwrap().to_owned());
        let due: Ids = due.filter(|id| !both(&sight.of_group(id), &sight.users).is_empty()).collect();
        let got = sight.walk("/api/v2/groups", 1 + dice.below(3), "id").await.unwrap();
        assert_same(got, &due, &format!("groups of {person}"));
        let invented = house.get(person, "/api/v2/groups/no-such-group").await;
        for group in sight.file("groups") {
            let id = group["id"].as_str().unwrap();
            let heard = house.get(person, &format!("/api/v2/groups/{id}")).await;
            let members = sight.walk(&format!("/api/v2/groups/{id}/members"), 1 + dice.below(4), "id").await;
            let all = house.get(person, &format!("/api/v2/groups/{id}/individuals")).await;
            if due.contains(id) {
                let shown = heard.json();
                assert_eq!(shown["id"], id);
                assert!(shown["memberCount"].is_null() && shown["owners"].is_null() && shown["selfUri"].is_null());
                let due = both(&sight.of_group(id), &sight.users);
                groups += due.len();
                assert_same(members.unwrap(), &due, &format!("{person} {id}"));
                let all = all.json();
                assert!(all["total"].is_null() && all["nextUri"].is_null(), "{all}");
                assert_eq!(all["entities"].as_array().unwrap().len(), due.len(), "{person} {id}");
            } else {
                for refusal in [heard.refusal(), members.unwrap_err(), all.refusal()] {
                    assert_eq!(refusal, invented.refusal(), "{person} {id}");
                }
            }
        }
    }
    println!(
        "below people and groups: {queues} queues, {people} superiors and reports, {groups} members; {closed} people who are not there"
    );
    assert!(queues > 15 && people > 0 && groups > 60 && closed > 80);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_that_go_by_places_and_lists_of_everything_are_cut_to_what_is_visible() {
    let house = House::of(Plan { interactions: 100, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let mut dice = Dice::new(13);
    let mut entries = 0;
    for person in PEOPLE {
        let sight = Sight::of(&house, &truth, person);
        if !sight.users.is_empty() {
            let due = sight.active(&sight.users);
            entries += due.len();
            assert_same(sight.follow("/api/v2/users/query", 1 + dice.below(7)).await, &due, person);
        }
        if !sight.queues.is_empty() {
            for path in ["/api/v2/routing/queues/divisionviews/all", "/api/v2/routing/queues/divisionviews"] {
                let got = sight.walk(path, 1 + dice.below(4), "id").await.unwrap();
                assert_same(got, &sight.queues, &format!("{person} {path}"));
            }
        }
        let heard = house.get(person, "/api/v2/authorization/divisions?pageSize=100").await;
        if heard.status == 200 {
            let listed: Ids = heard.json()["entities"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["id"].as_str().unwrap().to_owned())
                .collect();
            assert_same(sight.follow("/api/v2/authorization/divisions/query", 1).await, &listed, person);
        }
    }
    let heard = house.get("sofia", "/api/v2/users/query?cursor=place%2B200").await;
    assert_eq!((heard.status, &*heard.code()), (400, "query.malformed"));
    println!("by places: {entries} people");
    assert!(entries > 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_holds_what_is_shown_of_visible_people_and_visible_divisions() {
    let house = House::of(Plan { interactions: 100, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let sight = Sight::of(&house, &truth, "nils");
    let scope = truth.scope_of_list("nils", Kind::UserObservations, &["authorization:grant:view"]);
    let visible = sight.users_by(&scope);
    let holds =
        |user: &&Value, role: &str| user["roles"].as_array().into_iter().flatten().any(|one| one["role"] == role);
    let mut rows = 0;
    for role in sight.file("roles").iter().map(|role| role["id"].as_str().unwrap()) {
        let holders = sight.file("users").iter().filter(|user| holds(user, role));
        let holders: Ids = holders.map(|user| user["id"].as_str().unwrap().to_owned()).collect();
        let due = both(&holders, &visible);
        rows += due.len();
        for tail in ["users", "subjectgrants"] {
            let path = format!("/api/v2/authorization/roles/{role}/{tail}");
            assert_same(sight.walk(&path, 3, "id").await.unwrap(), &due, &path);
        }
    }
    for division in sight.file("divisions").iter().map(|one| one["id"].as_str().unwrap()) {
        let path = format!("/api/v2/authorization/divisions/{division}/grants");
        let got = sight.walk(&path, 7, "subjectId").await;
        if division != "d-fraud-us" {
            assert!(got.is_err(), "{path}");
            continue;
        }
        let here = |user: &Value| {
            user["roles"].as_array().into_iter().flatten().filter(|one| one["division"] == division).count()
        };
        let due: usize =
            sight.file("users").iter().filter(|user| visible.contains(user["id"].as_str().unwrap())).map(here).sum();
        assert_eq!(got.unwrap().len(), due, "{path}");
        rows += due;
    }
    let heard = house.get("nils", "/api/v2/authorization/subjects/rita").await;
    assert_eq!(heard.json()["grants"][0]["role"]["id"], "r-supervisor", "{heard:?}");
    let invented = house.get("nils", "/api/v2/authorization/subjects/no-such-person").await;
    assert_eq!(house.get("nils", "/api/v2/authorization/subjects/ana").await.refusal(), invented.refusal());
    assert_eq!(house.get("nils", "/api/v2/users/rita/roles").await.json()["roles"][0]["id"], "r-supervisor");
    println!("holders: {rows} rows");
    assert!(rows > 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_caller_is_whoever_asks() {
    let house = House::of(Plan { interactions: 100, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    for person in ["sofia", "ana", "viola", "elsa"] {
        let sight = Sight::of(&house, &truth, person);
        let me = house.get(person, "/api/v2/users/me").await;
        assert_eq!((me.status, &me.json()["id"]), (200, &person.into()), "{me:?}");
        let mine = sight.file("queues").iter().filter(|queue| sight.members(queue).contains(person));
        let mine: Ids = mine.map(|queue| queue["id"].as_str().unwrap().to_owned()).collect();
        let got = sight.walk("/api/v2/routing/queues/me", 1, "id").await.unwrap();
        assert_same(got, &both(&mine, &sight.queues), person);
        let subject = house.get(person, "/api/v2/authorization/subjects/me").await.json();
        assert_eq!(subject["id"], person);
        assert!(!subject["grants"].as_array().unwrap().is_empty());
    }
    let heard = house.get("svc-acme", "/api/v2/users/me").await;
    assert_eq!((heard.status, &*heard.code()), (400, "not.a.user"));
    assert!(house.received(super::house::US).is_empty(), "nothing of this is the upstream's to say");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disobedient_upstream_shows_nobody_else_and_no_false_total() {
    let house = House::of(Plan { interactions: 100, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let changes: [fn(&mut Disobedience); 5] = [
        |faults| faults.foreign_rows = true,
        |faults| faults.other_region = true,
        |faults| faults.false_totals = true,
        |faults| faults.extra_fields = true,
        |faults| faults.ignore_filters = true,
    ];
    for (at, change) in changes.into_iter().enumerate() {
        house.sandbox.disobey(change);
        for person in ["sofia", "elsa"] {
            let sight = Sight::of(&house, &truth, person);
            for id in &sight.queues {
                let queue = sight.file("queues").iter().find(|queue| queue["id"] == **id).unwrap();
                let due = both(&sight.members(queue), &sight.users);
                let path = format!("{QUEUES}/{id}/users");
                let got = sight.walk(&path, 3, "id").await.unwrap_or_else(|why| panic!("{person} {path}: {why:?}"));
                let many = got.len();
                let got: Ids = got.into_iter().collect();
                assert_eq!(got.len(), many, "{path}: some came twice");
                assert!(got.is_superset(&due) && got.is_subset(&sight.users), "{at} {person} {path}: {got:?}");
            }
        }
        house.sandbox.disobey(|faults| *faults = Disobedience::default());
    }
}

/// A name that only somebody else in the queue has finds nothing, as an invented one does: nothing is told of who was found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_that_only_a_hidden_person_meets_finds_what_an_invented_one_finds() {
    // people of another division work in her queue
    let mut directory = bailiwick::sandbox::sample::directory();
    let users = directory["users"].as_array().unwrap().iter();
    let guests: Vec<Value> =
        users.filter(|user| user["division"] == "d-claims-us").take(8).map(|user| user["id"].clone()).collect();
    for queue in directory["queues"].as_array_mut().unwrap().iter_mut().filter(|queue| queue["id"] == "q-pay-cards") {
        queue["members"].as_array_mut().unwrap().extend(guests.iter().cloned());
    }
    let house = House::of(Plan { interactions: 100, directory, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let (mut hidden, mut shown) = (0, 0);
    for person in ["sofia", "elsa"] {
        let sight = Sight::of(&house, &truth, person);
        for queue in sight.file("queues").iter().filter(|queue| sight.queues.contains(queue["id"].as_str().unwrap())) {
            let path = format!("{QUEUES}/{}/members", queue["id"].as_str().unwrap());
            let by_name = async |name: &str| {
                let heard = house.get(person, &format!("{path}?name={}", name.replace(' ', "%20"))).await;
                let came = house.lines(heard.decision()).await.1.rows_in;
                (heard, came)
            };
            let (invented, none) = by_name("Nobody Has This Name").await;
            if invented.code() == "permission.missing" {
                continue;
            }
            assert_eq!((invented.status, none, invented.notices().len()), (200, 0, 0), "{person} {path}: {invented:?}");
            let members = sight.members(queue);
            let name = |user: &Value| user["name"].as_str().map(str::to_owned);
            let users = sight.file("users").iter().filter(|user| members.contains(user["id"].as_str().unwrap()));
            for user in users.filter(|user| name(user).is_some()).take(60) {
                let (id, name) = (user["id"].as_str().unwrap(), name(user).unwrap());
                let also = sight.file("users").iter().filter(|other| {
                    let other = (other["id"].as_str().unwrap(), other["name"].as_str().unwrap_or_default());
                    sight.users.contains(other.0) && members.contains(other.0) && other.1.contains(&name)
                });
                let (found, (heard, came)) = (also.count(), by_name(&name).await);
                assert!(came >= 1, "{path}: the upstream finds {name}");
                if sight.users.contains(id) {
                    assert_eq!(heard.json()["entities"].as_array().unwrap().len(), found, "{heard:?}");
                    shown += 1;
                } else if found == 0 {
                    assert_eq!((heard.status, heard.json(), heard.notices()), (200, invented.json(), vec![]), "{name}");
                    hidden += 1;
                }
            }
        }
    }
    println!("names of members: {hidden} of hidden people find nothing, {shown} of visible ones find them");
    assert!(hidden >= 5 && shown >= 5);
}

/// The upstream says 404 to an id that it does not know; the asker hears what he hears of anything that is not there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn below_what_does_not_exist_nothing_is_there() {
    let house = House::of(Plan { interactions: 100, ..Plan::default() }).await;
    for path in ["users", "subjectgrants"] {
        let heard = house.get("nils", &format!("/api/v2/authorization/roles/r-nope/{path}")).await;
        assert_eq!((heard.status, &*heard.code()), (404, "scope.outside"), "{path}");
        let heard = house.get("nils", &format!("/api/v2/authorization/roles/r-audit/{path}")).await;
        assert_eq!((heard.status, heard.notices()), (200, Vec::new()), "{path}: whether others hold it is not said");
    }
}
