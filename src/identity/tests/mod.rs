mod lifecycle;
mod provider;
mod roles;
mod vectors;

use super::*;
use crate::model::{
    org::{Division, Org, Region, ServiceAccount, User},
    set::{Ix, Set},
};
use jsonwebtoken::Algorithm;
use secrecy::SecretString;
use serde::Deserialize;
use std::{path::Path, time::Duration};

impl Identity {
    /// As [`Identity::identify`], of somebody who needs nobody to be asked.
    fn who(&self, value: Option<&str>, org: &Org, now: Timestamp) -> Result<Subject, Refusal> {
        let from = IpAddr::from([127, 0, 0, 1]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(self.identify(value, from, org, now))
    }
}

/// Directory users `user-1` (active) and `gone` (not active), and a service account with client `robot`.
fn org() -> Org {
    let region = Ix::new(0);
    let division = Ix::new(0);
    let user = |id: &str, active| User {
        id: id.into(),
        person: id.into(),
        name: id.into(),
        email: None,
        division,
        region,
        active,
        moved: false,
        manager: None,
        groups: Set::new(),
        bpo: false,
        licence: None,
        named_queues: Set::new(),
        queues: Set::new(),
        assignments: Vec::new(),
        legacy: None,
    };
    let mut org = Org {
        regions: vec![Region { id: "r".into(), upstream: "".into(), hosts: Vec::new() }],
        divisions: vec![Division {
            id: "d".into(),
            name: "d".into(),
            parent: None,
            region,
            leaf: true,
            shared: false,
            home: false,
            queues: Set::new(),
            users: Set::new(),
        }],
        users: vec![user("user-1", true), user("gone", false)],
        services: vec![ServiceAccount {
            id: "svc".into(),
            name: "svc".into(),
            region,
            clients: vec!["robot".into()],
            assignments: Vec::new(),
            acts_for_users: Set::new(),
            acts_for_groups: Set::new(),
            groups: Set::new(),
        }],
        ..Org::default()
    };
    org.index.users.insert("user-1".into(), Ix::new(0));
    org.index.users.insert("gone".into(), Ix::new(1));
    org.index.services.insert("svc".into(), Ix::new(0));
    org.index.clients.insert("robot".into(), Ix::new(0));
    org
}

fn statics(pairs: &[(&str, Holder)]) -> Identity {
    let statics = pairs
        .iter()
        .map(|(token, holder)| StaticToken { token: SecretString::from(*token), holder: holder.clone() })
        .collect();
    Identity::new(&Settings { statics, ..Settings::default() }, &Metrics::detached()).unwrap()
}

#[test]
fn a_static_token_is_its_holder() {
    let identity = statics(&[("t-user", Holder::User("user-1".into())), ("t-svc", Holder::Service("svc".into()))]);
    let org = org();
    let user = identity.who(Some("Bearer t-user"), &org, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!((user.principal, user.method), (Principal::User(Ix::new(0)), Method::Static));
    let service = identity.who(Some("Bearer t-svc"), &org, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(service.principal, Principal::Service(Ix::new(0)));
}

#[test]
fn no_token_or_a_wrong_one_says_the_same() {
    let identity = statics(&[("t-user", Holder::User("user-1".into()))]);
    let org = org();
    let mut answers = Vec::new();
    for value in [None, Some("Bearer t-use"), Some("Bearer t-userr"), Some("Basic dTpw"), Some("")] {
        let refusal = identity.who(value, &org, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(refusal.code, Code::IdentityRequired);
        answers.push((refusal.message, refusal.params));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
}

#[test]
fn who_is_unknown_or_not_active_is_told_so() {
    let identity = statics(&[("a", Holder::User("gone".into())), ("b", Holder::User("nobody-here".into()))]);
    let org = org();
    for value in ["Bearer a", "Bearer b"] {
        let refusal = identity.who(Some(value), &org, Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(refusal.code, Code::IdentityUnknown);
    }
}

#[derive(Deserialize)]
struct Corpus {
    now: i64,
    issuer: String,
    audience: String,
    jwks: serde_json::Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    name: String,
    token: String,
    expect: String,
}

fn corpus() -> (Corpus, JwtSettings, tempfile::TempDir) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpora/jwt/jwt_cases.json");
    let corpus: Corpus = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("keys.json");
    std::fs::write(&key_file, corpus.jwks.to_string()).unwrap();
    let settings = JwtSettings {
        keys: KeysFrom::File(key_file),
        algorithms: vec![Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA],
        issuer: corpus.issuer.clone(),
        audience: corpus.audience.clone(),
        claim: "sub".to_owned(),
        role_claim: None,
        typ: Some("at+jwt".to_owned()),
        leeway: Duration::from_mins(1),
        max_lifetime: Duration::from_hours(24),
        needs_not_before: true,
    };
    (corpus, settings, folder)
}

fn identity(jwt: JwtSettings) -> Identity {
    let settings = Settings { jwt: Some(jwt), failures_per_minute: 1_000, ..Settings::default() };
    Identity::new(&settings, &Metrics::detached()).unwrap()
}

#[test]
fn the_corpus_of_attacks_is_judged_as_due() {
    let (corpus, settings, _folder) = corpus();
    let identity = identity(settings);
    let (org, now) = (org(), Timestamp::from_second(corpus.now).unwrap());
    let mut wrong = Vec::new();
    let (mut accepted, mut rejected) = (0, 0);
    for case in &corpus.cases {
        let judged = identity.who(Some(&format!("Bearer {}", case.token)), &org, now);
        match (&*case.expect, &judged) {
            ("accept", Ok(_)) => accepted += 1,
            ("reject", Err(_)) => rejected += 1,
            ("accept-or-reject", _) => {}
            _ => wrong.push(format!("{} {} due {}: {judged:?}", case.id, case.name, case.expect)),
        }
        if let Err(refusal) = judged {
            let shown = format!("{refusal:?}");
            assert!(case.token.len() < 20 || !shown.contains(&case.token), "{}: the token is quoted", case.id);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(corpus.cases.len(), 95);
    assert!(accepted >= 6 && rejected >= 88, "{accepted} accepted, {rejected} rejected");
}

/// The first good token of the corpus, judged under changed settings.
fn judge(change: impl FnOnce(&mut JwtSettings), seconds_later: i64) -> Result<Subject, Refusal> {
    judge_in(&org(), change, seconds_later)
}

fn judge_in(org: &Org, change: impl FnOnce(&mut JwtSettings), seconds_later: i64) -> Result<Subject, Refusal> {
    let (corpus, mut settings, _folder) = corpus();
    change(&mut settings);
    let now = Timestamp::from_second(corpus.now + seconds_later).unwrap();
    let token = &corpus.cases.iter().find(|case| case.id == "jwt-001").unwrap().token;
    identity(settings).who(Some(&format!("Bearer {token}")), org, now)
}

/// With a signing key of our own, claims without `nbf`.
#[test]
fn without_a_not_before_the_time_of_issue_stands_for_it_where_that_is_allowed() {
    let pair = rcgen::KeyPair::generate().unwrap();
    let key = jsonwebtoken::EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    std::fs::write(&file, pair.public_key_pem()).unwrap();
    let (_, settings, _folder) = corpus();
    let now = 1_800_000_000;
    let judge = |needs_not_before, claims: serde_json::Value| {
        let settings = JwtSettings {
            keys: KeysFrom::File(file.clone()),
            typ: None,
            issuer: "i".to_owned(),
            audience: "a".to_owned(),
            needs_not_before,
            ..settings.clone()
        };
        let mut all = serde_json::json!({ "iss": "i", "aud": "a", "sub": "user-1", "exp": now + 600 });
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let token = jsonwebtoken::encode(&jsonwebtoken::Header::new(Algorithm::ES256), &all, &key).unwrap();
        let judged =
            identity(settings).who(Some(&format!("Bearer {token}")), &org(), Timestamp::from_second(now).unwrap());
        judged.is_ok()
    };
    let claims = |nbf: Option<i64>, iat: Option<i64>| serde_json::json!({ "nbf": nbf, "iat": iat });
    let without = |mut claims: serde_json::Value| {
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        claims
    };
    for (nbf, iat, required, optional) in [
        (Some(-10), None, true, true),
        (Some(-10), Some(-10), true, true),
        (None, Some(-10), false, true),
        (None, None, false, false),
        (None, Some(300), false, false),
        (Some(300), Some(-10), false, false),
    ] {
        let given = without(claims(nbf.map(|at| now + at), iat.map(|at| now + at)));
        assert_eq!((judge(true, given.clone()), judge(false, given.clone())), (required, optional), "{given}");
    }
    let odd = serde_json::json!({ "nbf": "soon", "iat": now });
    assert!(!judge(false, odd));
}

#[test]
fn a_token_ends_by_our_clock() {
    // It says `exp` = now + 600; the leeway is 60.
    let subject = judge(|_| {}, 0).unwrap();
    let (corpus, _, _folder) = corpus();
    assert_eq!(subject.expires_at, Some(Timestamp::from_second(corpus.now + 660).unwrap()));
    assert_eq!(subject.method, Method::Jwt);
    assert!(judge(|_| {}, 659).is_ok());
    assert_eq!(judge(|_| {}, 660).unwrap_err().code, Code::IdentityRequired);
    // `nbf` = now - 60.
    assert!(judge(|_| {}, -120).is_ok());
    assert!(judge(|_| {}, -121).is_err());
}

#[test]
fn settings_bind() {
    assert!(judge(|settings| settings.max_lifetime = Duration::from_mins(5), 0).is_err());
    assert!(judge(|settings| settings.typ = Some("JWT".to_owned()), 0).is_err());
    assert!(judge(|settings| settings.typ = None, 0).is_ok());
    assert!(judge(|settings| settings.claim = "email".to_owned(), 0).is_err());
    assert!(judge(|settings| settings.algorithms = vec![Algorithm::ES256], 0).is_err());
    assert!(judge(|settings| settings.audience = "another".to_owned(), 0).is_err());
}

#[test]
fn key_files_that_prove_nothing_are_refused() {
    let (corpus, settings, folder) = corpus();
    let with = |text: &str| {
        let key_file = folder.path().join("other");
        std::fs::write(&key_file, text).unwrap();
        Identity::new(
            &Settings {
                jwt: Some(JwtSettings { keys: KeysFrom::File(key_file), ..settings.clone() }),
                ..Settings::default()
            },
            &Metrics::detached(),
        )
        .map(|_| ())
        .map_err(|why| why.to_string())
    };
    assert!(with("").unwrap_err().contains("neither"));
    assert!(with("{}").unwrap_err().contains("not a JSON key set"));
    assert!(with(r#"{"keys":[]}"#).unwrap_err().contains("no key"));
    assert!(with(r#"{"keys":[{"kty":"oct","kid":"o","k":"AAAA"}]}"#).unwrap_err().contains("shared secret"));
    assert!(with("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----").unwrap_err().contains("private"));
    let twice = serde_json::json!({"keys": [corpus.jwks["keys"][0], corpus.jwks["keys"][0]]});
    assert!(with(&twice.to_string()).unwrap_err().contains("two keys"));
    assert!(with(&corpus.jwks.to_string()).is_ok());

    let symmetric = JwtSettings { algorithms: vec![Algorithm::HS256], ..settings.clone() };
    let refused = Identity::new(&Settings { jwt: Some(symmetric), ..Settings::default() }, &Metrics::detached());
    assert!(matches!(refused, Err(IdentityError::Symmetric(_))));
    let none = JwtSettings { algorithms: Vec::new(), ..settings };
    assert!(matches!(
        Identity::new(&Settings { jwt: Some(none), ..Settings::default() }, &Metrics::detached()),
        Err(IdentityError::NoAlgorithm)
    ));
}

#[test]
fn one_pem_key_verifies_whatever_the_token_calls_it() {
    use jsonwebtoken::{EncodingKey, Header, encode};
    let pair = rcgen::KeyPair::generate().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key.pem");
    std::fs::write(&key_file, pair.public_key_pem()).unwrap();
    let settings = JwtSettings {
        keys: KeysFrom::File(key_file),
        algorithms: vec![Algorithm::ES256],
        issuer: "i".to_owned(),
        audience: "a".to_owned(),
        claim: "uid".to_owned(),
        role_claim: None,
        typ: None,
        leeway: Duration::from_secs(1),
        max_lifetime: Duration::from_hours(1),
        needs_not_before: true,
    };
    let signing = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
    let judge = |uid: &str| {
        let claims = serde_json::json!({
            "iss": "i", "aud": "a", "sub": "anything", "uid": uid, "azp": "tool", "nbf": 1000, "exp": 1600
        });
        let header = Header { kid: Some("whatever".to_owned()), ..Header::new(Algorithm::ES256) };
        let token = encode(&header, &claims, &signing).unwrap();
        let now = Timestamp::from_second(1200).unwrap();
        identity(settings.clone()).who(Some(&format!("Bearer {token}")), &org(), now)
    };
    let user = judge("user-1").unwrap();
    assert_eq!((user.principal, user.client.as_deref()), (Principal::User(Ix::new(0)), Some("tool")));
    assert_eq!(judge("robot").unwrap().principal, Principal::Service(Ix::new(0)));
    for nobody in ["gone", "USER-1", "svc", "stranger"] {
        assert_eq!(judge(nobody).unwrap_err().code, Code::IdentityUnknown, "{nobody}");
    }
}

#[test]
fn a_certificate_is_an_account_by_one_mark_while_it_lasts() {
    let account = |mark, service: &str| Account { mark, service: service.into() };
    let name = |name: &str| Mark::Name(name.to_owned());
    let accounts = vec![
        account(name("robot.example"), "svc"),
        account(Mark::Fingerprint("ab".repeat(32)), "svc"),
        account(name("left.example"), "left"),
    ];
    let identity = Identity::new(&Settings { accounts, ..Settings::default() }, &Metrics::detached()).unwrap();
    let org = org();
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let certificate = |fingerprint: &str, names: &[&str]| crate::server::Certificate {
        fingerprint: fingerprint.repeat(32),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        not_after: "2026-01-02T00:00:00Z".parse().unwrap(),
    };
    let who = |certificate, now| identity.account(&certificate, &org, now).map_err(|refusal| refusal.code);
    for known in [certificate("00", &["other.example", "robot.example"]), certificate("ab", &[])] {
        let not_after = known.not_after;
        let subject = who(known.clone(), now).unwrap().unwrap();
        assert_eq!((subject.principal, subject.method), (Principal::Service(Ix::new(0)), Method::Certificate));
        assert_eq!(subject.expires_at, Some(not_after));
        assert_eq!(who(known, not_after), Err(Code::IdentityRequired));
    }
    for nobody in [certificate("00", &["Robot.example", "x.robot.example", "*.example"]), certificate("ba", &[])] {
        assert_eq!(who(nobody, now), Ok(None));
    }
    assert_eq!(who(certificate("ab", &["left.example"]), now), Err(Code::IdentityRequired), "two accounts");
    assert_eq!(who(certificate("00", &["left.example"]), now), Err(Code::IdentityUnknown));
    let robot = who(certificate("ab", &[]), now).unwrap().unwrap();
    let user = Subject { principal: Principal::User(Ix::new(0)), ..robot.clone() };
    assert_eq!(robot.clone().agreeing(robot.clone()), Ok(robot.clone()));
    assert!(robot.agreeing(user).is_err());
}
