//! Tokens whose time is over or has not come, and tokens that were taken away, on every governed operation.

use super::house::{EU, House, Plan, US, now, send, token};
use crate::laws::program;
use bailiwick::{
    audit::Verdict,
    model::{contract::Segment, operation::Operation},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};

/// Who signs tokens.
pub(super) struct Issuer {
    key: EncodingKey,
    pub(super) public: String,
}

impl Issuer {
    pub(super) fn new() -> Self {
        let pair = rcgen::KeyPair::generate().unwrap();
        Self { key: EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap(), public: pair.public_key_pem() }
    }

    /// A token of `person` that begins and ends so many seconds from now.
    pub(super) fn token(&self, person: &str, from: i64, until: i64) -> String {
        self.token_with(person, from, until, &json!({}))
    }

    /// The same with further claims.
    pub(super) fn token_with(&self, person: &str, from: i64, until: i64, more: &Value) -> String {
        let now = now().as_second();
        let mut claims = json!({
            "iss": "https://idp.example", "aud": "reports", "sub": person,
            "nbf": now + from, "iat": now + from, "exp": now + until,
        });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &self.key).unwrap()
    }

    /// The section that believes it, by a key in a file of `folder`.
    pub(super) fn section(&self, folder: &Path) -> String {
        let file = folder.join("keys.pem");
        fs::write(&file, &self.public).unwrap();
        format!(
            "[identity.jwt]\nkey-file = {file:?}\nalgorithms = [\"ES256\"]\nissuer = \"https://idp.example\"\naudience = \"reports\"\nclaim = \"sub\"\n"
        )
    }
}

/// A request for it as far as a body is not needed to know which operation it is.
fn line(operation: &Operation) -> String {
    let segments = operation.contract.template.segments.iter().map(|segment| match segment {
        Segment::Literal(text) => text.to_string(),
        Segment::Param { .. } => "x-1".to_owned(),
    });
    format!("{} /{}", operation.contract.method.as_str(), segments.collect::<Vec<_>>().join("/"))
}

/// Files of exports and recordings, results of jobs, previews and metadata of another region among them: whatever is asked, it is
/// refused before anything else is said, and nothing is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_out_of_its_time_opens_nothing() {
    let (issuer, withdrawn, keys) = (Issuer::new(), Issuer::new(), tempfile::tempdir().unwrap());
    let more = format!("[identity]\nfailures-per-minute = 1000000\n{}", issuer.section(keys.path()));
    let house = House::of(Plan { more, interactions: 20, media: true, ..Plan::default() }).await;
    let good = issuer.token("carl", -60, 3_600);
    let mut left = house.directory.clone();
    for user in left["users"].as_array_mut().unwrap().iter_mut().filter(|user| user["id"] == "dana") {
        user["active"] = json!(false);
    }
    house.write_directory(&left.to_string());
    house.running.reload();
    let bad = [
        ("expired", issuer.token("carl", -7_200, -120), "identity.required"),
        ("not valid yet", issuer.token("carl", 600, 3_600), "identity.required"),
        ("of a key that was withdrawn", withdrawn.token("carl", -60, 3_600), "identity.required"),
        ("that was taken out of the configuration", "token-of-somebody-who-left".to_owned(), "identity.required"),
        ("of an account that was closed", issuer.token("dana", -60, 3_600), "identity.unknown"),
        ("of the same account, by a static token", token("dana"), "identity.unknown"),
    ];
    let (mut classes, mut refusals) = (BTreeMap::new(), BTreeMap::new());
    for operation in &program::rules().operations {
        let line = line(operation);
        let body = if operation.body().is_some() { "{}" } else { "" };
        let client = super::house::client();
        let heard = send(&client, house.running.proxy, &good, &line, body).await.unwrap();
        assert_ne!(heard.status, 401, "{line}: a good token: {heard:?}");
        house.received(US);
        let mut decision = None;
        for (what, bearer, due) in &bad {
            let heard = send(&client, house.running.proxy, bearer, &line, body).await.unwrap();
            assert_eq!((heard.status, heard.code().as_str()), (401, *due), "{line}: {what}: {heard:?}");
            assert!(heard.header("www-authenticate").is_some(), "{line}: {what}");
            // the same for every operation: nothing of it is told
            let told = heard.refusal().2;
            assert_eq!(refusals.entry(*what).or_insert_with(|| told.clone()), &told, "{line}");
            decision = Some(heard.decision());
        }
        assert!(house.received(US).is_empty(), "{line}: something was sent");
        if classes.get(&operation.class.as_str()).is_none_or(|count| *count == 0) {
            let (intent, outcome) = house.lines(decision.unwrap()).await;
            assert!(
                intent.is_none() && outcome.verdict == Verdict::Refused && outcome.subject.is_none(),
                "{outcome:?}"
            );
        }
        *classes.entry(operation.class.as_str()).or_insert(0) += 1;
    }
    println!("tokens: {} of each kind refused on the operations of each class: {classes:?}", bad.len());
    assert!(classes.len() >= 7 && classes.values().sum::<usize>() > 150, "{classes:?}");
    house.assert_no_connection_to(EU);
}
