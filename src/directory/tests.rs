use super::*;

fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

#[test]
fn t0() {
    println!("{}", serde_json::to_string_pretty(&schema()).unwrap());
    let text = r#"{
 "version": "a",
 "regions": [{"id": "us", "upstream": "http://127.0.0.1:0"}],
 "divisions": [
   {"id": "d-us", "region": "us"},
   {"id": "d-a", "region": "us", "parent": "d-us", "regoin": 1},
   {"id": "d-b", "region": "us", "parent": "d-uss", "parent": null}
 ],
 "users": [ {"name": {"firstName": "A", "lastName": "B"}, "email": "a@b.c", "region": "us", "userRoles": ["r"], "bpoUser": "yes" } ],
 "roles": [ {"name": "r", "description": "x", "divisionId": "d-a", "allowedPermissions": ["a:b:c"], "isSystem": false} ],
 "views": [ {"id": "v", "queues": "eny", "users": "any"} ]
}"#;
    let problems = load(text, "directory.json", now()).unwrap_err();
    for problem in problems {
        println!("{problem}\n{}\n", problem.report());
    }
    let good = text.replace(", \"regoin\": 1", "").replace(", \"parent\": null", "").replace("\"yes\"", "true").replace("eny", "any").replace("\"a:b:c\"", "{\"permission\": \"a:b:c\", \"scope\":\"all\"}");
    let problems = load(&good, "directory.json", now()).unwrap_err();
    for problem in problems {
        println!("{problem}\n{}\n", problem.report());
    }
}

#[test]
fn sample() {
    let text = std::fs::read_to_string("rules/sample/directory.json").unwrap();
    match load(&text, "rules/sample/directory.json", now()) {
        Ok(org) => org.findings.iter().for_each(|finding| println!("{finding:?}")),
        Err(problems) => problems.iter().for_each(|problem| println!("{}", problem.report())),
    }
}
