//! Tokens that are ended before their time: by an administrator, by a log-out of the identity provider, by another process.

use super::{
    house::{DIVISIONS, House, Plan, now, until},
    tokens::Issuer,
};
use bailiwick::{
    model::session::{Ended, Whose},
    store::Store,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::time::Instant;

const LOGGED_OUT: &str = "http://schemas.openid.net/event/backchannel-logout";

async fn house(issuer: &Issuer, keys: &tempfile::TempDir) -> House {
    House::of(Plan { more: issuer.section(keys.path()), interactions: 20, ..Plan::default() }).await
}

async fn status(house: &House, bearer: &str) -> u16 {
    let heard = house.try_ask(bearer, &format!("GET {DIVISIONS}"), "").await.unwrap();
    if heard.status == 401 {
        assert_eq!(heard.code(), "identity.required");
    }
    heard.status
}

async fn post(house: &House, path: &str, kind: &str, body: String) -> (u16, Value) {
    let request = Request::post(format!("http://{}{path}", house.running.admin)).header("content-type", kind);
    let request = request.body(Full::new(Bytes::from(body))).unwrap();
    let (head, body) = super::house::client().request(request).await.unwrap().into_parts();
    let body = super::house::read(body).await.unwrap();
    (head.status.as_u16(), serde_json::from_str(&body).unwrap_or(Value::Null))
}

async fn revoke(house: &House, body: Value) -> u16 {
    post(house, "/v1/sessions/revoke", "application/json", body.to_string()).await.0
}

async fn log_out(house: &House, token: &str) -> u16 {
    let form = format!("logout_token={token}");
    post(house, "/v1/sessions/backchannel", "application/x-www-form-urlencoded", form).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_ended_is_refused_on_the_next_request() {
    let (issuer, keys) = (Issuer::new(), tempfile::tempdir().unwrap());
    let house = house(&issuer, &keys).await;
    let of = |person: &str, more: &Value| issuer.token_with(person, -60, 3_600, more);
    let ended = [
        (of("carl", &json!({})), json!({ "user": "carl" })),
        (of("sofia", &json!({ "azp": "tool" })), json!({ "client": "tool" })),
        (of("sofia", &json!({ "sid": "s-1" })), json!({ "session": "s-1" })),
        (of("sofia", &json!({ "jti": "j-1" })), json!({ "token": "j-1" })),
    ];
    let other = of("sofia", &json!({ "jti": "j-2", "sid": "s-2", "azp": "other" }));
    for (token, asked) in &ended {
        assert_eq!(status(&house, token).await, 200, "{asked}");
        assert_eq!(revoke(&house, asked.clone()).await, 200, "{asked}");
        assert_eq!(status(&house, token).await, 401, "{asked}");
        assert_eq!(status(&house, &other).await, 200, "{asked}");
    }
    assert_eq!(status(&house, &super::house::token("carl")).await, 401, "his token of the configuration too");
    for wrong in [json!({}), json!({ "user": "sofia", "token": "j" }), json!({ "user": "" }), json!({ "usr": "sofia" })]
    {
        assert_eq!(revoke(&house, wrong).await, 400);
    }
    assert_eq!(revoke(&house, json!({ "user": "no-such-user" })).await, 404);
    let form = json!({ "user": "sofia" }).to_string();
    assert_eq!(post(&house, "/v1/sessions/revoke", "text/plain", form).await.0, 400, "a page could post this");
    assert_eq!(status(&house, &other).await, 200);
    // whoever signs in again is in again, when no clock can be as far ahead as that
    house.clock.set(now() + SignedDuration::from_secs(65));
    assert_eq!(status(&house, &issuer.token("carl", 2, 3_600)).await, 401);
    assert_eq!(status(&house, &issuer.token("carl", 62, 3_600)).await, 200);
    assert_eq!(status(&house, &ended[0].0).await, 401);
    let house = house.restarted().await;
    for (token, asked) in &ended {
        assert_eq!(status(&house, token).await, 401, "{asked}: after a restart");
    }
    // and a session is forgotten when no token of it can be left
    house.clock.set(now() + SignedDuration::from_hours(49));
    house.running.reload();
    let late = issuer.token_with("sofia", 49 * 3_600 - 5, 49 * 3_600 + 60, &json!({ "sid": "s-1" }));
    assert_eq!(status(&house, &late).await, 200);
    let record = serde_json::to_string(&house.record()).unwrap();
    assert!(ended.iter().all(|(token, _)| !record.contains(token)), "a token stands in the record");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_token_is_ended_by_its_digest_whatever_it_is() {
    let (issuer, keys) = (Issuer::new(), tempfile::tempdir().unwrap());
    let house = house(&issuer, &keys).await;
    let of_the_configuration = super::house::token("sofia");
    let without_id = issuer.token("carl", -60, 3_600);
    let with_id = issuer.token_with("carl", -60, 3_600, &json!({ "jti": "j-7" }));
    for token in [&of_the_configuration, &without_id, &with_id] {
        assert_eq!(status(&house, token).await, 200);
        let digest = bailiwick::base::hash::sha256_hex(token.as_bytes());
        assert_eq!(revoke(&house, json!({ "token": digest })).await, 200);
        assert_eq!(status(&house, token).await, 401);
    }
    assert_eq!(status(&house, &issuer.token("sofia", -60, 3_600)).await, 200, "another token of hers");
    // a token that tells of a log-out is none for asking, delivered or not
    let told = json!({ "jti": "l-1", "events": { LOGGED_OUT: {} }, "sid": "s-7" });
    assert_eq!(status(&house, &issuer.token_with("ines", -1, 120, &told)).await, 401);
}

/// An issuer whose clock is ahead of ours, by less than what its tokens are allowed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_reaches_tokens_of_an_issuer_whose_clock_is_ahead() {
    let (issuer, keys) = (Issuer::new(), tempfile::tempdir().unwrap());
    let house = house(&issuer, &keys).await;
    let (carl, sofia) = (issuer.token("carl", 30, 3_600), issuer.token("sofia", 30, 3_600));
    assert_eq!((status(&house, &carl).await, status(&house, &sofia).await), (200, 200));
    let told = json!({ "jti": "l-1", "events": { LOGGED_OUT: {} } });
    assert_eq!(log_out(&house, &issuer.token_with("carl", 32, 120, &told)).await, 200);
    assert_eq!(revoke(&house, json!({ "user": "sofia" })).await, 200);
    assert_eq!((status(&house, &carl).await, status(&house, &sofia).await), (401, 401));
}

/// Whom a service account asks for.
const SUBJECT: &str = "gen-usersubject";

/// Somebody who asks without end on each of eight connections.
async fn eight(
    house: &House,
    (bearer, subject): (&str, Option<&str>),
    end: impl AsyncFnOnce(),
    due: (u16, &str),
) -> usize {
    let address = house.running.proxy;
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let (bearer, subject) = (format!("Bearer {bearer}"), subject.map(str::to_owned));
            tokio::spawn(async move {
                let client = super::house::client();
                let (mut good, mut last, began) = (0, None, Instant::now());
                while began.elapsed().as_secs() < 20 {
                    let mut request =
                        Request::get(format!("http://{address}{DIVISIONS}")).header("authorization", &bearer);
                    if let Some(subject) = &subject {
                        request = request.header(SUBJECT, subject);
                    }
                    let sent = Instant::now();
                    let answer = client.request(request.body(Full::default()).unwrap()).await.unwrap();
                    let status = answer.status().as_u16();
                    let body = super::house::read(answer.into_body()).await.unwrap();
                    let code = serde_json::from_str::<Value>(&body).unwrap()["code"].as_str().map(str::to_owned);
                    if status != 200 && code.as_deref() != Some("permission.missing") {
                        return (good, last, status, code.unwrap());
                    }
                    (good, last) = (good + 1, Some(sent));
                }
                panic!("never refused");
            })
        })
        .collect();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    end().await;
    let done = Instant::now();
    let mut all = 0;
    for one in asking {
        let (good, last, status, code) = one.await.unwrap();
        assert_eq!((status, code.as_str()), due);
        assert!(good > 0, "nothing was answered before");
        assert!(last.unwrap() <= done, "a request that was sent later was answered");
        all += good;
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_connections_are_refused_with_the_next_request_whoever_is_ended() {
    let (issuer, keys) = (Issuer::new(), tempfile::tempdir().unwrap());
    let house = house(&issuer, &keys).await;
    let required = (401, "identity.required");
    let log_out_of = |person: &str| {
        issuer.token_with(person, -1, 120, &json!({ "jti": format!("l-{person}"), "events": { LOGGED_OUT: {} } }))
    };
    let carl = issuer.token_with("carl", -60, 3_600, &json!({ "sid": "s-1" }));
    let mut answered = vec![(
        "a revoked session",
        eight(
            &house,
            (&carl, None),
            async || assert_eq!(revoke(&house, json!({ "session": "s-1" })).await, 200),
            required,
        )
        .await,
    )];
    let sofia = issuer.token("sofia", -60, 3_600);
    answered.push((
        "a person who logged out",
        eight(&house, (&sofia, None), async || assert_eq!(log_out(&house, &log_out_of("sofia")).await, 200), required)
            .await,
    ));
    let dana = issuer.token("dana", -60, 3_600);
    let leaves = async || {
        let mut left = house.directory.clone();
        for user in left["users"].as_array_mut().unwrap().iter_mut().filter(|user| user["id"] == "dana") {
            user["active"] = json!(false);
        }
        house.write_directory(&left.to_string());
        house.running.reload();
    };
    answered.push(("a deactivated user", eight(&house, (&dana, None), leaves, (401, "identity.unknown")).await));
    // the account is signed in all the time, and it is the person for whom it asks who leaves
    let (account, bea) = (super::house::token("svc-acme"), issuer.token("bea", -60, 200));
    let heard = house.try_ask(&bea, &format!("GET {DIVISIONS}"), "").await.unwrap();
    assert_ne!(heard.status, 401, "{heard:?}");
    let end = async || assert_eq!(log_out(&house, &log_out_of("bea")).await, 200);
    answered.push((
        "a subject who logged out",
        eight(&house, (&account, Some("bea")), end, (403, "subject.no-session")).await,
    ));
    println!("eight connections each, answers before the end: {answered:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_out_of_the_provider_is_believed_when_it_is_one() {
    let (issuer, keys) = (Issuer::new(), tempfile::tempdir().unwrap());
    let house = house(&issuer, &keys).await;
    let token = issuer.token_with("carl", -60, 3_600, &json!({ "sid": "s-9" }));
    assert_eq!(status(&house, &token).await, 200);
    let events = json!({ LOGGED_OUT: {} });
    let logout = |subject: &str, more: Value| issuer.token_with(subject, -1, 120, &more);
    let good = json!({ "jti": "l-1", "events": events, "sid": "s-9" });
    let without = |name: &str, value: Value| {
        let mut changed = good.clone();
        if value.is_null() {
            changed.as_object_mut().unwrap().remove(name);
        } else {
            changed[name] = value;
        }
        logout("carl", changed)
    };
    let strangers = Issuer::new();
    for (what, token) in [
        ("no event", without("events", Value::Null)),
        ("another event", without("events", json!({ "x": {} }))),
        ("an event that is no object", without("events", json!({ LOGGED_OUT: "yes" }))),
        ("a nonce", without("nonce", json!("n"))),
        ("no id", without("jti", Value::Null)),
        ("another audience", without("aud", json!("others"))),
        ("another issuer", without("iss", json!("https://other.example"))),
        ("over", issuer.token_with("carl", -900, -300, &good)),
        ("to come", issuer.token_with("carl", 900, 1_800, &good)),
        ("of another key", strangers.token_with("carl", -1, 120, &good)),
        ("a token for asking", token.clone()),
    ] {
        assert_eq!(log_out(&house, &token).await, 400, "{what}");
    }
    assert_eq!(status(&house, &token).await, 200);
    assert_eq!(log_out(&house, &logout("carl", good)).await, 200);
    assert_eq!(status(&house, &token).await, 401);
    assert_eq!(status(&house, &issuer.token("carl", -30, 3_600)).await, 401, "what carl got before");
    assert_eq!(status(&house, &issuer.token("sofia", -30, 3_600)).await, 200);
    house.clock.set(now() + SignedDuration::from_secs(5));
    assert_eq!(status(&house, &issuer.token_with("carl", 2, 3_600, &json!({ "sid": "s-10" }))).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_ends_is_over_within_a_second() {
    let (issuer, keys) = (Issuer::new(), tempfile::tempdir().unwrap());
    let house = house(&issuer, &keys).await;
    let token = issuer.token("carl", -60, 3_600);
    assert_eq!(status(&house, &token).await, 200);
    let other = Store::open(&house.folder.path().join("data")).unwrap();
    let until_then = now() + SignedDuration::from_hours(1);
    let carl = Ended { whose: Whose::User, id: "carl".into(), at: now(), until: until_then };
    other.end_tokens(carl, now()).await.unwrap();
    let began = Instant::now();
    until("the end of carl's tokens", || async { status(&house, &token).await == 401 }).await;
    assert!(began.elapsed().as_millis() < 1_000, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_sign_ins_are_limited_and_recorded_without_their_secrets() {
    let (issuer, keys) = (Issuer::new(), tempfile::tempdir().unwrap());
    let more = format!("[identity]\nfailures-per-minute = 5\n{}", issuer.section(keys.path()));
    let house = House::of(Plan { more, interactions: 20, ..Plan::default() }).await;
    let bad: Vec<String> = (0..8).map(|number| format!("wrong-secret-{number}")).collect();
    let mut heard = Vec::new();
    for token in &bad {
        heard.push(house.try_ask(token, &format!("GET {DIVISIONS}"), "").await.unwrap());
    }
    let codes: Vec<String> = heard.iter().map(super::house::Heard::code).collect();
    assert_eq!(codes[..5], ["identity.required"; 5]);
    assert_eq!(codes[5..], ["identity.throttled"; 3]);
    assert_eq!(heard[5].status, 429);
    assert_eq!(heard[5].header("retry-after"), Some("60"));
    // the right secret is not even compared, a good token passes
    let form = "grant_type=client_credentials&client_id=client-of-carl&client_secret=secret-of-carl";
    let request = Request::post(format!("http://{}/oauth/token", house.running.proxy))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(form)))
        .unwrap();
    assert_eq!(super::house::client().request(request).await.unwrap().status(), 429);
    assert_eq!(status(&house, &issuer.token("carl", -60, 3_600)).await, 200);
    house.clock.set(now() + SignedDuration::from_secs(60));
    assert_eq!(house.try_ask(&bad[0], &format!("GET {DIVISIONS}"), "").await.unwrap().status, 401);
    house.lines(heard[7].decision()).await;
    let record = serde_json::to_string(&house.record()).unwrap();
    assert!(record.contains("identity.throttled") && !record.contains("wrong-secret"), "{record}");
    assert!(house.metric("bailiwick_logins_throttled_total").await >= 4);
}
