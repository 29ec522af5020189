//! Roles that a token names: of those that the directory gives, and nothing beside.

use super::{
    house::{AGGREGATES, House, Plan, US, WEEK, token},
    tokens::Issuer,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn question() -> String {
    json!({ "interval": WEEK, "groupBy": ["queueId"], "metrics": ["nOffered"] }).to_string()
}

async fn ask(house: &House, bearer: &str) -> (u16, Value) {
    let heard = house.try_ask(bearer, &format!("POST {AGGREGATES}"), &question()).await.unwrap();
    let mut body = heard.json();
    if heard.status != 200 {
        body = body["code"].clone();
    }
    (heard.status, body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_counts_when_the_directory_gives_it_and_the_token_names_it() {
    let (issuer, keys) = (Issuer::new(), tempfile::tempdir().unwrap());
    let mut directory = Plan::default().directory;
    let roles = directory["roles"].as_array_mut().unwrap();
    let permissions =
        ["routing:queue:view", "directory:user:view"].map(|name| json!({ "permission": name, "scope": "all" }));
    roles.push(json!({ "id": "r-lists", "name": "Lists", "permissions": permissions }));
    let users = directory["users"].as_array_mut().unwrap();
    let sofia = users.iter_mut().find(|user| user["id"] == "sofia").unwrap();
    let held: BTreeSet<String> =
        sofia["roles"].as_array().unwrap().iter().map(|held| held["role"].as_str().unwrap().to_owned()).collect();
    let lists = json!({ "role": "r-lists", "division": sofia["division"] });
    sofia["roles"].as_array_mut().unwrap().push(lists);
    let more = format!("{}\nrole-claim = \"/realm/roles\"\n", issuer.section(keys.path()).trim_end());
    let house = House::of(Plan { more, directory, ..Plan::default() }).await;
    let of = |roles: Value| issuer.token_with("sofia", -60, 3_600, &json!({ "realm": { "roles": roles } }));

    let due = ask(&house, &token("sofia")).await;
    assert_eq!(due.0, 200);
    assert!(!due.1["results"].as_array().unwrap().is_empty());
    let nothing = (403, json!("permission.missing"));
    let name = |id: &str| {
        let role = house.directory["roles"].as_array().unwrap().iter().find(|role| role["id"] == id).unwrap();
        role["name"].clone()
    };
    let names: Vec<Value> = held.iter().map(|id| name(id)).collect();
    let all = ask(&house, &of(json!(held))).await;
    assert_eq!(all, due, "all that she holds but one, which is for lists");
    house.received(US);
    // one after the other, so that each finds what was remembered for those before
    for (roles, expected) in [
        (json!(names), &due),
        (json!([]), &nothing),
        (json!(held), &due),
        (json!(["r-lists"]), &nothing),
        (json!("Lists"), &nothing),
        (json!(["no-such-role", "Owner"]), &nothing),
        (json!(held), &due),
    ] {
        assert_eq!(ask(&house, &of(roles.clone())).await, *expected, "{roles}");
        let sent = house.received(US).iter().filter(|one| one.target == AGGREGATES).count();
        assert_eq!(sent, usize::from(expected.0 == 200), "{roles}");
    }
    let no_roles = (403, json!("identity.no-roles"));
    assert_eq!(ask(&house, &issuer.token("sofia", -60, 3_600)).await, no_roles);
    assert_eq!(ask(&house, &of(json!([7]))).await, no_roles);
    // what is said of her roles is what counts
    let grants = house.try_ask(&of(json!(["Lists"])), "GET /api/v2/authorization/subjects/me", "").await.unwrap();
    let grants: Vec<Value> =
        grants.json()["grants"].as_array().unwrap().iter().map(|grant| grant["role"]["id"].clone()).collect();
    assert_eq!(grants, [json!("r-lists")]);
}
