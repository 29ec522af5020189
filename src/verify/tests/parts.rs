//! Parts of an interaction, the links that they hand out, and files that are fetched for a preview: whatever would lead to
//! a leg outside the scope is refused here alone.

use super::fixture::*;
use crate::{
    model::{
        answer::Shape,
        contract::{Contract, Data},
        entitlement::{Action, Entitlement, Opening, Scope},
        outgoing::Residual,
        part::{SeenLeg, Sighting},
    },
    verify::{Unproved, check, check_link, check_part},
};

fn leg(queue: Option<&str>, user: Option<&str>) -> SeenLeg {
    let at = |text: &str| Some(text.parse().unwrap());
    let (start, end) = (at("2026-11-02T09:00:00Z"), at("2026-11-02T09:05:00Z"));
    SeenLeg { queue: queue.map(Into::into), user: user.map(Into::into), start, end }
}

fn doing(action: Action, e: Entitlement) -> Entitlement {
    Entitlement { actions: vec![action], ..e }
}

/// A recording of `c-1`, and what was seen of it.
struct Part {
    contract: Contract,
    path: &'static str,
    links: Vec<Action>,
    seen: Sighting,
    scope: Scope,
}

impl Part {
    fn new(entitlements: Vec<Entitlement>, playback: Vec<Entitlement>) -> Self {
        let mut contract = plain("conversations/{conversationId}/recordings/{thingId}", Data::Interaction);
        contract.part = true;
        contract.links = vec![Action::Playback];
        let openings = vec![Opening { action: Action::Playback, entitlements: playback }];
        let scope = Scope { openings, ..scope(HOLDER, Action::View, entitlements) };
        let legs = vec![leg(Some("qa"), Some("ann")), leg(Some("qb"), None)];
        let seen = Sighting { interaction: "c-1".into(), named: Vec::new(), legs };
        Self { contract, path: "/conversations/c-1/recordings/r-1", links: vec![Action::Playback], seen, scope }
    }

    fn check(self) -> Result<Vec<String>, Unproved> {
        let Self { contract, path, links, seen, scope } = self;
        let outgoing = Try::new(contract.clone(), Vec::new(), None).path(path).outgoing;
        let residual = Residual { legs: true, keys: true, windows: false, links };
        let verified = check_part(&contract, outgoing, residual, &seen, &scope, &org(), now())?;
        Ok(verified.certificate().steps.iter().map(|step| format!("{} <- {}", step.clause, step.by)).collect())
    }

    #[track_caller]
    fn refused(mut self, name: &str, why: &str, change: impl FnOnce(&mut Self)) {
        change(&mut self);
        match self.check() {
            Ok(steps) => panic!("{name}: proved by {steps:?}"),
            Err(unproved) => assert!(unproved.to_string().contains(why), "{name}: refused for `{unproved}`"),
        }
    }
}

fn player() -> Part {
    Part::new(vec![whole()], vec![doing(Action::Playback, whole())])
}

#[test]
fn links_pass_when_their_action_covers_every_leg() {
    let due = ["2 legs of the scope <- path", "2 legs for playback <- answer: links"];
    assert_eq!(player().check().unwrap(), due);
    let silent = Part { links: Vec::new(), ..player() };
    assert_eq!(silent.check().unwrap(), [due[0]]);
    // two rights, each with one of the legs
    let split = [queues(&["qa"]), queues(&["qb"])].map(|e| doing(Action::Playback, e)).to_vec();
    assert_eq!(Part::new(vec![whole()], split).check().unwrap(), due);
}

#[test]
fn links_that_would_lead_outside_are_refused() {
    let outside = "lead to something outside";
    let opening = |part: &mut Part, e: Entitlement| part.scope.openings[0].entitlements = vec![e];
    player().refused("no opening", outside, |part| part.scope.openings.clear());
    player().refused("an opening of nothing", outside, |part| part.scope.openings[0].entitlements.clear());
    player().refused("one leg of two", outside, |part| opening(part, doing(Action::Playback, queues(&["qa"]))));
    player().refused("rights to view", outside, |part| opening(part, whole()));
    player().refused("rights to export", outside, |part| opening(part, doing(Action::Export, whole())));
    player().refused("an opening of another action", outside, |part| part.scope.openings[0].action = Action::Export);
    player().refused("links of another action", outside, |part| part.links = vec![Action::Export]);
    player().refused("one action too many", outside, |part| part.links.push(Action::Export));
    player().refused("links that the rule does not know", outside, |part| part.contract.links.clear());
    player().refused("somebody else's rights", outside, |part| {
        opening(
            part,
            Entitlement { holder: crate::model::org::Principal::User(ANN), ..doing(Action::Playback, whole()) },
        );
    });
    player().refused("rights of another region", outside, |part| {
        opening(part, Entitlement { region: EU, ..doing(Action::Playback, whole()) });
    });
    player().refused("rights that have ended", outside, |part| {
        let mut ended = doing(Action::Playback, whole());
        ended.valid.until = Some(now());
        opening(part, ended);
    });
    player().refused("a window before", outside, |part| {
        let data = Some(window("2026-11-01T00:00:00Z", "2026-11-02T09:04:00Z"));
        opening(part, Entitlement { data, ..doing(Action::Playback, whole()) });
    });
    player().refused("a leg of a copy that is for looking only", outside, |part| {
        part.seen.legs = vec![leg(Some("qrep"), None)];
        let here = |e: Entitlement| Entitlement { divisions: crate::model::set::Dim::Any, ..e };
        part.scope.entitlements = vec![here(whole())];
        opening(part, here(doing(Action::Playback, whole())));
    });
}

#[test]
fn a_part_of_what_is_not_visible_is_refused_whatever_passes() {
    player().refused("another's leg", "outside the scope", |part| part.seen.legs.push(leg(Some("qx"), None)));
    player().refused("an agent whom nobody knows", "outside the scope", |part| {
        part.seen.legs.push(leg(None, Some("stranger")));
    });
    player().refused("nothing seen", "nothing of the interaction", |part| part.seen.legs.clear());
    player().refused("another interaction", "was looked at", |part| part.seen.interaction = "c-2".into());
    player().refused("another path", "path", |part| part.path = "/conversations/c-1/recordings/r-1/more");
    player().refused("not a part", "contract", |part| part.contract.part = false);
    player().refused("legs in the answer", "contract", |part| part.contract.shape = Shape::Conversation);
}

#[test]
fn only_parts_hand_out_links() {
    let mut ask = Try::new(one_conversation(), vec![whole()], None).path("/conversations/c-1");
    ask.residual.links = vec![Action::Playback];
    ask.refused("an interaction with links", "only links of a part");
    let body = with_filter(&flat("or", &[is("queueId", "qa")]));
    let ask = Try::new(aggregates(), vec![whole()], Some(&body));
    let residual = Residual { links: vec![Action::View], ..ask.residual.clone() };
    let scope = scope(HOLDER, Action::View, vec![whole()]);
    assert!(check(&ask.contract, ask.outgoing, residual, &scope, &org(), now()).is_err());
}

#[test]
fn a_file_is_fetched_from_listed_hosts_for_who_may_preview_every_leg() {
    let hosts = || vec!["https://files.example".into(), "http://127.0.0.1:90".into()];
    let part = || {
        let mut part = Part::new(vec![doing(Action::Preview, whole())], Vec::new());
        part.contract.action = Action::Preview;
        part.scope.action = Action::Preview;
        part
    };
    let tried = |part: &Part, link: &str, hosts: &[Box<str>]| {
        check_link(&part.contract, link, &part.seen, hosts, &part.scope, &org(), now()).map_err(|why| why.to_string())
    };
    let good = "https://files.example/a.wav?X-Signature=a%2Fb%3D&x=1";
    let link = tried(&part(), good, &hosts()).unwrap();
    assert_eq!((link.uri().to_string().as_str(), link.origin()), (good, "https://files.example"));
    let sent = format!("{:?}", link.outgoing());
    assert!(!sent.contains("Signature") && sent.contains("https://files.example/a.wav"), "{sent}");
    assert!(tried(&part(), "http://127.0.0.1:90/a", &hosts()).is_ok());
    for link in [
        "https://files.example.evil/a.wav",
        "https://evil@files.example/a.wav",
        "https://files.example@evil/a.wav",
        "https://files.example:444/a.wav",
        "http://files.example/a.wav",
        "http://127.0.0.1:9/a",
        "http://127.0.0.1/a",
        "https://FILES.example/a.wav",
        "//files.example/a.wav",
        "/a.wav",
        "https://files.example/a.wav#b",
        "https://files.example/a b",
        "https:files.example/a",
        "file:///etc/passwd",
        "",
    ] {
        let why = tried(&part(), link, &hosts()).map(|link| link.uri().to_string()).unwrap_err();
        assert!(why.starts_with("link: "), "{link}: {why}");
    }
    assert!(tried(&part(), good, &[]).is_err(), "an empty list is everywhere");
    let refused = |name: &str, change: fn(&mut Part)| {
        let mut part = part();
        change(&mut part);
        assert!(tried(&part, good, &hosts()).is_err(), "{name}");
    };
    refused("another's leg", |part| part.seen.legs.push(leg(Some("qx"), None)));
    refused("nothing seen", |part| part.seen.legs.clear());
    refused("rights to view", |part| part.scope.entitlements = vec![whole()]);
    refused("rights to play, for which the file is not fetched here", |part| {
        part.contract.action = Action::Playback;
        part.scope.entitlements = vec![doing(Action::Playback, whole())];
    });
    refused("not a part", |part| part.contract.part = false);
    refused("no rights", |part| part.scope.entitlements.clear());
}
