//! Keys that come and go, providers that are away, and answers that are kept: the scenarios of the corpus, each run against a
//! provider on loopback that counts what it is asked.

use super::{
    super::*,
    corpus, org,
    provider::{DOCUMENT, INTROSPECT, KEYS, ME, Provider, Signing, opaque, signed},
};
use crate::model::set::Ix;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use std::path::Path;

const NOW: i64 = 1_767_225_600;

fn at(later: i64) -> Timestamp {
    Timestamp::from_second(NOW + later).unwrap()
}

fn claims(provider: &Provider) -> Value {
    json!({ "iss": provider.issuer(), "aud": "reports", "sub": "user-1", "nbf": NOW - 60, "iat": NOW - 60, "exp": NOW + 36_000 })
}

fn identity(jwt: Option<JwtSettings>, introspection: Option<IntrospectionSettings>) -> Identity {
    let settings = Settings { jwt, introspection, failures_per_minute: u32::MAX, ..Settings::default() };
    Identity::new(&settings, &Metrics::detached()).unwrap()
}

async fn judged(identity: &Identity, token: &str, later: i64) -> Result<Subject, Code> {
    let from = IpAddr::from([127, 0, 0, 1]);
    let judged = identity.identify(Some(&format!("Bearer {token}")), from, &org(), at(later)).await;
    judged.map_err(|refusal| {
        assert!(!format!("{refusal:?}").contains(token), "the token is quoted");
        refusal.code
    })
}

/// A provider with one key, and somebody who has read it.
async fn learnt() -> (Provider, Signing, Identity) {
    let (provider, key) = (Provider::start().await, Signing::new("one"));
    provider.publish(&[&key]);
    let identity = identity(Some(signed(&provider)), None);
    assert!(identity.learn().await);
    assert_eq!((provider.asked(DOCUMENT), provider.asked(KEYS)), (1, 1));
    (provider, key, identity)
}

async fn a_new_key_is_asked_for_once() {
    let (provider, old, identity) = learnt().await;
    let new = Signing::new("two");
    provider.publish(&[&old, &new]);
    let token = new.sign(&claims(&provider));
    let all = futures(&identity, &token).await;
    assert!(all.into_iter().all(|one| one.is_ok()), "all that came at once");
    assert_eq!(provider.asked(KEYS), 1);
    let invented = |number: usize| {
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": "ES256", "kid": format!("k{number}") }).to_string());
        format!("{header}.e30.AAAA")
    };
    for number in 0..10_000 {
        let later = i64::try_from(number / 200).unwrap();
        assert_eq!(judged(&identity, &invented(number), later).await, Err(Code::IdentityRequired));
    }
    // 50 seconds, 30 apart, and the first has just been
    assert_eq!((provider.asked(KEYS), provider.asked(DOCUMENT)), (1, 2));
    assert!(judged(&identity, &token, 50).await.is_ok());
}

async fn futures(identity: &Identity, token: &str) -> Vec<Result<Subject, Code>> {
    let one = || judged(identity, token, 0);
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    vec![a, b, c, d]
}

async fn a_removed_key_is_forgotten() {
    let (provider, old, identity) = learnt().await;
    let (new, token) = (Signing::new("two"), old.sign(&claims(&provider)));
    provider.publish(&[&new]);
    assert!(judged(&identity, &token, 0).await.is_ok(), "until the set is read again");
    assert!(identity.learn().await);
    assert_eq!(judged(&identity, &token, 0).await, Err(Code::IdentityRequired));
    assert!(judged(&identity, &new.sign(&claims(&provider)), 0).await.is_ok());
}

async fn without_keys_nobody_is_let_in() {
    let (provider, key) = (Provider::start().await, Signing::new("one"));
    provider.says(KEYS, 503, "", "");
    let identity = identity(Some(signed(&provider)), None);
    assert!(!identity.learn().await);
    let (judges, why) = identity.readiness();
    assert!(!judges && why.unwrap().contains("answered 503"));
    let token = key.sign(&claims(&provider));
    assert_eq!(judged(&identity, &token, 0).await, Err(Code::IdentityUnavailable));
    provider.publish(&[&key]);
    assert_eq!(judged(&identity, &token, 1).await, Err(Code::IdentityUnavailable), "not asked again so soon");
    assert!(judged(&identity, &token, 30).await.is_ok());
    assert_eq!(identity.readiness(), (true, None));
}

/// What comes is no set that can be used: the keys of before stay, and it is told.
async fn old_keys_stay(status: u16, head: &str, body: &str) -> (Provider, Signing, Identity) {
    let (provider, key, identity) = learnt().await;
    provider.says(KEYS, status, head, body);
    assert!(!identity.learn().await, "{body}");
    let (judges, why) = identity.readiness();
    assert!(judges && why.is_some(), "{body}");
    assert!(judged(&identity, &key.sign(&claims(&provider)), 0).await.is_ok(), "{body}");
    (provider, key, identity)
}

async fn an_empty_set_lets_nothing_unsigned_in() {
    let (provider, _, identity) = old_keys_stay(200, "", r#"{"keys":[]}"#).await;
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims(&provider)));
    assert_eq!(judged(&identity, &unsigned, 60).await, Err(Code::IdentityRequired));
}

async fn two_keys_of_one_id_are_no_set() {
    let (one, two) = (Signing::new("two"), Signing::new("two"));
    let body = json!({ "keys": [one.published, two.published] });
    let (provider, _, identity) = old_keys_stay(200, "", &body.to_string()).await;
    for key in [one, two] {
        assert_eq!(judged(&identity, &key.sign(&claims(&provider)), 60).await, Err(Code::IdentityRequired));
    }
}

async fn nothing_leads_elsewhere() {
    let other = Provider::start().await;
    let key = Signing::new("elsewhere");
    other.publish(&[&key]);
    let lead = format!("location: {}\r\n", other.url(KEYS));
    let (provider, _, identity) = old_keys_stay(302, &lead, "").await;
    for place in [other.url(KEYS), "file:///etc/keys".to_owned(), "http://u@127.0.0.1/keys".to_owned()] {
        provider.page(DOCUMENT, 200, &json!({ "issuer": provider.issuer(), "jwks_uri": place }));
        assert!(!identity.learn().await, "{place}");
    }
    provider.page(DOCUMENT, 200, &json!({ "issuer": "https://other.example", "jwks_uri": provider.url(KEYS) }));
    provider.publish(&[&key]);
    assert!(!identity.learn().await, "the document of somebody else");
    assert_eq!(judged(&identity, &key.sign(&claims(&provider)), 60).await, Err(Code::IdentityRequired));
    assert!(other.asked_at_all().is_empty());
    assert!(provider.asked_at_all().iter().all(|path| [DOCUMENT, KEYS].contains(&path.as_str())));
}

async fn secret_keys_are_passed_over() {
    let (provider, key, identity) = learnt().await;
    let private = Signing::new("private");
    let mut told = private.published.clone();
    told["d"] = json!("AAAA");
    let shared = json!({ "kty": "oct", "kid": "shared", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA" });
    let strange = json!({ "kty": "AKP", "kid": "strange", "alg": "ML-DSA-44", "pub": "AAAA" });
    let set = json!({ "keys": [told, shared, strange, key.published] });
    let (_, passed_over) = keys::Keys::set(&set.to_string(), &[Algorithm::ES256]).unwrap();
    assert_eq!(passed_over.len(), 3, "{passed_over:?}");
    provider.page(KEYS, 200, &set);
    assert!(identity.learn().await);
    assert!(judged(&identity, &key.sign(&claims(&provider)), 0).await.is_ok());
    assert_eq!(judged(&identity, &private.sign(&claims(&provider)), 60).await, Err(Code::IdentityRequired));
}

async fn keys_that_prove_nothing_are_passed_over() {
    let (provider, key, identity) = learnt().await;
    let bent = Signing::new("bent");
    let mut off = bent.published.clone();
    off["y"] = off["x"].clone();
    let (corpus, ..) = corpus();
    let mut one = corpus.jwks["keys"].as_array().unwrap().iter().find(|key| key["kty"] == "RSA").unwrap().clone();
    one["e"] = json!("AQ");
    let set = json!({ "keys": [off, one, key.published] });
    let (_, passed_over) = keys::Keys::set(&set.to_string(), &[Algorithm::ES256, Algorithm::RS256]).unwrap();
    assert!(passed_over.iter().any(|why| why.contains("exponent is 1")), "{passed_over:?}");
    provider.page(KEYS, 200, &set);
    assert!(identity.learn().await);
    assert!(judged(&identity, &key.sign(&claims(&provider)), 0).await.is_ok());
    assert_eq!(judged(&identity, &bent.sign(&claims(&provider)), 0).await, Err(Code::IdentityRequired));
}

async fn what_is_not_active_is_refused() {
    let provider = Provider::start().await;
    let identity = identity(None, Some(opaque(&provider)));
    assert_eq!(judged(&identity, "opaque-1", 0).await, Err(Code::IdentityRequired));
    assert_eq!(judged(&identity, "opaque-1", 59).await, Err(Code::IdentityRequired));
    assert_eq!(provider.asked(INTROSPECT), 1, "what is not good is kept too");
}

async fn who_does_not_answer_vouches_for_nobody() {
    let provider = Provider::start().await;
    let identity = identity(None, Some(opaque(&provider)));
    for (status, body) in [(500, "{}"), (302, ""), (200, "<html>"), (200, r#"{"active":"true","sub":"user-1"}"#)] {
        provider.says(INTROSPECT, status, "", body);
        assert_eq!(judged(&identity, "opaque-1", 0).await, Err(Code::IdentityUnavailable), "{status} {body}");
    }
    assert_eq!(provider.asked(INTROSPECT), 4, "nothing of it is kept");
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut settings = opaque(&provider);
    let Asks::Endpoint { url, .. } = &mut settings.asks else { panic!("an endpoint is asked") };
    *url = format!("http://{nobody}/introspect").parse().unwrap();
    let identity = super::lifecycle::identity(None, Some(settings));
    assert_eq!(judged(&identity, "opaque-1", 0).await, Err(Code::IdentityUnavailable));
}

async fn what_was_said_is_believed_for_a_while() {
    let provider = Provider::start().await;
    let identity = identity(None, Some(opaque(&provider)));
    provider.token("opaque-1", json!({ "active": true, "sub": "user-1", "client_id": "tool", "exp": NOW + 600 }));
    let subject = judged(&identity, "opaque-1", 0).await.unwrap();
    assert_eq!((subject.method, subject.client.as_deref()), (Method::Introspection, Some("tool")));
    provider.token("opaque-1", json!({ "active": false }));
    assert!(judged(&identity, "opaque-1", 59).await.is_ok());
    assert_eq!(judged(&identity, "opaque-1", 60).await, Err(Code::IdentityRequired));
    // and never past its end
    provider.token("opaque-2", json!({ "active": true, "sub": "user-1", "exp": NOW + 70 }));
    assert!(judged(&identity, "opaque-2", 60).await.is_ok());
    assert!(judged(&identity, "opaque-2", 74).await.is_ok(), "its leeway");
    provider.token("opaque-2", json!({ "active": true, "sub": "user-1" }));
    provider.asked_at_all();
    assert!(judged(&identity, "opaque-2", 75).await.is_ok());
    assert_eq!(provider.asked(INTROSPECT), 1);
}

async fn an_answer_is_of_the_whole_token() {
    let provider = Provider::start().await;
    let identity = identity(None, Some(opaque(&provider)));
    let long = "a".repeat(5_000);
    provider.token(&format!("{long}1"), json!({ "active": true, "sub": "user-1" }));
    assert!(judged(&identity, &format!("{long}1"), 0).await.is_ok());
    for other in [format!("{long}2"), long.clone(), format!("{long}11")] {
        assert_eq!(judged(&identity, &other, 0).await, Err(Code::IdentityRequired));
    }
    assert_eq!(provider.asked(INTROSPECT), 4);
}

async fn issuer_and_audience_have_to_be_said() {
    let provider = Provider::start().await;
    let mut settings = opaque(&provider);
    let Asks::Endpoint { issuer, audience, .. } = &mut settings.asks else { panic!("an endpoint is asked") };
    (*issuer, *audience) = (Some("https://idp.example".to_owned()), Some("reports".to_owned()));
    let identity = identity(None, Some(settings));
    let said = |iss: &str, aud: Value| json!({ "active": true, "sub": "user-1", "iss": iss, "aud": aud });
    for (token, says, good) in [
        ("t-1", said("https://idp.example", json!("reports")), true),
        ("t-2", said("https://idp.example", json!(["other", "reports"])), true),
        ("t-3", said("https://idp.example", json!("other")), false),
        ("t-4", said("https://other.example", json!("reports")), false),
        ("t-5", json!({ "active": true, "sub": "user-1" }), false),
        ("t-6", json!({ "active": true, "iss": "https://idp.example", "aud": "reports" }), false),
    ] {
        provider.token(token, says);
        let judged = judged(&identity, token, 0).await;
        assert_eq!(judged.err(), (!good).then_some(Code::IdentityRequired), "{token}");
    }
}

async fn a_flood_of_tokens_is_no_flood_of_questions() {
    let provider = Provider::start().await;
    let identity = identity(None, Some(opaque(&provider)));
    let began = std::time::Instant::now();
    let mut unasked = 0;
    for number in 0..10_000 {
        match judged(&identity, &format!("bad-{number}"), 0).await {
            Err(Code::IdentityRequired) => {}
            Err(Code::IdentityUnavailable) => unasked += 1,
            other => panic!("{other:?}"),
        }
    }
    let asked = provider.asked(INTROSPECT);
    let most = 51.0 + began.elapsed().as_secs_f64() * 50.0;
    assert_eq!(asked + unasked, 10_000);
    assert!((50.0..=most).contains(&f64::from(u32::try_from(asked).unwrap())), "{asked} questions, at most {most}");
    let introspection = identity.introspection.as_ref().unwrap();
    assert_eq!(introspection.kept_bad(), 16);
}

#[tokio::test]
async fn every_scenario_of_the_corpus_goes_as_due() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpora/jwt/jwt_cases.json");
    let corpus: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut run = 0;
    for scenario in corpus["lifecycle"].as_array().unwrap() {
        match scenario["id"].as_str().unwrap() {
            "jwks-1" => a_new_key_is_asked_for_once().await,
            "jwks-2" => a_removed_key_is_forgotten().await,
            "jwks-4" => without_keys_nobody_is_let_in().await,
            "jwks-5" => drop(old_keys_stay(200, "content-type: text/html\r\n", "<html>sign in</html>").await),
            "jwks-6" => an_empty_set_lets_nothing_unsigned_in().await,
            "jwks-8" => two_keys_of_one_id_are_no_set().await,
            "jwks-9" => nothing_leads_elsewhere().await,
            "jwks-10" => secret_keys_are_passed_over().await,
            "jwks-11" => keys_that_prove_nothing_are_passed_over().await,
            "intro-1" => what_is_not_active_is_refused().await,
            "intro-2" => who_does_not_answer_vouches_for_nobody().await,
            "intro-5" => what_was_said_is_believed_for_a_while().await,
            "intro-6" => an_answer_is_of_the_whole_token().await,
            "intro-7" => issuer_and_audience_have_to_be_said().await,
            "intro-8" => a_flood_of_tokens_is_no_flood_of_questions().await,
            other => panic!("nobody runs the scenario {other}"),
        }
        run += 1;
    }
    assert_eq!(run, 15);
}

#[tokio::test]
async fn a_region_is_asked_about_its_own_people() {
    let provider = Provider::start().await;
    let of = |region: &str| {
        let asks = Asks::UsersMe { region: region.to_owned(), url: provider.url(ME).parse().unwrap() };
        identity(None, Some(IntrospectionSettings { asks, ..opaque(&provider) }))
    };
    provider.token("t-1", json!({ "id": "user-1", "name": "Una" }));
    provider.token("t-2", json!({ "id": "stranger" }));
    provider.token("t-3", json!({ "name": "nobody" }));
    let here = of("r");
    for later in [0, 30] {
        assert_eq!(judged(&here, "t-1", later).await.unwrap().principal, Principal::User(Ix::new(0)));
        assert_eq!(judged(&here, "t-2", later).await, Err(Code::IdentityUnknown));
        assert_eq!(judged(&here, "t-4", later).await, Err(Code::IdentityRequired));
    }
    assert_eq!(provider.asked(ME), 3);
    assert_eq!(judged(&here, "t-3", 0).await, Err(Code::IdentityUnavailable));
    assert_eq!(judged(&of("other"), "t-1", 0).await, Err(Code::IdentityUnknown), "a person of another region");
}

#[tokio::test]
async fn a_signed_token_is_sent_to_nobody() {
    let (provider, key) = (Provider::start().await, Signing::new("one"));
    provider.publish(&[]);
    let identity = identity(Some(signed(&provider)), Some(opaque(&provider)));
    let token = key.sign(&claims(&provider));
    provider.token(&token, json!({ "active": true, "sub": "user-1" }));
    assert_eq!(judged(&identity, &token, 0).await, Err(Code::IdentityUnavailable));
    assert_eq!(provider.asked(INTROSPECT), 0);
    provider.token("opaque-1", json!({ "active": true, "sub": "user-1" }));
    assert!(judged(&identity, "opaque-1", 0).await.is_ok());
}

#[tokio::test]
async fn tokens_of_outsourcers_are_short_and_say_so() {
    let (provider, key) = (Provider::start().await, Signing::new("one"));
    provider.publish(&[&key]);
    let identity = identity(Some(signed(&provider)), Some(opaque(&provider)));
    let mut org = org();
    let judge = async |org: &Org, token: &str| {
        let from = IpAddr::from([127, 0, 0, 1]);
        identity.identify(Some(&format!("Bearer {token}")), from, org, at(0)).await.map(|_| ()).map_err(|one| one.code)
    };
    let lives = |seconds: i64| {
        let mut claims = claims(&provider);
        claims["exp"] = json!(NOW - 60 + seconds);
        key.sign(&claims)
    };
    let says = |token: &str, more: Value| {
        let mut said = json!({ "active": true, "sub": "user-1" });
        for (name, value) in more.as_object().unwrap() {
            said[name] = value.clone();
        }
        provider.token(token, said);
    };
    says("untold", json!({}));
    says("short", json!({ "exp": NOW + 300 }));
    says("long", json!({ "exp": NOW + 301 }));
    says("old", json!({ "exp": NOW + 200, "iat": NOW - 200 }));
    let tokens = [(lives(300), true), (lives(301), false), ("untold".to_owned(), false), ("short".to_owned(), true)];
    let tokens = tokens.into_iter().chain([("long".to_owned(), false), ("old".to_owned(), false)]);
    for (token, short) in tokens {
        org.users[0].bpo = false;
        assert_eq!(judge(&org, &token).await, Ok(()));
        org.users[0].bpo = true;
        assert_eq!(judge(&org, &token).await.is_ok(), short, "{token}");
    }
    // an account that acts for them is theirs
    let mut robot = claims(&provider);
    robot["sub"] = json!("robot");
    let robot = key.sign(&robot);
    assert_eq!(judge(&org, &robot).await, Ok(()));
    org.services[0].acts_for_users = std::iter::once(Ix::new(0)).collect();
    assert_eq!(judge(&org, &robot).await, Err(Code::IdentityRequired));
}

#[tokio::test]
async fn beyond_the_limit_nobody_is_asked_and_good_tokens_pass() {
    let (provider, key) = (Provider::start().await, Signing::new("one"));
    provider.publish(&[&key]);
    let settings = Settings {
        jwt: Some(signed(&provider)),
        introspection: Some(opaque(&provider)),
        failures_per_minute: 3,
        ..Settings::default()
    };
    let identity = Identity::new(&settings, &Metrics::detached()).unwrap();
    identity.learn().await;
    for number in 0..3 {
        assert_eq!(judged(&identity, &format!("bad-{number}"), 0).await, Err(Code::IdentityRequired));
    }
    provider.asked_at_all();
    assert_eq!(judged(&identity, "bad-4", 0).await, Err(Code::IdentityThrottled));
    assert!(identity.may_log_in(IpAddr::from([127, 0, 0, 1]), at(0)).is_err());
    assert!(identity.may_log_in(IpAddr::from([127, 0, 0, 2]), at(0)).is_ok());
    assert!(judged(&identity, &key.sign(&claims(&provider)), 0).await.is_ok());
    assert!(provider.asked_at_all().is_empty());
    assert_eq!(judged(&identity, "bad-4", 60).await, Err(Code::IdentityRequired));
}

/// Who cannot know what other processes ended says so at once, and after a while takes nobody's token.
#[tokio::test]
async fn ends_that_cannot_be_read_close_the_door() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let statics = vec![StaticToken { token: "t-user-1".to_owned().into(), holder: Holder::User("user-1".into()) }];
    let identity = Identity::new(&Settings { statics, ..Settings::default() }, &Metrics::detached()).unwrap();
    let identity = identity.kept_in(store).await.unwrap();
    assert!(judged(&identity, "t-user-1", 0).await.is_ok());
    assert_eq!(identity.readiness(), (true, None));
    let other = rusqlite::Connection::open(folder.path().join("bailiwick.sqlite")).unwrap();
    other.execute("alter table ended rename to moved", []).unwrap();
    assert!(identity.sessions.read_on().await.is_err());
    let (ready, trouble) = identity.readiness();
    assert!(ready && trouble.unwrap().contains("cannot be read"));
    assert!(judged(&identity, "t-user-1", 0).await.is_ok(), "a moment is no reason to send everybody away");
    identity.sessions.unread_for(Duration::from_secs(11));
    assert!(identity.sessions.read_on().await.is_err(), "another failure is no new beginning");
    assert_eq!(judged(&identity, "t-user-1", 0).await, Err(Code::StoreUnavailable));
    assert!(!identity.readiness().0);
    other.execute("alter table moved rename to ended", []).unwrap();
    identity.sessions.read_on().await.unwrap();
    assert!(judged(&identity, "t-user-1", 0).await.is_ok());
    assert_eq!(identity.readiness(), (true, None));
}
