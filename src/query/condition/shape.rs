//! What the canonical form of a body can hold, as far as conditions may look: a path that can find nothing in any
//! body, or a comparison that no body can meet, is a slip of the pen and would let every question pass.

use crate::{
    model::aggregation::AggregationModel,
    model::body::{BodyModel, Dialect, Dimension, Field, FieldKind, FilterModel},
    query::body::duration,
};
use jsonpath_rust::parser::model::{
    Comparable, Comparison, Filter, FilterAtom, FnArg, JpQuery, Literal, Segment, Selector, SingularQuery,
    SingularQuerySegment, Test, TestFunction,
};

/// What can stand at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Number,
    Bool,
    Text,
    /// A length of time in its one spelling.
    Duration,
    /// One of these words.
    Word(Vec<Box<str>>),
    List(Box<Kind>),
    Object(Vec<(Box<str>, Kind)>),
    /// An object whose names are the asker's own, each with a member of this kind.
    Named(Box<Kind>),
}

type Kinds<'k> = Vec<&'k Kind>;

impl Kind {
    /// Of a whole body. Ranges of filters are left out: conditions do not look into them.
    pub fn of(model: &BodyModel) -> Self {
        fields(&model.fields, model.dialect)
    }

    /// Whether a condition can hold for some body; else why it cannot.
    pub fn fits(&self, query: &JpQuery) -> Result<(), String> {
        self.walk(vec![self], &query.segments).map(|_| ())
    }

    /// Whether a value is one that this kind describes.
    pub fn describes(&self, value: &serde_json::Value) -> bool {
        use serde_json::Value;
        match (self, value) {
            (Self::Number, Value::Number(_)) | (Self::Bool, Value::Bool(_)) | (Self::Text, Value::String(_)) => true,
            (Self::Duration, Value::String(text)) => is_canonical(text),
            (Self::Word(words), Value::String(text)) => words.iter().any(|word| **word == **text),
            (Self::List(item), Value::Array(items)) => items.iter().all(|value| item.describes(value)),
            (Self::Object(known), Value::Object(members)) => members.iter().all(|(name, value)| {
                let kind = known.iter().find(|(known, _)| **known == **name);
                name == "range" || kind.is_some_and(|(_, kind)| kind.describes(value))
            }),
            (Self::Named(kind), Value::Object(members)) => members.values().all(|value| kind.describes(value)),
            _ => false,
        }
    }

    fn walk<'k>(&'k self, from: Kinds<'k>, segments: &[Segment]) -> Result<Kinds<'k>, String> {
        segments.iter().try_fold(from, |here, segment| match segment {
            Segment::Selector(selector) => self.select(&here, selector),
            Segment::Selectors(selectors) => {
                let found: Result<Vec<_>, _> = selectors.iter().map(|one| self.select(&here, one)).collect();
                Ok(found?.concat())
            }
            Segment::Descendant(inner) => {
                let mut below = Vec::new();
                for kind in here {
                    kind.with_all_below(&mut below);
                }
                self.walk(below, std::slice::from_ref(inner))
            }
        })
    }

    fn select<'k>(&'k self, here: &[&'k Kind], selector: &Selector) -> Result<Kinds<'k>, String> {
        let found: Kinds<'k> = match selector {
            Selector::Name(name) => here.iter().filter_map(|kind| kind.member(name)).collect(),
            Selector::Index(_) | Selector::Slice(..) => here.iter().filter_map(|kind| kind.item()).collect(),
            Selector::Wildcard | Selector::Filter(_) => here.iter().flat_map(|kind| kind.children()).collect(),
        };
        if found.is_empty() {
            return Err(match selector {
                Selector::Name(name) => format!("there is no field `{name}` at that place: {}", known(here)),
                _ => "there is neither a list nor an object at that place".to_owned(),
            });
        }
        if let Selector::Filter(filter) = selector {
            self.filter(&found, filter)?;
        }
        Ok(found)
    }

    fn filter(&self, items: &[&Kind], filter: &Filter) -> Result<(), String> {
        match filter {
            Filter::Or(parts) | Filter::And(parts) => parts.iter().try_for_each(|part| self.filter(items, part)),
            Filter::Atom(FilterAtom::Filter { expr, .. }) => self.filter(items, expr),
            Filter::Atom(FilterAtom::Test { expr, .. }) => self.tested(items, expr).map(|_| ()),
            Filter::Atom(FilterAtom::Comparison(comparison)) => self.comparison(items, comparison),
        }
    }

    fn tested<'k>(&'k self, items: &[&'k Kind], test: &Test) -> Result<Kinds<'k>, String> {
        match test {
            Test::RelQuery(segments) => self.walk(items.to_vec(), segments),
            Test::AbsQuery(query) => self.walk(vec![self], &query.segments),
            Test::Function(_) => Err("a function is compared with a whole number".to_owned()),
        }
    }

    fn comparison(&self, items: &[&Kind], comparison: &Comparison) -> Result<(), String> {
        let equality = matches!(comparison, Comparison::Eq(..) | Comparison::Ne(..));
        let meet = match comparison.vals() {
            (Comparable::Function(function), _) | (_, Comparable::Function(function)) => {
                let (argument, measured) = match function {
                    TestFunction::Length(argument) => (&**argument, true),
                    TestFunction::Count(argument) => (argument, false),
                    _ => return Err("this function is not governed here".to_owned()),
                };
                let FnArg::Test(test) = argument else {
                    return Err("a function takes a path that begins with `@` or `$`".to_owned());
                };
                let found = self.tested(items, test)?;
                !measured || found.iter().any(|kind| !matches!(kind, Self::Number | Self::Bool))
            }
            (Comparable::SingularQuery(query), Comparable::Literal(literal))
            | (Comparable::Literal(literal), Comparable::SingularQuery(query)) => {
                self.singular(items, query)?.iter().any(|kind| kind.meets(literal, equality))
            }
            (Comparable::SingularQuery(left), Comparable::SingularQuery(right)) => {
                let right = self.singular(items, right)?;
                let pairs = |one: &&Kind| right.iter().any(|other| one.compares(other, equality));
                self.singular(items, left)?.iter().any(pairs)
            }
            (Comparable::Literal(_), Comparable::Literal(_)) => false,
        };
        if meet {
            return Ok(());
        }
        Err("a comparison of it can never hold: numbers are compared with numbers, texts with texts, words with words that the field knows, lengths of time in their shortest spelling (`PT1H`, not `PT60M`); only numbers have an order".to_owned())
    }

    fn singular<'k>(&'k self, items: &[&'k Kind], query: &SingularQuery) -> Result<Kinds<'k>, String> {
        let (from, segments) = match query {
            SingularQuery::Current(segments) => (items.to_vec(), segments),
            SingularQuery::Root(segments) => (vec![self], segments),
        };
        let selectors = segments.iter().map(|segment| match segment {
            SingularQuerySegment::Name(name) => Selector::Name(name.clone()),
            SingularQuerySegment::Index(index) => Selector::Index(*index),
        });
        selectors.into_iter().try_fold(from, |here, selector| self.select(&here, &selector))
    }

    fn meets(&self, literal: &Literal, equality: bool) -> bool {
        match (self, literal) {
            (Self::Number, Literal::Int(_)) => true,
            (Self::Bool, Literal::Bool(_)) | (Self::Text, Literal::String(_)) => equality,
            (Self::Duration, Literal::String(text)) => equality && is_canonical(text),
            (Self::Word(words), Literal::String(text)) => equality && words.iter().any(|word| **word == **text),
            _ => false,
        }
    }

    fn compares(&self, other: &Self, equality: bool) -> bool {
        match (self, other) {
            (Self::Number, Self::Number) => true,
            (Self::Bool, Self::Bool) | (Self::Text | Self::Word(_), Self::Text | Self::Word(_)) => equality,
            _ => false,
        }
    }

    fn member(&self, name: &str) -> Option<&Self> {
        let members = match self {
            Self::Object(members) => members,
            Self::Named(kind) => return Some(kind),
            _ => return None,
        };
        members.iter().find(|(known, _)| **known == *name).map(|(_, kind)| kind)
    }

    fn item(&self) -> Option<&Self> {
        if let Self::List(item) = self { Some(item) } else { None }
    }

    fn children(&self) -> Kinds<'_> {
        match self {
            Self::List(item) | Self::Named(item) => vec![item],
            Self::Object(members) => members.iter().map(|(_, kind)| kind).collect(),
            Self::Number | Self::Bool | Self::Text | Self::Duration | Self::Word(_) => Vec::new(),
        }
    }

    fn with_all_below<'k>(&'k self, below: &mut Kinds<'k>) {
        below.push(self);
        for child in self.children() {
            child.with_all_below(below);
        }
    }
}

fn known(here: &[&Kind]) -> String {
    let mut names: Vec<_> = here
        .iter()
        .filter_map(|kind| if let Kind::Object(members) = kind { Some(members) } else { None })
        .flat_map(|members| members.iter().map(|(name, _)| format!("`{name}`")))
        .collect();
    names.sort();
    names.dedup();
    if names.is_empty() { "it is no object".to_owned() } else { format!("known are {}", names.join(", ")) }
}

fn fields(fields: &[Field], dialect: Dialect) -> Kind {
    Kind::Object(fields.iter().map(|field| (field.name.clone(), kind(&field.kind, dialect))).collect())
}

fn kind(kind_of_field: &FieldKind, dialect: Dialect) -> Kind {
    let filter = |model: &FilterModel| match dialect {
        Dialect::Genesys => genesys(model),
        Dialect::Platform => platform(model, model.max_depth.max(1)),
        // conditions do not look deeper
        Dialect::OpenSearch => opensearch(model, model.max_depth.clamp(1, 4)),
        Dialect::Criteria => criteria(model),
        Dialect::Marks => marks(model),
    };
    match kind_of_field {
        FieldKind::Duration => Kind::Duration,
        FieldKind::Text { .. }
        | FieldKind::TimeZone
        | FieldKind::Interval
        | FieldKind::Instant
        | FieldKind::Id(_)
        | FieldKind::Part => Kind::Text,
        FieldKind::Bool => Kind::Bool,
        FieldKind::Int { .. } => Kind::Number,
        FieldKind::Enum { words, .. } => Kind::Word(words.clone()),
        FieldKind::List { of, .. } => Kind::List(Box::new(kind(of, dialect))),
        FieldKind::Object(inner) => fields(inner, dialect),
        FieldKind::Sort { words: known, .. } => {
            let order = || object([("order", words(["asc", "desc"]))]);
            Kind::List(Box::new(Kind::Object(known.iter().map(|word| (word.clone(), order())).collect())))
        }
        FieldKind::Aggregations(model) => aggregations(model),
        FieldKind::Filter(model) => filter(model),
        FieldKind::Filters(model) => Kind::List(Box::new(filter(model))),
    }
}

/// As `genesys::write` spells a filter: short predicates, two levels.
fn genesys(model: &FilterModel) -> Kind {
    let predicate = object([
        ("type", words(["metric"])),
        ("dimension", dimensions(model, Dialect::Genesys)),
        ("metric", Kind::Word(model.metrics.clone())),
        ("operator", words(["exists", "notExists"])),
        ("value", Kind::Text),
    ]);
    let join = || words(["and", "or"]);
    let predicates = || Kind::List(Box::new(predicate.clone()));
    let clause = object([("type", join()), ("predicates", predicates())]);
    object([("type", join()), ("clauses", Kind::List(Box::new(clause))), ("predicates", predicates())])
}

/// As `platform::write` spells a filter: one name for each kind of access, `EQUALS` for one value.
fn platform(model: &FilterModel, depth: usize) -> Kind {
    let operators = ["EQUALS", "NOT_EQUALS", "IN", "NOT_IN", "EXISTS", "NOT_EXISTS", "GT", "GTE", "LT", "LTE"];
    let predicate = object([
        ("dimension", dimensions(model, Dialect::Platform)),
        ("operator", words(operators)),
        ("values", Kind::List(Box::new(Kind::Text))),
    ]);
    let level = |inner: Option<Kind>| {
        let mut members = vec![
            (Box::from("type"), words(["AND", "OR"])),
            (Box::from("predicates"), Kind::List(Box::new(predicate.clone()))),
        ];
        members.extend(inner.map(|inner| (Box::from("clauses"), Kind::List(Box::new(inner)))));
        Kind::Object(members)
    };
    (1..depth).fold(level(None), |inner, _| level(Some(inner)))
}

/// As `opensearch::write` spells a query: entries of one `bool`, negated predicates each in a `bool` of their own.
fn opensearch(model: &FilterModel, depth: usize) -> Kind {
    let Kind::Word(names) = dimensions(model, Dialect::OpenSearch) else { return Kind::Object(Vec::new()) };
    let by_name = |kind: &Kind| Kind::Object(names.iter().map(|name| (name.clone(), kind.clone())).collect());
    let leaf = || {
        vec![
            (Box::from("term"), by_name(&Kind::Text)),
            (Box::from("terms"), by_name(&Kind::List(Box::new(Kind::Text)))),
            (Box::from("exists"), object([("field", Kind::Word(names.clone()))])),
            (Box::from("match_all"), Kind::Object(Vec::new())),
        ]
    };
    let level = |inner: Option<Kind>| {
        let negated = Kind::List(Box::new(Kind::Object(leaf())));
        let mut members = vec![(Box::from("must_not"), negated), (Box::from("minimum_should_match"), Kind::Number)];
        for group in ["filter", "should"] {
            let item = inner.clone().unwrap_or_else(|| Kind::Object(leaf()));
            members.push((group.into(), Kind::List(Box::new(item))));
        }
        let mut all = leaf();
        all.push(("bool".into(), Kind::Object(members)));
        Kind::Object(all)
    };
    (0..depth).fold(level(None), |inner, _| level(Some(inner)))
}

/// As `criteria::write` spells them.
fn criteria(model: &FilterModel) -> Kind {
    Kind::List(Box::new(object([
        ("fields", Kind::List(Box::new(dimensions(model, Dialect::Criteria)))),
        ("operator", words(["AND"])),
        ("type", words(["CONTAINS", "EXACT", "STARTS_WITH", "TERM", "TERMS"])),
        ("value", Kind::Text),
        ("values", Kind::List(Box::new(Kind::Text))),
    ])))
}

/// As `marks::text_of` spells them.
fn marks(model: &FilterModel) -> Kind {
    Kind::List(Box::new(object([
        ("field", dimensions(model, Dialect::Marks)),
        ("operator", words(["AND"])),
        ("type", Kind::Text),
        ("value", Kind::Text),
        ("values", Kind::List(Box::new(Kind::Text))),
        ("startValue", Kind::Text),
        ("endValue", Kind::Text),
    ])))
}

/// As `opensearch::aggregations` spells them: what makes buckets, and what is inside them.
fn aggregations(model: &AggregationModel) -> Kind {
    let of = |fields: &[Box<str>]| Kind::Word(fields.to_vec());
    let number = || object([("field", of(&model.measures))]);
    let way = || words(["asc", "desc"]);
    let level = |inner: Option<Kind>| {
        let terms = object([
            ("field", of(&model.groups)),
            ("size", Kind::Number),
            ("order", object([("_count", way()), ("_key", way())])),
            ("min_doc_count", Kind::Number),
        ]);
        let histogram = object([
            ("field", of(&model.times)),
            ("calendar_interval", Kind::Text),
            ("fixed_interval", Kind::Text),
            ("min_doc_count", Kind::Number),
        ]);
        let mut members = vec![(Box::from("terms"), terms), (Box::from("date_histogram"), histogram)];
        members.extend(["avg", "sum", "min", "max", "value_count"].map(|kind| (Box::from(kind), number())));
        members.extend(inner.map(|inner| (Box::from("aggs"), inner)));
        Kind::Named(Box::new(Kind::Object(members)))
    };
    level(Some(level(None)))
}

fn dimensions(model: &FilterModel, dialect: Dialect) -> Kind {
    let spelt = |name: &str, dimension: Dimension| match (dialect, dimension) {
        (_, Dimension::Hidden) => false,
        (Dialect::Platform, Dimension::Access(access)) => model.carrying(access) == Some(name),
        _ => true,
    };
    let names = model.dimensions.iter().filter(|(name, dimension)| spelt(name, **dimension));
    Kind::Word(names.map(|(name, _)| name.clone()).collect())
}

fn is_canonical(length: &str) -> bool {
    duration(length).is_some_and(|canonical| canonical == *length)
}

fn words<const N: usize>(words: [&str; N]) -> Kind {
    Kind::Word(words.into_iter().map(Into::into).collect())
}

fn object<const N: usize>(members: [(&str, Kind); N]) -> Kind {
    Kind::Object(members.into_iter().map(|(name, kind)| (name.into(), kind)).collect())
}
