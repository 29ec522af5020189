//! What is asked, read by its model: what comes out again, and what is refused, with its place.

mod algebra;
mod criteria_queries;
mod fields;
mod genesys_filters;
mod opensearch_queries;
mod platform_filters;

use super::{
    body::{self, Body},
    filter::{Atom, Filter, Join, Term},
    genesys,
    json::{self, Limits, Value},
    platform,
    reading::Reading,
};
use crate::model::{
    body::{Access, BodyModel, Dialect, Dimension, Field, FieldKind, FilterModel, Level, Path, Proof},
    contract::Data,
    refusal::{Code, Refusal},
};

fn path(path: &str) -> Path {
    path.split('.').map(Into::into).collect()
}

fn value(text: &str) -> Value {
    json::parse(text.as_bytes(), &Limits::default()).unwrap()
}

fn dimensions() -> FilterModel {
    let dimensions = [
        ("queueId", Dimension::Access(Access::Queue)),
        ("userId", Dimension::Access(Access::User)),
        ("agentId", Dimension::Access(Access::User)),
        ("mediaType", Dimension::Plain),
        ("ani", Dimension::Masked),
        ("participantName", Dimension::Hidden),
    ];
    FilterModel {
        attributes: std::collections::BTreeMap::new(),
        level: Level::Leg,
        dimensions: dimensions.into_iter().map(|(name, kind)| (name.into(), kind)).collect(),
        words: std::collections::BTreeMap::new(),
        metrics: vec!["tTalk".into()],
        max_depth: 3,
    }
}

fn model(dialect: Dialect) -> BodyModel {
    let field = |name: &str, required, kind| Field { name: name.into(), required, masked: false, kind };
    let words = |fold| FieldKind::Enum { words: vec!["One".into(), "Two".into()], fold };
    BodyModel {
        name: "Query".into(),
        dialect,
        data: Data::Interaction,
        fields: vec![
            field("interval", true, FieldKind::Interval),
            field("name", false, FieldKind::Text { max: 4 }),
            field("size", false, FieldKind::Int { min: 1, max: 9 }),
            field("flag", false, FieldKind::Bool),
            field("folded", false, words(true)),
            field("exact", false, words(false)),
            field("list", false, FieldKind::List { of: Box::new(words(true)), min: 0, max: 2 }),
            field("from", false, FieldKind::Instant),
            field("step", false, FieldKind::Duration),
            field("zone", false, FieldKind::TimeZone),
            field("id", false, FieldKind::Id(Access::Queue)),
            field("inner", false, FieldKind::Object(vec![field("deep", true, FieldKind::Bool)])),
            field("filter", false, FieldKind::Filter(dimensions())),
            field("filters", false, FieldKind::Filters(dimensions())),
        ],
        proof: Proof::Filter { at: path("filter") },
    }
}

fn read(dialect: Dialect, text: &str) -> Result<Body, Refusal> {
    body::read(&model(dialect), &value(text), &|_, kind| kind == Dimension::Masked)
}

fn again(dialect: Dialect, text: &str) -> String {
    let body = read(dialect, text).unwrap_or_else(|refusal| panic!("{text}: {refusal}"));
    String::from_utf8(body.write(&model(dialect))).unwrap()
}

#[track_caller]
fn refused(dialect: Dialect, text: &str, code: Code, why: &str) {
    let refusal = read(dialect, text).expect_err(text);
    assert_eq!(refusal.code, code, "{text}: {refusal}");
    assert!(refusal.message.contains(why), "{text}: {}", refusal.message);
}
