//! Metadata of another region, over real sockets: by an audit that the organisation lets cross, named in a header, and nothing else.

use super::{
    house::{DETAILS, EU, Heard, House, Plan, US},
    parts::{list, owned, text},
};
use crate::laws::case::{Organisation, Stock};
use serde_json::{Value, json};

const WEEK: &str = "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z";

/// The sample, in which max audits and reads the lines of Europe.
fn directory() -> Value {
    let mut directory: Value = bailiwick::sandbox::sample::text().parse().unwrap();
    let groups = directory["groups"].as_array_mut().unwrap();
    let readers = groups.iter_mut().find(|group| group["id"] == "g-read-eu").unwrap();
    readers["members"].as_array_mut().unwrap().push(json!("max"));
    directory
}

async fn house() -> House {
    House::of(Plan { directory: directory(), interactions: 400, media: true, ..Plan::default() }).await
}

async fn asked(house: &House, person: &str, region: &str, path: &str) -> Heard {
    house.ask_with(person, &format!("GET {path}"), &[("bailiwick-region", region)]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_auditor_sees_that_there_are_recordings_in_another_region_and_no_more() {
    let house = house().await;
    let organisation = Organisation::of(directory(), Stock::default()).unwrap();
    let raw = house
        .sandbox
        .evaluate(EU, DETAILS, &json!({ "interval": WEEK, "paging": { "pageSize": 100, "pageNumber": 1 } }))
        .unwrap();
    let (mut shown, mut refused) = (0, 0);
    for whole in list(&raw, "conversations").iter().take(40) {
        let id = text(whole, "conversationId");
        let legs: Vec<bool> =
            owned(whole).iter().map(|(_, _, leg)| organisation.directory.audited("max", EU, leg)).collect();
        let due = match (legs.contains(&true), legs.contains(&false)) {
            (true, false) => 200,
            (true, true) => 403,
            (false, _) => 404,
        };
        let path = format!("/api/v2/conversations/{id}/recordingmetadata");
        let heard = asked(&house, "max", EU, &path).await;
        assert_eq!(heard.status, due, "{id}: {heard:?}");
        if due == 200 {
            for row in heard.json().as_array().unwrap() {
                let names: Vec<&String> = row.as_object().unwrap().keys().collect();
                for not in ["name", "annotations", "sessionId", "conversationId", "path", "mediaUris", "description"] {
                    assert!(!names.iter().any(|name| *name == not), "`{not}` of {row}");
                }
                assert!(row.get("id").is_some() && row.get("media").is_some(), "{row}");
            }
            let (intent, _) = house.lines(heard.decision()).await;
            let intent = intent.expect("it was sent");
            assert_eq!((intent.region.as_str(), intent.scope.cross_region.as_deref()), (EU, Some(EU)));
            shown += 1;
        } else {
            refused += 1;
        }
    }
    println!("metadata of another region: {shown} shown, {refused} not");
    assert!(shown > 5 && refused > 0, "{shown} {refused}");
}

/// Nothing else opens, nobody else crosses, and no connection to the other region is made for what is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_may_not_cross_opens_no_connection_there() {
    let house = house().await;
    let raw = house.sandbox.evaluate(EU, DETAILS, &json!({ "interval": WEEK })).unwrap();
    let id = text(&list(&raw, "conversations")[0], "conversationId");
    let metadata = format!("/api/v2/conversations/{id}/recordingmetadata");
    let others = [
        format!("/api/v2/conversations/{id}/recordings"),
        format!("/api/v2/conversations/{id}"),
        format!("/api/v2/analytics/conversations/{id}/details"),
        "/api/v2/routing/queues".to_owned(),
    ];
    for (person, region, path) in
        [("sofia", EU, &metadata), ("gus", EU, &metadata), ("bea", EU, &metadata), ("max", "mars-1", &metadata)]
            .into_iter()
            .chain(others.iter().map(|path| ("max", EU, path)))
    {
        let heard = asked(&house, person, region, path).await;
        assert_eq!(
            (heard.status, heard.code().as_str()),
            (403, "region.cross-region-scan"),
            "{person} {path}: {heard:?}"
        );
    }
    // two names are a request with two meanings, and one's own region is where one asks anyway
    let two =
        house.ask_with("max", &format!("GET {metadata}"), &[("bailiwick-region", EU), ("bailiwick-region", US)]).await;
    assert_eq!((two.status, two.code().as_str()), (400, "request.malformed"), "{two:?}");
    let own = asked(&house, "max", US, &metadata).await;
    assert_eq!(own.code(), house.get("max", &metadata).await.code(), "{own:?}");
    house.assert_no_connection_to(EU);
}
