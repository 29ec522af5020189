//! Official client libraries, unmodified: their own configuration file points them at the proxy, and they get exactly the
//! rows that are due, or their own exception with our code in the native body.

mod javascript;
mod mcp;
mod python;

use super::{
    house::{AGGREGATES, ASKER, House, Plan, US, USER_AGGREGATES, USER_OBSERVATIONS, WEEK},
    logins,
    truth::Truth,
};
use crate::oracle::questions::{Kind, facts_of};
use bailiwick::{audit::Record, sandbox::Received};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Who asks everything: a reader of settings and audits, two supervisors, an agent, and a member of queues.
const PEOPLE: [&str; 5] = ["max", "sofia", "carl", "ana", "ines"];

/// A program that `tests/run` installs.
pub(super) fn installed(variable: &str, place: &str) -> PathBuf {
    let named = std::env::var_os(variable).map(PathBuf::from);
    let program = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(place));
    assert!(program.exists(), "`{}` is not there: run tests/run, which installs it", program.display());
    program
}

/// A home in which the library's own configuration names the proxy.
fn home(house: &House, library: &str) -> PathBuf {
    let home = house.folder.path().join("home");
    let settings = home.join(format!(".genesyscloud{library}"));
    fs::create_dir_all(&settings).unwrap();
    let gateway = format!(
        "[gateway]\nhost = {}\nprotocol = http\nport = {}\npath_params_login =\npath_params_api =\n",
        house.running.proxy.ip(),
        house.running.proxy.port()
    );
    fs::write(settings.join("config"), gateway).unwrap();
    home
}

/// Runs a script in a home of its own, where the library's configuration names the proxy: what came of each question, or
/// what the interpreter said at its end.
fn run(
    house: &House,
    (interpreter, script, library): (&Path, &str, &str),
    order: &Value,
) -> Result<Vec<Value>, String> {
    let mut child = Command::new(interpreter)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/e2e/sdk").join(script))
        .env("HOME", home(house, library))
        .env("NODE_PATH", Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/javascript/node_modules"))
        .env_remove("http_proxy")
        .env_remove("HTTP_PROXY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(order.to_string().as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    if !ended.status.success() {
        return Err(String::from_utf8_lossy(&ended.stderr).into_owned());
    }
    Ok(serde_json::from_str(&String::from_utf8(ended.stdout).unwrap()).unwrap())
}

fn person(id: &str, calls: Vec<Value>) -> Value {
    json!({ "client": format!("client-of-{id}"), "secret": format!("secret-of-{id}"), "calls": calls })
}

/// The client of a service account logs in at the proxy's `/oauth/token`, for a token of its own and for one of the upstream's, and gets
/// what plain HTTP gets. `given`: what the script says of an answer.
async fn logs_in(run: fn(&House, &Value) -> Result<Vec<Value>, String>, given: fn(&Value) -> &Value) {
    let body = json!({ "interval": WEEK, "groupBy": ["queueId"], "metrics": ["nOffered"] });
    let calls = json!([{ "method": "postAnalyticsConversationsAggregatesQuery", "args": [body] }]);
    let asking = Plan { credential: ASKER, ..logins::relaying() };
    for (plan, method, passed_on) in
        [(logins::own(), "issued", 0), (logins::relaying(), "relayed", 1), (asking, "relayed", 1)]
    {
        let asker = plan.credential == ASKER;
        let house = Box::pin(House::of(plan)).await;
        let order = |secret: &str| json!([{ "client": logins::CLIENT, "secret": secret, "calls": calls }]);
        let answers = tokio::task::block_in_place(|| run(&house, &order(logins::SECRET)));
        let answers = answers.unwrap_or_else(|told| panic!("{method}: {told}"));
        let [answer] = answers.as_slice() else { panic!("{method}: {answers:#?}") };
        let got = groups(given(&answer["answer"]));
        let log_ins = |one: &&Received| {
            one.target == "/oauth/token"
                && one.headers.iter().any(|(name, value)| {
                    name == "authorization"
                        && *value
                            == format!("Basic {}", STANDARD.encode(format!("{}:{}", logins::CLIENT, logins::SECRET)))
                })
        };
        assert_eq!(house.sandbox.take_received(US).iter().filter(log_ins).count(), passed_on, "{method}");
        if !asker {
            let due = house.post(logins::ACCOUNT, AGGREGATES, &body).await.json();
            assert_eq!(got, groups(&due), "{method}");
        }
        assert!(!got.is_empty(), "{method}: {answer:#}");
        let by = |record: &Record| matches!(record, Record::Outcome(one) if one.subject.as_ref().is_some_and(|subject| subject.method == method));
        assert_eq!(
            house.record().iter().filter(|record| by(record)).count(),
            2,
            "{method}: the log-in and the question"
        );
        let told = tokio::task::block_in_place(|| run(&house, &order("wrong"))).expect_err("a wrong secret");
        assert!(told.contains("401"), "{told}");
    }
}

/// A call of the library, and the line of HTTP that it stands for with its body.
struct Call {
    method: String,
    args: Vec<Value>,
    line: String,
    body: String,
}

fn get(method: &str, template: &str, ids: &BTreeMap<&str, &str>) -> Call {
    let mut args = Vec::new();
    let parts = template.split('/').map(|part| match part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => {
            let id = ids.get(name).copied().unwrap_or("5c0a9b1e-0000-4000-8000-000000000007");
            args.push(json!(id));
            id.to_owned()
        }
        None => part.to_owned(),
    });
    let path = parts.collect::<Vec<_>>().join("/");
    Call { method: method.to_owned(), args, line: format!("GET {path}"), body: String::new() }
}

fn post(method: &str, path: &str, body: &Value) -> Call {
    let line = format!("POST /api/v2/analytics/{path}/query");
    Call { method: method.to_owned(), args: vec![body.clone()], line, body: body.to_string() }
}

/// Calls whose answer is held against what the proxy answers to plain HTTP, which other tests hold against the truth.
fn calls(me: &str) -> Vec<Call> {
    let settings: Map<String, Value> = serde_json::from_str(include_str!("calls.json")).unwrap();
    let ids = BTreeMap::from([
        ("userId", me),
        ("queueId", "q-pay-cards"),
        ("divisionId", "d-payments-us"),
        ("mediaType", "chat"),
    ]);
    let mut calls: Vec<Call> =
        settings.iter().map(|(method, path)| get(method, path.as_str().unwrap(), &ids)).collect();
    for (method, path) in [
        ("getUser", "/api/v2/users/{userId}"),
        ("getUserRoutingstatus", "/api/v2/users/{userId}/routingstatus"),
        ("getUserPresencesPurecloud", "/api/v2/users/{userId}/presences/purecloud"),
        ("getUserState", "/api/v2/users/{userId}/state"),
        ("getUserProfile", "/api/v2/users/{userId}/profile"),
        ("getUserOutofoffice", "/api/v2/users/{userId}/outofoffice"),
        ("getRoutingQueue", "/api/v2/routing/queues/{queueId}"),
        ("getAuthorizationDivision", "/api/v2/authorization/divisions/{divisionId}"),
        ("getUsers", "/api/v2/users"),
        ("getAuthorizationDivisions", "/api/v2/authorization/divisions"),
    ] {
        calls.push(get(method, path, &ids));
    }
    let group = |metric: &str| json!({ "interval": WEEK, "groupBy": ["queueId"], "metrics": [metric] });
    calls.push(post(
        "postAnalyticsUsersAggregatesQuery",
        "users/aggregates",
        &json!({ "interval": WEEK, "groupBy": ["userId"], "metrics": ["tSystemPresence"] }),
    ));
    calls.push(post("postAnalyticsUsersObservationsQuery", "users/observations", &json!({ "metrics": ["oUserPresences"], "filter": { "type": "or", "predicates": [{ "dimension": "userId", "value": me }] } })));
    calls.push(post("postAnalyticsUsersDetailsQuery", "users/details", &json!({ "interval": WEEK })));
    calls.push(post(
        "postAnalyticsConversationsActivityQuery",
        "conversations/activity",
        &json!({ "metrics": [{ "metric": "oWaiting" }], "groupBy": ["queueId"] }),
    ));
    calls.push(post("postAnalyticsEvaluationsAggregatesQuery", "evaluations/aggregates", &group("nEvaluations")));
    calls.push(post("postAnalyticsSurveysAggregatesQuery", "surveys/aggregates", &group("nSurveysSent")));
    let named = json!({ "query": [{ "type": "CONTAINS", "fields": ["name"], "value": "a" }], "pageSize": 3 });
    for (kind, path) in [("Users", "/api/v2/users/search"), ("Groups", "/api/v2/groups/search")] {
        calls.extend(searches(kind, path, &named));
    }
    calls
}

/// The same search, posted and by a link.
fn searches(kind: &str, path: &str, asked: &Value) -> [Call; 2] {
    let link = STANDARD.encode(asked.to_string());
    let encoded = percent_encoding::utf8_percent_encode(&link, percent_encoding::NON_ALPHANUMERIC);
    let call = |verb: &str, arg: Value, line: String, body: String| Call {
        method: format!("{verb}{kind}Search"),
        args: vec![arg],
        line,
        body,
    };
    [
        call("post", asked.clone(), format!("POST {path}"), asked.to_string()),
        call("get", json!(link), format!("GET {path}?q64={encoded}"), String::new()),
    ]
}

/// Holds what a client got of each call against what plain HTTP gets, refusals too; `same` compares two answers. How many
/// answers were judged by SQL as well, and how many were refused.
async fn hold(
    (house, truth, id): (&House, &Truth, &str),
    answers: &mut std::slice::Iter<'_, Value>,
    answered: &mut BTreeSet<String>,
    same: &mut dyn FnMut(&Call, &Value, &Value),
) -> (usize, usize) {
    let (mut judged, mut refused) = (0, 0);
    for call in calls(id) {
        let got = answers.next().expect("an answer for each call");
        let due = house.ask(id, &call.line, &call.body).await;
        if due.status == 200 {
            same(&call, &got["answer"], &due.json());
            judged += usize::from(agrees(house, truth, id, &call, &due.json()));
            answered.insert(call.method);
        } else {
            let code = (got["status"].as_u64(), got["body"]["code"].as_str().map(str::to_owned));
            assert_eq!(code, (Some(due.status.into()), Some(due.code())), "{id} {}: {got:#}", call.method);
            refused += 1;
        }
    }
    (judged, refused)
}

/// Whether the truth of a call is known; then its answer is held against it.
fn agrees(house: &House, truth: &Truth, person: &str, call: &Call, got: &Value) -> bool {
    let Some(path) = call.line.strip_prefix("POST ") else { return false };
    let asked: Value = serde_json::from_str(&call.body).unwrap();
    let kind = match path {
        USER_AGGREGATES => Kind::UserAggregates,
        USER_OBSERVATIONS => Kind::UserObservations,
        _ if path.ends_with("/aggregates/query") || path.ends_with("/conversations/activity/query") => Kind::Aggregates,
        _ => return false,
    };
    let due = if kind == Kind::Aggregates {
        let region = truth.region(person);
        house.sandbox.mark_visible(region, &truth.visible(person, kind)).unwrap();
        house.sandbox.evaluate_visible(region, path, &asked).unwrap()
    } else {
        truth.answer(&house.sandbox, person, kind, &asked)
    };
    assert_eq!(facts_of(kind, got), facts_of(kind, &due), "{person} {}", call.method);
    true
}

/// What a client asks, of which the truth is known; the last two are refused.
pub(super) fn questions() -> Vec<Value> {
    let foreign = json!({ "type": "and", "predicates": [{ "dimension": "queueId", "value": "q-fraud-vip" }] });
    let media = json!({ "type": "or", "predicates": [
        { "dimension": "mediaType", "value": "voice" }, { "dimension": "mediaType", "value": "chat" },
    ] });
    vec![
        json!({ "kind": "aggregates", "body": { "interval": WEEK, "groupBy": ["queueId", "mediaType"], "metrics": ["tHandle", "nConnected"] } }),
        json!({ "kind": "details", "body": { "interval": WEEK, "order": "asc", "orderBy": "conversationStart", "paging": { "pageSize": 100, "pageNumber": 1 } } }),
        json!({ "kind": "observations", "body": { "metrics": ["oWaiting", "oMemberUsers"], "filter": media } }),
        json!({ "kind": "queues" }),
        json!({ "kind": "aggregates", "body": { "interval": WEEK, "metrics": ["tHandle"], "filter": foreign } }),
        json!({ "kind": "queues", "params": { "id": ["q-fraud-vip"] } }),
    ]
}

/// Rows of groups without what the library fills in for what is missing.
fn groups(answer: &Value) -> Vec<String> {
    let rows = facts_of(Kind::Aggregates, answer).into_iter();
    rows.map(|(group, cells)| format!("{group} {cells:?}")).collect()
}

/// The library makes dates of instants, and writes them in its own way.
fn instants(answer: &Value) -> Value {
    let text = answer.to_string().replace("000+00:00\"", "Z\"").replace("+00:00\"", "Z\"").replace(".000Z\"", "Z\"");
    serde_json::from_str(&text).unwrap()
}

/// Holds what a client got against the truth: how many rows were due.
pub(super) fn judge(house: &House, truth: &Truth, person: &str, question: &Value, got: &Value) -> usize {
    let kind = question["kind"].as_str().unwrap();
    let refused = question.to_string().contains("q-fraud-vip");
    if refused {
        let body = &got["body"];
        assert_eq!(
            (&got["status"], &body["code"], &body["status"]),
            (&json!(403), &json!("scope.outside"), &json!(403)),
            "{person} {question}: {got:#}"
        );
        assert!(body["message"].as_str().is_some_and(|text| !text.is_empty()) && body["contextId"].is_string());
        return 0;
    }
    let answer = &got["answer"];
    assert!(answer.is_object(), "{person} {question}: {got:#}");
    let (got, due) = match kind {
        "aggregates" => {
            (groups(answer), groups(&truth.answer(&house.sandbox, person, Kind::Aggregates, &question["body"])))
        }
        "observations" => {
            (groups(answer), groups(&truth.answer(&house.sandbox, person, Kind::QueueObservations, &question["body"])))
        }
        "details" => {
            let facts = |answer: &Value| -> Vec<String> {
                facts_of(Kind::Details, &instants(answer))
                    .into_iter()
                    .map(|(id, legs)| format!("{id} {:?}", legs.keys()))
                    .collect()
            };
            (facts(answer), facts(&truth.answer(&house.sandbox, person, Kind::Details, &question["body"])))
        }
        _ => {
            let case = Truth::case(person, Kind::QueueObservations, &Value::Null);
            let scope =
                truth.scope_of_list(person, Kind::QueueObservations, &["routing:queue:view", "telephony:queue:view"]);
            let alive = truth
                .directory
                .queues
                .iter()
                .filter(|queue| queue.state.as_deref().is_none_or(|state| state == "active"));
            let mut due: Vec<String> = alive
                .filter(|queue| case.queue_inside(&truth.directory, &scope, &queue.id))
                .map(|queue| queue.id.clone())
                .collect();
            due.sort();
            let entities = answer["entities"].as_array().cloned().unwrap_or_default();
            let mut got: Vec<String> = entities.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
            got.sort();
            assert_eq!(answer["total"], json!(due.len()), "{person}");
            (got, due)
        }
    };
    assert_eq!(got, due, "{person} {question}");
    due.len()
}
