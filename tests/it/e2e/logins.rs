//! Log-ins at `/oauth/token`: tokens of this proxy's own, and those of a region's login host; and a region that is asked with the
//! token of who asks.

use super::house::{AGGREGATES, ASKER, EU, House, Plan, US, WEEK, client, now, read};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// A service account and its client in the directory.
pub(super) const ACCOUNT: &str = "svc-exporter";
pub(super) const CLIENT: &str = "exporter-client";
pub(super) const SECRET: &str = "a-secret-that-nobody-guesses";

/// The client of an account that acts for outsourcers.
const OUTSOURCER: &str = "acme-client";

/// A house where the client gets tokens of the proxy's own.
pub(super) fn own() -> Plan {
    let one = |client| format!("[[identity.client]]\nclient-id = \"{client}\"\nclient-secret = \"{SECRET}\"\n");
    let more = [CLIENT, OUTSOURCER].map(one).concat();
    Plan { more, ..Plan::default() }
}

/// A house where the sandbox itself says who the client is.
pub(super) fn relaying() -> Plan {
    Plan {
        clients: vec![(CLIENT.to_owned(), SECRET.to_owned())],
        login_grants: "\"client-credentials\"",
        ..Plan::default()
    }
}

async fn post(house: &House, form: &str) -> (u16, Value) {
    let request = Request::post(format!("http://{}/oauth/token", house.running.proxy))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::from(form.to_owned())))
        .unwrap();
    let (head, body) = client().request(request).await.unwrap().into_parts();
    (head.status.as_u16(), serde_json::from_str(&read(body).await.unwrap()).unwrap())
}

fn credentials(client: &str, secret: &str) -> String {
    format!("grant_type=client_credentials&client_id={client}&client_secret={secret}")
}

async fn token(house: &House) -> (String, u64) {
    let (status, told) = post(house, &credentials(CLIENT, SECRET)).await;
    assert_eq!((status, told["token_type"].as_str()), (200, Some("bearer")), "{told}");
    (told["access_token"].as_str().unwrap().to_owned(), told["expires_in"].as_u64().unwrap())
}

fn question() -> Value {
    json!({ "interval": WEEK, "groupBy": ["queueId"], "metrics": ["nOffered"] })
}

async fn ask(house: &House, token: &str) -> (u16, Value) {
    let heard = house.try_ask(token, &format!("POST {AGGREGATES}"), &question().to_string()).await.unwrap();
    (heard.status, heard.json())
}

/// What reached the login host of a region since the last look.
fn logins(house: &House, region: &str) -> usize {
    house.sandbox.take_received(region).iter().filter(|one| one.target == "/oauth/token").count()
}

fn refused((status, told): (u16, Value)) -> (u16, String) {
    (status, told["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_the_configuration_gets_a_short_token_of_the_proxys_own() {
    let house = House::of(own()).await;
    let (first, lives) = token(&house).await;
    assert_eq!(lives, 900);
    let (status, told) = post(&house, &credentials(OUTSOURCER, SECRET)).await;
    assert_eq!((status, told["expires_in"].as_u64()), (200, Some(300)), "an outsourcer's lives shorter");
    let due = house.post(ACCOUNT, AGGREGATES, &question()).await;
    assert!(!due.json()["results"].as_array().unwrap().is_empty());
    assert_eq!(ask(&house, &first).await, (200, due.json()));
    // it is good in a new process, until it ends
    let house = house.restarted().await;
    assert_eq!(ask(&house, &first).await.0, 200);
    house.clock.set(now() + SignedDuration::from_secs(900));
    assert_eq!(refused(ask(&house, &first).await), (401, "identity.required".to_owned()));
    let (second, _) = token(&house).await;
    assert_ne!(first, second);
    // ended before its time
    let ended = format!("{{\"client\": \"{CLIENT}\"}}");
    let revoke = "POST /v1/sessions/revoke";
    assert_eq!(super::house::send(&client(), house.running.admin, "", revoke, &ended).await.unwrap().status, 200);
    assert_eq!(refused(ask(&house, &second).await), (401, "identity.required".to_owned()));
    for (form, due) in [
        (credentials(CLIENT, "another-secret-nobody-guesses"), 401),
        (credentials("nobody", SECRET), 401),
        (format!("{}&scope=all", credentials(CLIENT, SECRET)), 400),
        ("grant_type=refresh_token&refresh_token=r&client_id=exporter-client".to_owned(), 401),
    ] {
        assert_eq!(post(&house, &form).await.0, due, "{form}");
    }
    let record = serde_json::to_string(&house.record()).unwrap();
    assert!(record.contains("issued") && !record.contains(SECRET) && !record.contains(&first), "{record}");
    house.assert_no_connection_to(EU);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_in_is_passed_on_to_the_login_host_of_the_clients_region() {
    let house = House::of(relaying()).await;
    let (first, lives) = token(&house).await;
    assert_eq!((lives, logins(&house, US)), (86_400, 1));
    let due = house.post(ACCOUNT, AGGREGATES, &question()).await.json();
    assert_eq!(ask(&house, &first).await, (200, due));
    // asked with the proxy's own credential, not with this token
    for asked in house.received(US) {
        assert!(asked.headers.iter().all(|(_, value)| !value.contains(&first)), "the token went on");
    }
    // the login host says no; whoever is no client here is not asked about, nor what is not passed on
    for (form, asked) in [
        (credentials(CLIENT, "wrong"), 1),
        (credentials("bailiwick", "sandbox-secret"), 0),
        ("grant_type=refresh_token&refresh_token=r&client_id=exporter-client".to_owned(), 0),
    ] {
        assert_eq!(refused(post(&house, &form).await), (401, "identity.required".to_owned()), "{form}");
        assert_eq!(logins(&house, US), asked, "{form}");
    }
    house.sandbox.disobey(|faults| faults.refuse_tokens = true);
    assert_eq!(post(&house, &credentials(CLIENT, SECRET)).await.0, 401);
    // what is remembered of a token ends with the process
    let house = house.restarted().await;
    assert_eq!(refused(ask(&house, &first).await), (401, "identity.required".to_owned()));
    let record = serde_json::to_string(&house.record()).unwrap();
    assert!(record.contains("relayed") && !record.contains(SECRET) && !record.contains(&first), "{record}");
    house.assert_no_connection_to(EU);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_region_is_asked_with_the_token_of_who_asks_and_with_no_other() {
    let house = House::of(Plan { credential: ASKER, ..relaying() }).await;
    let (first, _) = token(&house).await;
    assert_eq!(logins(&house, US), 1);
    let (status, told) = ask(&house, &first).await;
    assert_eq!(status, 200, "{told}");
    assert!(!told["results"].as_array().unwrap().is_empty());
    let received = house.received(US);
    assert!(!received.is_empty());
    for asked in received {
        let bearer = asked.headers.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.clone());
        assert_eq!(bearer, Some(format!("Bearer {first}")));
    }
    // a token of the configuration goes nowhere, and nothing is asked in its stead
    let static_one = house.post(ACCOUNT, AGGREGATES, &question()).await;
    assert_eq!((static_one.status, static_one.code()), (403, "upstream.asker".to_owned()));
    let schedule = json!({ "definitionId": "x", "crontab": "0 6 * * *", "timeZone": "UTC" });
    let schedule = house.post("sofia", "/api/v2/analytics/query/schedules", &schedule).await;
    assert_eq!((schedule.status, schedule.code()), (403, "upstream.asker".to_owned()), "{}", schedule.body);
    assert!(house.sandbox.take_received(US).is_empty());
    // what describes the asker is answered from the directory as before
    assert_eq!(house.get("sofia", "/api/v2/users/me").await.status, 200);
    // a token that the upstream no longer takes is not renewed: one question, and no log-in
    house.sandbox.disobey(|faults| faults.forget_tokens = true);
    assert_eq!(refused(ask(&house, &first).await), (401, "identity.required".to_owned()));
    let received = house.sandbox.take_received(US);
    assert_eq!(received.iter().map(|one| one.target.as_str()).collect::<Vec<_>>(), [AGGREGATES]);
    let record = serde_json::to_string(&house.record()).unwrap();
    assert!(!record.contains(&first) && !record.contains(SECRET), "{record}");
    house.assert_no_connection_to(EU);
}
