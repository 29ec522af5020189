//! What one more right does to a search, and what the rights and things of other people do to it.

use super::{
    super::{
        case::{Case, Organisation},
        program,
        random::{disturbed, enriched},
        way::organisations,
    },
    Documents, cases, counting, decide, draw, facts, operation, sent,
};
use crate::oracle::{generate::Dice, questions::Kind, search::answer};
use bailiwick::{
    decision::{self, Decided},
    model::refusal::Code,
    policy::guard::Unguarded,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// What leaves for a search, if anything does, and what is answered.
fn ask(organisation: &Organisation, case: &Case, body: &Value) -> Result<(Option<String>, Value), Code> {
    let principal = program::principal(&organisation.world.org, &case.person);
    let scope = decision::scope(&organisation.world, principal, operation(), program::at(case.now));
    let scope = Arc::new(scope.map_err(|refusal| refusal.code)?);
    let documents = Documents::of(organisation, &case.person, &counting(case.scope(&organisation.directory)));
    let (outgoing, guarded) = match decide(organisation, case, &scope, &body.to_string())? {
        Decided::Local(guarded) => (None, guarded),
        Decided::Split(_) | Decided::Kept(_) => panic!("a search is asked whole: {body}"),
        Decided::Forward(forward) => {
            let upstream = answer(&sent(&forward), &documents.all).to_string();
            let guarded = forward.plan.guard(Unguarded::new(200, upstream.into_bytes()));
            (Some(program::sent(&forward.verified)), guarded.unwrap_or_else(|why| panic!("{why:?}: {body}")))
        }
    };
    Ok((outgoing, facts(&program::text(guarded.body()))))
}

/// Without a page and without a bound of buckets: a page of fewer rows holds later ones.
fn unpaged(body: &mut Value) {
    fn unbounded(aggregations: &mut Value) {
        for one in aggregations.as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
            if let Some(terms) = one.get_mut("terms") {
                terms["size"] = json!(10_000);
            }
            if let Some(inner) = one.get_mut("aggs") {
                unbounded(inner);
            }
        }
    }
    body["from"] = json!(0);
    body["size"] = json!(10_000);
    ["aggs", "aggregations"].iter().for_each(|name| {
        if let Some(asked) = body.get_mut(name) {
            unbounded(asked);
        }
    });
}

/// Documents of each bucket, by the values that lead to it.
fn buckets(aggregations: &Value, above: &str, found: &mut BTreeMap<String, i64>) {
    for (name, one) in aggregations.as_object().into_iter().flatten() {
        for bucket in one["buckets"].as_array().into_iter().flatten() {
            let at = format!("{above}/{name}={}", bucket["key"]);
            buckets(bucket, &at, found);
            found.insert(at, bucket["doc_count"].as_f64().unwrap() as i64);
        }
    }
}

fn within(less: &Value, more: &Value) -> bool {
    let ids = |answer: &Value| -> Vec<String> {
        answer["hits"].as_array().unwrap().iter().map(|hit| hit["_id"].to_string()).collect()
    };
    let total = |answer: &Value| answer["total"]["value"].as_i64();
    let (few, many) = (ids(less), ids(more));
    let counts = |answer: &Value| {
        let mut found = BTreeMap::new();
        buckets(&answer["aggregations"], "", &mut found);
        found
    };
    let (fewer, larger) = (counts(less), counts(more));
    few.iter().all(|id| many.contains(id))
        && total(less).is_none_or(|less| total(more).is_none_or(|more| less <= more))
        && fewer.iter().all(|(key, count)| larger.get(key).is_some_and(|larger| count <= larger))
}

fn every_case(seed: u64, judge: impl Fn(&Organisation, &Case, &Value, &mut Dice)) {
    let mut left = cases() / 4;
    for (mut dice, organisation) in organisations(seed..) {
        for _ in 0..20 {
            let Some((case, _, body)) = draw(&mut dice, &organisation) else { continue };
            if left == 0 {
                return;
            }
            left -= 1;
            judge(&organisation, &case, &body, &mut dice);
        }
    }
}

#[test]
fn one_more_right_takes_no_document_and_no_bucket_away() {
    let (mut both, mut more) = (0, 0);
    let tally = std::cell::RefCell::new((&mut both, &mut more));
    every_case(52_000, |organisation, case, body, dice| {
        let mut body = body.clone();
        unpaged(&mut body);
        let file = enriched(organisation, &case.person, case.now, dice);
        let Ok(richer) = Organisation::of(file, organisation.stock.clone()) else { return };
        let (Ok((_, before)), Ok((_, after))) = (ask(organisation, case, &body), ask(&richer, case, &body)) else {
            return;
        };
        assert!(within(&before, &after), "{}: {body}\nbefore {before}\nafter {after}", case.person);
        let mut tally = tally.borrow_mut();
        *tally.0 += 1;
        *tally.1 += usize::from(before != after);
    });
    println!("searches with one more right: {both} answered before and after, {more} of them with more");
    assert!(both > cases() / 12 && more > cases() / 100, "the cases are too easy");
}

#[test]
fn rights_and_things_of_others_do_not_matter_to_a_search() {
    let (mut same, mut answered) = (0, 0);
    let tally = std::cell::RefCell::new((&mut same, &mut answered));
    every_case(53_000, |organisation, case, body, dice| {
        let before = ask(organisation, case, body);
        let Some(file) = disturbed(organisation, &case.person, dice) else { return };
        let mut stock = organisation.stock.clone();
        for one in stock.of_mut(Kind::Details).iter_mut() {
            let mut hidden = one.legs[0].clone();
            hidden.queue = Some((*dice.pick(&["noise-q-abroad", "noise-q-here"])).to_owned());
            hidden.tag = Some("noise-abroad".to_owned());
            one.legs.push(hidden);
        }
        let other = Organisation::of(file, stock).unwrap();
        let after = ask(&other, case, body);
        assert_eq!(before, after, "{}: {body}", case.person);
        let mut tally = tally.borrow_mut();
        *tally.0 += 1;
        *tally.1 += usize::from(before.is_ok());
    });
    println!("searches beside other people's rights: {same} the same, {answered} of them answered");
    assert!(same > cases() / 8 && answered > cases() / 12, "the cases are too easy");
}
