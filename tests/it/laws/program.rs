//! The program under test, reached through its library: directory text, rules, scope, decide, guard.

use crate::oracle::{
    data::{Interaction, Time},
    lists::List,
    questions::{Facts, Kind, Meaning, answer, facts_of},
};
use bailiwick::{
    decision::{self, Decided},
    model::{
        assumption::Assumption,
        body::FieldKind,
        contract::Method,
        entitlement::Scope,
        operation::{Operation, Rules},
        org::{Org, Principal},
        refusal::{Code, Notice, Refusal},
        world::{Policy, Versions, World},
    },
    policy::guard::Unguarded,
    query::{
        Question,
        json::{self, Limits},
    },
    verify::Verified,
};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::{Arc, OnceLock};

pub(crate) const KINDS: [(Kind, &str); 6] = [
    (Kind::Aggregates, "api/v2/analytics/conversations/aggregates/query"),
    (Kind::Details, "api/v2/analytics/conversations/details/query"),
    (Kind::QueueObservations, "api/v2/analytics/queues/observations/query"),
    (Kind::UserAggregates, "api/v2/analytics/users/aggregates/query"),
    (Kind::UserObservations, "api/v2/analytics/users/observations/query"),
    (Kind::Platform, "api/v2/analytics/query"),
];

/// The embedded rules with every assumption accepted that the reference upstream keeps.
pub(crate) fn rules() -> &'static Arc<Rules> {
    static RULES: OnceLock<Arc<Rules>> = OnceLock::new();
    RULES.get_or_init(|| {
        // The upstream of these tests tags whole interactions, so nobody may vouch for the contrary.
        let kept = Assumption::ALL.into_iter().filter(|one| *one != Assumption::DivisionOfLeg);
        let policy = Policy { accepted: kept.collect(), ..Policy::default() };
        let compiled = bailiwick::rules::compile(bailiwick::rules::embedded(), policy);
        let problem = |problem: &dyn std::fmt::Display| problem.to_string();
        match compiled {
            Ok(compiled) => Arc::new(compiled.rules),
            Err(problems) => panic!("{}", problems.iter().map(|one| problem(one)).collect::<Vec<_>>().join("\n")),
        }
    })
}

pub(crate) fn operation(kind: Kind) -> &'static Arc<Operation> {
    let (_, path) = KINDS.iter().find(|(known, _)| *known == kind).unwrap();
    let segments: Vec<&str> = path.split('/').collect();
    rules().find(Method::Post, &segments).unwrap_or_else(|| panic!("no rule governs {path}")).0
}

/// Permission strings of every operation that answers data, for the generator.
pub(crate) fn opened() -> Vec<Vec<String>> {
    let strings = |one: &Operation| one.opened_by.iter().map(ToString::to_string).collect();
    let lists = [List::Queues, List::Users, List::Divisions].map(|list| strings(list_of(list)));
    let queries = KINDS.iter().map(|(kind, _)| strings(operation(*kind)));
    queries.chain(lists).chain([strings(read_by_id())]).collect()
}

pub(crate) fn list_of(list: List) -> &'static Arc<Operation> {
    let segments: &[&str] = match list {
        List::Queues => &["api", "v2", "routing", "queues"],
        List::Users => &["api", "v2", "users"],
        List::Divisions => &["api", "v2", "authorization", "divisions"],
    };
    rules().find(Method::Get, segments).expect("a rule governs the list").0
}

/// What governs a `GET` of this path.
pub(crate) fn read(path: &str) -> &'static Arc<Operation> {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    rules().find(Method::Get, &segments).unwrap_or_else(|| panic!("no rule governs {path}")).0
}

pub(crate) fn read_by_id() -> &'static Arc<Operation> {
    rules().find(Method::Get, &["api", "v2", "conversations", "c-1"]).expect("a rule governs reads by id").0
}

/// Metrics that the body model of an operation allows and the reference upstream can count.
pub(crate) fn metrics(kind: Kind) -> Vec<String> {
    let known = ["nOffered", "tHandle"];
    let model = operation(kind).body().expect("a body");
    let Some(FieldKind::List { of, .. }) = model.field(&["metrics".into()]) else { return vec![] };
    let FieldKind::Enum { words, .. } = &**of else { panic!("metrics are not an enum") };
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    let counted: Vec<String> = words.iter().filter(|word| known.contains(&word.as_str())).cloned().collect();
    if counted.is_empty() { words } else { counted }
}

pub(crate) fn org(directory: &str) -> Result<Arc<Org>, String> {
    let loaded = bailiwick::directory::load(directory, "drawn.json", Timestamp::UNIX_EPOCH);
    loaded.map(Arc::new).map_err(|problems| format!("{problems:?}"))
}

pub(crate) fn world(org: &Arc<Org>) -> World {
    let version = Versions { rules: "r".into(), directory: "d".into(), grants: "g".into() };
    World { version, org: Arc::clone(org), rules: Arc::clone(rules()), claimed: None }
}

pub(crate) fn principal(org: &Org, person: &str) -> Principal {
    match org.index.users.get(person) {
        Some(user) => Principal::User(*user),
        None => Principal::Service(*org.index.services.get(person).unwrap_or_else(|| panic!("nobody is `{person}`"))),
    }
}

pub(crate) fn at(now: Time) -> Timestamp {
    Timestamp::from_second(now).unwrap()
}

pub(crate) fn question(kind: Kind, body: &[u8]) -> Question {
    let body = json::parse(body, &Limits::default()).expect("generated bodies are good JSON");
    Question {
        operation: Arc::clone(operation(kind)),
        ids: vec![],
        params: vec![],
        body: Some(body),
        kept: None,
        seen: None,
    }
}

/// What came of one question.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Got {
    Refused { code: Code, message: String },
    Answered(Answered),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answered {
    /// `None`: answered without asking the upstream.
    pub(crate) sent: Option<String>,
    pub(crate) facts: Facts,
    pub(crate) notices: Vec<Notice>,
}

impl Answered {
    /// Whether a notice tells of rights or names that do not count. That of a window's edge tells of places on a page
    /// only, and which are due is known.
    pub(crate) fn tells_of_losses(&self) -> bool {
        self.notices.iter().any(|notice| notice.code != "window.edge")
    }
}

impl From<Refusal> for Got {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { code: refusal.code, message: format!("{} ({:?})", refusal.message, refusal.cause) }
    }
}

pub(crate) fn scope(world: &World, person: &str, kind: Kind, now: Time) -> Result<Scope, Refusal> {
    decision::scope(world, principal(&world.org, person), operation(kind), at(now))
}

/// Asks as the proxy would, with an obedient upstream over `data`.
pub(crate) fn ask(world: &World, person: &str, kind: Kind, body: &str, now: Time, data: &[Interaction]) -> Got {
    match scope(world, person, kind, now) {
        Ok(scope) => ask_within(world, &Arc::new(scope), kind, body, now, data),
        Err(refusal) => refusal.into(),
    }
}

pub(crate) fn ask_within(
    world: &World,
    scope: &Arc<Scope>,
    kind: Kind,
    body: &str,
    now: Time,
    data: &[Interaction],
) -> Got {
    let question = question(kind, body.as_bytes());
    match decision::decide(world, scope, &question, at(now)) {
        Err(refusal) => refusal.into(),
        Ok(Decided::Split(_) | Decided::Kept(_)) => panic!("nothing here is asked in parts"),
        Ok(Decided::Local(guarded)) => Got::Answered(Answered {
            sent: None,
            facts: facts_of(kind, &text(guarded.body())),
            notices: guarded.notices().to_vec(),
        }),
        Ok(Decided::Forward(forward)) => {
            let sent = sent(&forward.verified);
            let body: Value = serde_json::from_str(&sent).expect("what is sent is JSON");
            let upstream = answer(kind, &body, data, Meaning::Tags, now).to_string();
            match forward.plan.guard(Unguarded::new(200, upstream.into_bytes())) {
                Err(refusal) => refusal.into(),
                Ok(guarded) => {
                    let notices = forward.notices.iter().chain(guarded.notices()).cloned().collect();
                    Got::Answered(Answered { sent: Some(sent), facts: facts_of(kind, &text(guarded.body())), notices })
                }
            }
        }
    }
}

pub(crate) fn sent(verified: &Verified) -> String {
    String::from_utf8(verified.body().expect("a body is sent").to_vec()).unwrap()
}

pub(crate) fn text(body: &[u8]) -> Value {
    serde_json::from_str(std::str::from_utf8(body).unwrap())
        .unwrap_or_else(|error| panic!("{error}: an answer is JSON"))
}
