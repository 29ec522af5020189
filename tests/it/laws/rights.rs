//! Rights at their source: which of them open which kind of data, and which open nothing.

use super::{guard::organisation, named, program};
use crate::oracle::{generate::MONDAY, lists::List, questions::Kind};
use bailiwick::{
    decision,
    model::{
        contract::Data,
        entitlement::{Action, Scope},
        operation::{Operation, Rules},
        org::{Grant, GrantResource, ObjectKind, Org},
        refusal::{Code, Refusal},
        set::Set,
        world::{Policy, RoleConflict, World},
    },
    policy::extent::Extent,
};
use serde_json::json;
use std::sync::Arc;

const NOW: i64 = MONDAY + 3 * 86_400;

fn scope(org: Org, person: &str, kind: Kind) -> Result<Scope, Code> {
    program::scope(&program::world(&Arc::new(org)), person, kind, NOW).map_err(|refusal| refusal.code)
}

#[test]
fn a_grant_opens_the_kinds_of_data_that_it_speaks_of() {
    let organisation = organisation();
    let org = &*organisation.world.org;
    let (queue, user) = (org.index.queues["cards"], org.index.users["ana"]);
    let case = |conversations| GrantResource::Conversations { kind: ObjectKind::Case, id: "k".into(), conversations };
    let kinds = [Kind::Aggregates, Kind::QueueObservations, Kind::UserAggregates];
    for (resource, due) in [
        (GrantResource::Queue(queue), [true, true, false]),
        (GrantResource::Queue(org.index.queues["eu-cards"]), [false; 3]),
        (GrantResource::Division(org.index.divisions["pay"]), [true; 3]),
        (GrantResource::Division(org.index.divisions["root"]), [false; 3]),
        (GrantResource::Division(org.index.divisions["europe"]), [false; 3]),
        (GrantResource::User(user), [true, false, true]),
        (GrantResource::User(org.index.users["eva"]), [false; 3]),
        (GrantResource::Conversation("c".into()), [true, false, false]),
        (case(vec!["c".into()]), [true, false, false]),
    ] {
        for (kind, due) in kinds.into_iter().zip(due) {
            let mut org = org.clone();
            let beneficiary = org.index.users["carl"];
            let (from, until) = (program::at(NOW - 1), program::at(NOW + 1));
            let (resources, actions) = (vec![resource.clone()], vec![Action::View]);
            org.grants = vec![Grant { id: "g".into(), beneficiary, resources, actions, data: None, from, until }];
            org.index.grants.insert(beneficiary, vec![0]);
            match scope(org, "carl", kind) {
                Ok(scope) => assert_eq!((scope.entitlements.len(), due), (1, true), "{resource:?} {kind:?}"),
                Err(code) => assert_eq!((code, due), (Code::PermissionMissing, false), "{resource:?} {kind:?}"),
            }
        }
    }
}

#[test]
fn rights_to_thousands_of_people_are_read_together() {
    let mut file = named::file();
    let users = file["users"].as_array_mut().unwrap();
    users.extend((0..4_000).map(|at| json!({ "id": format!("p-{at}"), "division": "claims", "region": "us-east-1" })));
    let queues = file["queues"].as_array_mut().unwrap();
    queues.extend((0..3_000).map(|at| json!({ "id": format!("many-{at}"), "division": "claims", "members": [] })));
    let grants = (0..4_000).map(|at| json!({ "id": format!("g-{at}"), "beneficiary": "carl", "actions": ["view"],
        "resources": [{ "kind": "user", "id": format!("p-{at}") }], "from": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z" }));
    file["grants"] = grants.collect();
    let org = program::org(&file.to_string()).unwrap();
    let world = program::world(&org);
    let scope = program::scope(&world, "carl", Kind::Aggregates, NOW).unwrap();
    assert_eq!(scope.entitlements.len(), 4_000);
    let extent = Extent::of(&org, Data::Interaction, &scope.entitlements, false);
    let [(queues, users)] = extent.boxes.as_slice() else { panic!("{} boxes", extent.boxes.len()) };
    assert_eq!((users.len(), extent.lone.len(), extent.all.len()), (4_000, 4_000, 0));
    assert!(queues.len() >= 3_000);
}

/// `role-conflict = "refuse"`: two roles that both hold analytics permissions close analytics, and nothing else.
#[test]
fn conflicting_roles_close_analytics() {
    let mut file = named::file();
    let lists = json!([{ "permission": "routing:queue:view", "scope": "all" }]);
    file["roles"].as_array_mut().unwrap().push(json!({ "id": "lists", "permissions": lists }));
    for user in file["users"].as_array_mut().unwrap() {
        if ["vera", "sofia"].contains(&user["id"].as_str().unwrap()) {
            user["roles"].as_array_mut().unwrap().push(json!({ "role": "lists", "division": "pay" }));
        }
    }
    let org = program::org(&file.to_string()).unwrap();
    let of = |person: &str, role_conflict: RoleConflict, operation: &Operation| {
        let rules = Rules { policy: Policy { role_conflict, ..Policy::default() }, ..Rules::clone(program::rules()) };
        let world = World { rules: Arc::new(rules), ..program::world(&org) };
        decision::scope(&world, program::principal(&org, person), operation, program::at(NOW)).map_err(|told| told.code)
    };
    let (totals, queues) = (program::operation(Kind::Aggregates), program::list_of(List::Queues));
    // Two roles; one role and a list; one role in two divisions.
    for (person, conflicts) in [("vera", true), ("sofia", false), ("dora", false)] {
        let refused = of(person, RoleConflict::Refuse, totals).err();
        assert_eq!(refused, conflicts.then_some(Code::RoleConflict), "{person}");
        assert!(of(person, RoleConflict::Separate, totals).is_ok(), "{person}");
    }
    assert!(of("vera", RoleConflict::Refuse, queues).is_ok());
}

/// Who needs two permissions has what both give, pair by pair, and nothing of one alone.
mod two_permissions {
    use super::*;
    use bailiwick::model::{entitlement::Entitlement, set::Dim};
    use serde_json::Value;
    use std::collections::BTreeSet;

    const ONE: &str = "analytics:dataExport:add";
    const OTHER: &str = "analytics:conversationAggregate:view";

    /// Somebody in `pay` who holds each permission by these scope words in these divisions, and what an export opens to him.
    fn opened(one: &[(Value, &str)], other: &[(Value, &str)]) -> Result<(Arc<Org>, Scope), Refusal> {
        let mut file = named::file();
        let mut held = Vec::new();
        for (permission, words) in [(ONE, one), (OTHER, other)] {
            for (nth, (word, division)) in words.iter().enumerate() {
                let mut right = word.clone();
                right["permission"] = json!(permission);
                let id = format!("{permission}-{nth}");
                file["roles"].as_array_mut().unwrap().push(json!({ "id": id, "permissions": [right] }));
                held.push(json!({ "role": id, "division": division }));
            }
        }
        let views =
            [("named", json!(["fraud", "cards"]), json!("any")), ("people", json!("any"), json!(["ana", "max"]))];
        for (id, queues, users) in views {
            file["views"].as_array_mut().unwrap().push(json!({ "id": id, "queues": queues, "users": users }));
        }
        let queues = file["queues"].as_array_mut().unwrap();
        queues.iter_mut().find(|queue| queue["id"] == "loans").unwrap()["members"] = json!(["max"]);
        let max = json!({ "id": "max", "division": "pay", "region": "us-east-1", "roles": held });
        file["users"].as_array_mut().unwrap().push(max);
        let org = program::org(&file.to_string()).unwrap();
        let world = program::world(&org);
        let path = ["api", "v2", "analytics", "reporting", "exports"];
        let (operation, _) = program::rules().find(bailiwick::model::contract::Method::Post, &path).unwrap();
        let scope = decision::scope(&world, program::principal(&org, "max"), operation, program::at(NOW));
        scope.map(|scope| (org, scope))
    }

    fn all() -> Value {
        json!({ "scope": "all" })
    }

    fn own() -> Value {
        json!({ "scope": "self" })
    }

    fn team() -> Value {
        json!({ "scope": "assigned", "team": true })
    }

    fn view(id: &str) -> Value {
        json!({ "scope": "view", "view": id })
    }

    /// Each entitlement as (divisions, queues, agents); `*` is every one.
    fn said(org: &Org, scope: &Scope) -> BTreeSet<[String; 3]> {
        let of =
            |names: Vec<&str>| names.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ");
        let one = |right: &Entitlement| {
            let queues = match &right.queues {
                Dim::Any => "*".to_owned(),
                Dim::Only(list) => of(list.iter().map(|ix| &*org.queue(*ix).id).collect()),
            };
            let users = match &right.users {
                Dim::Any => "*".to_owned(),
                Dim::Only(list) => of(list.iter().map(|ix| &*org.user(*ix).id).collect()),
            };
            let divisions = match &right.divisions {
                Dim::Any => "*".to_owned(),
                Dim::Only(list) => of(list.iter().map(|ix| &*org.division(*ix).id).collect()),
            };
            [divisions, queues, users]
        };
        scope.entitlements.iter().map(one).collect()
    }

    #[test]
    fn what_both_give_is_given_pair_by_pair() {
        type Held = Vec<(Value, &'static str)>;
        let cases: Vec<(Held, Held, Vec<[&str; 3]>)> = vec![
            (vec![(all(), "pay")], vec![(all(), "pay")], vec![["pay", "*", "*"]]),
            (vec![(all(), "pay")], vec![(own(), "pay")], vec![["pay", "*", "max"]]),
            (vec![(all(), "pay")], vec![(team(), "pay")], vec![["pay", "loans", "*"]]),
            // one bounds the queues, and the other the agents
            (vec![(own(), "pay")], vec![(team(), "pay")], vec![["pay", "loans", "max"]]),
            (vec![(view("people"), "pay")], vec![(team(), "pay")], vec![["pay", "loans", "ana max"]]),
            // two lists of queues, or of agents, that share nothing
            (vec![(view("named"), "pay")], vec![(team(), "pay")], vec![]),
            (vec![(all(), "pay")], vec![(all(), "claims")], vec![]),
            // a restricted queue is open to who names it by both: everything names nothing
            (vec![(view("named"), "pay")], vec![(view("named"), "pay")], vec![["pay", "cards fraud", "*"]]),
            (vec![(view("named"), "pay")], vec![(all(), "pay")], vec![["pay", "cards", "*"]]),
            (vec![(all(), "pay")], vec![(view("named"), "pay")], vec![["pay", "cards", "*"]]),
            // pairs are not mixed: the wide right of one stands in another division than the wide right of the other
            (
                vec![(all(), "pay"), (own(), "claims")],
                vec![(own(), "pay"), (all(), "claims")],
                vec![["claims", "*", "max"], ["pay", "*", "max"]],
            ),
            (
                vec![(view("named"), "pay"), (own(), "pay")],
                vec![(view("people"), "pay")],
                vec![["pay", "cards", "ana max"], ["pay", "*", "max"]],
            ),
        ];
        for (one, other, due) in cases {
            let (org, scope) = opened(&one, &other).unwrap_or_else(|why| panic!("{one:?} {other:?}: {why:?}"));
            let due: BTreeSet<_> = due.into_iter().map(|right| right.map(str::to_owned)).collect();
            assert_eq!(said(&org, &scope), due, "{one:?} and {other:?}");
            // it does not matter which of them gives what
            let (org, scope) = opened(&other, &one).unwrap();
            assert_eq!(said(&org, &scope), due, "{other:?} and {one:?}");
        }
    }

    #[test]
    fn one_of_two_permissions_is_none_and_parents_of_both_are_told() {
        for refused in [opened(&[(all(), "pay")], &[]), opened(&[], &[(all(), "pay")])] {
            let refusal = refused.unwrap_err();
            assert_eq!(refusal.code, Code::PermissionMissing);
            // for programs the bare strings, for people a sentence
            assert_eq!(refusal.params, [("permission", format!("{ONE},{OTHER}"))]);
            assert!(refusal.message.contains(&format!("`{ONE}` and `{OTHER}`")), "{}", refusal.message);
        }
        let (org, scope) = opened(&[(all(), "us")], &[(all(), "pay")]).unwrap();
        assert!(scope.entitlements.is_empty());
        assert_eq!(scope.inert.iter().map(|ix| &*org.division(*ix).id).collect::<Vec<_>>(), ["us"]);
        let (_, scope) = opened(&[(all(), "pay")], &[(all(), "us"), (all(), "pay")]).unwrap();
        assert_eq!((scope.entitlements.len(), scope.inert.len()), (1, 1));
    }
}

#[test]
fn who_is_not_active_has_no_right() {
    let mut org = Org::clone(&organisation().world.org);
    assert_eq!(scope(org.clone(), "cora", Kind::Aggregates).unwrap().entitlements.len(), 1);
    let cora = org.index.users["cora"].index();
    org.users[cora].active = false;
    assert!(scope(org, "cora", Kind::Aggregates).unwrap().entitlements.is_empty());
}

#[test]
fn a_right_to_nothing_is_no_right() {
    let mut org = Org::clone(&organisation().world.org);
    assert_eq!(scope(org.clone(), "sofia", Kind::Aggregates).unwrap().entitlements.len(), 1);
    let sofia = org.index.users["sofia"].index();
    org.users[sofia].queues = Set::new();
    assert!(scope(org, "sofia", Kind::Aggregates).unwrap().entitlements.is_empty());
}
