//! Lists that are read from their beginning: proved by what stands above them, and by the guard that judges their rows.

use super::{
    super::{check_rows, check_scan},
    fixture::*,
};
use crate::model::{
    answer::Shape,
    body::{Access, BodyModel, Dialect, Dimension, FieldKind, FilterModel, Level, Proof},
    contract::{Contract, Data, Method, Param, ParamKind, ScanProof},
    entitlement::Entitlement,
    org::Principal,
    outgoing::Residual,
    part::{SeenLeg, Sighting},
};
use std::sync::Arc;

/// A request for members, and what its asker may see of queues.
struct Below {
    ask: Try,
    above: Option<Vec<Entitlement>>,
    above_holder: Principal,
}

impl Below {
    fn of(path: &str) -> Self {
        Self {
            ask: Try::new(members(), vec![whole()], None).path(path),
            above: Some(vec![queues(&["qa"])]),
            above_holder: HOLDER,
        }
    }

    fn check(self) -> Result<Vec<String>, String> {
        let Try { contract, outgoing, residual, entitlements, org, holder, .. } = self.ask;
        let above = self.above.map(|above| scope(self.above_holder, contract.action, above));
        let given = scope(holder, contract.action, entitlements);
        let checked = check_scan(&contract, outgoing, residual, above.as_ref(), &given, &org, now());
        let steps = checked.map_err(|unproved| unproved.to_string())?.certificate().steps.clone();
        Ok(steps.iter().map(|step| format!("{} <- {}", step.clause, step.by)).collect())
    }

    #[track_caller]
    fn refused(self, name: &str, why: &str) {
        match self.check() {
            Ok(steps) => panic!("{name}: proved by {steps:?}"),
            Err(told) => assert!(told.contains(why), "{name}: refused for `{told}`"),
        }
    }
}

const QA: &str = "/routing/queues/qa/members";

#[test]
fn what_stands_above_is_proved_and_every_row_is_judged() {
    let due = ["one id of the scope <- above: path", "every row of the scope <- answer: keys"];
    assert_eq!(Below::of(QA).check().unwrap(), due);
    let mut paged = Below::of(QA);
    paged.ask = paged.ask.param("pageNumber", "2").param("after", "anything");
    assert_eq!(paged.check().unwrap(), due);
}

#[test]
fn what_stands_above_has_to_be_the_holders() {
    for path in [
        "/routing/queues/qb/members",
        "/routing/queues/secret/members",
        "/routing/queues/qe/members",
        "/routing/queues/x/members",
    ] {
        Below::of(path).refused(path, "outside");
    }
    for path in [
        "/routing/queues/qa",
        "/routing/queues/qa/members/x",
        "/routing/queues/../members",
        "/routing/queues/q%61/members",
        "/routing/queues//members",
    ] {
        Below::of(path).refused(path, "path");
    }
    Below { above: None, ..Below::of(QA) }.refused("nobody was asked", "nothing says");
    Below { above: Some(vec![]), ..Below::of(QA) }.refused("no right above", "no entitlement");
    Below { above: Some(vec![boxed("qa", ANN)]), ..Below::of(QA) }.refused("a part of the queue", "whole");
    Below { above_holder: Principal::User(ANN), ..Below::of(QA) }.refused("somebody else's right", "nothing says");
    let mut nothing = Below::of(QA);
    nothing.ask.entitlements = vec![];
    nothing.refused("no right to rows", "no entitlement");
}

#[test]
fn rows_that_nobody_judges_prove_nothing() {
    let mut unjudged = Below::of(QA);
    unjudged.ask.residual.keys = false;
    unjudged.refused("unjudged rows", "nobody judges");
    for shape in [Shape::Entities, Shape::Entity, Shape::Plain, Shape::Groups, Shape::Conversations] {
        let mut other = Below::of(QA);
        other.ask.contract.shape = shape;
        other.refused("another shape", "judged one by one");
    }
    for data in [Data::Interaction, Data::Metadata] {
        let mut other = Below::of(QA);
        other.ask.contract.data = data;
        other.refused("other data", "judged one by one");
    }
    let mut posted = Below::of(QA);
    posted.ask.contract.method = Method::Post;
    posted.refused("another method", "judged one by one");
    let mut bodied = Below::of(QA);
    bodied.ask.outgoing.body = Some(b"{}".to_vec().into());
    bodied.refused("a body", "without one");
    let mut untied = Below::of(QA);
    untied.ask.contract.scan.as_mut().unwrap().below = None;
    untied.refused("nothing above", "nothing says");
    let mut misplaced = Below::of(QA);
    misplaced.ask.contract.scan.as_mut().unwrap().place = None;
    misplaced.refused("a place in no list", "place");
    let mut unlisted = Below::of(QA);
    unlisted.ask = unlisted.ask.param("expand", "user");
    unlisted.refused("an unlisted parameter", "unknown");
}

#[test]
fn such_a_list_is_proved_nowhere_else_and_nothing_else_here() {
    Try::new(members(), vec![whole()], None)
        .path(QA)
        .refused("as an id of the path", "is proved with what stands above");
    let mut last_id = Try::new(members(), vec![whole()], None).path(QA);
    last_id.contract.scan = None;
    last_id.refused("without its way of reading", "");
    let mut other = Below::of("/routing/queues/qa");
    other.ask.contract = one_queue();
    other.refused("a read by id", "not one of a list");
}

/// Evaluations of interactions, which are looked at.
fn evaluations() -> Contract {
    let mut contract = contract("quality/evaluations", Data::Interaction, Shape::Owned, None);
    contract.params = vec![Param { name: "queueId".into(), kind: ParamKind::Ids { access: Access::Queue, max: 1 } }];
    contract.time = None;
    contract.scan = Some(ScanProof { below: None, place: None, looks: true });
    contract
}

fn of_interactions() -> Below {
    let mut ask = Try::new(evaluations(), vec![whole()], None).path("/quality/evaluations").param("queueId", "qa");
    ask.residual.legs = true;
    Below { ask, above: None, above_holder: HOLDER }
}

#[test]
fn rows_of_interactions_are_left_to_the_look_at_each() {
    assert_eq!(of_interactions().check().unwrap(), ["every row of the scope <- answer: legs of each interaction"]);
    let mut blind = of_interactions();
    blind.ask.residual.legs = false;
    blind.refused("nobody looks", "nobody judges the rows");
    let mut unlooked = of_interactions();
    unlooked.ask.contract.scan.as_mut().unwrap().looks = false;
    unlooked.refused("no look", "judged one by one");
    let mut of_people = Below::of(QA);
    of_people.ask.contract.scan.as_mut().unwrap().looks = true;
    of_people.refused("people who are looked at", "judged one by one");
    let mut outside = of_interactions();
    outside.ask = outside.ask.param("queueId", "qb");
    outside.refused("named twice", "stands twice");
    let ask = Try::new(evaluations(), vec![queues(&["qb"])], None).path("/quality/evaluations").param("queueId", "qa");
    Below {
        ask: Try { residual: Residual { legs: true, ..ask.residual.clone() }, ..ask },
        above: None,
        above_holder: HOLDER,
    }
    .refused("a queue of others", "outside the scope");
}

#[test]
fn an_interaction_is_whole_when_every_leg_of_it_is_inside() {
    let leg = |queue: &str| {
        let at = |text: &str| Some(text.parse().unwrap());
        let (start, end) = (at("2026-11-02T09:00:00Z"), at("2026-11-02T09:05:00Z"));
        SeenLeg { queue: Some(queue.into()), user: Some("ann".into()), start, end }
    };
    let seen = |id: &str, queues: &[&str]| Sighting {
        interaction: id.into(),
        named: Vec::new(),
        legs: queues.iter().map(|queue| leg(queue)).collect(),
    };
    let proved = |contract: &Contract, rights: Vec<Entitlement>, all: Vec<Sighting>| {
        let given = scope(HOLDER, contract.action, rights);
        check_rows(contract, all.into(), &given, &org(), now()).map(|whole| whole.seen().len()).ok()
    };
    let (of_qa, of_both) = (seen("c-1", &["qa"]), seen("c-2", &["qa", "qb"]));
    let contract = evaluations();
    assert_eq!(proved(&contract, vec![whole()], vec![of_qa.clone(), of_both.clone()]), Some(2));
    assert_eq!(proved(&contract, vec![queues(&["qa"])], vec![of_qa.clone()]), Some(1));
    assert_eq!(proved(&contract, vec![queues(&["qa"])], vec![of_qa.clone(), of_both]), None);
    assert_eq!(proved(&contract, vec![whole()], vec![seen("c-3", &[])]), None);
    assert_eq!(proved(&contract, Vec::new(), vec![of_qa.clone()]), None);
    assert_eq!(proved(&contract, vec![whole()], Vec::new()), Some(0));
    assert_eq!(proved(&members(), vec![whole()], vec![of_qa]), None);
}

fn knowing(dimensions: &[(&str, Dimension)]) -> FilterModel {
    let dimensions = dimensions.iter().map(|(name, kind)| ((*name).into(), *kind)).collect();
    FilterModel { dimensions, metrics: Vec::new(), max_depth: 1, ..filter(Level::Leg) }
}

/// Teams that are searched by their names, each of which is judged.
fn found_teams() -> Contract {
    let filter = knowing(&[("name", Dimension::Plain), ("mail", Dimension::Hidden)]);
    let model = BodyModel {
        name: "TeamSearch".into(),
        dialect: Dialect::Criteria,
        data: Data::Team,
        fields: vec![field("pageNumber", FieldKind::Int { min: 1, max: 9 }), field("query", FieldKind::Filter(filter))],
        proof: Proof::Rows { at: path("query") },
    };
    let mut contract = contract("teams/search", Data::Team, Shape::Owned, Some(model));
    contract.time = None;
    contract.scan = Some(ScanProof { below: None, place: None, looks: false });
    contract
}

fn search(body: &str) -> Below {
    let ask = Try::new(found_teams(), vec![whole()], Some(body));
    Below { ask, above: None, above_holder: HOLDER }
}

#[test]
fn a_search_whose_rows_are_judged_asks_by_what_is_nobodys() {
    let named = r#"{"pageNumber":1,"query":[{"fields":["name"],"operator":"AND","type":"EXACT","value":"n"}]}"#;
    for fine in [named, r#"{"pageNumber":1,"query":[]}"#] {
        assert_eq!(search(fine).check().unwrap(), ["every row of the scope <- answer: keys"], "{fine}");
    }
    for (old, new, why) in [
        ("\"AND\"", "\"OR\"", "`operator`"),
        ("\"EXACT\"", "\"QUERY_STRING\"", "`type`"),
        ("[\"name\"]", "[\"mail\"]", ""),
        ("[\"name\"]", "[\"memberCount\"]", ""),
        ("\"pageNumber\":1", "\"expand\":1", "unknown member"),
    ] {
        assert!(named.contains(old));
        search(&named.replace(old, new)).refused(new, why);
    }
    let mut bodiless = search(named);
    bodiless.ask.outgoing.body = None;
    bodiless.refused("without its body", "is missing");
    let mut by_filter = search(named);
    let model = by_filter.ask.contract.body.as_deref().unwrap().clone();
    by_filter.ask.contract.body =
        Some(Arc::new(BodyModel { proof: Proof::Filter { at: path("query") }, ..model.clone() }));
    by_filter.refused("a filter that is to be proved", "no row of it judged");
    let owners = knowing(&[("name", Dimension::Access(Access::User))]);
    let fields =
        vec![field("pageNumber", FieldKind::Int { min: 1, max: 9 }), field("query", FieldKind::Filter(owners))];
    let mut owned = search(named);
    owned.ask.contract.body = Some(Arc::new(BodyModel { fields, ..model }));
    owned.refused("a filter that knows owners", "knows owners");
    let mut unjudged = search(named);
    unjudged.ask.residual.keys = false;
    unjudged.refused("nobody judges", "nobody judges the rows");
    let mut got = search(named);
    got.ask.contract.method = Method::Get;
    got.refused("another method", "judged one by one");
}

/// Evaluations that are searched by their agent, and whose interactions are looked at.
fn found_evaluations(body: &str) -> Below {
    let filter = knowing(&[
        ("agentId", Dimension::Access(Access::User)),
        ("evaluatorId", Dimension::Hidden),
        ("totalScore", Dimension::Plain),
    ]);
    let model = BodyModel {
        name: "EvaluationSearch".into(),
        dialect: Dialect::Marks,
        data: Data::Interaction,
        fields: vec![field("query", FieldKind::Filter(filter))],
        proof: Proof::Rows { at: path("query") },
    };
    let mut contract = contract("quality/evaluations/search", Data::Interaction, Shape::Owned, Some(model));
    contract.time = None;
    contract.scan = Some(ScanProof { below: None, place: None, looks: true });
    let mut ask = Try::new(contract, vec![whole()], Some(body));
    ask.residual.legs = true;
    Below { ask, above: None, above_holder: HOLDER }
}

#[test]
fn ids_in_a_search_whose_rows_are_judged_are_judged_too() {
    let mark = r#"{"field":"totalScore","operator":"AND","type":"RANGE","endValue":"9","startValue":"1"}"#;
    let agent = r#"{"field":"agentId","operator":"AND","type":"EXACT","value":"ann"}"#;
    let body = format!(r#"{{"query":[{agent},{mark}]}}"#);
    assert_eq!(
        found_evaluations(&body).check().unwrap(),
        ["every row of the scope <- answer: legs of each interaction"]
    );
    for (old, new, why) in [
        ("\"ann\"", "\"nobody-known\"", "outside the scope"),
        ("\"agentId\"", "\"evaluatorId\"", "hidden"),
        ("\"agentId\"", "\"memberId\"", "not a dimension"),
        ("\"EXACT\"", "\"GREATER_THAN\"", "a range of ids"),
        ("\"EXACT\"", "\"REQUIRED_FIELDS\"", "unknown `type`"),
        ("\"AND\"", "\"NOT\"", "`operator`"),
        ("\"value\":\"ann\"", "\"value\":[\"ann\"]", "not a string"),
        ("\"value\":\"ann\"", "\"values\":[1]", "not a string"),
        ("\"value\":\"ann\"", "\"values\":[]", "missing"),
        ("\"value\":\"ann\"", "\"group\":[]", "unknown member"),
    ] {
        assert!(body.contains(old));
        found_evaluations(&body.replacen(old, new, 1)).refused(new, why);
    }
    let mut unlooked = found_evaluations(&body);
    unlooked.ask.contract.scan.as_mut().unwrap().looks = false;
    unlooked.refused("no look", "judged one by one");
    let mut of_teams = search(r#"{"pageNumber":1,"query":[]}"#);
    of_teams.ask.contract.data = Data::User;
    of_teams.refused("rows of other data", "tied to nothing");
}
