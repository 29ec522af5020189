//! What stands in a line of the decision record. Plain, owned, readable back, and bounded: nothing that an asker or an
//! upstream wrote grows a line beyond what is written here. `src/audit/records.md` is generated from these types.

use crate::base::hash::sha256_hex;
use crate::model::{
    entitlement::{Entitlement, Scope, Source},
    org::Org,
    refusal::{Code, Notice},
    set::Dim,
    world::Versions,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt::Write as _, sync::Arc};
use uuid::Uuid;

/// Bytes of a cause; that of a query which could not be proved holds the outgoing text.
pub(super) const CAUSE: usize = 4 * 1024;
pub(super) const UNPROVED: usize = 256 * 1024;
/// Bytes of an asked path, all parameters and the body of a question that was refused before or while it was judged.
/// What was forwarded or answered is bounded by its body model, and kept whole: replay needs it.
pub(super) const REFUSED_TEXT: usize = 64 * 1024;
const NOTICE: usize = 1024;

/// The text, or its beginning with a mark that says how much is missing.
pub fn bounded(mut text: String, limit: usize) -> String {
    let whole = text.len();
    if whole > limit {
        text.truncate(text.floor_char_boundary(limit));
        // Writing to a string cannot fail.
        let _written = write!(text, " [cut: {} bytes more]", whole - text.len());
    }
    text
}

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Record {
    /// What is about to be sent. Durable before it is.
    Intent(Box<IntentRecord>),
    /// How it ended. Where nothing was to be sent, this line stands alone.
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

/// What is about to be sent. Durable before it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IntentRecord {
    /// Id of the decision (UUID v7); the asker is told it.
    pub decision: Uuid,
    /// When the line was made.
    pub time: Timestamp,
    /// Whose rights decide.
    pub subject: Subject,
    /// Address of the connection, or `schedule` and its id.
    pub peer: String,
    /// Id of the rule.
    pub operation: String,
    /// Id of the region whose upstream is asked.
    pub region: String,
    /// The query as asked.
    pub asked: Query,
    /// The query as sent.
    pub sent: Query,
    /// The rights it was narrowed to.
    pub scope: Arc<ScopeRecord>,
    /// Which outgoing clause implies which clause of the scope.
    pub certificate: Vec<StepRecord>,
    /// What it was decided by.
    pub versions: VersionsRecord,
    /// Where the answer comes from.
    #[serde(default)]
    pub cache: Cache,
    /// What the asker was told about narrowing and losses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<NoticeRecord>,
}

/// How it ended: body delivered, cut, asker gone, refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeRecord {
    /// Id of the decision; the same as in its intent.
    pub decision: Uuid,
    /// When the request arrived.
    pub opened: Timestamp,
    /// When the line was made.
    pub time: Timestamp,
    /// Whose rights decide; missing where nobody was identified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// Address of the connection, or `schedule` and its id.
    pub peer: String,
    /// Id of the rule; missing where no rule governs the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// How it ended, in one word.
    pub verdict: Verdict,
    /// The refusal's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// For administrators; the asker never sees it. Of a malformed query it ends before the first word of the asker's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Status of the answer.
    pub status: u16,
    /// The query as asked, as far as it was understood: parameters and bodies that were not, or that nobody read because
    /// the asker had no right at all, stay out, since they may hold anything. A path stands as it was asked, whatever was
    /// put into it. Missing where not even the path could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Query>,
    /// The rights under which it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Arc<ScopeRecord>>,
    /// What it was decided by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<VersionsRecord>,
    /// Where the answer comes from.
    #[serde(default)]
    pub cache: Cache,
    /// Status of the upstream's answer; missing where it was not asked, or gave no answer that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_status: Option<u16>,
    /// Rows that the upstream sent.
    pub rows_in: u64,
    /// Rows that the asker got.
    pub rows_out: u64,
    /// Of the rows that the asker did not get, those that nobody asked for: the upstream did not do as it was told.
    #[serde(default)]
    pub rows_foreign: u64,
    /// The job that this question was submitted as: what is asked about it names this id in its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Bytes of the upstream's answer.
    pub bytes_in: u64,
    /// Bytes sent to the asker.
    pub bytes_out: u64,
    /// Microseconds spent in each phase, in order.
    pub phases: Vec<(String, u64)>,
    /// What the asker was told about narrowing and losses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<NoticeRecord>,
}

/// How a decision ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Forwarded, guarded, and the whole answer delivered.
    Forwarded,
    /// Answered without the upstream.
    Local,
    /// Refused; `code` and `cause` say why.
    Refused,
    /// The answer was cut before its end.
    Cut,
    /// The asker left before an answer was there.
    Gone,
    /// A fault of this program.
    Failed,
}

/// Where an answer comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cache {
    /// No cache was asked.
    #[default]
    None,
    /// What was answered when a schedule asked the same before: nothing is sent now.
    Kept,
}

/// Who asked, by which proof of identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// `user` or `service`.
    pub kind: String,
    /// Id in the directory.
    pub id: String,
    /// Who acts for the subject: the service account that names him, or whoever set up the schedule that asks for him; `null`: the subject himself.
    #[serde(default)]
    pub actor: Option<String>,
    /// The identity provider's session, where the token names one; else `null`.
    #[serde(default)]
    pub session: Option<String>,
    /// The client that the token names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// `static`, `jwt`, `introspection` or `certificate`; `schedule` where nobody asked now, and a schedule did for the subject.
    pub method: String,
}

/// A query as asked or as sent. With `queries = "digest"` the text stays out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Query {
    /// SHA-256 over method, path, parameters and body, each with its length: of the whole, or of as much as had been read
    /// when it was refused. Text that stays out or is cut counts; a value that is hidden counts as `***`, because a digest gives
    /// a telephone number away to whoever tries them all, and so does a body that cannot be read where a mask would hide
    /// something of it, or that the operation does not take. A link that cannot be read counts as it was written.
    pub digest: String,
    /// The query itself, with `queries = "full"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<QueryText>,
}

/// The text of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueryText {
    /// As it was asked or sent.
    pub method: String,
    /// Canonical path.
    pub path: String,
    /// Parameters: name and value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<(String, String)>,
    /// The body, as it was written; where a field of it is masked, such as the number of a customer or what a label's property
    /// says of one, written anew with `***` in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// How many bytes were left out of path, parameters and body; missing: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<u64>,
}

impl OutcomeRecord {
    /// Cuts what an asker or an upstream may have made long. Digests stay those of the whole.
    #[must_use]
    pub(super) fn bounded(mut self) -> Self {
        let unproved = self.code.as_deref() == Some(Code::VerifyFailed.as_str());
        let limit = if unproved { UNPROVED } else { CAUSE };
        self.cause = self.cause.map(|cause| bounded(cause, limit));
        if !matches!(self.verdict, Verdict::Forwarded | Verdict::Local | Verdict::Cut) {
            let text = self.asked.as_mut().and_then(|asked| asked.text.as_mut());
            if let Some(text) = text {
                text.cut();
            }
        }
        self
    }
}

impl QueryText {
    fn cut(&mut self) {
        let (mut room, mut missing) = (REFUSED_TEXT, 0);
        let mut fit = |text: &mut String| {
            let kept = text.floor_char_boundary(room.min(text.len()));
            missing += text.len() - kept;
            room -= kept;
            text.truncate(kept);
        };
        fit(&mut self.method);
        fit(&mut self.path);
        for (name, value) in &mut self.query {
            fit(name);
            fit(value);
        }
        self.body.iter_mut().for_each(fit);
        self.cut = u64::try_from(missing).ok().filter(|missing| *missing > 0);
    }
}

impl Query {
    /// The digest covers method, path, parameters and body, each with its length, so that no two queries share a form.
    pub fn new<N: AsRef<str>>(method: &str, path: &str, query: &[(N, String)], body: Option<&[u8]>) -> Self {
        let text = QueryText {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.iter().map(|(name, value)| (name.as_ref().to_owned(), value.clone())).collect(),
            body: body.map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            cut: None,
        };
        let mut canonical = Vec::new();
        let mut part = |bytes: &[u8]| {
            canonical.extend_from_slice(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            canonical.extend_from_slice(bytes);
        };
        part(text.method.as_bytes());
        part(path.as_bytes());
        for (name, value) in query {
            part(name.as_ref().as_bytes());
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

/// One step of the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepRecord {
    /// A clause of the scope.
    pub clause: String,
    /// The outgoing clause that implies it, or the key by which the guard enforces it.
    pub by: String,
}

/// Something that was narrowed or lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoticeRecord {
    /// Its stable word.
    pub code: String,
    /// What the asker was told.
    pub text: String,
}

impl From<&Notice> for NoticeRecord {
    fn from(notice: &Notice) -> Self {
        Self { code: notice.code.to_owned(), text: bounded(notice.text.clone(), NOTICE) }
    }
}

/// What was in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VersionsRecord {
    /// Digest of the rule files and of the policy settings.
    pub rules: String,
    /// Version of the organisation.
    pub directory: String,
    /// Version of the grants.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScopeRecord {
    /// SHA-256 over every id of every entitlement.
    pub digest: String,
    /// Where each entitlement comes from.
    pub sources: Vec<EntitlementRecord>,
    /// The region that was asked, where it is not the asker's own.
    #[serde(default, rename = "crossRegion", skip_serializing_if = "Option::is_none")]
    pub cross_region: Option<String>,
}

/// One entitlement in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EntitlementRecord {
    /// Such as `role supervisor in d-payments-us (analytics:conversationDetail:view)` or `grant g-1`.
    pub source: String,
    /// `any`, or how many.
    pub divisions: String,
    /// `any`, or how many.
    pub queues: String,
    /// `any`, or how many.
    pub users: String,
    /// `any`, or how many.
    pub conversations: String,
    /// The data window: from, until.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<(Timestamp, Timestamp)>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl ScopeRecord {
    pub fn of(scope: &Scope, org: &Org) -> Self {
        let mut canonical = format!("{}\n{}\n", org.principal_id(scope.holder), org.region(scope.region).id);
        let sources = scope.entitlements.iter().map(|one| describe(one, org, &mut canonical)).collect();
        let abroad = scope.region != org.region_of(scope.holder);
        let cross_region = abroad.then(|| org.region(scope.region).id.to_string());
        Self { digest: sha256_hex(canonical.as_bytes()), sources, cross_region }
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
