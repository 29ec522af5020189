//! A service account that acts for a person: for whom it may, what it gets, and what stands in the record.

use super::house::{AGGREGATES, EU, House, Plan, US, USERS, WEEK, now, token};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use jiff::SignedDuration;
use serde_json::{Value, json};

const ACCOUNT: &str = "svc-acme";
/// A supervisor of the outsourcer, in the group for which the account acts.
const PERSON: &str = "bea";
const AGENT: &str = "bo";

fn question() -> Value {
    json!({ "interval": WEEK, "groupBy": ["queueId"], "metrics": ["nOffered"] })
}

/// Status, code or nothing, body, decision.
struct Answer {
    status: u16,
    body: Value,
    decision: uuid::Uuid,
}

impl Answer {
    fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    fn told(&self) -> Value {
        let mut body = self.body.clone();
        body["contextId"] = Value::Null;
        body
    }
}

async fn ask(house: &House, who: &str, line: &str, body: &Value, subjects: &[&str]) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://{}{path}", house.running.proxy))
        .header("authorization", format!("Bearer {}", token(who)));
    for subject in subjects {
        request = request.header("gen-usersubject", *subject);
    }
    let text = if body.is_null() { String::new() } else { body.to_string() };
    if !text.is_empty() {
        request = request.header("content-type", "application/json");
    }
    let request = request.body(Full::new(Bytes::from(text))).unwrap();
    let (head, body) = super::house::client().request(request).await.unwrap().into_parts();
    let decision = head.headers["bailiwick-decision"].to_str().unwrap().parse().unwrap();
    let body = serde_json::from_str(&super::house::read(body).await.unwrap()).unwrap_or(Value::Null);
    Answer { status: head.status.as_u16(), body, decision }
}

async fn acts(house: &House, subject: &str) -> Answer {
    ask(house, ACCOUNT, &format!("POST {AGGREGATES}"), &question(), &[subject]).await
}

async fn house_with(directory: Value, more: &str, limits: &'static str) -> House {
    let plan = Plan { directory, more: more.to_owned(), limits, interactions: 4_000, ..Plan::default() };
    House::of(plan).await
}

fn sample() -> Value {
    Plan::default().directory
}

fn named<'d>(directory: &'d mut Value, list: &str, id: &str) -> &'d mut Value {
    directory[list].as_array_mut().unwrap().iter_mut().find(|one| one["id"] == id).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_gets_what_its_subject_sees_and_both_stand_in_the_record() {
    let house = house_with(sample(), "", "").await;
    let refused = acts(&house, PERSON).await;
    assert_eq!((refused.status, refused.code()), (403, "subject.no-session"), "nobody has seen him");
    assert!(house.received(US).is_empty());

    let own = house.post(PERSON, AGGREGATES, &question()).await;
    assert_eq!(own.status, 200, "{own:?}");
    let answer = acts(&house, PERSON).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(!own.json()["results"].as_array().unwrap().is_empty());
    assert_eq!(answer.body, own.json());
    let (intent, outcome) = house.lines(answer.decision).await;
    for subject in [intent.unwrap().subject, outcome.subject.unwrap()] {
        assert_eq!((subject.kind.as_str(), subject.id.as_str()), ("user", PERSON));
        assert_eq!(subject.actor.as_deref(), Some(ACCOUNT));
    }
    for received in house.received(US) {
        assert!(received.headers.iter().all(|(name, _)| !name.contains("subject")), "the upstream was told");
    }
    // who names nobody has his own rights, and these are none
    let nobody = ask(&house, ACCOUNT, &format!("POST {AGGREGATES}"), &question(), &[]).await;
    assert_eq!((nobody.status, nobody.code()), (403, "permission.missing"));
    // the field means nothing where a person asks, and twice is no field
    let carl = house.post("carl", AGGREGATES, &question()).await;
    let as_other = ask(&house, "carl", &format!("POST {AGGREGATES}"), &question(), &[PERSON]).await;
    assert_eq!((as_other.status, as_other.body), (200, carl.json()));
    let twice = ask(&house, ACCOUNT, &format!("POST {AGGREGATES}"), &question(), &[PERSON, PERSON]).await;
    assert_eq!((twice.status, twice.code()), (400, "request.malformed"));
    house.assert_no_connection_to(EU);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_whom_it_may_not_act_all_are_one_refusal() {
    let house = house_with(sample(), "[identity.acting]\nrequire-session = false\n", "").await;
    assert_eq!(acts(&house, PERSON).await.status, 200, "nobody has to have seen him");
    house.received(US);
    let mut told = None;
    // of the organisation itself, of another outsourcer, an account, of another region, invented, itself, in other letters
    for other in ["sofia", "cara", "svc-exporter", "ewa", "no-such-user", ACCOUNT, "BEA", ""] {
        let refused = acts(&house, other).await;
        assert_eq!((refused.status, refused.code()), (403, "subject.refused"), "{other}: {}", refused.body);
        let says = refused.told();
        assert_eq!(told.get_or_insert_with(|| says.clone()), &says, "{other}");
        let (intent, outcome) = house.lines(refused.decision).await;
        assert!(intent.is_none());
        assert_eq!(outcome.subject.unwrap().id, ACCOUNT, "the record says who tried");
    }
    let other = ask(&house, "svc-exporter", &format!("POST {AGGREGATES}"), &question(), &[PERSON]).await;
    assert_eq!((other.status, other.code()), (403, "subject.refused"), "an account that acts for nobody");
    assert!(house.received(US).is_empty());

    // whoever leaves the group, or the organisation, is acted for no more: the next request
    let mut left = sample();
    named(&mut left, "groups", "g-acme-voice")["members"].as_array_mut().unwrap().retain(|one| one != PERSON);
    house.write_directory(&left.to_string());
    house.running.reload();
    assert_eq!(acts(&house, PERSON).await.code(), "subject.refused");
    let mut closed = sample();
    named(&mut closed, "users", PERSON)["active"] = json!(false);
    house.write_directory(&closed.to_string());
    house.running.reload();
    assert_eq!(acts(&house, PERSON).await.code(), "subject.refused");
    house.write_directory(&sample().to_string());
    house.running.reload();
    assert_eq!(acts(&house, PERSON).await.status, 200);
    house.assert_no_connection_to(EU);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subject_that_logged_out_is_acted_for_no_more() {
    for require in ["true", "false"] {
        let more = format!("[identity.acting]\nrequire-session = {require}\n");
        let house = house_with(sample(), &more, "").await;
        house.post(PERSON, AGGREGATES, &question()).await;
        assert_eq!(acts(&house, PERSON).await.status, 200);
        let revoke = Request::post(format!("http://{}/v1/sessions/revoke", house.running.admin))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(json!({ "user": PERSON }).to_string())))
            .unwrap();
        assert_eq!(super::house::client().request(revoke).await.unwrap().status(), 200);
        assert_eq!(acts(&house, PERSON).await.code(), "subject.no-session", "{require}");
        let house = house.restarted().await;
        assert_eq!(acts(&house, PERSON).await.code(), "subject.no-session", "{require}: after a restart");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_outlives_a_restart_and_ends_in_time() {
    let house = house_with(sample(), "", "").await;
    house.post(PERSON, AGGREGATES, &question()).await;
    assert_eq!(acts(&house, PERSON).await.status, 200);
    let house = house.restarted().await;
    assert_eq!(acts(&house, PERSON).await.status, 200, "the store knows");
    house.clock.set(now() + SignedDuration::from_mins(61));
    house.running.reload();
    assert_eq!(acts(&house, PERSON).await.code(), "subject.no-session");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_account_gets_is_bounded_by_where_it_may_act() {
    let open = "[identity.acting]\nrequire-session = false\nadministrators = [\"u-0209\"]\n";
    let mut elsewhere = sample();
    named(&mut elsewhere, "serviceAccounts", ACCOUNT)["roles"][0]["division"] = json!("d-bpo-acme-chat");
    let house = house_with(elsewhere, open, "forward-subject = true").await;
    let empty = acts(&house, PERSON).await;
    assert!(empty.status != 200 || empty.body["results"].as_array().is_none_or(Vec::is_empty), "{}", empty.body);
    // by an unsafe `all` the list decides alone, and an administrator of this proxy is nobody's subject
    let mut everybody = sample();
    everybody["unsafeAllow"] = json!(["impersonate:r-service-bpo"]);
    let permission = &mut named(&mut everybody, "roles", "r-service-bpo")["permissions"][0];
    assert_eq!(permission["permission"], "user:session:impersonate");
    *permission = json!({ "permission": "user:session:impersonate", "scope": "all" });
    house.write_directory(&everybody.to_string());
    house.running.reload();
    house.received(US);
    assert_eq!(acts(&house, PERSON).await.status, 200);
    let sent = house.received(US);
    assert!(!sent.is_empty());
    for one in sent {
        let told: Vec<_> = one.headers.iter().filter(|(name, _)| name == "gen-usersubject").collect();
        assert!(matches!(told[..], [(_, value)] if value == PERSON), "{told:?}");
    }
    for other in ["sofia", "cara", "u-0209"] {
        assert_eq!(acts(&house, other).await.code(), "subject.refused", "{other}");
    }
    // a person's own question names nobody upstream, whatever he sends
    ask(&house, "carl", &format!("POST {AGGREGATES}"), &question(), &[PERSON]).await;
    let sent = house.received(US);
    assert!(!sent.is_empty() && sent.iter().all(|one| one.headers.iter().all(|(name, _)| name != "gen-usersubject")));
    let own = house.get(AGENT, &format!("{USERS}/me")).await;
    let me = ask(&house, ACCOUNT, &format!("GET {USERS}/me"), &Value::Null, &[AGENT]).await;
    assert_eq!((me.status, me.body["id"].as_str()), (200, Some(AGENT)));
    assert_eq!(me.body, own.json());
    let queues = ask(&house, ACCOUNT, "GET /api/v2/routing/queues/me", &Value::Null, &[AGENT]).await;
    assert_eq!(queues.code(), "subject.refused", "{}", queues.body);
}

/// However the field is written: the account is never taken to ask for itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subject_that_cannot_be_read_is_refused_and_not_passed_over() {
    let house = house_with(sample(), "[identity.acting]\nrequire-session = false\n", "").await;
    for (name, value) in [
        ("gen-usersubject", "j\u{f6}rg".as_bytes()),
        ("gen_usersubject", PERSON.as_bytes()),
        ("Gen_UserSubject", PERSON.as_bytes()),
        ("bailiwick-region", "\u{f6}".as_bytes()),
        ("bailiwick_region", EU.as_bytes()),
    ] {
        let mut raw = format!(
            "GET {USERS} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {}\r\nConnection: close\r\n{name}: ",
            token(ACCOUNT)
        )
        .into_bytes();
        raw.extend_from_slice(value);
        raw.extend_from_slice(b"\r\n\r\n");
        let heard = tokio::task::block_in_place(|| {
            use std::io::{Read as _, Write as _};
            let mut stream = std::net::TcpStream::connect(house.running.proxy).unwrap();
            stream.write_all(&raw).unwrap();
            let mut heard = String::new();
            stream.read_to_string(&mut heard).unwrap();
            heard
        });
        assert!(heard.starts_with("HTTP/1.1 400 "), "{name}: {heard}");
        assert!(heard.contains("request.malformed"), "{name}: {heard}");
    }
    assert!(house.received(US).is_empty());
    // what an account submitted or cancelled would be the person's
    let jobs = "/api/v2/analytics/conversations/details/jobs";
    for line in [format!("POST {jobs}"), format!("GET {jobs}/j-1"), format!("DELETE {jobs}/j-1")] {
        let body = if line.starts_with("POST") { question() } else { Value::Null };
        let refused = ask(&house, ACCOUNT, &line, &body, &[PERSON]).await;
        assert_eq!((refused.status, refused.code()), (403, "subject.refused"), "{line}: {}", refused.body);
    }
}
