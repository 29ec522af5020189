//! Pages of other origins: a browser lets those read that are configured, and no others.

use super::*;

const ORIGIN: &str = "Origin: https://reports.example\r\n";

async fn house_for(origins: &[&str]) -> House {
    let origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
    house_with(proxy::Settings { origins, ..Default::default() }, server::Settings::default()).await
}

fn told(heard: &Heard) -> Vec<&str> {
    let names = heard.headers.iter().map(|(name, _)| name.as_str());
    names.filter(|name| name.starts_with("access-control") || *name == "vary").collect()
}

#[tokio::test]
async fn nothing_is_said_where_none_is_configured() {
    let house = house_for(&[]).await;
    let preflight = format!("{ORIGIN}Access-Control-Request-Method: POST\r\n");
    assert!(told(&house.ask("OPTIONS /v1/query", &preflight, "").await).is_empty());
    assert!(told(&house.ask("POST /v1/query", &format!("{ORIGIN}Authorization: Bearer T\r\n"), BODY).await).is_empty());
}

#[tokio::test]
async fn a_configured_origin_asks_and_reads() {
    let house = house_for(&["https://reports.example"]).await;
    let preflight = format!(
        "{ORIGIN}Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization,content-type\r\n"
    );
    let heard = house.ask("OPTIONS /v1/query", &preflight, "").await;
    assert_eq!(heard.status, 204);
    assert_eq!(heard.header("access-control-allow-origin"), Some("https://reports.example"));
    assert_eq!(heard.header("access-control-allow-methods"), Some("POST, OPTIONS"));
    assert_eq!(heard.header("access-control-allow-headers"), Some("authorization,content-type"));
    assert_eq!(heard.header("vary"), Some("origin"));
    assert!(house.upstream.sent().is_empty(), "nobody is asked");
    // a refusal is read as well, or its reason would be lost
    for (token, status) in [("T", 200), ("wrong", 401)] {
        let heard = house.ask("POST /v1/query", &format!("{ORIGIN}Authorization: Bearer {token}\r\n"), BODY).await;
        assert_eq!(heard.status, status);
        assert_eq!(heard.header("access-control-allow-origin"), Some("https://reports.example"));
        assert!(heard.header("access-control-expose-headers").unwrap().contains("bailiwick-decision"));
        assert_eq!(heard.header("access-control-allow-credentials"), None);
    }
}

#[tokio::test]
async fn other_origins_are_told_nothing() {
    let house = house_for(&["https://reports.example"]).await;
    for origin in ["https://evil.example", "https://reports.example.evil", "null"] {
        let asked = format!("Origin: {origin}\r\nAccess-Control-Request-Method: POST\r\n");
        assert_eq!(told(&house.ask("OPTIONS /v1/query", &asked, "").await), ["vary"]);
        let heard =
            house.ask("POST /v1/query", &format!("Origin: {origin}\r\nAuthorization: Bearer T\r\n"), BODY).await;
        assert_eq!((heard.status, told(&heard)), (200, vec!["vary"]));
    }
}
