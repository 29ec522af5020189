//! Compiles the model table: bodies, filters, field lists. Rule files only ever choose from it.

use super::{
    exports,
    format::AccessWord,
    jobs::JobBody,
    looks,
    model_format::{FieldSpec, Filter, JobModel, KindWord, Model, ModelFile},
    paths,
    problem::{Problems, Source, did_you_mean},
    reading::{At, Reader},
    values::Name,
};
use crate::model::{
    aggregation::AggregationModel,
    answer::Keep,
    body::{Access, BodyModel, Dialect, Dimension, Field, FieldKind, FilterModel, Level, ObjectOrd, Proof},
    contract::Data,
};
use std::{collections::BTreeMap, ops::Range, sync::Arc};

/// Mask class of each masked dimension.
pub(super) type Masks = BTreeMap<Box<str>, Box<str>>;

#[derive(Debug, Default)]
pub(super) struct Models {
    pub(super) bodies: BTreeMap<Box<str>, (Arc<BodyModel>, Masks)>,
    pub(super) keeps: BTreeMap<Box<str>, Keep>,
    /// By the name of the body that they change.
    pub(super) jobs: BTreeMap<Box<str>, JobBody>,
}

#[derive(Debug, Default)]
struct Filters(BTreeMap<Box<str>, (FilterModel, Masks)>);

impl Models {
    pub(super) fn compile(files: Vec<(Arc<Source>, ModelFile)>, problems: &mut Problems) -> Self {
        let mut filters = Filters::default();
        let mut models = Self::default();
        for (source, file) in &files {
            let mut reader = Reader { source: source.clone(), problems };
            for (name, filter) in &file.filter {
                if let Some(filter) = &filter.0 {
                    let compiled = compile_filter(filter, &mut reader);
                    once(&mut filters.0, name, compiled, &mut reader);
                }
            }
            for (name, levels) in &file.keep {
                let levels = levels
                    .iter()
                    .map(|(level, fields)| {
                        (level.text.clone(), fields.iter().map(|field| field.as_str().into()).collect())
                    })
                    .collect();
                once(&mut models.keeps, name, Keep { levels }, &mut reader);
            }
        }
        for (source, file) in files {
            let mut reader = Reader { source, problems };
            for (name, model) in file.model {
                let Some(model) = model.0 else { continue };
                let Some(body) = filters.body(&name, &model, &mut reader) else { continue };
                if let Some(job) = model.job.as_ref().and_then(|job| filters.job(job, &body.0, &mut reader)) {
                    models.jobs.insert(name.text.clone(), job);
                }
                once(&mut models.bodies, &name, body, &mut reader);
            }
        }
        models
    }

    pub(super) fn body(&self, name: &At<String>, reader: &mut Reader<'_>) -> Option<&(Arc<BodyModel>, Masks)> {
        let body = self.bodies.get(name.as_str());
        if body.is_none() {
            unknown("body model", name, self.bodies.keys(), name.span.clone(), reader);
        }
        body
    }

    pub(super) fn keep(&self, name: &At<String>, reader: &mut Reader<'_>) -> Option<&Keep> {
        let keep = self.keeps.get(name.as_str());
        if keep.is_none() {
            unknown("list of fields", name, self.keeps.keys(), name.span.clone(), reader);
        }
        keep
    }
}

/// Reports a name that nothing carries.
pub(super) fn unknown<'k>(
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'k Box<str>>,
    span: Range<usize>,
    reader: &mut Reader<'_>,
) {
    let help = did_you_mean(name, known.into_iter().map(|known| &**known));
    reader.problem_with(span, format!("there is no {what} `{name}`"), help);
}

fn once<T>(map: &mut BTreeMap<Box<str>, T>, name: &Name, item: T, reader: &mut Reader<'_>) {
    if map.insert(name.text.clone(), item).is_some() {
        reader.problem(name.span(), format!("`{}` is defined twice", name.text));
    }
}

pub(super) fn access(word: AccessWord) -> Access {
    match word {
        AccessWord::Queue => Access::Queue,
        AccessWord::User => Access::User,
        AccessWord::Division => Access::Division,
        AccessWord::Region => Access::Region,
        AccessWord::Conversation => Access::Conversation,
        AccessWord::Flow => Access::Object(ObjectOrd::Flow),
        AccessWord::Team => Access::Object(ObjectOrd::Team),
        AccessWord::Case => Access::Object(ObjectOrd::Case),
        AccessWord::Label => Access::Object(ObjectOrd::Label),
        AccessWord::Group => Access::Group,
    }
}

fn compile_filter(filter: &Filter, reader: &mut Reader<'_>) -> (FilterModel, Masks) {
    let mut dimensions: BTreeMap<Box<str>, Dimension> = BTreeMap::new();
    let mut masks = Masks::new();
    let mut add = |name: &str, span: Range<usize>, dimension: Dimension, reader: &mut Reader<'_>| {
        let clash = dimensions.keys().any(|known| known.eq_ignore_ascii_case(name));
        if clash {
            reader.problem(span, format!("the dimension `{name}` is classified twice"));
        } else {
            dimensions.insert(name.into(), dimension);
        }
    };
    for (name, word) in &filter.access {
        add(&name.text, name.span(), Dimension::Access(access(*word)), reader);
    }
    for name in filter.attributes.keys() {
        if Level::from(filter.level) == Level::Interaction {
            reader.problem(name.span(), format!("`{}` would say whether some leg has it, visible or not", name.text));
        }
        add(&name.text, name.span(), Dimension::Access(Access::Attribute), reader);
    }
    for name in &filter.plain {
        add(name, name.span.clone(), Dimension::Plain, reader);
    }
    for name in &filter.hidden {
        add(name, name.span.clone(), Dimension::Hidden, reader);
    }
    for (class, names) in &filter.masked {
        for name in names {
            add(name, name.span.clone(), Dimension::Masked, reader);
            masks.insert(name.as_str().into(), class.text.clone());
        }
    }
    let mut words = BTreeMap::new();
    for (name, known) in &filter.words {
        if dimensions.get(&name.text) != Some(&Dimension::Plain) {
            let help = Some("list it under `plain` too".to_owned());
            reader.problem_with(name.span(), format!("`{}` is no plain dimension of this filter", name.text), help);
        }
        if known.is_empty() {
            reader.problem(name.span(), format!("`{}` would accept no value at all", name.text));
        }
        words.insert(name.text.clone(), known.iter().map(|word| word.as_str().into()).collect());
    }
    let metrics = filter.metrics.iter().map(|metric| metric.as_str().into()).collect();
    let attributes = filter.attributes.iter().map(|(name, of)| (name.text.clone(), of.as_str().into())).collect();
    let model =
        FilterModel { level: filter.level.into(), dimensions, attributes, words, metrics, max_depth: filter.max_depth };
    (model, masks)
}

/// Whether a queue or an interaction has to stand at a path, in each item of every list on the way.
fn owns(fields: &[Field], path: &[Box<str>]) -> bool {
    fn at(kind: &FieldKind, path: &[Box<str>]) -> bool {
        match (kind, path) {
            (FieldKind::Id(access), []) => matches!(access, Access::Queue | Access::Conversation),
            (FieldKind::List { of, min, .. }, path) => *min > 0 && at(of, path),
            (FieldKind::Object(fields), path) => owns(fields, path),
            _ => false,
        }
    }
    let Some((name, rest)) = path.split_first() else { return false };
    fields.iter().any(|field| field.name == *name && field.required && at(&field.kind, rest))
}

impl Filters {
    fn body(&self, name: &Name, model: &Model, reader: &mut Reader<'_>) -> Option<(Arc<BodyModel>, Masks)> {
        let dialect = Dialect::from(model.dialect);
        let mut masks = Masks::new();
        let fields = self.fields(&model.fields, dialect, &mut masks, reader);
        let spec = &model.proof;
        let also: Option<Vec<_>> = spec.also.iter().map(|at| paths::definite(at, reader)).collect();
        let proof = match (&spec.filter, &spec.entries, &spec.owners) {
            (None, None, None) if spec.rows.is_some() && spec.also.is_empty() && spec.queues.is_none() => {
                Proof::Rows { at: paths::definite(spec.rows.as_ref()?, reader)? }
            }
            _ if spec.rows.is_some() => return Self::no_proof(spec, reader),
            (Some(at), None, None) if spec.also.is_empty() => Proof::Filter { at: paths::definite(at, reader)? },
            (None, None, Some(owners)) if spec.also.is_empty() && spec.queues.is_none() => {
                Proof::Owners { at: owners.iter().map(|at| paths::through_lists(at, reader)).collect::<Option<_>>()? }
            }
            (None, Some(at), None) => Proof::Entries { at: paths::definite(at, reader)?, also: also? },
            (None, None, None) if spec.queues.is_some() && spec.also.is_empty() => {
                Proof::Lists(exports::lists(spec, reader)?)
            }
            _ => return Self::no_proof(spec, reader),
        };
        let body = BodyModel { name: name.text.clone(), dialect, data: Data::from(model.data), fields: fields?, proof };
        let fits = match &body.proof {
            Proof::Owners { at } => body.filters().is_empty() && at.iter().all(|at| owns(&body.fields, at)),
            Proof::Filter { at } => matches!(body.field(at), Some(FieldKind::Filter(_))),
            Proof::Entries { at, also } => {
                std::iter::once(at).chain(also).all(|at| matches!(body.field(at), Some(FieldKind::Filters(_))))
            }
            Proof::Lists(lists) => exports::fits(lists, &body),
            Proof::Rows { at } => {
                matches!(dialect, Dialect::Criteria | Dialect::Marks)
                    && matches!(body.field(at), Some(FieldKind::Filter(_)))
            }
        };
        if matches!(body.proof, Proof::Owners { .. }) && dialect != Dialect::Genesys {
            let help = "write it in the dialect `genesys`, or leave `owners` out";
            reader.problem_with(spec.span.clone(), "no change is written in this dialect", Some(help.to_owned()));
            return None;
        }
        let parts = !matches!(body.proof, Proof::Owners { .. })
            && looks::any(&body.fields, &|kind| matches!(kind, FieldKind::Part));
        if parts {
            reader.problem(name.span(), "only the body of a change names parts of interactions");
            return None;
        }
        if !fits {
            reader.problem(
                spec.span.clone(),
                "the proof names a path that is no filter, no list of ids of this model, no id of an owner that has to be sent, or as `rows` no list of criteria",
            );
            return None;
        }
        Some((Arc::new(body), masks))
    }

    fn no_proof<T>(spec: &At<super::model_format::Proof>, reader: &mut Reader<'_>) -> Option<T> {
        let help = "write `{ filter = ... }`, `{ rows = ... }`, `{ entries = ..., also = [...] }`, `{ owners = [...] }` or `{ queues = ..., users = ..., view = ..., no-empty = ..., by-agent = [...] }`";
        reader.problem_with(spec.span.clone(), "this is no proof", Some(help.to_owned()));
        None
    }

    fn job(&self, spec: &At<JobModel>, model: &BodyModel, reader: &mut Reader<'_>) -> Option<JobBody> {
        let fields = self.fields(&spec.fields, model.dialect, &mut Masks::new(), reader)?;
        let without = spec.without.iter().map(|name| name.as_str().into()).collect();
        let job = JobBody { without, fields };
        job.fits(model, spec, reader).then_some(job)
    }

    fn fields(
        &self,
        specs: &BTreeMap<Name, At<FieldSpec>>,
        dialect: Dialect,
        masks: &mut Masks,
        reader: &mut Reader<'_>,
    ) -> Option<Vec<Field>> {
        let fields: Vec<_> = specs
            .iter()
            .map(|(name, spec)| {
                let kind = self.kind(spec, dialect, masks, reader)?;
                let (required, masked) = (spec.required.unwrap_or(false), spec.masked.unwrap_or(false));
                Some(Field { name: name.text.clone(), required, masked, kind })
            })
            .collect();
        fields.into_iter().collect()
    }

    fn kind(
        &self,
        spec: &At<FieldSpec>,
        dialect: Dialect,
        masks: &mut Masks,
        reader: &mut Reader<'_>,
    ) -> Option<FieldKind> {
        let mut lacks = |what: &str| -> Option<FieldKind> {
            reader.problem(spec.span.clone(), format!("a field of this kind needs `{what}`"));
            None
        };
        let size = spec.max.and_then(|max| usize::try_from(max).ok());
        Some(match spec.kind {
            KindWord::Text => {
                let Some(max) = size else { return lacks("max") };
                FieldKind::Text { max }
            }
            KindWord::Bool => FieldKind::Bool,
            KindWord::Int => {
                let (Some(min), Some(max)) = (spec.min, spec.max) else {
                    return lacks("min` and `max");
                };
                FieldKind::Int { min, max }
            }
            KindWord::Enum => {
                let Some(words) = &spec.words else {
                    return lacks("words");
                };
                let words = words.iter().map(|word| word.as_str().into()).collect();
                FieldKind::Enum { words, fold: dialect.folds_case() }
            }
            KindWord::Duration => FieldKind::Duration,
            KindWord::TimeZone => FieldKind::TimeZone,
            KindWord::Interval => FieldKind::Interval,
            KindWord::Instant => FieldKind::Instant,
            KindWord::Id => {
                let Some(word) = spec.access else {
                    return lacks("access");
                };
                FieldKind::Id(access(word))
            }
            KindWord::Part => FieldKind::Part,
            KindWord::List => {
                let (Some(of), Some(max)) = (&spec.of, size) else {
                    return lacks("of` and `max");
                };
                let min = spec.min.and_then(|min| usize::try_from(min).ok()).unwrap_or_default();
                FieldKind::List { of: Box::new(self.kind(of, dialect, masks, reader)?), min, max }
            }
            KindWord::Object => {
                if spec.fields.is_empty() {
                    return lacks("fields");
                }
                FieldKind::Object(self.fields(&spec.fields, dialect, masks, reader)?)
            }
            KindWord::Sort | KindWord::Aggregations if !dialect.has_aggregations() => {
                reader.problem(spec.span.clone(), "this dialect neither sorts nor groups in this way");
                return None;
            }
            KindWord::Sort => {
                let (Some(words), Some(max)) = (&spec.words, size) else {
                    return lacks("words` and `max");
                };
                FieldKind::Sort { words: words.iter().map(|word| word.as_str().into()).collect(), max }
            }
            KindWord::Aggregations => {
                let Some(max) = size else { return lacks("max") };
                let words = |list: &Option<Vec<String>>| -> Vec<Box<str>> {
                    list.iter().flatten().map(|word| word.as_str().into()).collect()
                };
                let (mut groups, times) = (words(&spec.groups), words(&spec.times));
                groups.extend(times.iter().filter(|time| !groups.contains(time)).cloned().collect::<Vec<_>>());
                FieldKind::Aggregations(AggregationModel { groups, times, measures: words(&spec.measures), max })
            }
            KindWord::Filter | KindWord::Filters => {
                let Some(name) = &spec.filter else {
                    return lacks("filter");
                };
                let Some((filter, classes)) = self.0.get(name.as_str()) else {
                    unknown("filter", name, self.0.keys(), name.span.clone(), reader);
                    return None;
                };
                masks.extend(classes.clone());
                if spec.kind == KindWord::Filter {
                    FieldKind::Filter(filter.clone())
                } else {
                    FieldKind::Filters(filter.clone())
                }
            }
        })
    }
}
