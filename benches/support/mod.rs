//! An organisation and rules of any size, and one asker in the middle of them.

use bailiwick::{
    app::selftest,
    decision::{self, Decided},
    directory,
    model::{
        entitlement::Scope,
        operation::{Operation, Rules},
        org::{Org, Principal},
        world::{Versions, World},
    },
    query::{
        Question,
        json::{self, Limits},
    },
    rules,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{fmt::Write as _, sync::Arc};

pub(crate) const AGGREGATES: &str = "conversations.aggregates.query";

/// How large the world is around the asker, and how many queues are his.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub rules: usize,
    pub divisions: usize,
    pub unrelated_queues: usize,
    pub own_queues: usize,
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_763_632_800).unwrap()
}

pub(crate) fn org(size: Size) -> Org {
    let text = directory_text(size).to_string();
    directory::load(&text, "bench", now()).unwrap_or_else(|problems| panic!("{}", problems[0]))
}

fn directory_text(size: Size) -> Value {
    let mut divisions = vec![
        json!({"id": "root", "region": "r"}),
        json!({"id": "mine", "parent": "root", "region": "r"}),
        json!({"id": "other", "parent": "root", "region": "r"}),
    ];
    divisions.extend((0..size.divisions).map(|n| json!({"id": format!("d-{n}"), "parent": "root", "region": "r"})));
    let mut queues: Vec<Value> = (0..size.own_queues)
        .map(|n| json!({"id": format!("q-{n:05}-0000-4000-8000-000000000000"), "division": "mine", "members": ["asker"]}))
        .collect();
    queues.extend((0..size.unrelated_queues).map(|n| json!({"id": format!("x-{n:05}"), "division": "other"})));
    json!({
        "version": "bench",
        "regions": [{"id": "r", "upstream": "http://127.0.0.1:1"}],
        "divisions": divisions,
        "roles": [{"id": "supervisor", "permissions": [
            {"permission": "analytics:report:view", "scope": "assigned", "team": true},
            {"permission": "routing:queue:view", "scope": "assigned"}
        ]}],
        "users": [{"id": "asker", "division": "mine", "region": "r", "roles": [{"role": "supervisor", "division": "mine"}]}],
        "queues": queues,
    })
}

pub(crate) fn rules(extra: usize) -> Rules {
    let mut files = rules::embedded();
    let mut text = String::new();
    for n in 0..extra {
        let _ = write!(
            text,
            r#"
[[rule]]
id = "extra.{n}"
match = "POST /api/v2/analytics/extra{n}/query"
class = "query"
dialect = "genesys"
data = "interaction"
permission = "analytics:conversationAggregate:view"
body = "ConversationAggregationQuery"
needs = ["leg-filter"]
[[rule.narrow]]
at = "$.filter"
carry = [{{ queue = "queueId" }}, {{ user = "userId" }}]
[rule.group-by]
at = "$.groupBy"
allow = ["queueId"]
[rule.answer]
shape = "groups"
rows = "$.results"
keys = {{ queueId = "queue", userId = "user" }}
keep = "aggregates"
empty = '{{"results":[]}}'
"#
        );
    }
    if extra > 0 {
        files.push(("genesys/extra.toml".to_owned(), text));
    }
    rules::compile(files, selftest::policy()).unwrap_or_else(|problems| panic!("{}", problems[0])).rules
}

/// A question of about two kilobytes, ready to be decided.
pub(crate) struct Asking {
    pub world: World,
    pub holder: Principal,
    pub operation: Arc<Operation>,
    pub question: Question,
    pub bytes: Vec<u8>,
}

impl Asking {
    /// `named`: the asker names one of his queues.
    pub(crate) fn new(size: Size, named: bool) -> Self {
        let org = Arc::new(org(size));
        let rules = Arc::new(rules(size.rules));
        let holder = selftest::principal(&org, "asker").unwrap();
        let operation = rules.operations.iter().find(|operation| *operation.id == *AGGREGATES).unwrap().clone();
        let bytes = body(named).to_string().into_bytes();
        let body = json::parse_object(&bytes, &Limits::default()).unwrap();
        let version = Versions { rules: rules.version.clone(), directory: "d".into(), grants: "g".into() };
        let question = Question {
            operation: operation.clone(),
            ids: Vec::new(),
            params: Vec::new(),
            body: Some(body),
            kept: None,
            seen: None,
        };
        Self { world: World { version, org, rules, claimed: None }, holder, operation, question, bytes }
    }

    pub(crate) fn scope(&self) -> Arc<Scope> {
        Arc::new(decision::scope(&self.world, self.holder, &self.operation, now()).unwrap())
    }

    pub(crate) fn decide(&self, scope: &Arc<Scope>) -> Decided {
        decision::decide(&self.world, scope, &self.question, now()).unwrap()
    }

    /// What one request costs in the pure core: the route, the body, the decision.
    pub(crate) fn request(&self, scope: &Arc<Scope>) -> usize {
        let segments = ["api", "v2", "analytics", "conversations", "aggregates", "query"];
        let (operation, _) = self.world.rules.find(bailiwick::model::contract::Method::Post, &segments).unwrap();
        let body = json::parse_object(&self.bytes, &Limits::default()).unwrap();
        let question = Question {
            operation: operation.clone(),
            ids: Vec::new(),
            params: Vec::new(),
            body: Some(body),
            kept: None,
            seen: None,
        };
        match decision::decide(&self.world, scope, &question, now()).unwrap() {
            Decided::Forward(forward) => forward.verified.body().map_or(0, <[u8]>::len),
            Decided::Split(split) => split.parts().len(),
            Decided::Kept(again) => again.answer.len(),
            Decided::Local(guarded) => guarded.body().len(),
        }
    }
}

fn body(named: bool) -> Value {
    let media = ["voice", "chat", "email", "callback", "message"]
        .map(|medium| json!({"dimension": "mediaType", "value": medium}));
    let codes: Vec<Value> = (0..20).map(|n| json!({"type": "dimension", "dimension": "wrapUpCode", "operator": "matches", "value": format!("code-{n}")})).collect();
    let mut clauses = vec![json!({"type": "or", "predicates": media}), json!({"type": "or", "predicates": codes})];
    if named {
        clauses.push(json!({"type": "or", "predicates": [{"dimension": "queueId", "value": "q-00001-0000-4000-8000-000000000000"}]}));
    }
    json!({
        "interval": "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z",
        "groupBy": ["queueId"],
        "filter": {"type": "and", "clauses": clauses},
        "metrics": ["nOffered", "tHandle", "nConnected"],
    })
}
