//! Every token and secret of a full run, in each form in which one could be written down: none stands in a log, a record, a file
//! of the data folder, an answer, a metric or the output of a command, but where it is handed to its owner.
//!
//! The program is in a process of its own and says all that it can say (`trace`, of every library). One of its regions, who also
//! vouches for opaque tokens, quotes in every answer what it was sent.

mod asking;
mod needles;
mod quoting;

use super::{
    house::{DETAILS, EU, Plan, US, now, send, token, write_files},
    tokens::Issuer,
};
use asking::{Program, Run};
use bailiwick::{
    base::hash::sha256_hex,
    sandbox::{Options, Sandbox},
};
use base64::{Engine as _, engine::general_purpose as base64_of};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use jiff::{SignedDuration, Timestamp};
use needles::{Needles, form_encoded, forms};
use quoting::Quoting;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    path::Path,
    sync::atomic::Ordering,
    time::Duration,
};
use tokio::net::TcpListener;

/// Every file below a folder.
fn files(folder: &Path, all: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { files(&entry, all) } else { all.push(entry) }
    }
}

async fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// A token of this issuer that is good from now on; its times are of the sandbox's clock.
fn signed(issuer: &Issuer, person: &str, (from, until): (i64, i64), more: &Value) -> String {
    let ahead = Timestamp::now().as_second() - now().as_second();
    issuer.token_with(person, from + ahead, until + ahead, more)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_of_a_full_run_is_written_down_or_told() {
    let sandbox =
        Sandbox::start(Options { now: Timestamp::now(), interactions: 400, ..Options::default() }).await.unwrap();
    sandbox.record(true);
    let quoting = Quoting::start().await;
    let (issuer, stranger, folder) = (Issuer::new(), Issuer::new(), tempfile::tempdir().unwrap());
    // not beside the files that are watched: each line would be an event of which there is a line
    let said = tempfile::tempdir().unwrap();
    let (proxy, admin) = (free().await, free().await);
    let more = format!(
        "[proxy]\nlisten = \"{proxy}\"\nhttp2 = \"prior-knowledge\"\n[proxy.limits]\nbody-bytes = 4096\n[admin]\nlisten = \"{admin}\"\n\
         [log]\nlevel = \"trace\"\nformat = \"json\"\n[audit]\nqueries = \"full\"\n[identity]\nfailures-per-minute = 400\n{}\
         [identity.introspection]\nurl = \"http://{}/introspect\"\nclient-id = \"proxy\"\nclient-secret = \"secret-of-the-proxy-there\"\n\
         [identity.acting]\nrequire-session = false\n",
        issuer.section(folder.path()),
        quoting.address,
    );
    let plan =
        Plan { more, media: true, upstream: Some((EU, format!("http://{}", quoting.address))), ..Plan::default() };
    write_files(&plan, &sandbox, folder.path());
    let program = Program::start(folder.path(), said.path(), admin).await;
    let client = |http2| Client::builder(TokioExecutor::new()).http2_only(http2).build_http();
    let clients = [client(false), client(true)];
    let mut run = Run { to: proxy, admin, clients, texts: Vec::new(), statuses: BTreeMap::new() };
    let mut needles = Needles::default();
    for list in ["users", "serviceAccounts"] {
        for holder in plan.directory[list].as_array().unwrap() {
            let id = holder["id"].as_str().unwrap();
            needles.add(&token(id));
            needles.add(&format!("secret-of-{id}"));
        }
    }
    for secret in ["sandbox-secret", "secret-of-the-proxy-there"] {
        needles.add(secret);
    }

    // who asks, by each kind of token, good and not
    let query = json!({
        "interval": format!("{0}/{1}", Timestamp::now() - SignedDuration::from_hours(24 * 8), Timestamp::now() - SignedDuration::from_hours(24)),
        "paging": { "pageSize": 100, "pageNumber": 1 },
    });
    let text = query.to_string();
    let details = format!("POST {DETAILS}");
    let good = signed(&issuer, "carl", (-60, 3_600), &json!({ "sid": "s-1" }));
    let ended = signed(&issuer, "sofia", (-60, 3_600), &json!({}));
    let mistaken = signed(&issuer, "olga", (-60, 3_600), &json!({}));
    let opaque = [
        "opaque-good-5/6+7~8==",
        "opaque-ended-0123456789abcdef",
        "opaque-odd-0123456789abcdef",
        "opaque-broken-0123456789abcdef",
    ];
    let bad = [
        signed(&issuer, "carl", (-7_200, -3_600), &json!({})),
        signed(&stranger, "carl", (-60, 3_600), &json!({})),
        signed(&issuer, "not-anybody-here", (-60, 3_600), &json!({})),
        signed(&issuer, "carl", (-60, 3_600), &json!({ "aud": "others", "jti": "j" })),
    ];
    for token in bad.iter().chain([&good, &ended, &mistaken]) {
        needles.add_signed(token);
    }
    opaque.iter().for_each(|token| needles.add(token));
    let statics =
        [token("sofia"), token("carl"), token("svc-acme"), token("nobody"), "mistyped-token-0123456789".to_owned()];
    needles.add(&statics[4]);
    for bearer in bad
        .iter()
        .chain([&good, &ended, &mistaken])
        .map(String::as_str)
        .chain(opaque)
        .chain(statics.iter().map(String::as_str))
    {
        for (line, body) in [
            (details.as_str(), text.as_str()),
            (details.as_str(), "{\"interval\": 7}"),
            (details.as_str(), "{"),
            (details.as_str(), &text.repeat(80)),
            ("GET /api/v2/users/me", ""),
            ("GET /api/v2/routing/queues", ""),
            ("GET /api/v2/not/an/operation", ""),
            ("DELETE /api/v2/users/carl", ""),
            ("PUT /", "{}"),
        ] {
            run.bear(bearer, line, body).await;
        }
        // a token in a place where none belongs
        for (fields, line) in [
            (vec![("authorization", format!("Token {bearer}"))], "GET /api/v2/users/me".to_owned()),
            (vec![("authorization", format!("Bearer {bearer} {bearer}"))], "GET /api/v2/users/me".to_owned()),
            (
                vec![("authorization", format!("Bearer {bearer}")), ("authorization", "Bearer other".to_owned())],
                "GET /api/v2/users/me".to_owned(),
            ),
            (
                vec![("cookie", format!("session={bearer}")), ("x-api-key", bearer.to_owned())],
                "GET /api/v2/users/me".to_owned(),
            ),
            (
                vec![
                    ("authorization", format!("Bearer {}", token("svc-acme"))),
                    ("gen-usersubject", bearer.to_owned()),
                ],
                "GET /api/v2/users/me".to_owned(),
            ),
            (
                vec![("authorization", format!("Bearer {}", token("carl"))), ("bailiwick-region", bearer.to_owned())],
                "GET /api/v2/users/me".to_owned(),
            ),
            (vec![], format!("GET /api/v2/users/me?access_token={}", form_encoded(bearer))),
            (
                vec![("authorization", format!("Bearer {}", token("carl")))],
                format!("GET /api/v2/routing/queues?access_token={}", form_encoded(bearer)),
            ),
        ] {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            run.ask(&line, &fields, "").await;
        }
        run.raw(
            format!("GET /api/v2/users/me HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {bearer}\r\n broken\r\n\r\n")
                .as_bytes(),
        )
        .await;
        run.raw(
            format!(
                "POST {DETAILS} HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {bearer}\r\ncontent-length: 99\r\n\r\n{{"
            )
            .as_bytes(),
        )
        .await;
    }
    for person in ["bea", "carl", "dana"] {
        let bearer = format!("Bearer {}", token("svc-acme"));
        run.ask(&details, &[("authorization", &bearer), ("gen-usersubject", person)], &text).await;
    }

    // log-ins
    let account = "svc-acme";
    let pair = |secret: &str| format!("client-of-{account}:{secret}");
    let form = |secret: &str| {
        format!("grant_type=client_credentials&client_id=client-of-{account}&client_secret={}", form_encoded(secret))
    };
    let right = format!("secret-of-{account}");
    for (body, basic) in [(form(&right), None), ("grant_type=client_credentials".to_owned(), Some(pair(&right)))] {
        assert_eq!(run.log_in(&body, basic.as_deref()).await, 200);
        run.due(&token(account), "the token that its client logged in for");
    }
    let wrong = "mistyped-secret-%&+ä";
    needles.add(wrong);
    for secret in [wrong, &right] {
        let both = (form(secret), Some(pair(secret)));
        for (body, basic) in [
            (form(secret).replace("client_id=client-of-", "client_id=x-"), None),
            (form(secret).replace("grant_type=client_credentials", "grant_type=password"), None),
            (format!("{}&{}", form(secret), form(secret)), None),
            (format!("{}&scope=%zz", form(secret)), None),
            (json!({ "client_secret": secret }).to_string(), None),
            (form(&secret.repeat(4_000)), None),
            (String::new(), Some(format!("nobody:{secret}"))),
            ("grant_type=client_credentials".to_owned(), Some(secret.to_owned())),
            both,
        ] {
            let basic = basic.as_deref();
            let status = run.log_in(&body, basic).await;
            if status == 200 {
                run.due(&token(account), "the token that its client logged in for");
            }
        }
    }
    assert_eq!(run.log_in(&form(wrong), None).await, 401);
    assert_eq!(run.log_in("grant_type=client_credentials", Some(&pair(wrong))).await, 401);

    // files by links that whoever has them may follow
    let raw = sandbox.evaluate(US, DETAILS, &query).unwrap();
    let (base, bearer) = (sandbox.base_url(US).unwrap(), sandbox.token());
    let upstream: SocketAddr = base.strip_prefix("http://").unwrap().parse().unwrap();
    let (mut links, mut cut) = (0, 0);
    for one in raw["conversations"].as_array().unwrap().iter().take(60) {
        let path = format!("/api/v2/conversations/{}/recordings", one["conversationId"].as_str().unwrap());
        let own = send(&super::house::client(), upstream, &bearer, &format!("GET {path}"), "").await.unwrap().json();
        let link = own[0]["mediaUris"]["0"]["mediaUri"].as_str().unwrap();
        let signature = link.rsplit('=').next().unwrap();
        needles.add(signature);
        let (status, told) = run.bear(&token("carl"), &format!("GET {path}"), "").await;
        if status == 200 && told.contains(signature) {
            run.due(signature, "the link of a recording, for who may play it");
            links += 1;
        }
        let preview = format!("GET {path}/{}/preview", own[0]["id"].as_str().unwrap());
        cut += usize::from(run.bear(&token("rolf"), &preview, "").await.0 == 200);
    }
    assert!(links > 0 && cut > 0, "{links} links, {cut} previews");

    // a region that quotes what it is sent, with each status
    for person in ["elsa", "eva", "dana-eu"] {
        for _ in 0..14 {
            run.bear(&token(person), &details, &text).await;
            run.bear(&token(person), "GET /api/v2/routing/queues", "").await;
        }
    }

    // ends
    let digest = sha256_hex(statics[0].as_bytes());
    for given in [
        &["token", "revoke", "--token", &digest][..],
        &["token", "revoke", "--token", &sha256_hex(ended.as_bytes()), "--format", "json"],
        &["token", "revoke", "--token", &mistaken],
        &["token", "revoke", "--token", &token("ines"), "--format", "json"],
        &["token", "revoke", "--session", "s-1"],
        &["token", "list"],
        &["token", "list", "--format", "json"],
    ] {
        assert_eq!(run.command(folder.path(), given), 0, "{given:?}");
    }
    run.to = admin;
    let event = json!({ "jti": "l-1", "events": { "http://schemas.openid.net/event/backchannel-logout": {} } });
    let logout = [
        signed(&issuer, "carl", (-1, 120), &event),
        signed(&stranger, "carl", (-1, 120), &event),
        "no-token-at-all".to_owned(),
    ];
    for token in &logout {
        if token.contains('.') {
            needles.add_signed(token);
        } else {
            needles.add(token);
        }
        for kind in ["application/x-www-form-urlencoded", "text/plain"] {
            run.ask("POST /v1/sessions/backchannel", &[("content-type", kind)], &format!("logout_token={token}")).await;
        }
    }
    for named in [digest, token("rolf"), signed(&issuer, "rolf", (-60, 3_600), &json!({})), good.clone()] {
        if named.contains('.') {
            needles.add_signed(&named);
        }
        for body in [
            json!({ "token": named }),
            json!({ "token": named, "user": "x" }),
            json!({ "tokn": named }),
            json!({ "user": named }),
        ] {
            run.ask("POST /v1/sessions/revoke", &[("content-type", "application/json")], &body.to_string()).await;
        }
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    run.to = proxy;
    for over in [&statics[0], &ended, &mistaken, &token("ines"), &token("rolf"), &good] {
        assert_eq!(run.bear(over, "GET /api/v2/users/me", "").await.0, 401, "{over} was ended");
    }
    // more failures than one address may have
    let mut refused = 0;
    while run.bear(&bad[1], "GET /api/v2/users/me", "").await.0 != 429 {
        refused += 1;
        assert!(refused < 400, "nobody has to wait");
    }
    run.log_in(&form(wrong), None).await;

    // the other side, and commands over the same folder
    run.to = admin;
    for path in ["/", "/livez", "/readyz", "/metrics", "/nothing"] {
        run.ask(&format!("GET {path}"), &[], "").await;
    }
    fs::write(folder.path().join("query.json"), &text).unwrap();
    for format in ["text", "json"] {
        assert_eq!(run.command(folder.path(), &["check", "--format", format]), 0);
        for person in ["carl", "rolf", "nobody", "svc-acme"] {
            let given = [
                "explain",
                "--as",
                person,
                "--operation",
                &details,
                "--query",
                "query.json",
                "--config",
                "bailiwick.toml",
                "--format",
                format,
            ];
            run.command(folder.path(), &given);
        }
        run.command(folder.path(), &["probe", "--format", format]);
    }
    program.stop().await;
    // a configuration that cannot be used
    let settings = fs::read_to_string(folder.path().join("bailiwick.toml")).unwrap();
    let wrong = folder.path().join("wrong");
    fs::create_dir(&wrong).unwrap();
    for name in ["directory.json", "keys.pem"] {
        fs::copy(folder.path().join(name), wrong.join(name)).unwrap();
    }
    let edited = |person: &str, change: &dyn Fn(&str) -> String| {
        let line = format!("token = \"{}\"\n", token(person));
        let changed = change(line.trim_end()) + "\n";
        (line, changed)
    };
    let all_at_once = [
        edited("carl", &|line| line.replace("carl", "sofia")),
        edited("ana", &|line| line.replace("token =", "tokn =")),
        edited("bo", &|line| line.replace("token =", "tolken = 7\nToken =")),
        edited("bea", &|line| line.replace("= ", "= [") + "]"),
        edited("pat", &|line| line.replacen('"', "\"\"\"\n", 1) + "\"\""),
        edited("eva", &|line| line.replace("= ", "= { literal = ") + ", more = 1 }"),
        edited("dana", &|line| line.replace("= ", "= { litteral = ") + " }"),
        ("client-secret = \"secret-of-ines\"".to_owned(), "client-sceret = \"secret-of-ines\"".to_owned()),
        ("url = \"http://127.0.0.1".to_owned(), "url = \"https://far.example".to_owned()),
        ("[proxy]\nlisten = \"127.0.0.1".to_owned(), "[proxy]\nlisten = \"0.0.0.0".to_owned()),
    ];
    let no_toml = [
        edited("carl", &|line| line.trim_end_matches('"').to_owned()),
        edited("carl", &|line| format!("{line} 7")),
        edited("carl", &|line| format!("{line}\n{line}")),
    ];
    for edits in no_toml.chunks(1).chain([&all_at_once[..]]) {
        let text = edits.iter().fold(settings.clone(), |text, (old, new)| {
            assert!(text.contains(old), "no `{old}`");
            text.replacen(old, new, 1)
        });
        fs::write(wrong.join("bailiwick.toml"), text).unwrap();
        assert_eq!(run.command(&wrong, &["check", "--format", "json"]), 2, "{edits:?}");
    }
    assert_eq!(run.command(&wrong, &["serve", "--config", "bailiwick.toml"]), 2);

    // what the upstreams handed out and were sent
    for one in sandbox.take_received(US).iter().chain(&sandbox.take_received(EU)) {
        for (_, value) in one.headers.iter().filter(|(name, _)| name == "authorization") {
            needles.add(value.split_once(' ').unwrap().1);
        }
    }
    let given = quoting.given.lock().unwrap().clone();
    given.iter().for_each(|token| needles.add(token));
    assert!(!given.is_empty() && quoting.asked.load(Ordering::Relaxed) > 40);

    for name in ["stdout", "stderr"] {
        run.keep(name, fs::read(said.path().join(name)).unwrap());
    }
    let mut kept = Vec::new();
    files(&folder.path().join("data"), &mut kept);
    for file in kept {
        run.keep(&format!("file {}", file.strip_prefix(folder.path()).unwrap().display()), fs::read(&file).unwrap());
    }
    judge(&needles, &run);
}

/// Says every place in which a secret stands and is not due, and that what is due is there.
fn judge(needles: &Needles, run: &Run) {
    let (mut leaks, mut due) = (BTreeMap::new(), BTreeMap::new());
    for text in &run.texts {
        let found = needles.found(&text.bytes);
        if let Some((secret, why)) = &text.due {
            assert!(
                found.contains_key(secret),
                "{}: {why} is not there, so that nothing has to be allowed",
                text.place
            );
            *due.entry(*why).or_insert(0) += 1;
        }
        let allowed = |secret: &String| text.due.as_ref().is_some_and(|(due, _)| due == secret);
        for (secret, around) in found.into_iter().filter(|(secret, _)| !allowed(secret)) {
            leaks.entry((text.place.clone(), secret)).or_insert(around);
        }
    }
    // each form of each kind of secret is found where it stands, in the middle of what else is written
    let mut planted = 0;
    for secret in needles.secrets.iter().step_by(needles.secrets.len() / 40) {
        for form in forms(secret) {
            let text = [run.texts[0].bytes.as_slice(), b"{\"x\":\"", form.as_bytes(), b"\"}"].concat();
            assert!(needles.found(&text).contains_key(secret), "`{secret}` as `{form}` is not found");
            planted += 1;
        }
        let pair = base64_of::STANDARD.encode(format!("client:{secret}"));
        assert!(needles.found(pair.as_bytes()).contains_key(secret), "`{secret}` in `{pair}` is not found");
    }
    let places: BTreeSet<_> = run.texts.iter().map(|text| &text.place).collect();
    let bytes: usize = run.texts.iter().map(|text| text.bytes.len()).sum();
    println!(
        "secrets: {} in {} forms, searched for in {bytes} bytes of {} texts of {} places; answers {:?}; allowed {due:?}; {planted} \
         planted and found",
        needles.secrets.len(),
        needles.many,
        run.texts.len(),
        places.len(),
        run.statuses
    );
    for status in [200, 400, 401, 403, 404, 413, 429, 502] {
        assert!(run.statuses.contains_key(&status), "no answer was {status}");
    }
    let told: Vec<_> =
        leaks.iter().map(|((place, secret), around)| format!("{place}: `{secret}`:\n    {around}")).collect();
    assert!(leaks.is_empty(), "{} secrets stand where they do not belong:\n{}", told.len(), told.join("\n"));
}
