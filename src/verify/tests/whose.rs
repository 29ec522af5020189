//! Whose an id is, worked out from the organisation: people, divisions and objects, with each part of a right in turn.

use super::fixture::*;
use crate::model::{
    body::{Access, Dimension, FieldKind, ObjectOrd},
    contract::Data,
    entitlement::{Action, Entitlement},
    org::{DivisionIx, ObjectKind, Read, UserIx},
    set::{Dim, Set},
};
use std::slice::from_ref;

const BOB: UserIx = UserIx::new(2);
const EVE: UserIx = UserIx::new(3);
const PAT: UserIx = UserIx::new(4);

fn users(users: &[UserIx]) -> Entitlement {
    Entitlement { users: Dim::Only(users.iter().copied().collect()), ..whole() }
}

fn anywhere(e: Entitlement) -> Entitlement {
    Entitlement { divisions: Dim::Any, ..e }
}

fn of(divisions: &[DivisionIx], e: Entitlement) -> Entitlement {
    Entitlement { divisions: Dim::Only(divisions.iter().copied().collect()), ..e }
}

#[test]
fn what_somebody_did_outside_any_queue_is_of_his_own_division() {
    let ask = |entitlements: Vec<Entitlement>, id: &str| {
        let filter = flat("and", &[missing("queueId"), is("userId", id)]);
        Try::new(aggregates(), entitlements, Some(&with_filter(&filter)))
    };
    ask(vec![users(&[ANN])], "ann").proved();
    ask(vec![whole()], "ann").proved();
    ask(vec![anywhere(users(&[BOB]))], "bob").proved();
    let implied = "does not imply";
    ask(vec![whole(), users(&[BOB])], "bob").refused("listed, of another division", implied);
    ask(vec![users(&[BOB])], "bob").refused("listed alone, of another division", implied);
    ask(vec![anywhere(users(&[PAT]))], "pat").refused("of a parent division", implied);
    ask(vec![whole(), anywhere(queues(&["qx"]))], "bob").refused("of the division of a queue", implied);
    ask(vec![anywhere(users(&[EVE]))], "eve").refused("of another region", "outside");
    ask(vec![queues(&["qa"])], "ann").refused("a right to queues only", implied);
    ask(vec![Entitlement { users: Dim::Only(Set::one(ANN)), ..queues(&["qa"]) }], "ann").refused("a box", implied);
}

#[test]
fn people_who_may_be_named() {
    // named beside a queue that proves everything
    let ask = |mut entitlements: Vec<Entitlement>, id: &str, change: fn(&mut Try)| {
        entitlements.push(queues(&["qb"]));
        let filter = flat("and", &[is("queueId", "qb"), is("userId", id)]);
        let mut ask = Try::new(aggregates(), entitlements, Some(&with_filter(&filter)));
        change(&mut ask);
        ask
    };
    let nothing: fn(&mut Try) = |_| {};
    let member_in: fn(&mut Try) = |ask| ask.org.users[BOB.index()].queues = Set::one(queue("qb"));
    let member_elsewhere: fn(&mut Try) = |ask| ask.org.users[BOB.index()].queues = Set::one(queue("qx"));
    let me_abroad: fn(&mut Try) = |ask| ask.org.users[ME.index()].division = CLAIMS;
    ask(vec![], "me", me_abroad).proved();
    ask(vec![], "bob", nothing).refused("nobody of hers", "outside");
    ask(vec![], "bob", member_in).proved();
    ask(vec![], "bob", member_elsewhere).refused("a member elsewhere", "outside");
    ask(vec![users(&[BOB])], "bob", nothing).proved();
    ask(vec![users(&[ANN])], "bob", nothing).refused("another one is listed", "outside");
    ask(vec![boxed("qa", ANN)], "bob", member_elsewhere).refused("a box elsewhere", "outside");
    ask(vec![of(&[CLAIMS], whole())], "bob", nothing).proved();
    ask(vec![of(&[CLAIMS], whole())], "pat", nothing).refused("of a parent", "outside");
    ask(vec![anywhere(whole())], "eve", nothing).refused("of another region", "outside");
    ask(vec![anywhere(users(&[EVE]))], "eve", nothing).refused("of another region, listed", "outside");
}

#[test]
fn people_who_may_come_back_whole() {
    let ask = |e: Entitlement, ids: &str| Try::new(list_of(Data::User, Access::User), vec![e], None).param("id", ids);
    let whole_row = "may not come back whole";
    ask(users(&[ANN]), "ann").proved();
    ask(anywhere(users(&[BOB])), "bob").proved();
    ask(users(&[BOB]), "bob").refused("listed, of another division", whole_row);
    ask(users(&[ANN]), "me").refused("oneself, and not listed", whole_row);
    ask(anywhere(users(&[PAT])), "pat").refused("of a parent division", whole_row);
    ask(of(&[CLAIMS], whole()), "bob").proved();
    ask(Entitlement { users: Dim::Any, ..queues(&["qa"]) }, "me").refused("a right to queues", whole_row);
    // in a parent division, or in another region's, one is a row to nobody, oneself included
    for place in [ROOT, EUROPE] {
        let placed = |e: Entitlement, id: &str, user: UserIx| {
            let mut ask = ask(e, id);
            ask.org.users[user.index()].division = place;
            ask
        };
        placed(anywhere(users(&[ME])), "me", ME).refused("oneself, wherever", whole_row);
        placed(users(&[ME]), "me", ME).refused("oneself, by a right of a division", whole_row);
        placed(anywhere(whole()), "me", ME).refused("oneself, by a right to everybody", whole_row);
        placed(anywhere(users(&[ANN])), "ann", ANN).refused("another, by a grant", whole_row);
    }
}

#[test]
fn divisions_that_may_come_back_whole() {
    let ask =
        |e: Entitlement, id: &str| Try::new(list_of(Data::Division, Access::Division), vec![e], None).param("id", id);
    let whole_row = "may not come back whole";
    ask(whole(), "pay").proved();
    ask(anywhere(whole()), "claims").proved();
    ask(queues(&["qa"]), "pay").proved();
    ask(users(&[ANN]), "pay").proved();
    ask(anywhere(queues(&["qa"])), "pay").refused("by a queue of it", whole_row);
    ask(anywhere(users(&[ANN])), "pay").refused("by a person of it", whole_row);
    ask(anywhere(queues(&["qa"])), "claims").refused("nothing of it", "outside");
    ask(anywhere(whole()), "root").refused("a parent", "outside");
    ask(anywhere(whole()), "europe").refused("of another region", "outside");
    ask(anywhere(whole()), "nowhere").refused("invented", "outside");
}

#[test]
fn divisions_that_may_be_named() {
    let ask = |e: Entitlement, id: &str| {
        let filter = flat("and", &[is("queueId", "qb"), is("divisionId", id)]);
        Try::new(aggregates(), vec![queues(&["qb"]), e], Some(&with_filter(&filter)))
    };
    ask(whole(), "pay").proved();
    ask(anywhere(whole()), "claims").proved();
    ask(anywhere(queues(&["qx"])), "claims").proved();
    ask(of(&[CLAIMS], queues(&["qa"])), "claims").proved();
    ask(anywhere(queues(&["qa"])), "claims").refused("no queue of it", "outside");
    ask(anywhere(queues(&["qroot"])), "root").refused("a parent, by its queue", "outside");
    ask(anywhere(queues(&["qe"])), "europe").refused("of another region", "outside");
    ask(anywhere(whole()), "rep").proved();
}

#[test]
fn a_shared_division_is_for_looking_only() {
    let ask = |action: Action| {
        let e = Entitlement { actions: vec![action], ..of(&[SHARED], whole()) };
        let mut ask = Try::new(aggregates(), vec![e], Some(&with_filter(&flat("or", &[is("queueId", "qrep")]))));
        ask.contract.action = action;
        ask
    };
    ask(Action::View).proved();
    ask(Action::Export).refused("to be exported", "outside");
}

#[test]
fn objects_by_their_owning_division() {
    let ask = |entitlements: Vec<Entitlement>, id: &str| {
        let mut ask =
            Try::new(list_of(Data::Metadata, Access::Object(ObjectOrd::Flow)), entitlements, None).param("id", id);
        for (id, division) in [("pay-flow", PAY), ("claims-flow", CLAIMS), ("root-flow", ROOT), ("eu-flow", EUROPE)] {
            ask.org.objects.insert((ObjectKind::Flow, id.into()), division);
        }
        ask.org.objects.insert((ObjectKind::Team, "pay-team".into()), PAY);
        ask
    };
    ask(vec![whole()], "pay-flow").proved();
    ask(vec![anywhere(whole())], "claims-flow").proved();
    for (name, e, id) in [
        ("another division", whole(), "claims-flow"),
        ("a parent", anywhere(whole()), "root-flow"),
        ("another region", anywhere(whole()), "eu-flow"),
        ("another kind", whole(), "pay-team"),
        ("invented", whole(), "no-flow"),
        ("a right to queues", queues(&["qa"]), "pay-flow"),
        ("a right to people", users(&[ANN]), "pay-flow"),
    ] {
        ask(vec![e], id).refused(name, "outside");
    }
    ask(vec![queues(&["qa"]), users(&[ANN])], "pay-flow").refused("rights to each", "outside");
}

#[test]
fn a_division_whose_queues_are_all_closed_is_nobodys_whole() {
    let ask = |change: fn(&mut Try)| {
        let contract = list_of(Data::Metadata, Access::Object(ObjectOrd::Flow));
        let mut ask = Try::new(contract, vec![whole()], None).param("id", "pay-flow");
        ask.org.objects.insert((ObjectKind::Flow, "pay-flow".into()), PAY);
        change(&mut ask);
        ask
    };
    let here = |ask: &Try| ask.org.divisions[PAY.index()].queues.iter().map(|queue| queue.index()).collect::<Vec<_>>();
    assert!(here(&ask(|_| {})).len() > 1);
    let close = |ask: &mut Try, ix: usize| ask.org.queues[ix].read = Read::Closed;
    ask(|_| {}).proved();
    let mut one_left = ask(|_| {});
    let open = here(&one_left).into_iter().filter(|ix| !one_left.org.queues[*ix].restricted).collect::<Vec<_>>();
    open.iter().skip(1).for_each(|ix| close(&mut one_left, *ix));
    one_left.proved();
    let mut none_left = ask(|_| {});
    for ix in &open {
        close(&mut none_left, *ix);
    }
    none_left.refused("every queue is closed", "outside");
    let mut restricted = ask(|_| {});
    for ix in &open {
        restricted.org.queues[*ix].restricted = true;
    }
    restricted.refused("every queue is for those that it names", "outside");
    ask(|ask| ask.org.divisions[PAY.index()].queues = Set::new()).proved();
}

#[test]
fn tags_of_a_run_prove_nothing_and_are_not_asked_for() {
    let ask = |data: Data, predicates: &[String]| {
        let mut contract = aggregates();
        contract.data = data;
        contract.body = contract.body.map(|model| {
            let mut model = crate::model::body::BodyModel { data, ..(*model).clone() };
            for field in &mut model.fields {
                if let FieldKind::Filter(filter) = &mut field.kind {
                    filter.dimensions.insert("flowId".into(), Dimension::Access(Access::Object(ObjectOrd::Flow)));
                }
            }
            std::sync::Arc::new(model)
        });
        let mut ask = Try::new(contract, vec![whole()], Some(&with_filter(&flat("and", predicates))));
        ask.org.objects.insert((ObjectKind::Flow, "pay-flow".into()), PAY);
        ask
    };
    let (flow, tag) = (is("flowId", "pay-flow"), is("divisionId", "pay"));
    ask(Data::Flow, from_ref(&flow)).proved();
    ask(Data::Flow, &[flow.clone(), tag.clone()]).refused("a tag beside it", "tags of a run");
    ask(Data::Flow, &[flow, missing("divisionId")]).refused("that it has no tag", "tags of a run");
    ask(Data::Flow, from_ref(&tag)).refused("a tag alone", "tags of a run");
    ask(Data::Interaction, &[is("queueId", "qa"), tag]).proved();
}

#[test]
fn a_refused_id_is_told_in_full_or_to_a_bound() {
    let ask = |id: &str| Try::new(queue_list(), vec![whole()], None).param("id", id);
    ask("qx").refused("short", "query id: `qx` is outside the scope");
    ask("q\u{7}\"").refused("not printed as it is", "`q\\u{7}\\\"` is outside the scope");
    ask(&"q".repeat(65)).refused("long", &format!("`{}` is outside", "q".repeat(64)));
}

#[test]
fn entries_speak_of_the_one_person_of_a_row() {
    let body = |filters: &str| format!(r#"{{"interval":"{DAY}",{filters}}}"#);
    let ask = |filters: &str| Try::new(user_details(), vec![users(&[ANN])], Some(&body(filters)));
    let one = |id: &str| flat("and", &[is("userId", id)]);
    let (ann, bob) = (one("ann"), one("bob"));
    let plain = flat("or", &[is("mediaType", "voice")]);
    ask(&format!(r#""userFilters":[{ann}]"#)).proved();
    ask(&format!(r#""userFilters":[{ann},{ann}],"presenceFilters":[{plain}]"#)).proved();
    ask(&format!(r#""userFilters":[{bob}]"#)).refused("of another division", "outside");
    ask(&format!(r#""userFilters":[{ann},{plain}]"#)).refused("an entry about anybody", "does not imply");
    ask(&format!(r#""presenceFilters":[{plain}]"#)).refused("no entry", "no filter that carries the scope");
    ask(r#""userFilters":[]"#).refused("an empty list", "");
    let mut interactions = ask(&format!(r#""userFilters":[{ann}]"#));
    interactions.contract.data = Data::Interaction;
    interactions.refused("called interactions by the rule", "other data");
    let mut legs = ask(&format!(r#""userFilters":[{ann}]"#));
    legs.contract.data = Data::Interaction;
    legs.contract.body = legs.contract.body.map(|model| {
        std::sync::Arc::new(crate::model::body::BodyModel { data: Data::Interaction, ..(*model).clone() })
    });
    legs.refused("rows that speak of all legs", "entries ask for some leg");
}

#[test]
fn interactions_that_are_read_together_are_named() {
    let ask = || Try::new(some_conversations(), vec![whole()], None);
    ask().param("id", "c-1,c-2").proved();
    ask().refused("all there are", "names no interaction");
    let mut unjudged = ask().param("id", "c-1");
    unjudged.residual.legs = false;
    unjudged.refused("rows that nobody judges", "nobody judges the rows");
    ask().param("id", "c-1,c-2,c-3,c-4").refused("too many", "does not allow");
    ask().param("id", "c-1,,c-2").refused("an empty id", "outside");
}
