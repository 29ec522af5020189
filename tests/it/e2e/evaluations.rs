//! Evaluations by agent or interaction, through HTTP: in pages of odd sizes they are those of interactions that somebody
//! sees whole, each once, and each can be read by its id; whoever sees a part of an interaction finds none of it.

use super::{
    house::{DETAILS, House, Plan, US, now},
    parts::{list, owned, text},
};
use crate::{
    laws::{
        case::{Organisation, Stock},
        lists::Asker,
        program,
    },
    oracle::{generate::Dice, semantics::Data},
};
use bailiwick::{audit::Record, sandbox::Disobedience};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const LIST: &str = "/api/v2/quality/evaluations/query";
const SEARCH: &str = "/api/v2/quality/evaluations/search";
const PEOPLE: [&str; 4] = ["sofia", "carl", "olga", "rita"];

/// One evaluation that the upstream has, whoever asks.
struct There {
    id: String,
    interaction: String,
    queue: String,
    agent: String,
    /// Whether all, and whether something, of its interaction is visible.
    whole: bool,
    some: bool,
}

/// Readers of what was said and judged: of one's own queues, and of two divisions.
fn directory() -> Value {
    let mut directory: Value = bailiwick::sandbox::sample::text().parse().unwrap();
    for user in directory["users"].as_array_mut().unwrap() {
        let divisions: &[&str] = match user["id"].as_str() {
            Some("olga") => &["d-sales-us", "d-service-us"],
            Some("rita") => &["d-fraud-us"],
            _ => continue,
        };
        let roles = user["roles"].as_array_mut().unwrap();
        roles.extend(divisions.iter().map(|division| json!({ "role": "r-content-reader", "division": division })));
    }
    directory
}

/// Every interaction with an evaluation, by the upstream's own details, which tell a week at a time.
fn interactions(house: &House) -> Vec<Value> {
    let mut all = BTreeMap::new();
    for week in [
        "2026-10-18/2026-10-25",
        "2026-10-25/2026-11-01",
        "2026-11-01/2026-11-08",
        "2026-11-08/2026-11-15",
        "2026-11-15/2026-11-21",
    ] {
        let (from, until) = week.split_once('/').unwrap();
        for number in 1.. {
            let interval = format!("{from}T00:00:00Z/{until}T00:00:00Z");
            let asked = json!({ "interval": interval, "paging": { "pageSize": 100, "pageNumber": number } });
            let raw = house.sandbox.evaluate(US, DETAILS, &asked).unwrap();
            let page = list(&raw, "conversations");
            let evaluated = page.iter().filter(|one| !list(one, "evaluations").is_empty());
            all.extend(evaluated.map(|one| (text(one, "conversationId"), one.clone())));
            if page.len() < 100 {
                break;
            }
        }
    }
    all.into_values().collect()
}

fn evaluations(all: &[Value], asker: &Asker<'_>) -> Vec<There> {
    let scope = asker.scope(program::read(LIST), Data::Interaction);
    let mut there = Vec::new();
    for one in all {
        let id = text(one, "conversationId");
        let visible = |leg| asker.organisation.directory.visible(&asker.person, &scope, &id, leg);
        let seen: Vec<bool> = owned(one).iter().map(|(_, _, leg)| visible(leg)).collect();
        there.extend(list(one, "evaluations").iter().map(|row| There {
            id: text(row, "evaluationId"),
            interaction: id.clone(),
            queue: text(row, "queueId"),
            agent: text(row, "userId"),
            whole: !seen.contains(&false) && !seen.is_empty(),
            some: seen.contains(&true),
        }));
    }
    there
}

/// Every row of a list, page by page; or the code of a refusal.
async fn walk(house: &House, person: &str, filter: &str, size: usize) -> Result<Vec<Value>, String> {
    let mut got = Vec::new();
    for number in 1.. {
        let heard = house.get(person, &format!("{LIST}?{filter}&pageSize={size}&pageNumber={number}")).await;
        if heard.status != 200 {
            return Err(heard.code());
        }
        let answer = heard.json();
        let page = list(&answer, "entities");
        got.extend(page.iter().cloned());
        let total = answer["total"].as_u64().unwrap();
        assert_eq!(answer["pageCount"].as_u64().unwrap(), total.div_ceil(size as u64), "{person} {filter}");
        assert_eq!((&answer["pageNumber"], &answer["pageSize"]), (&number.into(), &size.into()));
        assert!(heard.notices().iter().any(|notice| notice.starts_with("interaction.mixed")), "{heard:?}");
        assert!(page.len() <= size && number < 200, "{person} {filter}: {answer}");
        let more = got.len() as u64 != total;
        assert_eq!(answer["nextUri"].as_str().is_some_and(|next| next.starts_with(LIST)), more, "{answer}");
        if !more {
            assert_eq!(got.len() as u64, total, "{person} {filter}");
            break;
        }
    }
    Ok(got)
}

/// The same by a search, which tells no total: a short page is the last.
async fn search(house: &House, person: &str, query: &Value, size: usize) -> Result<Vec<Value>, String> {
    let mut got = Vec::new();
    for number in 1.. {
        let asked = json!({ "query": query, "pageSize": size, "pageNumber": number, "sortBy": "conversationDate" });
        let heard = house.post(person, SEARCH, &asked).await;
        if heard.status != 200 {
            return Err(heard.code());
        }
        assert!(heard.notices().iter().any(|notice| notice.starts_with("interaction.mixed")), "{heard:?}");
        let answer = heard.json();
        let page = list(&answer, "results");
        got.extend(page.iter().cloned());
        assert!(page.len() <= size && number < 200 && answer.get("total").is_none(), "{person} {query}: {answer}");
        if page.len() < size {
            break;
        }
    }
    Ok(got)
}

fn ids(rows: &[Value]) -> BTreeSet<String> {
    let ids: BTreeSet<String> = rows.iter().map(|row| text(row, "id")).collect();
    assert_eq!(ids.len(), rows.len(), "some came twice");
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evaluations_are_those_of_interactions_that_are_seen_whole_each_once() {
    let house = House::of(Plan { directory: directory(), interactions: 1_500, ..Plan::default() }).await;
    let organisation = Organisation::of(directory(), Stock::default()).unwrap();
    let all = interactions(&house);
    assert!(all.len() >= 60, "{} evaluated interactions are too few", all.len());
    let mut dice = Dice::new(31);
    let (mut lists, mut shown, mut mixed, mut closed) = (0, 0, 0, 0);
    for person in PEOPLE {
        let asker = Asker { organisation: &organisation, person: person.to_owned(), now: now().as_second() };
        let there = evaluations(&all, &asker);
        let pairs: BTreeSet<(&str, &str)> =
            there.iter().filter(|one| one.some).map(|one| (one.agent.as_str(), one.queue.as_str())).collect();
        let agents: BTreeSet<&str> = pairs.iter().map(|(agent, _)| *agent).collect();
        let strangers = there.iter().map(|one| one.agent.as_str()).filter(|id| !agents.contains(id)).step_by(9);
        let mut filters: Vec<(&str, &str, &str)> = agents.iter().map(|id| ("agentUserId", *id, "")).collect();
        filters.extend(pairs.iter().step_by(3).map(|(agent, queue)| ("agentUserId", *agent, *queue)));
        filters.extend(strangers.map(|id| ("agentUserId", id, "")));
        let some = there.iter().filter(|one| one.some).map(|one| one.interaction.as_str()).take(12);
        let strange = there.iter().filter(|one| !one.some).map(|one| one.interaction.as_str()).take(6);
        filters.extend(some.chain(strange).map(|id| ("conversationId", id, "")));
        for (name, id, queue) in filters {
            let of = |one: &&There| (if name == "agentUserId" { &one.agent } else { &one.interaction }) == id;
            let here: Vec<&There> =
                there.iter().filter(of).filter(|one| queue.is_empty() || one.queue == queue).collect();
            let beside = if queue.is_empty() { String::new() } else { format!("&queueId={queue}") };
            let due: BTreeSet<String> = here.iter().filter(|one| one.whole).map(|one| one.id.clone()).collect();
            match walk(&house, person, &format!("{name}={id}{beside}&sortOrder=desc"), 1 + dice.below(7)).await {
                Ok(rows) => {
                    assert_eq!(ids(&rows), due, "{person} {name}={id}");
                    for row in &rows {
                        let one = here.iter().find(|one| one.id == text(row, "id")).unwrap();
                        assert_eq!(row["conversation"], json!({ "id": one.interaction }));
                        assert_eq!(row["agent"], json!({ "id": one.agent }));
                        for not in ["carl", "private", "unlisted", "divisionIds", "evaluator", "assignee"] {
                            assert!(!row.to_string().contains(not) || one.agent == not, "{not}: {row}");
                        }
                    }
                    let field = if name == "agentUserId" { "agentId" } else { "conversationId" };
                    let named = json!({ "type": "EXACT", "field": field, "value": id });
                    let marked = json!({ "type": "LESS_THAN", "field": "totalScore", "value": "80" });
                    let whole = search(&house, person, &json!([named]), 4).await.unwrap();
                    assert!(
                        ids(&whole).is_superset(&due) && (!queue.is_empty() || ids(&whole) == due),
                        "{person} {id}"
                    );
                    let low = search(&house, person, &json!([named, marked]), 4).await.unwrap();
                    let under = |row: &&Value| row["answers"]["totalScore"].as_f64().is_some_and(|mark| mark < 80.0);
                    let low_due: Vec<Value> = whole.iter().filter(under).cloned().collect();
                    assert_eq!(ids(&low), ids(&low_due), "{person} {id}");
                    lists += 1;
                    shown += due.len();
                    mixed += here.iter().filter(|one| one.some && !one.whole).count();
                }
                Err(code) => {
                    // whoever works in another division may have no name here; a queue that is no more is refused by name
                    let dead = code == "query.dead-queue" && !queue.is_empty();
                    assert!(dead || code == "scope.outside" && name == "agentUserId", "{person} {id}{beside}: {code}");
                    closed += 1;
                }
            }
        }
        // what is listed can be read by its id, and what is left out cannot
        for one in there.iter().step_by(5) {
            let path = format!("/api/v2/quality/conversations/{}/evaluations/{}", one.interaction, one.id);
            assert_eq!(house.get(person, &path).await.status == 200, one.whole, "{person} {path}");
        }
    }
    println!("evaluations: {lists} lists with {shown} rows, each once; {mixed} of mixed interactions, {closed} closed");
    assert!(lists > 30 && shown > 60 && mixed > 0 && closed > 20, "{lists} {shown} {mixed} {closed}");
    let rightless = house.get("ana", &format!("{LIST}?agentUserId=ana")).await;
    assert_eq!(rightless.code(), "permission.missing");
    let everybody = house.get("sofia", LIST).await;
    assert_eq!(everybody.code(), "query.malformed");
}

/// Nothing of the answer says whether there is more, but the size of its pages, which is not the one that was asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_with_shorter_pages_loses_no_evaluation() {
    let house = House::of(Plan { interactions: 6_000, directory: directory(), ..Plan::default() }).await;
    let all = interactions(&house);
    let organisation = Organisation::of(directory(), Stock::default()).unwrap();
    let asker = Asker { organisation: &organisation, person: "sofia".to_owned(), now: now().as_second() };
    let most = evaluations(&all, &asker).into_iter().filter(|one| one.whole).fold(
        BTreeMap::<String, usize>::new(),
        |mut by, one| {
            *by.entry(one.agent).or_default() += 1;
            by
        },
    );
    let (agent, many) = most.into_iter().max_by_key(|(_, many)| *many).expect("somebody was evaluated");
    let query = json!([{ "type": "EXACT", "field": "agentId", "value": agent }]);
    let whole = search(&house, "sofia", &query, 100).await.unwrap();
    assert!(whole.len() == many && many > 0, "{many}");
    house.sandbox.disobey(|faults| faults.short_pages = Some(2));
    house.received(US);
    assert_eq!(search(&house, "sofia", &query, 100).await.unwrap(), whole);
    let pages = house.received(US).iter().filter(|one| one.target.starts_with(SEARCH)).count();
    let there =
        all.iter().flat_map(|one| list(one, "evaluations")).filter(|row| row["userId"] == agent.as_str()).count();
    assert_eq!(pages, there / 2 + 1, "{there} of {agent}");
    assert!(pages > 2, "{there}");
    // a row was put in meanwhile, so that the page behind the last holds one that is known and nothing else
    house.sandbox.disobey(|faults| (faults.short_pages, faults.shifted_pages) = (Some(there as u64), true));
    assert_eq!(search(&house, "sofia", &query, 100).await.unwrap(), whole);
    assert_eq!(house.received(US).iter().filter(|one| one.target.starts_with(SEARCH)).count(), 2);
    // pages that are full of what is known are a circle
    house.sandbox.disobey(|faults| (faults.short_pages, faults.shifted_pages) = (Some(1), true));
    assert_eq!(search(&house, "sofia", &query, 100).await, Err("answer.unreadable".to_owned()));
}

/// That the upstream knows none of the interactions says nothing of the list.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_that_finds_nothing_is_no_list_that_is_not_there() {
    let house = House::of(Plan { interactions: 2_000, directory: directory(), ..Plan::default() }).await;
    let all = interactions(&house);
    let agent = all.iter().flat_map(|one| list(one, "evaluations")).map(|row| text(row, "userId")).next().unwrap();
    let line = format!("{LIST}?agentUserId={agent}");
    let asker = PEOPLE.into_iter().map(|person| (person, &line));
    let mut answered = None;
    for (person, line) in asker {
        let heard = house.get(person, line).await;
        if heard.status == 200 {
            answered = Some(person);
            break;
        }
    }
    let person = answered.expect("somebody may ask about one who was evaluated");
    house.sandbox.disobey(|faults| faults.forgotten = true);
    let heard = house.get(person, &line).await;
    assert_eq!((heard.status, heard.code().as_str()), (502, "answer.unreadable"), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disobedient_upstream_shows_no_evaluation_of_others() {
    let house = House::of(Plan { directory: directory(), interactions: 900, ..Plan::default() }).await;
    let organisation = Organisation::of(directory(), Stock::default()).unwrap();
    let all = interactions(&house);
    let changes: [fn(&mut Disobedience); 5] = [
        |faults| faults.foreign_rows = true,
        |faults| faults.other_region = true,
        |faults| faults.false_totals = true,
        |faults| faults.extra_fields = true,
        |faults| faults.ignore_filters = true,
    ];
    let mut shown = 0;
    for (at, change) in changes.into_iter().enumerate() {
        house.sandbox.disobey(change);
        for person in ["carl", "olga"] {
            let asker = Asker { organisation: &organisation, person: person.to_owned(), now: now().as_second() };
            let there = evaluations(&all, &asker);
            let whole: BTreeSet<String> = there.iter().filter(|one| one.whole).map(|one| one.id.clone()).collect();
            let agents: BTreeSet<&str> = there.iter().filter(|one| one.whole).map(|one| one.agent.as_str()).collect();
            let mut walked = 0;
            for agent in agents {
                let Ok(rows) = walk(&house, person, &format!("agentUserId={agent}"), 9).await else { continue };
                let got = ids(&rows);
                let query = json!([{ "type": "EXACT", "field": "agentId", "value": agent }]);
                assert_eq!(ids(&search(&house, person, &query, 9).await.unwrap()), got, "{at} {person} {agent}");
                let due = there.iter().filter(|one| one.whole && one.agent == agent).map(|one| one.id.clone());
                assert!(got.is_subset(&whole), "{at} {person} {agent}: {got:?}");
                assert!(due.collect::<BTreeSet<_>>().is_subset(&got), "{at} {person} {agent}: {got:?}");
                assert!(rows.iter().all(|row| row.get("internalNote").is_none()));
                shown += got.len();
                walked += 1;
                if walked == 3 {
                    break;
                }
            }
        }
        house.sandbox.disobey(|faults| *faults = Disobedience::default());
    }
    assert!(shown > 20, "{shown}");
}

/// Each page and each look is a query of its own in the record, in the order in which they left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_and_looks_are_recorded_as_they_were_sent() {
    let house = House::of(Plan { directory: directory(), interactions: 2_000, ..Plan::default() }).await;
    let all = interactions(&house);
    let mut many: BTreeMap<String, usize> = BTreeMap::new();
    for row in all.iter().flat_map(|one| list(one, "evaluations")) {
        *many.entry(text(row, "userId")).or_default() += 1;
    }
    let directory = directory();
    let of_claims = |id: &str| {
        let mut users = directory["users"].as_array().unwrap().iter();
        users.any(|user| user["id"] == id && user["division"] == "d-claims-us")
    };
    let (agent, count) = many.iter().filter(|(id, _)| of_claims(id)).max_by_key(|(_, many)| **many).unwrap();
    house.received(US);
    let heard = house.get("carl", &format!("{LIST}?agentUserId={agent}&pageSize=2")).await;
    assert_eq!(heard.status, 200, "{heard:?}");
    let sent: Vec<String> = house.received(US).into_iter().map(|received| received.target).collect();
    house.lines(heard.decision()).await;
    let record = house.record().into_iter().filter(|record| record.decision() == heard.decision());
    let intents: Vec<String> = record
        .filter_map(|record| match record {
            Record::Intent(intent) => intent.sent.text.map(|text| text.path),
            Record::Outcome(_) => None,
        })
        .collect();
    let paths: Vec<&str> = sent.iter().map(|target| target.split('?').next().unwrap()).collect();
    assert_eq!(intents, paths, "{heard:?}");
    let looks = paths.iter().filter(|path| **path == "/api/v2/analytics/conversations/details").count();
    let pages = paths.iter().filter(|path| **path == LIST).count();
    println!("{count} evaluations of {agent}: {pages} pages, {looks} looks");
    assert_eq!(paths.len(), looks + pages);
    assert!(looks >= 1 && pages == count.div_ceil(100), "{paths:?}");
}
