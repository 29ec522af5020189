//! What may be grouped, sorted and filtered by: held by this reader alone, whatever the rewriter let through.

use super::fixture::*;
use crate::model::{
    entitlement::{Entitlement, Lift},
    org::UserIx,
    set::{Dim, Set},
};

fn body(words: &str, filter: &str) -> String {
    format!(r#"{{"interval":"{DAY}",{words}"filter":{filter},"metrics":["nOffered"]}}"#)
}

fn ask(words: &str) -> Try {
    Try::new(aggregates(), vec![whole()], Some(&body(words, &flat("and", &[is("queueId", "qa")]))))
}

fn by_number() -> Try {
    let filter = flat("and", &[is("queueId", "qa"), is("ani", "tel:+1")]);
    Try::new(aggregates(), vec![whole()], Some(&body("", &filter)))
}

fn lifted(mut ask: Try, entitlements: Vec<Entitlement>) -> Try {
    ask.lifts = vec![Lift { class: "contact".into(), entitlements }];
    ask
}

#[test]
fn only_listed_words_group_and_sort() {
    ask(r#""groupBy":["queueId","mediaType"],"#).proved();
    ask(r#""orderBy":"start","#).proved();
    ask(r#""view":"summary","#).proved();
    for (name, words, why) in [
        ("a group-by word that the operation does not list", r#""groupBy":["queueId","userId"],"#, "may not use"),
        ("a hidden one", r#""groupBy":["participantName"],"#, "may not use"),
        ("a masked one", r#""groupBy":["ani"],"#, "masked"),
        ("another sort", r#""orderBy":"mediaType","#, "may not use"),
        ("an id to sort by", r#""orderBy":"userId","#, "may not use"),
        ("an access dimension where nothing is listed", r#""view":"userId","#, "lists no words"),
        ("a masked field where nothing is listed", r#""view":"ani","#, "masked"),
    ] {
        ask(words).refused(name, why);
    }
}

#[test]
fn a_listed_word_is_still_judged_by_what_it_means() {
    let with = |word: &str| {
        let mut ask = ask(&format!(r#""groupBy":["{word}"],"#));
        ask.contract.words.iter_mut().for_each(|words| words.allow.push(word.into()));
        ask
    };
    with("participantName").refused("a hidden dimension in the list", "hidden");
    with("hour").refused("a word that no filter knows", "no filter of this body knows");
    with("userId").proved();
}

#[test]
fn outsourcers_have_the_narrower_list() {
    let outsourced = |words: &str| {
        let mut ask = ask(words);
        ask.org.users[0].bpo = true;
        ask
    };
    outsourced(r#""groupBy":["queueId"],"#).proved();
    outsourced(r#""groupBy":["mediaType"],"#).refused("for people of the house", "may not use");
}

#[test]
fn a_masked_field_opens_only_where_every_leg_is_lifted() {
    by_number().refused("a filter on a masked field", "masked");
    lifted(by_number(), vec![whole()]).proved();
    let mut group = lifted(ask(r#""groupBy":["ani"],"#), vec![whole()]);
    group.contract.words.truncate(1);
    group.proved();
    let mut other = lifted(by_number(), vec![whole()]);
    other.lifts[0].class = "internal".into();
    other.refused("another class", "masked");
    for (name, lifting) in [
        ("own legs only", Entitlement { users: Dim::Only(Set::one(ME)), ..whole() }),
        ("some queues only", queues(&["qa", "qb"])),
        ("another division", Entitlement { divisions: Dim::Only(Set::one(CLAIMS)), ..whole() }),
        ("another holder", Entitlement { holder: crate::model::org::Principal::User(ANN), ..whole() }),
        ("another action", Entitlement { actions: vec![crate::model::entitlement::Action::Export], ..whole() }),
        ("a window", Entitlement { data: Some(window("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")), ..whole() }),
    ] {
        lifted(by_number(), vec![lifting]).refused(name, "masked");
    }
    let mut two = lifted(by_number(), vec![whole()]);
    two.entitlements.push(Entitlement { divisions: Dim::Only(Set::one(CLAIMS)), ..whole() });
    two.refused("one of two divisions", "masked");
    let mut mine = lifted(by_number(), vec![Entitlement { users: Dim::Only(Set::one(ME)), ..whole() }]);
    mine.entitlements = vec![boxed("qb", ME)];
    mine.outgoing.body = Some(
        body("", &nested("and", &[flat("and", &[is("queueId", "qb"), is("userId", "me"), is("ani", "x")])])).into(),
    );
    mine.proved();
    let mut secret = lifted(by_number(), vec![whole()]);
    secret.entitlements = vec![queues(&["secret"])];
    secret.outgoing.body = Some(body("", &flat("and", &[is("queueId", "secret"), is("ani", "x")])).into());
    secret.refused("a restricted queue that nothing lifting names", "masked");
}

#[test]
fn many_boxes_are_one_where_the_filter_meets_few() {
    let many: Vec<Entitlement> = (0..40)
        .map(|n| Entitlement { users: Dim::Only([ME, UserIx::new(100 + n)].into_iter().collect()), ..queues(&["qb"]) })
        .chain((0..40).map(|n| boxed("qa", UserIx::new(200 + n))))
        .collect();
    let only_me = flat("and", &[is("queueId", "qb"), is("userId", "me")]);
    Try::new(aggregates(), many.clone(), Some(&with_filter(&only_me))).proved();
    let foreign = flat("and", &[is("queueId", "qa"), is("userId", "me")]);
    Try::new(aggregates(), many, Some(&with_filter(&foreign))).refused("another box's agent", "does not imply");
}

#[test]
fn an_or_over_too_many_boxes_is_proved_part_by_part() {
    let names = ["qa", "qb", "old", "secret"];
    let users: Vec<UserIx> = [ME, ANN].to_vec();
    let mut scope: Vec<Entitlement> = Vec::new();
    // Nine agents, each with a queue set of his own: no two boxes are alike.
    let mut org = org();
    for number in 0..9 {
        let ix = UserIx::new(super::fixture::number(org.users.len()));
        let mut user = org.users[0].clone();
        user.id = format!("agent-{number}").into();
        org.index.users.insert(user.id.clone(), ix);
        org.users.push(user);
        let mine: Vec<&str> =
            (0..names.len()).filter(|bit| (number + 1) >> bit & 1 == 1).map(|bit| names[bit]).collect();
        scope.push(Entitlement { users: Dim::Only([ix].into_iter().chain(users.clone()).collect()), ..queues(&mine) });
        scope[number].users = Dim::Only(Set::one(ix));
    }
    let part =
        |number: usize, queue: &str| flat("and", &[is("queueId", queue), is("userId", &format!("agent-{number}"))]);
    // Agents 1, 2, 3, 5 … hold `qb` by the second bit of their number plus one, `qa` by the first.
    let parts: Vec<String> = (0..9)
        .filter_map(|number| match number + 1 {
            n if n & 1 == 1 => Some(part(number, "qa")),
            n if n & 2 == 2 => Some(part(number, "qb")),
            n if n & 8 == 8 => Some(part(number, "secret")),
            _ => None,
        })
        .collect();
    let ask = |filter: &str| {
        let mut ask = Try::new(aggregates(), scope.clone(), Some(&with_filter(filter)));
        ask.org = org.clone();
        ask.contract.archived = true;
        ask
    };
    ask(&nested("or", &parts)).proved();
    let wrong: Vec<String> = parts.iter().cloned().chain([part(7, "qa")]).collect();
    ask(&nested("or", &wrong)).refused("one part outside", "does not imply");
}
