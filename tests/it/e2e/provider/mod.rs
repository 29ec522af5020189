//! An identity provider that nobody here wrote (`oidc-provider`), from its document to new keys and to the log-out that it posts.

use super::{
    house::{DIVISIONS, House, Plan},
    sdk::installed,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Lines, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// It ends with its standard input.
struct Provider {
    orders: Option<ChildStdin>,
    told: Lines<BufReader<ChildStdout>>,
    child: Child,
    issuer: String,
}

impl Provider {
    fn start() -> Self {
        let node = installed("BAILIWICK_NODE", "target/tools/python/bin/node");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let modules = root.join("target/tools/provider/node_modules");
        assert!(modules.exists(), "`{}` is not there: run tests/run, which installs it", modules.display());
        let mut child = Command::new(node)
            .arg(root.join("tests/it/e2e/provider/provider.js"))
            .env("NODE_PATH", modules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let orders = child.stdin.take();
        let told = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut provider = Self { orders, told, child, issuer: String::new() };
        provider.issuer = provider.next()["issuer"].as_str().unwrap().to_owned();
        provider
    }

    /// Its notices stand between its results.
    fn next(&mut self) -> Value {
        let line = self.told.by_ref().map(Result::unwrap).find(|line| line.starts_with('{')).expect("a result");
        serde_json::from_str(&line).unwrap()
    }

    fn order(&mut self, order: &Value) -> Value {
        tokio::task::block_in_place(|| {
            writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
            let done = self.next();
            assert!(done["failed"].is_null(), "{order}: {}", done["failed"].as_str().unwrap());
            done
        })
    }

    fn token(&mut self, order: &Value) -> String {
        self.order(order)["access_token"].as_str().unwrap().to_owned()
    }

    /// How often its keys were asked for.
    fn asked(&mut self) -> u64 {
        self.order(&json!({ "do": "counts" }))["/jwks"].as_u64().unwrap_or_default()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.orders.take());
        // It ends by itself; one that does not is ended, for nobody else waits for it.
        let _ended = self.child.kill().and_then(|()| self.child.wait().map(drop));
    }
}

async fn house(provider: &Provider) -> House {
    let issuer = &provider.issuer;
    let more = format!(
        r#"
[identity]
logout-audience = "portal"
[identity.jwt]
discovery = true
issuer = "{issuer}"
audience = "reports"
algorithms = ["ES256"]
type = "at+jwt"
not-before = "optional"
keys-refresh = "1h"
keys-apart = "30s"
[identity.introspection]
url = "{issuer}/token/introspection"
client-id = "proxy"
client-secret = "proxy-secret"
issuer = "{issuer}"
audience = "reports"
"#
    );
    let house = House::of(Plan { more, interactions: 20, ..Plan::default() }).await;
    // its clock is the world's
    house.clock.set(Timestamp::now());
    house.running.reload();
    house
}

fn later(house: &House, seconds: i64) {
    house.clock.set(Timestamp::now() + SignedDuration::from_secs(seconds));
}

/// 200 where somebody is known, whatever he may see; else the code of why not.
async fn known(house: &House, token: &str) -> String {
    let heard = house.try_ask(token, &format!("GET {DIVISIONS}"), "").await.unwrap();
    if heard.status == 200 || heard.code() == "permission.missing" {
        return "known".to_owned();
    }
    heard.code()
}

/// The same token, said to be signed by a key of this name.
fn of_key(token: &str, key: &str) -> String {
    let (header, rest) = token.split_once('.').unwrap();
    let mut header: Value =
        serde_json::from_str(&String::from_utf8(URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()).unwrap();
    header["kid"] = json!(key);
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn keys_are_found_and_found_again_when_they_change() {
    let mut provider = Provider::start();
    let house = house(&provider).await;
    let machine = json!({ "do": "token" });
    let first = provider.token(&machine);
    assert_eq!(known(&house, &first).await, "known", "a service account, by its client");
    let carl = provider.token(&json!({ "do": "log-in", "user": "carl" }));
    assert_eq!(known(&house, &carl).await, "known", "a person who signed in there");
    assert_eq!(provider.asked(), 1);
    assert_eq!(
        known(&house, &provider.token(&json!({ "do": "log-in", "user": "nobody-here" }))).await,
        "identity.unknown"
    );

    // a new key beside the old one: asked for once, by the first token that names it
    provider.order(&json!({ "do": "rotate", "kid": "second", "keep": true }));
    let second = provider.token(&machine);
    for token in [&second, &first, &second] {
        assert_eq!(known(&house, token).await, "known");
    }
    assert_eq!(provider.asked(), 2);

    // invented keys, and more of them than anybody has: no more questions than one in half a minute
    for number in 0..200 {
        let invented = known(&house, &of_key(&second, &format!("k-{number}"))).await;
        assert!(["identity.required", "identity.throttled"].contains(&invented.as_str()), "{invented}");
    }
    assert_eq!(provider.asked(), 2);
    later(&house, 61);
    assert_eq!(known(&house, &of_key(&second, "k-new")).await, "identity.required");
    assert_eq!(known(&house, &of_key(&second, "k-newer")).await, "identity.required");
    assert_eq!(provider.asked(), 3);

    // the old keys are withdrawn: what they signed is over with the next question
    provider.order(&json!({ "do": "rotate", "kid": "third", "keep": false }));
    let third = provider.token(&machine);
    later(&house, 122);
    assert_eq!(known(&house, &third).await, "known");
    for token in [&first, &second, &carl] {
        assert_eq!(known(&house, token).await, "identity.required");
    }
    assert_eq!(provider.asked(), 4);

    // while nobody answers there, the keys of before stay, and nothing else is believed
    provider.order(&json!({ "do": "rotate", "kid": "fourth", "keep": true }));
    let fourth = provider.token(&machine);
    provider.order(&json!({ "do": "down" }));
    later(&house, 183);
    assert_eq!(known(&house, &third).await, "known");
    assert_eq!(known(&house, &fourth).await, "identity.required");
    provider.order(&json!({ "do": "up" }));
    later(&house, 244);
    assert_eq!(known(&house, &fourth).await, "known");
    println!("provider: keys asked for {} times in five generations and 202 invented names", provider.asked());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn opaque_tokens_are_asked_about_and_log_outs_are_believed() {
    let mut provider = Provider::start();
    let house = house(&provider).await;
    // an opaque token has no parts, so the provider itself is asked
    let opaque = provider.token(&json!({ "do": "log-in", "user": "sofia", "opaque": true }));
    assert!(!opaque.contains('.'), "{opaque}");
    later(&house, 0);
    for _ in 0..3 {
        assert_eq!(known(&house, &opaque).await, "known");
    }
    let counts = provider.order(&json!({ "do": "counts" }));
    assert_eq!(counts["/token/introspection"], 1, "believed for a while: {counts}");
    assert_eq!(known(&house, "an-invented-one").await, "identity.required");

    provider.order(
        &json!({ "do": "log-outs-to", "uri": format!("http://{}/v1/sessions/backchannel", house.running.admin) }),
    );
    let carl = provider.token(&json!({ "do": "log-in", "user": "carl" }));
    let ines = provider.token(&json!({ "do": "log-in", "user": "ines" }));
    later(&house, 0);
    assert_eq!((known(&house, &carl).await, known(&house, &ines).await), ("known".to_owned(), "known".to_owned()));
    provider.order(&json!({ "do": "log-out", "user": "carl" }));
    assert_eq!(known(&house, &carl).await, "identity.required", "what he got before his log-out");
    assert_eq!(known(&house, &ines).await, "known");
    assert_eq!(house.metric("bailiwick_sessions_ended_total").await, 3, "his session, its subject and the person");
}
