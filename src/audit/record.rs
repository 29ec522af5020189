//! What stands in a line of the decision record. Plain, owned, readable back.

use crate::base::hash::sha256_hex;
use crate::model::{
    contract::Method,
    entitlement::{Entitlement, Scope, Source},
    org::Org,
    refusal::Notice,
    set::Dim,
    world::Versions,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt::Write as _, sync::Arc};
use uuid::Uuid;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Record {
    /// What is about to be sent. Durable before it is.
    Intent(Box<IntentRecord>),
    /// How it ended. Refusals and local answers have this line only.
    Outcome(Box<OutcomeRecord>),
}

impl Record {
    pub fn decision(&self) -> Uuid {
        match self {
            Self::Intent(intent) => intent.decision,
            Self::Outcome(outcome) => outcome.decision,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IntentRecord {
    pub decision: Uuid,
    pub time: Timestamp,
    pub subject: Subject,
    pub peer: String,
    pub operation: String,
    pub region: String,
    pub asked: Query,
    pub sent: Query,
    pub scope: Arc<ScopeRecord>,
    /// Which outgoing clause implies which clause of the scope.
    pub certificate: Vec<StepRecord>,
    pub versions: VersionsRecord,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<NoticeRecord>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeRecord {
    pub decision: Uuid,
    /// When the request arrived.
    pub opened: Timestamp,
    pub time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    pub peer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    pub verdict: Verdict,
    /// The refusal's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// For administrators; the asker never sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Status of the answer.
    pub status: u16,
    /// What was asked, where no intent says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Query>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Arc<ScopeRecord>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<VersionsRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_status: Option<u16>,
    pub rows_in: u64,
    pub rows_out: u64,
    /// Bytes of the upstream's answer.
    pub bytes_in: u64,
    /// Bytes sent to the asker.
    pub bytes_out: u64,
    /// Microseconds spent in each phase, in order.
    pub phases: Vec<(String, u64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<NoticeRecord>,
}

/// How a decision ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Forwarded, guarded, and the whole answer delivered.
    Forwarded,
    /// Answered without the upstream.
    Local,
    Refused,
    /// The answer was cut before its end.
    Cut,
    /// The asker left before an answer was there.
    Gone,
    /// A fault of this program.
    Failed,
}

/// Who asked, by which proof of identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// `user` or `service`.
    pub kind: String,
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// `static` or `jwt`.
    pub method: String,
}

/// A query as asked or as sent. With `queries = "digest"` the text stays out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Query {
    pub digest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<QueryText>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryText {
    pub method: String,
    pub path: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl Query {
    /// The digest covers method, path, parameters and body, each with its length, so that no two queries share a form.
    pub fn new(method: Method, path: &str, query: &[(Box<str>, String)], body: Option<&[u8]>) -> Self {
        let text = QueryText {
            method: method.as_str().to_owned(),
            path: path.to_owned(),
            query: query.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
            body: body.map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
        };
        let mut canonical = Vec::new();
        let mut part = |bytes: &[u8]| {
            canonical.extend_from_slice(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            canonical.extend_from_slice(bytes);
        };
        part(text.method.as_bytes());
        part(path.as_bytes());
        for (name, value) in query {
            part(name.as_bytes());
            part(value.as_bytes());
        }
        part(body.unwrap_or_default());
        Self { digest: sha256_hex(&canonical), text: Some(text) }
    }

    #[must_use]
    pub fn without_text(mut self) -> Self {
        self.text = None;
        self
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    pub clause: String,
    pub by: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeRecord {
    pub code: String,
    pub text: String,
}

impl From<&Notice> for NoticeRecord {
    fn from(notice: &Notice) -> Self {
        Self { code: notice.code.to_owned(), text: notice.text.clone() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionsRecord {
    pub rules: String,
    pub directory: String,
    pub grants: String,
}

impl From<&Versions> for VersionsRecord {
    fn from(versions: &Versions) -> Self {
        Self {
            rules: versions.rules.to_string(),
            directory: versions.directory.to_string(),
            grants: versions.grants.to_string(),
        }
    }
}

/// A scope in words: its digest, and where each entitlement comes from. Made once for each scope, not for each request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeRecord {
    pub digest: String,
    pub sources: Vec<EntitlementRecord>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntitlementRecord {
    /// Such as `role supervisor in d-payments-us (analytics:conversationDetail:view)` or `grant g-1`.
    pub source: String,
    /// `any`, or how many.
    pub divisions: String,
    pub queues: String,
    pub users: String,
    pub conversations: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<(Timestamp, Timestamp)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl ScopeRecord {
    pub fn of(scope: &Scope, org: &Org) -> Self {
        let mut canonical = format!("{}\n{}\n", org.principal_id(scope.holder), org.region(scope.region).id);
        let sources = scope.entitlements.iter().map(|one| describe(one, org, &mut canonical)).collect();
        Self { digest: sha256_hex(canonical.as_bytes()), sources }
    }
}

/// The line for people, and every id into the text that the digest is taken of.
fn describe(one: &Entitlement, org: &Org, canonical: &mut String) -> EntitlementRecord {
    let source = match &one.source {
        Source::Role { role, division, permission, via } => {
            let via = via.map(|group| format!(" through group {}", org.group(group).id)).unwrap_or_default();
            format!("role {} in {} ({permission}){via}", org.role(*role).id, org.division(*division).id)
        }
        Source::Grant { id } => format!("grant {id}"),
    };
    canonical.push_str(&source);
    let record = EntitlementRecord {
        divisions: dimension(&one.divisions, |ix| &org.division(*ix).id, canonical),
        queues: dimension(&one.queues, |ix| &org.queue(*ix).id, canonical),
        users: dimension(&one.users, |ix| &org.user(*ix).id, canonical),
        conversations: dimension(&one.conversations, |id| id, canonical),
        window: one.data.map(|window| (window.from, window.until)),
        until: one.valid.until,
        source,
    };
    // Writing to a string cannot fail.
    let _written = writeln!(canonical, "\n{:?} {:?} {:?}", one.data, one.valid, one.actions);
    record
}

fn dimension<'a, T: Ord + Clone + 'a>(
    dim: &'a Dim<T>,
    id: impl Fn(&'a T) -> &'a str,
    canonical: &mut String,
) -> String {
    canonical.push('\n');
    match dim {
        Dim::Any => {
            canonical.push('*');
            "any".to_owned()
        }
        Dim::Only(set) => {
            for item in set {
                canonical.push_str(id(item));
                canonical.push('\u{1f}');
            }
            set.len().to_string()
        }
    }
}
