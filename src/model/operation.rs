//! One operation of the upstream, as a rule governs it. `rules::compile` is its only maker.

use super::{
    answer::{Answer, Keep},
    assumption::Assumption,
    body::{Access, BodyModel, Path},
    change::Look,
    contract::{Contract, Method, Segment},
    definition::DefinitionPart,
    entitlement::Action,
    export::OwnExports,
    job::JobStep,
    part::{Part, Preview},
    routes::{RouteIndex, Slot},
    schedule::SchedulePart,
    world::Policy,
};
use jsonpath_rust::parser::model::JpQuery;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Every governed operation, found by method and path, and what was decided to deny.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Digest of all files and of the policy settings.
    pub version: Box<str>,
    pub policy: Policy,
    pub operations: Vec<Arc<Operation>>,
    pub denials: Vec<Denial>,
    pub index: RouteIndex,
    /// Mask class -> permission that lifts it.
    pub masks: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    /// Action -> permissions that let it be done with what somebody may see.
    pub actions: BTreeMap<Action, BTreeSet<Box<str>>>,
    /// Permissions that open no data at all: the closed list on which an outsourcer keeps `all`.
    pub harmless: BTreeSet<Box<str>>,
    /// Permissions that count as analytics for `role-conflict = "refuse"`.
    pub analytics: BTreeSet<Box<str>>,
}

#[derive(Debug, Clone)]
pub struct Operation {
    pub id: Box<str>,
    pub class: Class,
    /// Method, template, body model, proof: what the second reader holds outgoing requests against.
    pub contract: Arc<Contract>,
    /// Every permission string, template or direct, that opens this operation.
    pub opened_by: BTreeSet<Box<str>>,
    /// Permissions that are needed beside, each with what opens it.
    pub also: Vec<BTreeSet<Box<str>>>,
    /// The permission as the rule names it, for refusals.
    pub permission: Box<str>,
    /// The same as bare strings, for programs.
    pub demanded: Vec<Box<str>>,
    pub audience: Audience,
    /// How outsourcers are kept out of an internal workforce report.
    pub outsourcers: Outsourcers,
    /// Whether outsourcers may have files made.
    pub bpo: BpoExports,
    /// Assumptions this rule needs.
    pub needs: Vec<Assumption>,
    /// Assumptions without which some of its questions are refused.
    pub rests: Vec<Assumption>,
    /// Those of `needs` that nobody vouches for: not empty means closed.
    pub unproved: Vec<Assumption>,
    pub sites: Vec<Site>,
    pub group_by: Option<AllowList>,
    pub sort: Option<AllowList>,
    pub metrics: Option<MetricRule>,
    /// How a question about more people than one query may name is asked.
    pub split: Option<Split>,
    /// Path of the one compulsory division slot (platform).
    pub division_slot: Option<Path>,
    pub page: Option<Page>,
    pub scan: Option<Scan>,
    /// The read of what stands above in the path: who may not read that sees nothing of what is below.
    pub below: Option<Arc<Operation>>,
    /// What is asked of the asker himself: the directory answers, for the upstream knows this proxy alone.
    pub caller: Option<Caller>,
    pub refuse: Vec<RefuseWhen>,
    pub outside: Outside,
    pub static_dead: StaticDead,
    /// What an asker without any entitlement gets.
    pub empty_scope: EmptyScope,
    /// Dead queues count for entitlements that list queues.
    pub archived: bool,
    pub max_clauses: usize,
    pub max_predicates: usize,
    pub answer: Answer,
    pub job: Option<JobPart>,
    /// For what is read of an interaction without its legs.
    pub part: Option<Part>,
    /// For the list of one's own exports.
    pub own: Option<OwnExports>,
    /// For a change that names interactions, and for a list whose rows are of some: what shows their legs.
    pub look: Option<Look>,
    /// For the beginning of a recording, cut here.
    pub preview: Option<Preview>,
    /// For what is done with questions that are kept here.
    pub definition: Option<DefinitionPart>,
    /// Where it is about schedules of such questions.
    pub schedule: Option<SchedulePart>,
    /// The same of another region, for who audits metadata there.
    pub abroad: Option<Arc<Operation>>,
    /// The method and path that ask the same by a link.
    pub linked: Option<Arc<Link>>,
    /// Asks the question of another operation by a link, and is never sent itself.
    pub asks: Option<Arc<Operation>>,
}

/// How a body is asked for by a link: base64 of it in one parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub path: Box<str>,
    pub param: Box<str>,
}

/// What an operation of class `job` does.
#[derive(Debug, Clone)]
pub enum JobPart {
    /// Asks a question that is answered with the id of a job.
    Submit(JobAnswers),
    /// Is about a job that `submit` asked for.
    Step { step: JobStep, submit: Arc<Operation> },
}

/// How answers about a job are read.
#[derive(Debug, Clone)]
pub struct JobAnswers {
    /// The field that holds a new job's id.
    pub id: Box<str>,
    /// The field of results that says where they go on.
    pub cursor: Box<str>,
    /// What passes of how far a job is.
    pub status: Keep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    Query,
    List,
    Read,
    Job,
    /// Has a file made, or lists the asker's own.
    Export,
    /// What is read is nobody's: settings, forms, roles.
    NoData,
    /// Something is made, changed or ended.
    Write,
}

impl Class {
    /// The word of rule files and of the catalogue.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::List => "list",
            Self::Read => "read",
            Self::Job => "job",
            Self::Export => "export",
            Self::NoData => "no-data",
            Self::Write => "write",
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Audience {
    #[default]
    Everybody,
    /// Outsourcers' people are refused.
    Internal,
}

/// What an internal report does with the people of outsourcers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Outsourcers {
    /// They count like everybody in the asker's scope.
    #[default]
    Count,
    /// Their leaf divisions are left out; a leaf that they share with own people cannot be.
    ByDivision,
    /// They themselves are left out where rows carry the user; totals that would count them are refused.
    ByRow,
}

/// What an operation of class `export` says to outsourcers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum BpoExports {
    #[default]
    Refuse,
    Allow,
}

/// A place in the body where the scope is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    pub at: Path,
    /// What an array site does with the scope itself.
    pub entry: Entry,
    /// Dimension names to write with, by kind of access.
    pub carry: Vec<(Access, Box<str>)>,
    pub strength: Strength,
}

impl Site {
    /// The attribute whose values stand for queues here.
    pub fn attribute<'m>(&self, model: &'m BodyModel) -> Option<&'m str> {
        let (_, name) = self.carry.iter().find(|(access, _)| *access == Access::Queue)?;
        model.filter(&self.at)?.attributes.get(name).map(|attribute| &**attribute)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entry {
    /// The site is one filter object.
    Filter,
    /// An array: the whole scope in one entry when the asker sent none, and inside each entry he sent.
    Append,
    /// An array: only inside the entries the asker sent.
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Strength {
    Exact,
    /// Narrows, proves nothing.
    Cover,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowList {
    pub at: Path,
    pub allow: Vec<Box<str>>,
    /// A narrower list for outsourcers; `None`: the same.
    pub bpo_allow: Option<Vec<Box<str>>>,
    /// Raw identifiers, refused as too many rows.
    pub high_cardinality: Vec<Box<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricRule {
    pub at: Path,
    /// Metric -> access kinds it does not have: a predicate on those removes it upstream.
    pub lacks: BTreeMap<Box<str>, Vec<Access>>,
    pub bpo_allow: Option<Vec<Box<str>>>,
}

/// A question that is asked in parts, each about some of the people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// At most so many.
    pub parts: usize,
    /// Metrics whose counts and sums over all people are those over each part, added.
    pub additive: Vec<Box<str>>,
}

/// What can be asked about whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caller {
    User,
    Queues,
    /// Roles, each with the division in which it is held.
    Grants,
    /// The divisions in which a permission is held.
    Divisions,
}

/// How each visible entry of a list is reached once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub access: Access,
    /// Parameters of the page's number and size; `None`: one answer for all ids that are asked for.
    pub paged: Option<Paged>,
    /// Parameter that narrows by name, matched against the directory.
    pub name: Option<Box<str>>,
    /// Parameter with the order, `asc` or `desc`.
    pub order: Option<Box<str>>,
    /// Parameter that narrows by division.
    pub division: Option<Box<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged {
    pub number: Box<str>,
    pub size: Box<str>,
    pub default_size: i64,
}

/// How a list is read of which no request can name the entries: whole, from its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Rows of the upstream that are read at most.
    pub most: usize,
    /// The fields of a row that tell one entry from another.
    pub each: Vec<Path>,
    /// `None`: all of it stands in one answer.
    pub walk: Option<Walk>,
    /// Parameters of which the asker has to name one: without them the list is that of everybody.
    pub narrowed_by: Vec<Box<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// The parameter that says which page, or behind which place.
    pub at: Box<str>,
    /// Whether `at` is a place that only the answer before names.
    pub by_place: bool,
    pub size: Box<str>,
    /// What is asked for at a time.
    pub step: usize,
    pub default_size: usize,
}

#[derive(Debug, Clone)]
pub struct RefuseWhen {
    pub when: Condition,
    pub code: Box<str>,
    pub message: Box<str>,
}

/// May only subtract: a missing member makes a comparison false, a value of the wrong type refuses.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    Compare(Comparison),
    /// Holds when a path finds something in the canonical form of the question. Parsed and checked at load.
    Finds {
        query: JpQuery,
        /// The same in small letters, for the question in small letters: the upstream compares words without case.
        folded: JpQuery,
    },
}

/// A definite path against a literal.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub at: Path,
    pub compare: Compare,
    pub value: ConditionValue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ConditionValue {
    Number(f64),
    Text(Box<str>),
    Bool(bool),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Outside {
    #[default]
    Refuse,
    Narrow,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum StaticDead {
    #[default]
    Refuse,
    Drop,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum EmptyScope {
    #[default]
    Refuse,
    /// The upstream's own empty answer.
    Answer,
}

/// An operation of the upstream that is known, and closed on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// What kind of operation it is, in the word of the catalogue.
    pub class: Box<str>,
    /// The name of the reason, for reports.
    pub reason: Box<str>,
    /// The reason in a sentence, for the asker.
    pub says: Arc<str>,
}

/// Values of path parameters by name.
pub type PathIds<'p> = Vec<(Box<str>, &'p str)>;

impl Rules {
    /// Finds the operation for a canonical path, and the values of its path parameters.
    pub fn find<'p>(&self, method: Method, segments: &[&'p str]) -> Option<(&Arc<Operation>, PathIds<'p>)> {
        let Slot::Governed(slot) = self.index.find(method, segments)? else { return None };
        let operation = self.operations.get(slot)?;
        let params = operation
            .contract
            .template
            .segments
            .iter()
            .zip(segments)
            .filter_map(|(segment, value)| match segment {
                Segment::Param { name, .. } => Some((name.clone(), *value)),
                Segment::Literal(_) => None,
            })
            .collect();
        Some((operation, params))
    }

    /// Why a canonical path is closed, when somebody decided so.
    pub fn denied(&self, method: Method, segments: &[&str]) -> Option<&Denial> {
        match self.index.find(method, segments)? {
            Slot::Denied(slot) => self.denials.get(slot),
            Slot::Governed(_) => None,
        }
    }
}

impl Operation {
    /// What is asked first, where whose something is can only be seen upstream.
    pub fn first_look(&self) -> Option<&Arc<Operation>> {
        let part = self.part.as_ref().map(|part| &part.look);
        // a list has to be read before anybody knows what to look at
        let look = self.look.as_ref().filter(|_| self.scan.is_none());
        part.or_else(|| look.map(|look| &look.operation))
    }

    pub fn body(&self) -> Option<&Arc<BodyModel>> {
        self.contract.body.as_ref()
    }

    /// The attribute by whose values the scope is written, where the upstream knows no queue.
    pub fn carried_attribute(&self) -> Option<&str> {
        let mut exact = self.sites.iter().filter(|site| site.strength == Strength::Exact);
        exact.find_map(|site| site.attribute(self.body()?))
    }
}
