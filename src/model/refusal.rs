//! Decisions not to forward: one table of codes, a sentence for the asker, a cause for the administrator.

use std::borrow::Cow;

/// Who has to act when a code appears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The request is not one that could be allowed.
    Asker,
    /// Rights or configuration.
    Administrator,
    Upstream,
    /// This program or its machine.
    Proxy,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $blame:ident;)*) => {
        /// Every reason for which a request is not forwarded or its answer not passed on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable word that clients and records see.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            pub fn blame(self) -> Blame {
                match self { $(Self::$variant => Blame::$blame,)* }
            }

            /// What it means, for the generated table.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)* }
            }
        }
    };
}

codes! {
    /// The HTTP message could be read in two ways, or is not one that this proxy speaks.
    RequestMalformed = "request.malformed", Asker;
    /// The request is larger than a limit allows.
    RequestTooLarge = "request.too-large", Asker;
    /// The client did not send its request in time.
    RequestTimeout = "request.timeout", Asker;
    /// A request that came from a proxy of this kind: an upstream leads back here.
    RequestLooped = "request.loop", Administrator;
    /// A body of a type other than JSON.
    RequestMediaType = "request.media-type", Asker;
    /// No token, or one that is not accepted.
    IdentityRequired = "identity.required", Asker;
    /// The token is good, but the directory knows nobody by that name, or the account is not active.
    IdentityUnknown = "identity.unknown", Administrator;
    /// The token is good and does not say which roles its holder has, while only those count that it names.
    IdentityNoRoles = "identity.no-roles", Administrator;
    /// Whether a token is good cannot be found out now: whoever vouches for it cannot be asked.
    IdentityUnavailable = "identity.unavailable", Upstream;
    /// Too many sign-ins failed from one address within a minute.
    IdentityThrottled = "identity.throttled", Asker;
    /// A service account named somebody for whom it may not act, or asked for him what only he himself does.
    SubjectRefused = "subject.refused", Administrator;
    /// A service account named somebody who is not signed in.
    SubjectNoSession = "subject.no-session", Administrator;
    /// What describes the asker as a person was asked for by a service account. The upstream's own word.
    NotAUser = "not.a.user", Asker;
    /// No rule governs this method and path.
    OperationUnknown = "operation.unknown", Asker;
    /// The operation is known and closed on purpose.
    OperationDenied = "operation.denied", Administrator;
    /// A rule governs it, but it rests on an assumption that nobody has vouched for.
    OperationUnproved = "operation.unproved", Administrator;
    /// What remains of the asker's rights cannot be written as a filter of this operation.
    OperationUnscopable = "operation.unscopable", Administrator;
    /// No role of the asker carries a permission for this operation.
    PermissionMissing = "permission.missing", Administrator;
    /// Two roles of the asker conflict.
    RoleConflict = "role.conflict", Administrator;
    /// The asker has no entitlement for this operation now.
    ScopeEmpty = "scope.empty", Administrator;
    /// An id that is not inside the asker's scope, or that does not exist.
    ScopeOutside = "scope.outside", Asker;
    /// The asker's rights need more clauses or values than this operation can carry.
    ScopeTooComplex = "scope.too-complex", Administrator;
    /// A scan of a parent division.
    DivisionParentScan = "division.parent-scan", Asker;
    /// The body has room for one division and the asker has several.
    DivisionChoose = "division.choose", Asker;
    /// A query that names another region.
    RegionCrossRegionScan = "region.cross-region-scan", Asker;
    /// Only for people of the organisation itself.
    BpoInternalOnly = "bpo.internal-only", Administrator;
    /// A grouping, metric or view that outsourcers may not use.
    BpoField = "bpo.field", Administrator;
    /// Files of reports are for people of the organisation itself.
    BpoExport = "bpo.export", Administrator;
    /// A total of an internal report in which outsourcers cannot be told from the organisation's own people.
    BpoMixedTotals = "bpo.mixed-totals", Asker;
    /// The body is not what this operation accepts.
    QueryMalformed = "query.malformed", Asker;
    /// The question cannot be joined with the asker's scope in this dialect.
    QueryTooComplex = "query.too-complex", Asker;
    /// The question needs more values than one upstream query takes.
    QueryTooWide = "query.too-wide", Asker;
    /// A static list names a queue that was archived or deleted.
    QueryDeadQueue = "query.dead-queue", Asker;
    /// A filter, sort or grouping on a field that the asker may not see.
    FieldHidden = "field.hidden", Asker;
    /// A metric that the injected predicate would silently remove.
    MetricUnscopable = "metric.unscopable", Asker;
    /// Grouping by division is not a grouping by the division of a leg.
    GroupByDivision = "groupby.division", Asker;
    /// Grouping by raw identifiers.
    GroupByHighCardinality = "groupby.high-cardinality", Asker;
    /// A grouping or sort that the rule does not list.
    GroupByRefused = "groupby.refused", Asker;
    /// A sort that the rule does not list.
    SortRefused = "sort.refused", Asker;
    /// The interval is longer than this operation allows.
    IntervalTooLong = "interval.too-long", Asker;
    /// The asked interval is outside the data window of the asker's rights.
    WindowOutside = "window.outside", Asker;
    /// A page larger than allowed.
    PagingTooLarge = "paging.too-large", Asker;
    /// A placeholder that gives several values where one is due.
    PlaceholderMany = "placeholder.many", Asker;
    /// A placeholder that does not exist.
    PlaceholderUnknown = "placeholder.unknown", Asker;
    /// The job was submitted under rights that are no longer the asker's.
    JobScopeChanged = "job.scope-changed", Administrator;
    /// The upstream has no results of this job yet, or not at this place any more.
    JobUnfinished = "job.unfinished", Asker;
    /// Somebody changed a definition since it was read.
    DefinitionChanged = "definition.changed", Asker;
    /// One person keeps as many definitions as may be kept.
    DefinitionsFull = "definition.full", Asker;
    /// A part of an interaction speaks of legs that are not the asker's, too.
    InteractionMixed = "interaction.mixed", Asker;
    /// A recording is not sound of the one form that can be cut to a preview.
    PreviewFormat = "preview.format", Asker;
    /// The file of a recording lies on a host from which no files are fetched.
    PreviewHost = "preview.host", Administrator;
    /// A refusal that a rule file states itself.
    RuleRefused = "rule.refused", Asker;
    /// The second reader could not prove the outgoing query.
    VerifyFailed = "verify.failed", Proxy;
    /// The directory snapshot is older than allowed.
    DirectoryStale = "directory.stale", Administrator;
    /// The decision could not be recorded.
    AuditUnavailable = "audit.unavailable", Proxy;
    /// What has to be kept before it is answered, such as whose a job is, could not be kept or looked up.
    StoreUnavailable = "store.unavailable", Proxy;
    /// The upstream cannot be reached.
    UpstreamUnavailable = "upstream.unavailable", Upstream;
    /// The upstream did not answer in time.
    UpstreamTimeout = "upstream.timeout", Upstream;
    /// The upstream refused the proxy's own credential.
    UpstreamCredential = "upstream.credential", Administrator;
    /// A region that is asked with the token of who asks, and there is none that it would take.
    UpstreamAsker = "upstream.asker", Administrator;
    /// The upstream answered with an error of its own.
    UpstreamRefused = "upstream.refused", Upstream;
    /// The answer broke off or cannot be read, so it cannot be guarded.
    AnswerUnreadable = "answer.unreadable", Upstream;
    /// The answer is larger than the guard may hold.
    AnswerTooLarge = "answer.too-large", Upstream;
    /// The whole exchange took longer than this proxy allows; the cause names the phase.
    ProxyTimeout = "proxy.timeout", Proxy;
    /// Too much is under way.
    Overloaded = "proxy.overloaded", Proxy;
    /// A fault of this program; the connection survives.
    Internal = "proxy.internal", Proxy;
}

/// The asker's own text in a message: whole when it is short, else its beginning.
#[derive(Debug, Clone, Copy)]
pub struct Echo<'a>(pub &'a str);

impl Echo<'_> {
    const MOST: usize = 80;
}

impl std::fmt::Display for Echo<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.char_indices().nth(Self::MOST) {
            None => f.write_str(self.0),
            Some((end, _)) => write!(f, "{}…", self.0.get(..end).unwrap_or_default()),
        }
    }
}

/// Longest cause that is kept, in bytes.
const MOST_CAUSE: usize = 16 * 1024;

/// A decision not to forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    /// What was asked, what is allowed, who can change it: for the asker. Lower case, no full stop.
    pub message: Cow<'static, str>,
    /// Parameters of the message, for machines (`divisions`, `limit`, ...).
    pub params: Vec<(&'static str, String)>,
    /// For the record and for administrators only. Never in an answer.
    pub cause: Option<String>,
    /// The id stood in the path: the upstream's own 404 applies.
    pub in_path: bool,
}

impl Refusal {
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), params: Vec::new(), cause: None, in_path: false }
    }
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        let mut cause = cause.into();
        if cause.len() > MOST_CAUSE {
            cause.truncate(cause.floor_char_boundary(MOST_CAUSE));
            cause.push('…');
        }
        self.cause = Some(cause);
        self
    }
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.params.push((name, value.into()));
        self
    }
    #[must_use]
    pub fn in_path(mut self) -> Self {
        self.in_path = true;
        self
    }

    /// The one answer for ids outside the scope, of another region, dead or invented. INVARIANT: nothing about
    /// the id reaches `message` or `params`.
    pub fn outside(cause: impl Into<String>) -> Self {
        Self::new(
            Code::ScopeOutside,
            "the request names something that is not in your scope; ask the administrator of your division for access",
        )
        .because(cause)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for Refusal {}

/// Something that was narrowed or lost on the way; the asker is told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    pub code: &'static str,
    pub text: String,
}

impl Notice {
    pub fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}
