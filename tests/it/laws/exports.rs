//! Exports: lists of queues and agents say exactly what is visible of the question, or it is refused; the second reader
//! refuses lists that say more, whoever wrote them.

use super::{
    case::{Organisation, Stock},
    program,
};
use crate::oracle::{
    data::{Leg, seconds},
    semantics::{Data, Entitlement, Right},
};
use bailiwick::{
    decision::{self, Decided},
    model::{
        contract::Method,
        entitlement::Scope,
        job::{Job, JobKind},
        kept::Kept,
        operation::{Operation, Rules},
        outgoing::{Outgoing, Residual},
        refusal::{Code, Refusal},
        world::{Policy, RoleConflict, World},
    },
    policy::guard::{GuardPlan, Unguarded},
    query::{
        Question,
        json::{self, Limits},
    },
    verify,
};
use bytes::Bytes;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const BY_QUEUE: &str = "QUEUE_PERFORMANCE_SUMMARY_VIEW";
const BY_AGENT: &str = "AGENT_PERFORMANCE_SUMMARY_VIEW";
const NOW: &str = "2026-11-20T10:00:00Z";

fn submit() -> &'static Arc<Operation> {
    let path = ["api", "v2", "analytics", "reporting", "exports"];
    program::rules().find(Method::Post, &path).expect("a rule governs exports").0
}

/// The sample, in which everybody who has a role may export wherever he has one.
fn organisation() -> Organisation {
    let mut file: Value = bailiwick::sandbox::sample::text().parse().unwrap();
    for user in file["users"].as_array_mut().unwrap() {
        let Some(roles) = user.get_mut("roles").and_then(Value::as_array_mut) else { continue };
        let divisions: BTreeSet<String> =
            roles.iter().filter_map(|role| role["division"].as_str().map(ToOwned::to_owned)).collect();
        roles.extend(divisions.iter().map(|division| json!({ "role": "r-report-exporter", "division": division })));
    }
    let grant = |id: &str, resources: Value, actions: Value| {
        json!({ "id": id, "beneficiary": "gus", "resources": resources, "actions": actions,
                "from": "2026-10-01T00:00:00Z", "until": "2027-10-01T00:00:00Z" })
    };
    file["grants"].as_array_mut().unwrap().extend([
        grant("gr-export", json!([{ "kind": "queue", "id": "q-claims-motor" }]), json!(["view", "export"])),
        grant("gr-view", json!([{ "kind": "queue", "id": "q-claims-home" }]), json!(["view"])),
    ]);
    Organisation::of(file, Stock::default()).unwrap()
}

fn body(view: &str, filter: &Value) -> Value {
    let mut body = json!({
        "name": "n", "timeZone": "UTC", "exportFormat": "CSV", "viewType": view,
        "interval": "2026-11-08T00:00:00Z/2026-11-15T00:00:00Z",
    });
    if filter.as_object().is_some_and(|filter| !filter.is_empty()) {
        body["filter"] = filter.clone();
    }
    body
}

fn scope(organisation: &Organisation, person: &str) -> Result<Arc<Scope>, Refusal> {
    let world = &organisation.world;
    let now = NOW.parse().unwrap();
    decision::scope(world, program::principal(&world.org, person), submit(), now).map(Arc::new)
}

/// The lists that are sent.
fn sent(organisation: &Organisation, person: &str, asked: &Value) -> Result<Value, Refusal> {
    let body = json::parse(asked.to_string().as_bytes(), &Limits::default()).unwrap();
    let (operation, body) = (Arc::clone(submit()), Some(body));
    let question = Question { operation, ids: vec![], params: vec![], body, kept: None, seen: None };
    let scope = scope(organisation, person)?;
    match decision::decide(&organisation.world, &scope, &question, NOW.parse().unwrap())? {
        Decided::Forward(forward) => Ok(program::sent(&forward.verified).parse().unwrap()),
        Decided::Split(_) | Decided::Kept(_) => panic!("an export is asked at once"),
        Decided::Local(_) => panic!("an export is never answered here"),
    }
}

/// What the second reader says of bytes that somebody else wrote.
fn proved(organisation: &Organisation, person: &str, body: &Value) -> Result<(), String> {
    let outgoing = Outgoing {
        method: Method::Post,
        path: "/api/v2/analytics/reporting/exports".into(),
        query: vec![],
        body: Some(body.to_string().into_bytes().into()),
    };
    let residual = Residual { keys: true, ..Residual::default() };
    let scope = scope(organisation, person).unwrap();
    let org = &organisation.world.org;
    let done = verify::check(&submit().contract, outgoing, residual, &scope, org, NOW.parse().unwrap());
    done.map(|_| ()).map_err(|why| why.to_string())
}

fn ids(list: &Value) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// The agents whose work on each queue may be exported, by the directory file alone.
fn due(organisation: &Organisation, person: &str) -> BTreeMap<String, BTreeSet<String>> {
    let directory = &organisation.directory;
    let now = seconds(NOW);
    let strings =
        |permissions: &BTreeSet<Box<str>>| -> Vec<String> { permissions.iter().map(ToString::to_string).collect() };
    let all: Vec<Vec<String>> = std::iter::once(&submit().opened_by).chain(&submit().also).map(strings).collect();
    let scopes: Vec<Vec<Entitlement>> = all
        .iter()
        .map(|permissions| {
            let right = Right { permissions, action: "export", data: Data::Interaction, archived: false };
            directory.entitlements(person, &right, now)
        })
        .collect();
    let start = seconds("2026-11-09T00:00:00Z");
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for queue in organisation.file["queues"].as_array().unwrap() {
        for user in organisation.file["users"].as_array().unwrap() {
            let (queue, user) = (queue["id"].as_str().unwrap(), user["id"].as_str().unwrap());
            let leg = Leg {
                queue: Some(queue.to_owned()),
                agent: Some(user.to_owned()),
                start,
                end: start + 60,
                plain: BTreeMap::new(),
                handle: 0,
                tag: None,
                region: None,
            };
            if scopes.iter().all(|scope| directory.visible(person, scope, "c", &leg)) {
                found.entry(queue.to_owned()).or_default().insert(user.to_owned());
            }
        }
    }
    found
}

#[test]
fn lists_say_what_is_visible_and_nothing_else() {
    let organisation = organisation();
    let users: BTreeSet<String> = organisation.file["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["id"].as_str().unwrap().to_owned())
        .collect();
    let people = [
        "sofia", "carl", "ana", "pat", "dana", "ines", "rolf", "olga", "rita", "nils", "gus", "viola", "greg", "mia",
        "rex", "mona", "leo", "elsa", "eric", "ewa", "eva", "hugo",
    ];
    let (mut same, mut refused) = (0, 0);
    for person in people {
        let visible = due(&organisation, person);
        let in_use = |queue: &&String| {
            let all = organisation.file["queues"].as_array().unwrap();
            all.iter().any(|one| one["id"] == queue.as_str() && one.get("state").is_none_or(|state| state == "active"))
        };
        let first_two: Vec<&String> = visible.keys().filter(in_use).take(2).collect();
        let member = |queue: &str| -> BTreeSet<String> {
            let all = organisation.file["queues"].as_array().unwrap();
            all.iter().filter(|one| one["id"] == *queue).flat_map(|one| ids(&one["members"])).collect()
        };
        // whoever works on a queue of one's own may be named
        let working =
            visible.iter().flat_map(|(queue, agents)| member(queue).intersection(agents).cloned().collect::<Vec<_>>());
        let agents: BTreeSet<String> = working.take(2).collect();
        let mut filters = vec![json!({}), json!({ "mediaTypes": ["voice"] })];
        if !first_two.is_empty() && !agents.is_empty() {
            filters.push(json!({ "queueIds": first_two }));
            filters.push(json!({ "userIds": agents }));
            filters.push(json!({ "userIds": agents, "queueIds": first_two }));
        }
        for (view, filter) in
            [BY_QUEUE, BY_AGENT].iter().flat_map(|view| filters.iter().map(move |filter| (*view, filter)))
        {
            let asked = body(view, filter);
            match sent(&organisation, person, &asked) {
                Ok(body) => {
                    let lists = &body["filter"];
                    let (queues, named) = (ids(&lists["queueIds"]), lists.get("userIds"));
                    let agents = named.map_or_else(|| users.clone(), ids);
                    assert!(!queues.is_empty() && !agents.is_empty(), "{person} {asked}: {body}");
                    let wanted = |key: &str, id: &String| filter.get(key).is_none_or(|list| ids(list).contains(id));
                    for queue in visible.keys().filter(|queue| wanted("queueIds", queue)) {
                        let theirs: BTreeSet<String> =
                            visible[queue].iter().filter(|user| wanted("userIds", user)).cloned().collect();
                        // a view without agents shows queues that are whole
                        if view == BY_QUEUE && theirs != users {
                            continue;
                        }
                        assert!(
                            theirs.is_empty() || queues.contains(queue),
                            "{person} {asked}: {queue} is lost in {body}"
                        );
                    }
                    for queue in &queues {
                        let theirs = visible.get(queue).cloned().unwrap_or_default();
                        assert!(agents.is_subset(&theirs), "{person} {asked}: {queue} is too much in {body}");
                        let due: BTreeSet<String> = theirs.into_iter().filter(|user| wanted("userIds", user)).collect();
                        assert_eq!(agents, due, "{person} {asked}: agents on {queue}");
                    }
                    // once is enough
                    assert_eq!(sent(&organisation, person, &body).unwrap(), body, "{person} {asked}");
                    same += 1;
                }
                Err(refusal) => {
                    let code = refusal.code.as_str();
                    let malformed = view == BY_QUEUE && filter.get("userIds").is_some();
                    let none =
                        visible.is_empty() || view == BY_QUEUE && visible.values().all(|agents| *agents != users);
                    let apart = visible.values().collect::<BTreeSet<_>>().len() > 1;
                    let lawful = match code {
                        "query.malformed" => malformed,
                        "permission.missing" | "scope.empty" | "division.parent-scan" | "operation.unscopable" => none,
                        "query.too-complex" => apart,
                        _ => false,
                    };
                    assert!(lawful, "{person} {asked}: {refusal} ({:?})", refusal.cause);
                    refused += 1;
                }
            }
        }
    }
    println!("exports: {same} sent, each pair of queue and agent judged by the file; {refused} refused");
    assert!(same >= 60 && refused >= 20);
}

/// Whose body it is, the body that is his, and what is changed in it.
type Mutant<'b> = (&'static str, &'b Value, Box<dyn Fn(&mut Value)>);

#[test]
fn lists_that_say_more_are_refused_by_the_second_reader_alone() {
    let organisation = organisation();
    let whole = sent(&organisation, "sofia", &body(BY_QUEUE, &json!({}))).unwrap();
    let part = sent(&organisation, "ana", &body(BY_AGENT, &json!({}))).unwrap();
    proved(&organisation, "sofia", &whole).unwrap();
    proved(&organisation, "ana", &part).unwrap();
    let mutants: Vec<Mutant<'_>> = vec![
        ("sofia", &whole, Box::new(|body| body["filter"]["queueIds"][0] = json!("q-claims-motor"))),
        ("sofia", &whole, Box::new(|body| body["filter"]["queueIds"][0] = json!("q-invented"))),
        ("sofia", &whole, Box::new(|body| body["filter"]["queueIds"] = json!([]))),
        ("sofia", &whole, Box::new(|body| body["filter"]["queueIds"] = Value::Null)),
        ("sofia", &whole, Box::new(|body| body["filter"]["queueIds"] = json!("q-pay-cards"))),
        ("sofia", &whole, Box::new(|body| body["filter"] = json!({ "mediaTypes": ["voice"] }))),
        (
            "sofia",
            &whole,
            Box::new(|body| {
                body.as_object_mut().unwrap().remove("filter");
            }),
        ),
        ("sofia", &whole, Box::new(|body| body["filter"]["userIds"] = json!(["ana"]))),
        ("sofia", &whole, Box::new(|body| body["filter"]["divisionIds"] = json!(["d-claims-us"]))),
        ("sofia", &whole, Box::new(|body| body["filter"]["filterUsersByQueueIds"] = json!(["q-pay-cards"]))),
        ("sofia", &whole, Box::new(|body| body["viewType"] = json!("INTERACTION_SEARCH_VIEW"))),
        ("sofia", &whole, Box::new(|body| body["recipientEmails"] = json!(["sofia@example.org"]))),
        ("sofia", &whole, Box::new(|body| body["interval"] = json!("2026-01-01T00:00:00Z/2026-11-15T00:00:00Z"))),
        (
            "ana",
            &part,
            Box::new(|body| {
                body["filter"].as_object_mut().unwrap().remove("userIds");
            }),
        ),
        ("ana", &part, Box::new(|body| body["filter"]["userIds"] = json!([]))),
        ("ana", &part, Box::new(|body| body["filter"]["userIds"] = json!(["ana", "sofia"]))),
        ("sofia", &whole, Box::new(|body| body["excludeEmptyRows"] = json!(false))),
        (
            "sofia",
            &whole,
            Box::new(|body| {
                body.as_object_mut().unwrap().remove("excludeEmptyRows");
            }),
        ),
        ("ana", &part, Box::new(|body| body["viewType"] = json!(BY_QUEUE))),
        ("carl", &whole, Box::new(|_| {})),
    ];
    let count = mutants.len();
    for (person, good, change) in mutants {
        let mut mutant = good.clone();
        change(&mut mutant);
        let said = proved(&organisation, person, &mutant);
        assert!(said.is_err(), "{person} proves {mutant}");
    }
    println!("exports: {count} bodies that say more than is theirs, all refused by the second reader");
}

#[test]
fn a_right_to_view_is_no_right_to_export() {
    let organisation = organisation();
    // a grant for both actions opens its queue alone
    let lists = sent(&organisation, "gus", &body(BY_QUEUE, &json!({}))).unwrap();
    assert_eq!(lists["filter"], json!({ "queueIds": ["q-claims-motor"] }));
    let refusal = sent(&organisation, "gus", &body(BY_QUEUE, &json!({ "queueIds": ["q-claims-home"] }))).unwrap_err();
    assert_eq!(refusal.code.as_str(), "scope.outside");
}

/// However many exports somebody has: what was sent is read and proved for the few that his page shows.
#[test]
fn a_page_of_exports_costs_a_page() {
    let organisation = organisation();
    let (world, now) = (&organisation.world, NOW.parse().unwrap());
    let body: Bytes =
        sent(&organisation, "sofia", &body(BY_QUEUE, &json!({}))).unwrap().to_string().into_bytes().into();
    let job = |nth: usize, holder: &str, body: Bytes| Job {
        id: format!("e-{nth}").into(),
        region: "us-east-1".into(),
        holder: ("user".into(), holder.into()),
        operation: submit().id.clone(),
        submitted: now,
        kind: JobKind::Sent(body),
        cursor: None,
    };
    let path = ["api", "v2", "analytics", "reporting", "exports"];
    let operation = Arc::clone(program::rules().find(Method::Get, &path).unwrap().0);
    let scope = decision::scope(world, program::principal(&world.org, "sofia"), &operation, now).map(Arc::new).unwrap();
    // nothing of what was sent for them is there when the list is asked for
    let own: Vec<Job> = (0..400).map(|nth| job(nth, "sofia", Bytes::new())).collect();
    let params = [("pageSize", "5"), ("pageNumber", "3")].map(|(name, value)| (name.into(), vec![value.to_owned()]));
    let job_of = Some(Kept::Own(own.into()));
    let question = Question { operation, ids: vec![], params: params.into(), body: None, kept: job_of, seen: None };
    let Ok(Decided::Forward(forward)) = decision::decide(world, &scope, &question, now) else {
        panic!("the list is asked for")
    };
    let row =
        |nth: usize| json!({ "id": format!("e-{nth}"), "downloadUrl": format!("https://files.example/{nth}.csv") });
    let upstream = json!({ "entities": (0..450).map(row).collect::<Vec<_>>(), "total": 450 }).to_string();
    let page = || forward.plan.export_page(&Unguarded::new(200, upstream.clone().into_bytes())).unwrap();
    let wanted: Vec<String> = page().with_files(&forward.plan).iter().map(ToString::to_string).collect();
    assert_eq!(wanted, ["e-10", "e-11", "e-12", "e-13", "e-14"]);
    let links = |plan: &GuardPlan| -> Vec<bool> {
        let shown = program::text(plan.exports(page()).body());
        shown["entities"].as_array().unwrap().iter().map(|row| row.get("downloadUrl").is_some()).collect()
    };
    let files = |jobs: &[Job]| decision::files(world, &scope, &question, forward.plan.clone(), jobs, now);
    assert_eq!(links(&forward.plan), [false; 5], "what nobody proved is open to nobody");
    let kept: Vec<Job> = (10..15).map(|nth| job(nth, "sofia", body.clone())).collect();
    assert_eq!(links(&files(&kept)), [true; 5]);
    // what is kept of another's, of another id, of nothing, or says more
    let wide = String::from_utf8(body.to_vec()).unwrap().replace("q-pay-cards", "q-claims-motor");
    let odd = [
        job(10, "carl", body.clone()),
        job(420, "sofia", body.clone()),
        job(12, "sofia", Bytes::new()),
        job(13, "sofia", wide.into_bytes().into()),
        job(14, "sofia", body.clone()),
    ];
    assert_eq!(links(&files(&odd)), [false, false, false, false, true]);
}

/// Two roles that conflict close the files of reports as they close the reports.
#[test]
fn conflicting_roles_close_exports() {
    let organisation = organisation();
    let of = |person: &str, role_conflict: RoleConflict| {
        let rules = Rules { policy: Policy { role_conflict, ..Policy::default() }, ..Rules::clone(program::rules()) };
        let world = World { rules: Arc::new(rules), ..program::world(&organisation.world.org) };
        let who = program::principal(&world.org, person);
        decision::scope(&world, who, submit(), NOW.parse().unwrap()).map(|_| ()).map_err(|refusal| refusal.code)
    };
    assert_eq!(of("rolf", RoleConflict::Refuse), Err(Code::RoleConflict));
    assert_eq!(of("rolf", RoleConflict::Separate), Ok(()));
    assert_eq!(of("nils", RoleConflict::Refuse), Ok(()));
}
