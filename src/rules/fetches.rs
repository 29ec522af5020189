//! `[rule.fetch]`: of an `export` that names interactions, the operation that tells where its files are.

use super::{
    format,
    looks::any,
    paths,
    reading::{At, Reader},
};
use crate::model::{
    answer::{Keep, Shape},
    body::{Access, BodyModel, FieldKind, Proof},
    contract::{Contract, Data, Effect, Method, Param, Segment},
    entitlement::Action,
    job::JobStep,
    operation::{Class, JobAnswers, JobPart, Operation},
};
use std::{ops::Range, sync::Arc};

/// An export, and what fetches it, among all operations. The rest is said when its look is tied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pending {
    pub(super) export: usize,
    pub(super) fetch: usize,
}

/// The export, of whose answer nothing passes but its id, and what fetches it.
pub(super) fn operations(
    fetch: &At<format::Fetch>,
    mut export: Operation,
    reader: &mut Reader<'_>,
) -> Option<(Operation, Operation)> {
    let (method, mut template) = paths::operation(&fetch.r#match, reader)?;
    let ids = template.segments.iter().filter(|segment| segment.access().is_some()).count();
    let (Method::Get, 1, Some(Segment::Param { access, .. })) = (method, ids, template.segments.last_mut()) else {
        let help = "such as `GET /api/v2/.../{jobId}`: its one id ends the path";
        reader.problem_with(fetch.r#match.span.clone(), "an export is not fetched so", Some(help.to_owned()));
        return None;
    };
    *access = Access::Job;
    if export.contract.action != Action::Export {
        let message = "what is fetched as files is asked for with `action = \"export\"`";
        reader.problem(fetch.span.clone(), message);
        return None;
    }
    export.job =
        Some(JobPart::Submit(JobAnswers { id: fetch.id.as_str().into(), cursor: "".into(), status: Keep::default() }));
    let id: Box<str> = format!("{}.{}", export.id, JobStep::Results.as_str()).into();
    let mut contract = Contract::clone(&export.contract);
    contract.operation = id.clone();
    contract.method = method;
    contract.template = template;
    contract.body = None;
    contract.words = Vec::new();
    contract.effect = Effect::Reads;
    let fetched = Operation { id, contract: Arc::new(contract), refuse: Vec::new(), ..export.clone() };
    Some((export, fetched))
}

/// Ties each to the export as it is by now, with what it looks at.
pub(super) fn tie(pending: Vec<Pending>, operations: &mut [Arc<Operation>]) {
    for Pending { export, fetch } in pending {
        let Some(export) = operations.get(export).cloned() else { continue };
        let Some(own) = operations.get_mut(fetch) else { continue };
        let own = Arc::make_mut(own);
        let job = Some((JobStep::Results, export.contract.clone()));
        own.contract = Arc::new(Contract { job, ..Contract::clone(&own.contract) });
        own.unproved.clone_from(&export.unproved);
        own.look.clone_from(&export.look);
        own.job = Some(JobPart::Step { step: JobStep::Results, submit: export });
    }
}

/// What an export that names interactions has to be like.
#[derive(Debug)]
pub(super) struct Named<'r> {
    pub(super) method: Method,
    pub(super) data: Data,
    pub(super) path: &'r [Access],
    pub(super) params: &'r [Param],
    pub(super) shape: Shape,
    pub(super) model: &'r BodyModel,
    /// It has a `[rule.look]`.
    pub(super) looks: bool,
    /// It has a `[rule.fetch]`.
    pub(super) fetched: bool,
}

impl Named<'_> {
    pub(super) fn check(&self, at: Range<usize>, reader: &mut Reader<'_>) {
        let owners = matches!(&self.model.proof, Proof::Owners { at } if !at.is_empty());
        let interaction = |kind: &FieldKind| matches!(kind, FieldKind::Id(Access::Conversation));
        let odd = |kind: &FieldKind| {
            matches!(kind, FieldKind::Id(access) if *access != Access::Conversation) || matches!(kind, FieldKind::Part)
        };
        let fields = &self.model.fields;
        let says = if (self.method, self.data, self.shape) != (Method::Post, Data::Interaction, Shape::Plain) {
            "an `export` of named interactions is a `POST` of `interaction` data with a `plain` answer"
        } else if !self.path.is_empty() || !self.params.is_empty() {
            "an `export` of named interactions has neither ids in its path nor parameters"
        } else if !owners || !any(fields, &interaction) || any(fields, &odd) || !self.model.filters().is_empty() {
            "an `export` of named interactions names them by `owners` of its body, and nothing else by ids"
        } else if !self.looks || !self.fetched {
            "an `export` of named interactions has a `[rule.look]` and a `[rule.fetch]`"
        } else {
            return;
        };
        reader.problem(at, says);
    }
}

/// Only what names interactions in its body is fetched by an id.
pub(super) fn check(
    fetch: Option<&At<format::Fetch>>,
    class: Class,
    model: Option<&BodyModel>,
    reader: &mut Reader<'_>,
) {
    let owners = model.is_some_and(|model| matches!(model.proof, Proof::Owners { .. }));
    if let Some(fetch) = fetch.filter(|_| class != Class::Export || !owners) {
        let message = "only an `export` whose body names interactions is fetched by its id: leave `fetch` out";
        reader.problem(fetch.span.clone(), message);
    }
}
