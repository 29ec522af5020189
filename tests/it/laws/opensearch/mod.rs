//! The laws over the query language of OpenSearch, negations and all: what somebody is answered is the asked search over
//! the documents of the legs that he may see.

mod bytes;
mod frame;
mod neighbours;

use super::{
    case::{Case, Organisation},
    program,
    way::organisations,
};
use crate::oracle::{
    data::{Interaction, Leg, instant},
    generate::{self, Dice},
    questions::Kind,
    search::{answer, holds},
    semantics::{Dim, Entitlement},
};
use bailiwick::{
    decision::{self, Decided, Forward},
    model::{answer::Shape, contract::Method, entitlement::Scope, operation::Operation, refusal::Code},
    policy::guard::Unguarded,
    query::{
        Question,
        json::{self, Limits},
    },
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

fn cases() -> usize {
    std::env::var("BAILIWICK_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000)
}

fn operation() -> &'static Arc<Operation> {
    program::rules().find(Method::Post, &["contacts-legs", "_search"]).expect("a rule governs the index").0
}

fn question(body: &str) -> Question {
    let body = json::parse(body.as_bytes(), &Limits::default()).expect("drawn bodies are good JSON");
    Question { operation: operation().clone(), ids: vec![], params: vec![], body: Some(body), kept: None, seen: None }
}

/// One document for a leg; its division is the tag of its time, or what the directory says.
fn document(interaction: &Interaction, nth: usize, leg: &Leg, division: Option<&str>) -> Value {
    let mut document = json!({
        "_id": format!("{}/{nth}", interaction.id), "conversationId": interaction.id, "startTime": instant(leg.start),
        "endTime": instant(leg.end), "handleTime": leg.handle,
    });
    let ids = [("queueId", leg.queue.as_deref()), ("userId", leg.agent.as_deref()), ("divisionId", division)];
    let words = ["mediaType", "direction"].map(|name| (name, leg.plain.get(name).map(String::as_str)));
    for (name, value) in ids.into_iter().chain(words) {
        if let Some(value) = value {
            document[name] = json!(value);
        }
    }
    document
}

/// What the index holds, and what of it somebody may see.
struct Documents {
    all: Vec<Value>,
    visible: Vec<Value>,
    hidden: Vec<Value>,
}

impl Documents {
    fn of(organisation: &Organisation, person: &str, scope: &[Entitlement]) -> Self {
        let (mut all, mut visible, mut hidden) = (vec![], vec![], vec![]);
        let directory = &organisation.directory;
        for one in &organisation.stock.interactions {
            for (nth, leg) in one.legs.iter().enumerate() {
                let tagged = document(one, nth, leg, leg.tag.as_deref());
                if directory.visible(person, scope, &one.id, leg) {
                    visible.push(document(one, nth, leg, directory.division_of(leg)));
                } else {
                    hidden.push(tagged.clone());
                }
                all.push(tagged);
            }
        }
        // nobody's: the customer's own side
        all.push(json!({ "_id": "nobody", "conversationId": "c-0", "startTime": instant(0), "mediaType": "voice" }));
        hidden.extend(all.last().cloned());
        Self { all, visible, hidden }
    }
}

/// Rights to a part of time or to single interactions do not count for searches.
fn counting(mut scope: Vec<Entitlement>) -> Vec<Entitlement> {
    scope.retain(|one| one.window.is_none() && one.conversations == Dim::Any);
    scope
}

/// The rows, the total and the buckets, without what nobody asked for.
pub(crate) fn facts(answer: &Value) -> Value {
    let mut hits = answer["hits"]["hits"].clone();
    for hit in hits.as_array_mut().unwrap() {
        hit.as_object_mut().unwrap().shift_remove("_score");
        // the tag of a queue that moved is that of its time
        hit["_source"].as_object_mut().unwrap().shift_remove("divisionId");
    }
    let mut buckets = answer["aggregations"].clone();
    strip(&mut buckets);
    json!({ "total": answer["hits"]["total"], "hits": hits, "aggregations": buckets })
}

fn strip(buckets: &mut Value) {
    match buckets {
        Value::Object(members) => {
            members.shift_remove("doc_count_error_upper_bound");
            members.shift_remove("sum_other_doc_count");
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::Number(number) => *buckets = json!(number.as_f64().unwrap()),
        _ => {}
    }
}

fn sent(forward: &Forward) -> Value {
    program::sent(&forward.verified).parse().unwrap()
}

fn decide(organisation: &Organisation, case: &Case, scope: &Arc<Scope>, body: &str) -> Result<Decided, Code> {
    decision::decide(&organisation.world, scope, &question(body), program::at(case.now)).map_err(|refusal| {
        assert_ne!(refusal.code, Code::VerifyFailed, "{}: {refusal:?}\n{body}", case.person);
        assert_ne!(refusal.code, Code::QueryMalformed, "{}: {refusal:?}\n{body}", case.person);
        refusal.code
    })
}

/// Somebody who may ask, with a search.
fn draw(dice: &mut Dice, organisation: &Organisation) -> Option<(Case, Arc<Scope>, Value)> {
    let case = Case { kind: Kind::Details, ..Case::draw(dice, organisation) };
    let names = case.names(&organisation.directory);
    let body = generate::search(dice, &names);
    let principal = program::principal(&organisation.world.org, &case.person);
    let scope = decision::scope(&organisation.world, principal, operation(), program::at(case.now)).ok()?;
    Some((case, Arc::new(scope), body))
}

/// The same question in another order and another spelling.
fn respelt(dice: &mut Dice, value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> =
                members.iter().map(|(name, value)| (name.clone(), respelt(dice, value))).collect();
            dice.shuffle(&mut members);
            let one = |value: &Value| match value {
                Value::Array(items) if items.len() == 1 && items[0].is_object() => items[0].clone(),
                other => other.clone(),
            };
            let group = |name: &str| matches!(name, "must" | "filter" | "should" | "must_not");
            members.iter_mut().filter(|(name, _)| group(name)).for_each(|(_, value)| *value = one(value));
            for (name, _) in &mut members {
                if name == "aggs" {
                    "aggregations".clone_into(name);
                }
            }
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(|item| respelt(dice, item)).collect();
            dice.shuffle(&mut items);
            Value::Array(items)
        }
        other => other.clone(),
    }
}

#[test]
fn every_governed_search_is_drawn_here() {
    let searches = program::rules().operations.iter().filter(|one| one.answer.shape == Shape::Documents);
    assert_eq!(searches.map(|one| &*one.id).collect::<Vec<_>>(), [&*operation().id]);
}

#[derive(Debug, Default)]
struct Tally {
    sent: usize,
    local: usize,
    rows: usize,
    negated: usize,
    /// Answers that the same search over everything would not give.
    over_hidden: usize,
    again: usize,
    refused: BTreeMap<&'static str, usize>,
}

#[test]
fn what_is_answered_is_the_asked_search_over_visible_legs() {
    let (mut tally, mut left) = (Tally::default(), cases());
    for (mut dice, organisation) in organisations(51_000..) {
        for _ in 0..20 {
            let Some((case, scope, body)) = draw(&mut dice, &organisation) else { continue };
            if left == 0 {
                break;
            }
            left -= 1;
            judge(&mut dice, &organisation, (&case, &scope, &body), &mut tally);
        }
        if left == 0 {
            break;
        }
    }
    println!("{tally:?}");
    let all = cases();
    assert!(tally.sent > all / 2 && tally.rows > all / 4 && tally.over_hidden > all / 4, "the cases are too easy");
    assert!(tally.negated > all / 10 && tally.again > all / 3, "the cases are too easy");
    for code in ["query.too-complex", "operation.unscopable"] {
        assert!(tally.refused.get(code).copied().unwrap_or_default() * 20 < all, "{code}: {tally:?}");
    }
}

fn judge(
    dice: &mut Dice,
    organisation: &Organisation,
    (case, scope, asked): (&Case, &Arc<Scope>, &Value),
    tally: &mut Tally,
) {
    let text = asked.to_string();
    let (guarded, outgoing, documents) = {
        let documents = Documents::of(organisation, &case.person, &counting(case.scope(&organisation.directory)));
        match decide(organisation, case, scope, &text) {
            Err(code) => {
                *tally.refused.entry(code.as_str()).or_default() += 1;
                return;
            }
            Ok(Decided::Local(guarded)) => (guarded, None, documents),
            Ok(Decided::Split(_) | Decided::Kept(_)) => panic!("a search is asked whole: {text}"),
            Ok(Decided::Forward(forward)) => {
                let outgoing = sent(&forward);
                let upstream = answer(&outgoing, &documents.all).to_string();
                let guarded = forward.plan.guard(Unguarded::new(200, upstream.into_bytes()));
                (guarded.unwrap_or_else(|why| panic!("{why:?}: {text}")), Some(outgoing), documents)
            }
        }
    };
    let got = program::text(guarded.body());
    // as it is read from a text: the last digit of a mean may differ otherwise
    let due = program::text(answer(asked, &documents.visible).to_string().as_bytes());
    let told = || format!("{} at {}: {text}\nsent {outgoing:?}\n{:#}", case.person, case.now, organisation.file);
    assert_eq!(facts(&got), facts(&due), "{}", told());
    assert_eq!(guarded.rows_foreign(), 0, "{}", told());
    tally.rows += usize::from(due["hits"]["hits"] != json!([]));
    tally.negated += usize::from(text.contains("must_not"));
    tally.over_hidden += usize::from(facts(&answer(asked, &documents.all)) != facts(&due));
    let Some(outgoing) = outgoing.as_ref() else {
        tally.local += 1;
        return;
    };
    tally.sent += 1;
    // once is enough
    match decide(organisation, case, scope, &outgoing.to_string()) {
        Ok(Decided::Forward(again)) => {
            assert_eq!(sent(&again), *outgoing, "{}", told());
            tally.again += 1;
        }
        Err(Code::QueryDeadQueue | Code::DivisionParentScan) => {}
        other => panic!("{other:?}: {}", told()),
    }
    // order and form do not matter
    let mut other = respelt(dice, asked);
    if let Some(sort) = asked.get("sort") {
        other["sort"] = sort.clone();
    }
    match decide(organisation, case, scope, &other.to_string()) {
        Ok(Decided::Forward(again)) => {
            assert_eq!(program::sent(&again.verified), outgoing.to_string(), "{other}\n{}", told());
        }
        other => panic!("{other:?}: {}", told()),
    }
}
