//! Changes: each body that names something else than the holder's, or no owner, is refused by the second reader alone.

use super::{super::check_change, fixture::*};
use crate::{
    model::{
        answer::Shape,
        body::{Access, Field, FieldKind, ObjectOrd, Proof},
        contract::{Contract, Data, Effect, Method, Param, ParamKind, Segment},
        entitlement::{Action, Entitlement, Source, Validity},
        org::{DivisionIx, QueueState, RoleIx},
        part::{SeenLeg, Sighting},
        set::{Dim, Set},
    },
    verify::Unproved,
};

const BODY: &str = concat!(
    r#"{"queueId":"qa","name":"n","items":[{"conversationId":"c-1","callbackId":"s-1","queueId":"qb","agentId":"ann","#,
    r#""at":"2026-11-21T09:00:00Z"},{"conversationId":"c-2"}]}"#
);

fn edit(e: Entitlement) -> Entitlement {
    Entitlement { actions: vec![Action::Edit], ..e }
}

fn leg(queue: Option<&str>, user: Option<&str>) -> SeenLeg {
    SeenLeg { queue: queue.map(Into::into), user: user.map(Into::into), start: None, end: None }
}

fn seen() -> Vec<Sighting> {
    let one = |id: &str, part: &str, legs| Sighting { interaction: id.into(), named: vec![part.into()], legs };
    vec![
        one("c-1", "s-1", vec![leg(Some("qa"), None), leg(Some("qb"), Some("ann"))]),
        one("c-2", "s-2", vec![leg(Some("qa"), None)]),
    ]
}

/// A change that is proved until something of it is changed.
struct Change {
    ask: Try,
    seen: Vec<Sighting>,
}

fn change_by(entitlements: Vec<Entitlement>) -> Change {
    Change { ask: Try::new(change(), entitlements, Some(BODY)), seen: seen() }
}

fn good() -> Change {
    change_by(vec![edit(whole())])
}

impl Change {
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn body(self, from: &str, to: &str) -> Self {
        assert!(BODY.contains(from), "{from}");
        let text = BODY.replacen(from, to, 1);
        self.with(|it| it.ask.outgoing.body = Some(text.into_bytes().into()))
    }

    fn check(self) -> Result<Vec<String>, Unproved> {
        let Try { contract, outgoing, residual, entitlements, org, holder, .. } = self.ask;
        let scope = scope(holder, contract.action, entitlements);
        let verified = check_change(&contract, outgoing, residual, &self.seen, &scope, &org, now())?;
        Ok(verified.certificate().steps.iter().map(|step| step.clause.clone()).collect())
    }

    #[track_caller]
    fn refused(self, name: &str, why: &str) {
        match self.check() {
            Ok(_) => panic!("{name}: proved"),
            Err(unproved) => assert!(unproved.to_string().contains(why), "{name}: refused for `{unproved}`"),
        }
    }
}

#[test]
fn a_change_of_what_is_the_holders_is_proved() {
    assert_eq!(good().check().unwrap(), ["5 ids of the scope, 3 of them owners"]);
    for (name, right) in
        [("queues by name", queues(&["qa", "qb"])), ("every division", Entitlement { divisions: Dim::Any, ..whole() })]
    {
        // the agent is somebody of the holder's division
        assert!(change_by(vec![edit(right), edit(whole())]).check().is_ok(), "{name}");
    }
    let single = Entitlement { conversations: Dim::Only(Set::one("c-2".into())), ..edit(whole()) };
    let alone = change_by(vec![edit(queues(&["qa", "qb"])), single]).body(r#","agentId":"ann""#, "");
    assert!(alone.check().is_ok(), "a right to one interaction adds to others");
}

#[test]
fn every_id_is_held_wherever_it_stands() {
    let outside = "outside the scope";
    for (from, to, why) in [
        (r#""queueId":"qa""#, r#""queueId":"qx""#, outside),
        (r#""queueId":"qa""#, r#""queueId":"none""#, outside),
        (r#""queueId":"qa""#, r#""queueId":"secret""#, outside),
        (r#""queueId":"qa""#, r#""queueId":"closed""#, outside),
        (r#""queueId":"qa""#, r#""queueId":"qe""#, outside),
        (r#""queueId":"qa""#, r#""queueId":"qroot""#, outside),
        (r#""queueId":"qa""#, r#""queueId":"qrep""#, outside),
        (r#""queueId":"qa""#, r#""queueId":"old""#, "not the holder's to change"),
        (r#""queueId":"qb""#, r#""queueId":"qx""#, outside),
        (r#""agentId":"ann""#, r#""agentId":"bob""#, outside),
        (r#""agentId":"ann""#, r#""agentId":"none""#, outside),
        (r#""conversationId":"c-1""#, r#""conversationId":"c-3""#, "not the holder's to change"),
        (r#""conversationId":"c-2""#, r#""conversationId":"c-3""#, "not the holder's to change"),
        (r#""conversationId":"c-1""#, r#""conversationId":"c-2""#, "a part of another interaction"),
        (r#""callbackId":"s-1""#, r#""callbackId":"s-2""#, "a part of another interaction"),
        (r#""callbackId":"s-1""#, r#""callbackId":"""#, "a part of another interaction"),
        (r#""at":"2026-11-21T09:00:00Z""#, r#""at":"now-1h""#, "no instant"),
        (r#""queueId":"qa","#, "", "is missing"),
        (r#""conversationId":"c-1","#, "", "is missing"),
        (r#""queueId":"qa""#, r#""queueId":["qa"]"#, "does not allow"),
        (r#""queueId":"qa""#, r#""queueId":"qa","queueid":"qx""#, "body, byte"),
        (r#""name":"n""#, r#""name":"n","divisionId":"pay""#, "an unknown member"),
        (r#""name":"n""#, r#""name":"far too long""#, "does not allow"),
        (r#""name":"n""#, r#""name": "n""#, "body, byte"),
    ] {
        good().body(from, to).refused(&format!("{from} as {to}"), why);
    }
    // no item is left that could name its owner
    let none = r#"{"queueId":"qa","items":[]}"#;
    good().with(|it| it.ask.outgoing.body = Some(none.as_bytes().to_vec().into())).refused("none", "owner is missing");
    good().with(|it| it.ask.outgoing.body = None).refused("no body", "present in one");
}

#[test]
fn what_was_seen_is_held_to_its_last_leg() {
    type See = fn(&mut Vec<Sighting>);
    let changes: [(&str, See); 9] = [
        ("nothing was seen", |seen| seen.clear()),
        ("one of them was not", |seen| drop(seen.pop())),
        ("it has no leg", |seen| seen[1].legs.clear()),
        ("a leg of another division", |seen| seen[0].legs.push(leg(Some("qx"), None))),
        ("a leg of an unknown queue", |seen| seen[0].legs.push(leg(Some("none"), Some("ann")))),
        ("a closed queue", |seen| seen[0].legs[0] = leg(Some("closed"), None)),
        ("somebody of another division outside any queue", |seen| seen[1].legs.push(leg(None, Some("bob")))),
        ("a leg of nobody", |seen| seen[1].legs.push(leg(None, None))),
        ("the shared division", |seen| seen[0].legs[0] = leg(Some("qrep"), None)),
    ];
    for (name, change) in changes {
        good().with(|it| change(&mut it.seen)).refused(name, "not the holder's to change");
    }
}

#[test]
fn every_part_of_a_right_counts() {
    let right = |change: fn(&mut Entitlement)| {
        let mut one = edit(whole());
        change(&mut one);
        vec![one]
    };
    for (name, rights, why) in [
        ("a right to view", right(|e| e.actions = vec![Action::View, Action::Playback]), "no entitlement"),
        (
            "a data window",
            right(|e| e.data = Some(window("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"))),
            "no entitlement",
        ),
        ("another division", right(|e| e.divisions = Dim::Only(Set::one(CLAIMS))), "outside"),
        ("the shared division", right(|e| e.divisions = Dim::Only(Set::one(SHARED))), "outside"),
        ("a part of each queue", right(|e| e.users = Dim::Only(Set::one(ANN))), "not the holder's to change"),
        ("another queue", right(|e| e.queues = Dim::Only(Set::one(queue("qb")))), "outside"),
        (
            "single interactions",
            right(|e| e.conversations = Dim::Only(["c-1".into(), "c-2".into()].into_iter().collect())),
            "outside",
        ),
        ("somebody else's", right(|e| e.holder = crate::model::org::Principal::User(ANN)), "no entitlement"),
        ("over", right(|e| e.valid = Validity { from: None, until: Some(now()) }), "no entitlement"),
        ("another region's", right(|e| e.region = EU), "no entitlement"),
        ("none", vec![], "no entitlement"),
    ] {
        change_by(rights).refused(name, why);
    }
    let dead = |it: &mut Change| it.ask.org.queues[queue("qa").index()].state = QueueState::Deleted;
    good().with(dead).refused("the owner was deleted", "not the holder's to change");
    let moved = |it: &mut Change| it.ask.org.queues[queue("qa").index()].division = DivisionIx::new(0);
    good().with(moved).refused("the owner stands in a parent", "outside");
}

#[test]
fn only_a_contract_of_a_change_is_proved_so() {
    type Edit = fn(&mut Contract);
    let ids = || ParamKind::Ids { access: Access::Conversation, max: 3 };
    let cases: [(&str, Edit, &str); 9] = [
        ("not a change", |c| c.effect = Effect::Reads, "is not one of a change"),
        ("a part", |c| c.part = true, "is not one of a change"),
        ("read", |c| c.method = Method::Get, "is not one of a change"),
        ("viewing", |c| c.action = Action::View, "is not one of a change"),
        ("other data", |c| c.data = Data::Queue, "is not one of a change"),
        ("rows", |c| c.shape = Shape::Entities, "is not one of a change"),
        ("no owner", |c| owners(c, vec![]), "the changed thing is"),
        ("another proof", |c| proof(c, Proof::Filter { at: vec!["name".into()] }), "does not allow"),
        ("an owner that is none", |c| owners(c, vec!["items".into(), "callbackId".into()]), "owner is missing"),
    ];
    for (name, change, why) in cases {
        good().with(|it| change(&mut it.ask.contract)).refused(name, why);
    }
    let listed = |it: &mut Change| it.ask.contract.params = vec![Param { name: "id".into(), kind: ids() }];
    good().with(listed).refused("ids in a parameter", "ids or places");
    good().with(|it| it.ask.outgoing.method = Method::Patch).refused("another method", "not that of the operation");
    good().with(|it| it.ask.outgoing.path = "/other".into()).refused("another path", "differs from the template");
    // and nothing else proves a change
    good().ask.refused("as a query", "is proved with what was seen");
}

fn proof(contract: &mut Contract, proof: Proof) {
    let model = std::sync::Arc::make_mut(contract.body.as_mut().unwrap());
    model.proof = proof;
}

fn owners(contract: &mut Contract, path: Vec<Box<str>>) {
    let at = if path.is_empty() { vec![] } else { vec![path] };
    proof(contract, Proof::Owners { at });
}

/// Marks one interaction of the path with a label.
fn marking() -> Contract {
    let mut contract = change();
    contract.template.segments = vec![
        Segment::Literal("changes".into()),
        Segment::Param { name: "conversationId".into(), access: Access::Conversation },
    ];
    let model = std::sync::Arc::make_mut(contract.body.as_mut().unwrap());
    let field = |name: &str, kind| Field { name: name.into(), required: true, masked: false, kind };
    model.fields =
        vec![field("sessionId", FieldKind::Part), field("label", FieldKind::Id(Access::Object(ObjectOrd::Label)))];
    model.proof = Proof::Owners { at: vec![] };
    contract
}

#[test]
fn a_label_is_put_on_by_who_holds_the_right_in_the_division_that_owns_it() {
    let ask = |rights: Vec<Entitlement>, label: &str, session: &str| {
        let body = format!(r#"{{"sessionId":"{session}","label":"{label}"}}"#);
        let mut ask = Try::new(marking(), rights, Some(&body)).path("/changes/c-2");
        let marks = [("offer", PAY), ("claim", CLAIMS), ("copy", SHARED), ("abroad", EUROPE), ("top", ROOT)];
        ask.org.index.marks = marks.map(|(mark, division)| (mark.into(), division)).into();
        Change { ask, seen: seen() }
    };
    let role = |division: DivisionIx, e: Entitlement| Entitlement {
        source: Source::Role { role: RoleIx::new(0), division, permission: "p".into(), via: None },
        divisions: Dim::Only(Set::one(division)),
        ..edit(e)
    };
    let anywhere = || Entitlement { divisions: Dim::Any, ..edit(whole()) };
    for (name, rights, label) in [
        ("all of the division", vec![edit(whole())], "offer"),
        ("a role for some queues of it", vec![role(PAY, queues(&["qa"]))], "offer"),
        ("another division's label, with a role there", vec![edit(whole()), role(CLAIMS, queues(&["qx"]))], "claim"),
        ("all of every division", vec![anywhere()], "claim"),
    ] {
        assert!(ask(rights, label, "s-2").check().is_ok(), "{name}");
    }
    let outside = "outside the scope";
    for (name, rights, label, session, why) in [
        ("a grant of a queue", vec![edit(queues(&["qa"]))], "offer", "s-2", outside),
        ("another division", vec![edit(whole())], "claim", "s-2", outside),
        (
            "a role of another division",
            vec![edit(queues(&["qa"])), role(CLAIMS, queues(&["qx"]))],
            "offer",
            "s-2",
            outside,
        ),
        ("a right to view", vec![edit(queues(&["qa"])), whole()], "offer", "s-2", outside),
        ("a division of copies", vec![anywhere()], "copy", "s-2", outside),
        ("another region", vec![anywhere()], "abroad", "s-2", outside),
        ("a parent division", vec![anywhere()], "top", "s-2", outside),
        ("a role in a parent division", vec![edit(whole()), role(ROOT, whole())], "top", "s-2", outside),
        ("invented", vec![anywhere()], "none", "s-2", outside),
        ("a session of another interaction", vec![edit(whole())], "offer", "s-1", "a part of another interaction"),
    ] {
        ask(rights, label, session).refused(name, why);
    }
    ask(vec![edit(whole())], "offer", "s-2")
        .with(|it| it.seen.clear())
        .refused("not looked at", "not the holder's to change");
    let foreign = |it: &mut Change| it.seen[1].legs.push(leg(Some("qx"), None));
    ask(vec![edit(whole())], "offer", "s-2").with(foreign).refused("partly of others", "not the holder's to change");
}
