use super::*;
use crate::directory::import::import;

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
