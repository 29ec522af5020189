//! What the record has of questions that are kept here, and of tries to run them.

use super::{
    definitions::{QUERIES, kept, member_of, of_queues, run, saved},
    house::House,
};
use serde_json::Value;

/// Whoever tries an id that is somebody else's leaves nothing of it in the record of his own try.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_try_records_nothing_of_anothers_definition() {
    let house = House::new().await;
    let id = saved(&house, "dana", &kept("own", "d-payments-us", false, &of_queues(&["q-pay-cards"]))).await;
    let shared = saved(&house, "dana", &kept("own", "d-payments-us", true, &of_queues(&["q-pay-cards"]))).await;
    let invented = "019ab6c0-0000-7000-8000-000000000000";
    for (person, id) in [("rolf", &*id), ("u-0003", &*id), ("rolf", invented)] {
        let heard = run(&house, person, id).await;
        assert_eq!(heard.status, 404, "{person}: {heard:?}");
        let (intent, outcome) = house.lines(heard.decision()).await;
        assert!(intent.is_none());
        let text = outcome.asked.unwrap().text.unwrap();
        assert_eq!((text.path, text.body), (format!("{QUERIES}/{id}/run"), None), "{person}");
    }
    // what he may see and not ask stands there
    let heard = run(&house, "carl", &shared).await;
    assert_eq!(heard.status, 404, "{heard:?}");
    let heard = run(&house, "dana", &shared).await;
    let (_, outcome) = house.lines(heard.decision()).await;
    assert!(outcome.asked.unwrap().text.unwrap().body.unwrap().contains("q-pay-cards"));
}

/// Whose placeholders stand for nothing is refused, and the record says what he asked: as it is kept, with its names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_run_is_recorded_with_its_placeholders() {
    let house = House::new().await;
    let asks = of_queues(&["${user.queueIds}"]);
    let id = saved(&house, "dana", &kept("mine", "d-payments-us", true, &asks)).await;
    let person = ["dana", "sofia", "ana"].into_iter().find(|person| member_of(&house.directory, person).is_empty());
    let heard = run(&house, person.expect("somebody is in no queue"), &id).await;
    assert_eq!((heard.status, heard.code().as_str()), (403, "scope.empty"), "{heard:?}");
    let (intent, outcome) = house.lines(heard.decision()).await;
    assert!(intent.is_none(), "nothing was to be sent");
    assert_eq!(
        (outcome.code.as_deref(), outcome.operation.as_deref()),
        (Some("scope.empty"), Some("platform.query.saved.run"))
    );
    let text = outcome.asked.unwrap().text.unwrap();
    assert!(text.path.ends_with("/run"), "{}", text.path);
    assert_eq!(text.body.map(|body| body.parse::<Value>().unwrap()), Some(asks));
}

/// A run takes no body. No model says what of one a mask would hide, so its digest tells that there was one, and nothing of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_tells_nothing_of_a_body_that_is_not_taken() {
    let house = House::new().await;
    let id = saved(&house, "dana", &kept("own", "d-payments-us", false, &of_queues(&["q-pay-cards"]))).await;
    let mut digests = Vec::new();
    for body in [r#"{"number":"+15550100"}"#, r#"{"number":"+15550199"}"#, ""] {
        // somebody who finds nothing there, so that the record of his try has nothing beside
        let heard = house.ask("rolf", &format!("POST {QUERIES}/{id}/run"), body).await;
        assert_eq!(heard.code() == "query.malformed", !body.is_empty(), "{heard:?}");
        let asked = house.lines(heard.decision()).await.1.asked.unwrap();
        assert_eq!(asked.text.and_then(|text| text.body), None);
        digests.push(asked.digest);
    }
    assert_eq!(digests[0], digests[1], "the digest tells one body from another");
    assert_ne!(digests[1], digests[2], "the digest does not tell that there was one");
}
