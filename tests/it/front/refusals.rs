//! What is refused, in which order, and what leaves when nothing is.

use super::*;
use bailiwick::audit::Verdict;

#[tokio::test]
async fn a_query_is_narrowed_forwarded_guarded_and_recorded() {
    let house = house().await;
    house.upstream.replies(
        200,
        r#"{"results":[{"group":{"queueId":"q1"},"data":[]},{"group":{"queueId":"q2"},"data":[]}],"x":1}"#,
        Duration::ZERO,
    );
    let headers = "Authorization: Bearer T\r\nX-Forwarded-For: 1.2.3.4\r\nX-Original-URL: /v1/raw\r\nCookie: a=b\r\nX-User-Id: boss\r\n";
    let heard = house.ask("POST /v1/query", headers, r#"{"interval":"x/y","groupBy":["queueId"]}"#).await;
    assert_eq!(heard.status, 200, "{heard:?}");
    assert_eq!(heard.json(), serde_json::json!({"results": [{"group": {"queueId": "q1"}, "data": []}]}));
    assert_eq!(heard.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(heard.header("cache-control"), Some("no-store"));

    let sent = house.upstream.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].line, "POST /v1/query");
    assert!(sent[0].body.contains(r#""q1""#) && !sent[0].body.contains("q2"), "{}", sent[0].body);
    let mut names: Vec<&str> = sent[0].headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    for name in names {
        let due = [
            "accept",
            "accept-encoding",
            "authorization",
            "bailiwick-passed",
            "content-length",
            "content-type",
            "host",
            "user-agent",
        ];
        assert!(due.contains(&name), "{name} reached the upstream");
    }
    assert!(sent[0].headers.contains(&("authorization".into(), "Bearer upstream-token".into())));

    let lines = house.lines(heard.decision()).await;
    let [Record::Intent(intent), Record::Outcome(outcome)] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((intent.subject.id.as_str(), intent.operation.as_str(), intent.region.as_str()), ("una", "query", "r1"));
    assert_eq!(intent.sent.text.as_ref().unwrap().body.as_deref(), Some(sent[0].body.as_str()));
    assert_eq!(intent.asked.text.as_ref().unwrap().path, "/v1/query");
    assert_eq!((outcome.verdict, outcome.status, outcome.upstream_status), (Verdict::Forwarded, 200, Some(200)));
    assert_eq!((outcome.rows_in, outcome.rows_out), (2, 1));
    assert_eq!(outcome.bytes_out, heard.body.len() as u64);
    let phases: Vec<&str> = outcome.phases.iter().map(|(phase, _)| phase.as_str()).collect();
    assert_eq!(phases, ["admit", "identify", "read", "scope", "decide", "intend", "fetch", "guard", "respond"]);
}

#[tokio::test]
async fn somebody_unknown_learns_nothing() {
    let house = house().await;
    let unknown = house.ask("POST /v1/nothing", "", "{").await;
    let known = house.ask("POST /v1/query", "", BODY).await;
    for heard in [&unknown, &known] {
        assert_eq!((heard.status, heard.code().as_str()), (401, "identity.required"));
        assert!(heard.header("www-authenticate").is_some());
    }
    let same = |heard: &Heard| {
        let mut body = heard.json();
        body["contextId"] = serde_json::Value::Null;
        body
    };
    assert_eq!(same(&unknown), same(&known));
    let asked = house.outcome(unknown.decision()).await.asked.unwrap();
    assert_eq!(asked.text.map(|asked| (asked.path, asked.body)), Some(("/v1/nothing".to_owned(), None)));
    assert_eq!(house.ask_as("wrong", "POST /v1/query", BODY).await.code(), "identity.required");
    assert_eq!(house.ask_as("G", "POST /v1/query", BODY).await.code(), "identity.unknown");
    assert_eq!(house.upstreams.opened("r1"), 0);
}

/// Somebody who says that he only looks whether all is well is nobody all the same.
#[tokio::test]
async fn a_health_check_is_no_way_past_identification() {
    let house = house().await;
    for agent in
        ["ELB-HealthChecker/2.0", "kube-probe/1.31", "GoogleHC/1.0", "Consul Health Check", "Blackbox Exporter/0.25"]
    {
        for line in ["GET /", "GET /healthz", "GET /readyz", "GET /ping", "HEAD /health", "POST /v1/query"] {
            let body = if line.starts_with("POST") { BODY } else { "" };
            let plain = house.ask(line, "", body).await;
            let claimed = house.ask(line, &format!("User-Agent: {agent}\r\n"), body).await;
            assert_eq!((plain.status, claimed.status), (401, 401), "{agent} {line}: {claimed:?}");
            // with a token it does as little
            let known = format!("Authorization: Bearer T\r\nUser-Agent: {agent}\r\n");
            let known = house.ask(line, &known, body).await.status;
            assert_eq!(known, house.ask_as("T", line, body).await.status, "{agent} {line}");
        }
    }
    assert!(house.upstream.sent().iter().all(|sent| sent.line == "POST /v1/query"));
}

#[tokio::test]
async fn every_refusal_has_its_code_its_status_its_decision_and_one_line() {
    let house = house().await;
    let large = format!("{{\"interval\":\"{}\"}}", "a".repeat(1 << 20));
    let cases: [(&str, &str, &str, u16, &str); 20] = [
        ("POST /v1/other", "", BODY, 404, "operation.unknown"),
        ("DELETE /v1/query", "", "", 404, "operation.unknown"),
        ("GET /v1/query", "", "", 404, "operation.unknown"),
        ("POST /V1/query", "", BODY, 400, "request.malformed"),
        ("POST /v1/query/", "", BODY, 400, "request.malformed"),
        ("POST /v1/x/%2e%2e/query", "", BODY, 400, "request.malformed"),
        ("POST /v1/query?a;b=c", "", BODY, 400, "request.malformed"),
        ("POST /v1/query?other=1", "", BODY, 400, "query.malformed"),
        ("POST /v1/query?pageSize=1&pageSize=2", "", BODY, 400, "query.malformed"),
        ("POST /v1/query?pageSize=5", "", r#"{"pageSize":6}"#, 400, "query.malformed"),
        ("POST /v1/query", "", "", 400, "query.malformed"),
        ("POST /v1/query", "", "[]", 400, "query.malformed"),
        ("POST /v1/query", "", r#"{"interval":"a","interval":"b"}"#, 400, "query.malformed"),
        ("POST /v1/query", "", &large, 413, "request.too-large"),
        ("POST /v1/query", "Content-Type: text/plain\r\n", BODY, 415, "request.media-type"),
        ("POST /v1/query", "Content-Encoding: gzip\r\n", BODY, 415, "request.media-type"),
        ("POST /v1/query", "Authorization: Bearer T\r\n", BODY, 400, "request.malformed"),
        ("POST /v1/query", "Upgrade: websocket\r\n", BODY, 400, "request.malformed"),
        (
            "POST /v1/query",
            "",
            r#"{"filter":{"type":"and","predicates":[{"dimension":"queueId","value":"q2"}]}}"#,
            403,
            "scope.outside",
        ),
        ("GET /v1/conversations/a%2fb", "", "", 400, "request.malformed"),
    ];
    for (line, headers, body, status, code) in cases {
        let heard = house.ask(line, &format!("Authorization: Bearer T\r\n{headers}"), body).await;
        assert_eq!((heard.status, heard.code().as_str()), (status, code), "{line} {headers} {heard:?}");
        assert!(heard.header("retry-after").is_none());
        assert_eq!(heard.json()["contextId"], heard.decision().to_string());
        let lines = house.lines(heard.decision()).await;
        let [Record::Outcome(outcome)] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!((outcome.verdict, outcome.status, outcome.code.as_deref()), (Verdict::Refused, status, Some(code)));
        assert_eq!(outcome.bytes_out, heard.body.len() as u64);
        // What was asked stands beside it, but for paths and requests that have no one reading.
        let asked = outcome.asked.as_ref().and_then(|asked| asked.text.as_ref());
        let (method, target) = line.split_once(' ').unwrap();
        let path = target.split('?').next().unwrap();
        let unreadable = path.ends_with('/') || path.contains('%') || headers.starts_with("Upgrade");
        let due = (!unreadable).then_some((method, path));
        assert_eq!(asked.map(|asked| (asked.method.as_str(), asked.path.as_str())), due, "{line} {headers}");
    }
    assert!(house.upstream.sent().is_empty());
    assert_eq!(house.upstreams.opened("r1"), 0);
}

#[tokio::test]
async fn what_is_outside_and_what_does_not_exist_are_one_answer() {
    let house = house().await;
    let ask = async |body: &str| {
        let mut heard = house.ask_as("T", "POST /v1/query", body).await.json();
        heard["contextId"] = serde_json::Value::Null;
        heard
    };
    let named = |queue: &str| {
        format!(r#"{{"filter":{{"type":"and","predicates":[{{"dimension":"queueId","value":"{queue}"}}]}}}}"#)
    };
    assert_eq!(ask(&named("q2")).await, ask(&named("invented")).await);

    let read = async || {
        let heard = house.ask_as("T", "GET /v1/conversations/c-1", "").await;
        (heard.status, heard.code(), heard.json()["message"].clone())
    };
    house.upstream.replies(404, r#"{"code":"not.found"}"#, Duration::ZERO);
    let missing = read().await;
    let others = r#"{"id":"c-1","participants":[{"id":"p","queueId":"q2","startTime":"2024-01-01T00:00:00Z","endTime":"2024-01-01T00:01:00Z"}]}"#;
    house.upstream.replies(200, others, Duration::ZERO);
    let outside = read().await;
    assert_eq!((missing.0, missing.1.as_str()), (404, "scope.outside"));
    assert_eq!(missing, outside);
    house.upstream.replies(200, &others.replace("q2", "q1"), Duration::ZERO);
    assert_eq!(read().await.0, 200);
}

#[tokio::test]
async fn somebody_without_roles_is_refused_before_anything_is_sent() {
    let house = house().await;
    let heard = house.ask_as("N", "POST /v1/query", BODY).await;
    assert_eq!((heard.status, heard.code().as_str()), (403, "permission.missing"));
    assert!(house.upstream.sent().is_empty());
}

#[tokio::test]
async fn what_was_not_understood_is_recorded_by_its_digest_alone() {
    let house = house().await;
    let body = r#"{"interval":"x/y","groupBy":["queueId"],"password":"hunter2"}"#;
    let heard = house.ask_as("T", "POST /v1/query", body).await;
    assert_eq!((heard.status, heard.code().as_str()), (400, "query.malformed"));
    let asked = house.outcome(heard.decision()).await.asked.unwrap();
    assert_eq!(
        (asked.text.map(|text| (text.path, text.body)), asked.digest.len()),
        (Some(("/v1/query".to_owned(), None)), 64)
    );
    // Nor what was refused before anybody looked at it, nor a word that stands in the refusal.
    let heard = house.ask_as("N", "POST /v1/query", body).await;
    assert_eq!((heard.status, heard.code().as_str()), (403, "permission.missing"));
    let heard = house.ask_as("T", "POST /v1/query", r#"{"interval":"x/y","groupBy":["hunter2"]}"#).await;
    assert_eq!(heard.code(), "query.malformed");
    let outcome = house.outcome(heard.decision()).await;
    assert_eq!(outcome.cause.as_deref(), Some("`$.groupBy` …"));
    // A word of his that looks like a place is none.
    let heard = house.ask_as("T", "POST /v1/query", r#"{"interval":"x/y","groupBy":["$hunter2"]}"#).await;
    assert_eq!(house.outcome(heard.decision()).await.cause.as_deref(), Some("`$.groupBy` …"));
    assert!(!format!("{:?}", house.record().await).contains("hunter2"));
}

/// What a proxy asks carries a mark, and is not asked once more by one: not as a question, and not for a token.
#[tokio::test]
async fn what_comes_back_through_the_proxy_is_refused() {
    let house = house().await;
    assert_eq!(house.ask_as("T", "POST /v1/query", BODY).await.status, 200);
    let sent = house.upstream.sent();
    assert!(
        !sent.is_empty() && sent.iter().all(|one| one.headers.iter().any(|(name, _)| name == "bailiwick-passed")),
        "{sent:?}"
    );
    for line in ["POST /v1/query", "POST /oauth/token", "GET /v1/nothing", "OPTIONS /v1/query"] {
        for mark in ["1", "", "no"] {
            let body = if line.starts_with("POST") { BODY } else { "" };
            let heard =
                house.ask(line, &format!("Authorization: Bearer T\r\nBailiwick-Passed: {mark}\r\n"), body).await;
            assert_eq!((heard.status, heard.code().as_str()), (508, "request.loop"), "{line} {mark}: {heard:?}");
            let outcome = house.outcome(heard.decision()).await;
            assert_eq!((outcome.verdict, outcome.subject), (Verdict::Refused, None));
        }
    }
    assert!(house.upstream.sent().is_empty(), "it was sent on");
}

#[tokio::test]
async fn the_log_in_of_client_libraries_works() {
    let house = house().await;
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let basic = format!("{form}Authorization: Basic Y2xpZW50OnMzY3JldA==\r\n");
    let heard = house.ask("POST /oauth/token", &basic, "grant_type=client_credentials").await;
    assert_eq!(heard.status, 200, "{heard:?}");
    let json = heard.json();
    assert_eq!((json["access_token"].as_str(), json["token_type"].as_str()), (Some("T"), Some("bearer")));
    assert!(json["expires_in"].as_u64().is_some());
    let outcome = house.outcome(heard.decision()).await;
    assert_eq!(outcome.verdict, Verdict::Local);
    assert_eq!(outcome.subject.map(|subject| subject.id), Some("una".to_owned()));

    let inside = "grant_type=client_credentials&client_id=client&client_secret=s3cret";
    assert_eq!(house.ask("POST /oauth/token", form, inside).await.status, 200);
    for wrong in [
        "grant_type=client_credentials&client_id=client&client_secret=x",
        // Its person is not in the directory.
        "grant_type=client_credentials&client_id=left&client_secret=s3cret",
        "grant_type=password",
        "grant_type=client_credentials",
        "",
    ] {
        assert_eq!(house.ask("POST /oauth/token", form, wrong).await.status, 401, "{wrong}");
    }
    assert_eq!(house.ask("POST /oauth/token", "Content-Type: application/json\r\n", "{}").await.status, 415);
    let wrong = "grant_type=client_credentials&client_id=client&client_secret=x";
    let outcome = house.outcome(house.ask("POST /oauth/token", form, wrong).await.decision()).await;
    assert_eq!(outcome.cause.as_deref(), Some("the secret is not that of client `client`"));
    assert_eq!(outcome.asked.and_then(|asked| asked.text).map(|asked| asked.path), Some("/oauth/token".to_owned()));
    let swapped = "grant_type=client_credentials&client_id=s3cret&client_secret=client";
    let outcome = house.outcome(house.ask("POST /oauth/token", form, swapped).await.decision()).await;
    assert_eq!(outcome.cause.as_deref(), Some("no client of the configuration has this id"));
    let text = format!("{:?}", house.record().await);
    assert!(!text.contains("s3cret") && !text.contains("Bearer"));
}

#[tokio::test]
async fn head_follows_get_and_preflight_opens_nothing() {
    let house = house().await;
    let heard = house.ask_as("T", "HEAD /v1/nothing", "").await;
    assert_eq!((heard.status, heard.body.as_str()), (404, ""));
    assert_ne!(heard.header("content-length"), Some("0"));
    let asked = house.outcome(heard.decision()).await.asked.and_then(|asked| asked.text);
    assert_eq!(asked.map(|asked| asked.method), Some("HEAD".to_owned()));
    let heard =
        house.ask("OPTIONS /v1/query", "Origin: https://x\r\nAccess-Control-Request-Method: POST\r\n", "").await;
    assert_eq!(heard.status, 204);
    assert!(heard.headers.iter().all(|(name, _)| !name.starts_with("access-control")));
    assert_eq!(heard.header("allow"), Some("POST, OPTIONS"));
    for (path, allowed) in [("/v1/nothing", "OPTIONS"), ("/oauth/token", "POST, OPTIONS")] {
        let heard = house.ask(&format!("OPTIONS {path}"), "", "").await;
        assert_eq!((heard.status, heard.header("allow")), (204, Some(allowed)), "{path}");
    }
    assert!(heard.decision().get_version_num() == 7);
}

#[tokio::test]
async fn a_gateway_prefix_is_taken_off_when_it_is_configured() {
    let settings = proxy::Settings { prefix: Some("/gate/way".into()), ..Default::default() };
    let house = house_with(settings, server::Settings::default()).await;
    for path in ["/gate/way/v1/query", "/v1/query"] {
        assert_eq!(house.ask_as("T", &format!("POST {path}"), BODY).await.status, 200);
    }
    assert!(house.upstream.sent().iter().all(|sent| sent.line == "POST /v1/query"));
    assert_eq!(house.ask_as("T", "POST /gate/v1/query", BODY).await.status, 404);
}

#[tokio::test]
async fn what_the_upstream_says_no_to_is_told_in_this_proxys_form() {
    let house = house().await;
    for (theirs, ours, code) in
        [(400, 400, "upstream.refused"), (403, 502, "upstream.credential"), (503, 502, "upstream.unavailable")]
    {
        house.upstream.replies(theirs, r#"{"message":"secret of the upstream"}"#, Duration::ZERO);
        let heard = house.ask_as("T", "POST /v1/query", BODY).await;
        assert_eq!((heard.status, heard.code().as_str()), (ours, code), "{heard:?}");
        assert!(!heard.body.contains("secret"));
    }
    house.upstream.replies(200, "<html>", Duration::ZERO);
    assert_eq!(house.ask_as("T", "POST /v1/query", BODY).await.code(), "answer.unreadable");
}
