use super::*;
use crate::{
    directory::import::import,
    model::org::{PermissionScope, Read},
};

fn inputs(texts: &[(&str, &str)]) -> Vec<(String, String)> {
    texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

const BASE: &str = r#"{"regions": [{"id": "us", "upstream": "https://us.example.com"}],
  "queues": [{"id": "q-1", "division": "d-a"}]}"#;
const DIVISIONS: &str =
    r#"[{"divisionId": "d-us", "region": "us"}, {"divisionId": "d-a", "parentDivisionId": "d-us", "name": "A"}]"#;
const ROLES: &str = r#"{"entities": [{"name": "Agent", "rolePermissions": [{"id": "1", "permission": "routing:queue:view", "scope": "assigned"}]}]}"#;
const USER: &str = r#"{"name": {"firstName": "Ada", "lastName": "Low"}, "email": "ada@example.com", "bpoUser": false,
  "userRoles": [{"roleId": "Agent", "divisionId": "d-a"}], "region": "us", "groups": []}"#;
const SCIM: &str = r#"{"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "Resources": [
  {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "u-1", "userName": "ada@example.com", "active": true,
   "emails": [{"value": "ada@example.com", "primary": true}],
   "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"division": "d-a"},
   "urn:example:bpo:2.0:User": {"bpoUser": "true"}},
  {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "u-2", "userName": "bob@example.com", "active": false,
   "name": {"givenName": "Bob", "familyName": "Ray"},
   "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"division": "d-a", "manager": {"value": "u-1"}}}]}"#;

#[test]
fn payloads_become_a_file_that_loads() {
    let owners = "queue_id;owner\nq-1;bob@example.com\nq-1;u-1\n";
    let file = import(inputs(&[
        ("a.json", BASE),
        ("d.json", DIVISIONS),
        ("r.json", ROLES),
        ("u.json", USER),
        ("s.json", SCIM),
        ("owners.csv", owners),
    ]))
    .unwrap();
    let text = serde_json::to_string_pretty(&file).unwrap();
    let org = org(&text);
    let ada = org.user(user(&org, "u-1"));
    assert_eq!((&*ada.name, ada.bpo, ada.assignments.len()), ("Ada Low", true, 1));
    let bob = org.user(user(&org, "u-2"));
    assert_eq!((&*bob.name, bob.active, bob.manager), ("Bob Ray", false, Some(user(&org, "u-1"))));
    assert_eq!(&*org.region(bob.region).id, "us");
    assert_eq!(names(&org, &org.queue(queue(&org, "q-1")).owners), ["u-1", "u-2"]);
}

#[test]
fn problems_of_all_inputs_name_their_lines() {
    let all = import(inputs(&[
        ("a.json", r#"{"name": "R", "allowedPermissions": ["a:b:c"]}"#),
        ("b.json", "[\n {\"what\": 1}]"),
        ("c.json", "{"),
        ("s.json", "{\"schemas\": [], \"id\": \"u\",\n \"urn:x\": {\"bpoUser\": 7}}"),
        ("o.csv", "queueId,ownerId\nq-1,nobody\nq-1\n"),
        ("p.csv", "a,b\n"),
    ]))
    .unwrap_err();
    let told: Vec<(&str, usize)> = all.iter().map(|problem| (&*problem.file, problem.line)).collect();
    assert_eq!(
        told,
        [("a.json", 1), ("b.json", 2), ("c.json", 1), ("s.json", 2), ("o.csv", 2), ("o.csv", 3), ("p.csv", 1)]
    );
    assert!(all[0].to_string().contains("has no scope"));
}

#[test]
fn two_payloads_of_one_account_are_not_united() {
    let file = import(inputs(&[
        ("a.json", BASE),
        ("d.json", DIVISIONS),
        ("r.json", ROLES),
        ("u.json", USER),
        ("v.json", USER),
    ]))
    .unwrap();
    let text = serde_json::to_string_pretty(&file).unwrap();
    assert!(told(&problems(&text)).contains("defined twice"));
}

/// Each form by its own names, one payload alone beside regions, divisions and a queue.
#[test]
fn every_payload_form_of_the_guides_is_taken() {
    let load = |more: &[(&str, &str)]| {
        let given: Vec<_> = [("a.json", BASE), ("d.json", DIVISIONS)].into_iter().chain(more.iter().copied()).collect();
        let file = import(inputs(&given)).unwrap_or_else(|problems| panic!("{}", told(&problems)));
        org(&serde_json::to_string(&file).unwrap())
    };
    let of_role = r#"{"name": "Operator", "description": "Watches queues", "divisionId": "d-a", "isSystem": false,
        "allowedPermissions": [{"permission": "routing:queue:view", "scope": "assigned"}]}"#;
    let of_user = r#"{"name": {"firstName": "Ada", "lastName": "Low"}, "email": "ada@example.com", "divisionId": "d-a",
        "bpoUser": true, "userRoles": ["Operator"], "region": "us", "groups": []}"#;
    let guides = load(&[("r.json", of_role), ("u.json", of_user)]);
    let ada = guides.user(user(&guides, "ada@example.com"));
    let held = &ada.assignments[0];
    assert_eq!((&*guides.role(held.role).name, &*guides.division(held.division).id), ("Operator", "d-a"));
    assert_eq!(guides.role(held.role).permissions[0].scope, PermissionScope::Assigned { team: false });
    assert!(ada.bpo && &*ada.name == "Ada Low" && ada.groups.is_empty());

    let lines = load(&[("r.json", ROLES)]);
    assert_eq!(&*lines.roles[0].permissions[0].name, "routing:queue:view");
    let system = of_role.replace("\"isSystem\": false", "\"isSystem\": true");
    let file = import(inputs(&[("a.json", BASE), ("d.json", DIVISIONS), ("r.json", &system)])).unwrap();
    assert!(told(&problems(&serde_json::to_string(&file).unwrap())).contains("is a system role"));
    let without = of_role.replace(r#", "scope": "assigned""#, "");
    assert!(told(&import(inputs(&[("r.json", &without)])).unwrap_err()).contains("`scope` is missing"));

    let tree = load(&[]);
    let leaf = tree.division(*tree.index.divisions.get("d-a").unwrap());
    assert_eq!((leaf.parent, &*leaf.name), (tree.index.divisions.get("d-us").copied(), "A"));
    let scim = load(&[("s.json", SCIM)]);
    assert!(scim.user(user(&scim, "u-1")).bpo && !scim.user(user(&scim, "u-2")).bpo);
    let owned = load(&[("s.json", SCIM), ("o.csv", "Queue ID,Owner Email\nq-1,ada@example.com\n")]);
    assert_eq!(names(&owned, &owned.queue(queue(&owned, "q-1")).owners), ["u-1"]);
}

/// Names have no case in SCIM: a flag that is spelt otherwise counts, and one where nobody would look is a problem.
#[test]
fn the_outsourcers_flag_is_found_however_it_is_spelt() {
    let read = |member: &str| {
        let user = format!(
            r#"{{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "u-1", "userName": "ada@example.com",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {{"division": "d-a"}}, {member}}}"#
        );
        import(inputs(&[("a.json", BASE), ("d.json", DIVISIONS), ("s.json", &user)])).map(|file| {
            let user = file.users.iter().find(|user| user.id == "u-1").unwrap();
            (user.bpo, user.active)
        })
    };
    for flag in [
        r#""urn:y:2.0:User": {"bpoUser": true}"#,
        r#""urn:y:2.0:User": {"BPOUser": true}"#,
        r#""urn:y:2.0:User": {"bpouser": "True"}"#,
        r#""URN:Y:2.0:User": {"bpoUser": true}"#,
        r#""urn:y:2.0:User:bpoUser": true"#,
    ] {
        assert_eq!(read(flag).unwrap_or_else(|why| panic!("{flag}: {}", told(&why))), (true, true), "{flag}");
    }
    for wrong in [r#""bpoUser": true"#, r#""name": {"bpoUser": true}"#, r#""urn:y:2.0:User": {"bpoUser": 7}"#] {
        assert!(told(&read(wrong).expect_err(wrong)).contains("bpoUser"), "{wrong}");
    }
    assert_eq!(read(r#""Active": false"#).unwrap(), (false, false));
    for odd in ["0", "null", "\"no\"", "\"inactive\"", "[]"] {
        let why = told(&read(&format!(r#""active": {odd}"#)).expect_err(odd));
        assert!(why.contains("`active` is neither true nor false"), "{odd}: {why}");
    }
}

#[test]
fn permission_objects_come_along() {
    let lists =
        r#"{"groups": [{"id": "g", "region": "us"}], "permissionObjects": [{"name": "ges_q-1", "readList": ["g"]}]}"#;
    let file = import(inputs(&[("a.json", BASE), ("d.json", DIVISIONS), ("p.json", lists)])).unwrap();
    let org = org(&serde_json::to_string(&file).unwrap());
    let reads = Read::Groups(Set::one(*org.index.groups.get("g").unwrap()));
    assert_eq!(org.queue(queue(&org, "q-1")).read, reads);
}
