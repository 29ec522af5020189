//! The shipped model table: what a request body may contain, field by field, and what each dimension means.
//!
//! Everything is an allow-list. The rewriter reads bodies against it, the second reader learns from it which
//! dimension names carry access, so a rule file cannot teach both the same mistake.

use super::{aggregation::AggregationModel, contract::Data, export::IdLists, org::ObjectKind};
use std::collections::BTreeMap;

/// A definite path: object keys from the root.
pub type Path = Vec<Box<str>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Two-level filters of the Genesys Cloud Platform API.
    Genesys,
    /// The report-definition API of the guides.
    Platform,
    /// The query language of OpenSearch, where one document is one leg.
    OpenSearch,
    /// Lists of criteria, by which the Genesys Cloud Platform API searches people and groups.
    Criteria,
    /// The same of evaluations: one field each, and ranges.
    Marks,
}

impl Dialect {
    /// Names of dimensions and words of enums are compared without case.
    pub fn folds_case(self) -> bool {
        self == Self::Genesys
    }

    /// Groups nest, so that a condition can stand beside any part of a filter.
    pub fn nests(self) -> bool {
        matches!(self, Self::Platform | Self::OpenSearch)
    }

    /// Texts such as `${user.queueIds}` stand for what the proxy knows of the asker.
    pub fn has_placeholders(self) -> bool {
        self == Self::Platform
    }

    /// Bodies may ask for buckets and sort as OpenSearch does.
    pub fn has_aggregations(self) -> bool {
        self == Self::OpenSearch
    }
}

#[derive(Debug, Clone)]
pub struct BodyModel {
    pub name: Box<str>,
    pub dialect: Dialect,
    /// What its rows are about, whatever a rule says.
    pub data: Data,
    pub fields: Vec<Field>,
    /// How outgoing bytes of this body show that they stay inside a scope.
    pub proof: Proof,
}

#[derive(Debug, Clone)]
pub struct Field {
    pub name: Box<str>,
    pub required: bool,
    /// Not kept in records: what a mask hides in answers, such as the number of a customer.
    pub masked: bool,
    pub kind: FieldKind,
}

impl Field {
    /// Whether a member with this name is this field: aggregations have two names.
    pub fn is_named(&self, name: &str) -> bool {
        *self.name == *name || (matches!(self.kind, FieldKind::Aggregations(_)) && name == "aggregations")
    }
}

#[derive(Debug, Clone)]
pub enum FieldKind {
    /// Any string of at most so many bytes.
    Text {
        max: usize,
    },
    Bool,
    Int {
        min: i64,
        max: i64,
    },
    /// One of these words; `fold` compares without case and re-emits the canonical spelling.
    Enum {
        words: Vec<Box<str>>,
        fold: bool,
    },
    /// A length of time as ISO 8601 writes it, such as `PT30M`.
    Duration,
    /// The name of a time zone, such as `Europe/London`.
    TimeZone,
    /// `start/end`, both instants with offset.
    Interval,
    /// An instant with offset, or `now`, or `now-<n><m|h|d|w>`.
    Instant,
    /// One id of a kind that access decisions know.
    Id(Access),
    /// The id of an element of the interaction that the same object names.
    Part,
    List {
        of: Box<FieldKind>,
        min: usize,
        max: usize,
    },
    Object(Vec<Field>),
    /// Fields of documents in the order in which rows are sorted by them.
    Sort {
        words: Vec<Box<str>>,
        max: usize,
    },
    /// Buckets and numbers under names that the asker chooses.
    Aggregations(AggregationModel),
    /// One filter.
    Filter(FilterModel),
    /// An array of filters with *exists* semantics per interaction.
    Filters(FilterModel),
}

impl FieldKind {
    /// The closed list that this field, or each item of it, is a word of.
    pub fn words(&self) -> Option<&[Box<str>]> {
        match self {
            Self::Enum { words, .. } | Self::Sort { words, .. } => Some(words),
            Self::Aggregations(model) => Some(&model.groups),
            Self::List { of, .. } => of.words(),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub struct FilterModel {
    /// What the rows are on which a predicate of this filter is evaluated.
    pub level: Level,
    /// Keyed by the canonical name.
    pub dimensions: BTreeMap<Box<str>, Dimension>,
    /// Dimensions that hold a value which the directory binds to a queue, and the attribute of queues that has it.
    pub attributes: BTreeMap<Box<str>, Box<str>>,
    /// The values of plain dimensions that know a closed list, as the upstream spells them; it reads them without case.
    pub words: BTreeMap<Box<str>, Vec<Box<str>>>,
    /// Metrics that may be compared with a range: facts of the interaction itself, or of one leg.
    pub metrics: Vec<Box<str>>,
    /// Where groups nest: how deep.
    pub max_depth: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Level {
    /// Predicates are evaluated on one leg.
    #[default]
    Leg,
    /// Predicates speak of the whole interaction.
    Interaction,
    /// Predicates speak of something attached to the interaction (an evaluation, a survey).
    Attached,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// Carries access: every value is judged.
    Access(Access),
    /// Says nothing about whose leg it is.
    Plain,
    /// Would speak of hidden people or legs: refused in filter, sort and group-by.
    Hidden,
    /// Refused unless the asker's roles lift the mask class of the field with this name.
    Masked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    Queue,
    User,
    Division,
    Region,
    Conversation,
    Object(ObjectOrd),
    /// A group of people: there for whoever sees one of its members.
    Group,
    /// A value of an attribute that the directory binds to one queue. Never an id: what is not bound is nobody's.
    Attribute,
    /// A job of the upstream: its submitter's, as it was bound.
    Job,
    /// Something that is nobody's: a form, a setting, a kind of medium. Only in the path of a `plain` answer.
    Unowned,
}

/// `ObjectKind` with an order, so that it can stand in sorted tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectOrd {
    Flow,
    Team,
    Case,
    Label,
}

impl From<ObjectOrd> for ObjectKind {
    fn from(kind: ObjectOrd) -> Self {
        match kind {
            ObjectOrd::Flow => Self::Flow,
            ObjectOrd::Team => Self::Team,
            ObjectOrd::Case => Self::Case,
            ObjectOrd::Label => Self::Label,
        }
    }
}

/// How the bytes themselves show that a query stays inside a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The filter at this path entails the scope.
    Filter { at: Path },
    /// The array at `at` is not empty and every entry of it entails the scope; so does every entry of `also`.
    Entries { at: Path, also: Vec<Path> },
    /// The body has no filters but lists of ids: what they let through together is inside the scope.
    Lists(IdLists),
    /// A change: what stands at these paths, through lists too, owns what is changed, and every id of the body is judged.
    Owners { at: Vec<Path> },
    /// Nothing does: the filter at this path speaks of fields that are nobody's, and every row is judged.
    Rows { at: Path },
}

impl BodyModel {
    pub fn field(&self, path: &[Box<str>]) -> Option<&FieldKind> {
        let (first, rest) = path.split_first()?;
        let mut kind = &self.fields.iter().find(|field| &field.name == first)?.kind;
        for name in rest {
            let FieldKind::Object(fields) = kind else {
                return None;
            };
            kind = &fields.iter().find(|field| &field.name == name)?.kind;
        }
        Some(kind)
    }

    /// Paths of every filter and array of filters.
    pub fn filters(&self) -> Vec<Path> {
        let mut found = Vec::new();
        let mut levels: Vec<(Path, &[Field])> = vec![(Path::new(), &self.fields)];
        while let Some((above, fields)) = levels.pop() {
            for field in fields {
                let mut path = above.clone();
                path.push(field.name.clone());
                match &field.kind {
                    FieldKind::Filter(_) | FieldKind::Filters(_) => found.push(path),
                    FieldKind::Object(inner) => levels.push((path, inner)),
                    _ => {}
                }
            }
        }
        found
    }

    /// What the filters of the body say of this word: nothing when none of them knows it.
    pub fn dimensions<'m>(&'m self, word: &'m str) -> impl Iterator<Item = Dimension> + 'm {
        self.filters()
            .into_iter()
            .filter_map(|at| self.filter(&at))
            .filter_map(move |filter| filter.dimensions.get(word).copied())
    }

    /// The attribute of queues whose values this word holds, if some filter of the body says so.
    pub fn attribute(&self, word: &str) -> Option<&str> {
        self.filters()
            .into_iter()
            .filter_map(|at| self.filter(&at))
            .find_map(|filter| filter.attributes.get(word))
            .map(|name| &**name)
    }

    pub fn filter(&self, path: &[Box<str>]) -> Option<&FilterModel> {
        match self.field(path)? {
            FieldKind::Filter(model) | FieldKind::Filters(model) => Some(model),
            _ => None,
        }
    }
}

impl FilterModel {
    /// Looks a dimension up as the dialect compares names and gives its canonical spelling.
    pub fn dimension(&self, dialect: Dialect, name: &str) -> Option<(&str, Dimension)> {
        let found = if dialect.folds_case() {
            self.dimensions.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
        } else {
            self.dimensions.get_key_value(name)
        };
        found.map(|(name, kind)| (&**name, *kind))
    }

    /// The canonical name that carries this kind of access, if any does. The first in the table's order wins.
    pub fn carrying(&self, access: Access) -> Option<&str> {
        self.dimensions.iter().find(|(_, kind)| **kind == Dimension::Access(access)).map(|(name, _)| &**name)
    }
}
