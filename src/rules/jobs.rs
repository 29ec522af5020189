//! The operations of `[rule.job]`: the rule's question, asked now and answered later.

use super::{
    format::{Job, ReachWord, Rule},
    models::{self, Models},
    operation::Surroundings,
    params, paths,
    reading::{At, Reader},
};
use crate::model::{
    answer::Shape,
    assumption::Assumption,
    body::{Access, BodyModel, Path},
    contract::{Contract, Method, Param, ParamKind, Segment, Template},
    job::JobStep,
    operation::{AllowList, Class, JobAnswers, JobPart, MetricRule, Operation, RefuseWhen, Site},
};
use std::sync::Arc;

/// The operation that submits the question of `rule`, and what is done with the job then.
pub(super) fn operations(
    rule: &At<Rule>,
    job: &At<Job>,
    asked: &Operation,
    surroundings: &Surroundings<'_>,
    reader: &mut Reader<'_>,
) -> Option<Vec<Arc<Operation>>> {
    let matched = paths::operation(&job.r#match, reader);
    let further = params::params(Some(&job.params), reader);
    let status = surroundings.models.keep(&job.status, reader).cloned();
    let model = body(asked, surroundings.models, job, reader);
    let ((method, template), further) = (matched?, further?);
    let by_id = template.segments.iter().any(|segment| segment.access().is_some());
    if method != Method::Post || by_id || asked.class != Class::Query || !asked.contract.params.is_empty() {
        let help = "only a rule of class `query` without query parameters is asked as a job: `POST /api/v2/.../jobs`";
        reader.problem_with(job.r#match.span.clone(), "a job is not submitted so", Some(help.to_owned()));
        return None;
    }
    if asked.answer.shape == Shape::Documents {
        reader.problem(job.span.clone(), "documents are not asked for as a job: leave `job` out");
        return None;
    }
    let answers = JobAnswers { id: job.id.as_str().into(), cursor: job.cursor.as_str().into(), status: status? };
    let submit = submit(rule, job, asked, (&template, &model?), answers, surroundings, reader)?;
    let steps = JobStep::ALL.map(|step| Arc::new(about(step, job, &submit, &further)));
    let mut all = vec![submit];
    all.extend(steps);
    Some(all)
}

/// The body of the submission, with what the rule hides.
fn body(asked: &Operation, models: &Models, job: &At<Job>, reader: &mut Reader<'_>) -> Option<Arc<BodyModel>> {
    let model = asked.contract.body.as_ref()?;
    let Some(differs) = models.jobs.get(&model.name) else {
        let help = format!("say what differs in `[model.{}.job]` of the model table", model.name);
        reader.problem_with(job.span.clone(), "the body is not one that a job is submitted with", Some(help));
        return None;
    };
    let mut model = BodyModel::clone(model);
    model.fields.retain(|field| !differs.without.contains(&field.name));
    model.fields.extend(differs.fields.iter().cloned());
    Some(Arc::new(model))
}

fn submit(
    rule: &At<Rule>,
    job: &At<Job>,
    asked: &Operation,
    (template, model): (&Template, &Arc<BodyModel>),
    answers: JobAnswers,
    surroundings: &Surroundings<'_>,
    reader: &mut Reader<'_>,
) -> Option<Arc<Operation>> {
    let is_there = |at: &Path| model.field(at).is_some();
    let id: Box<str> = format!("{}.job", asked.id).into();
    let mut contract = Contract::clone(&asked.contract);
    contract.operation = id.clone();
    contract.template = template.clone();
    contract.body = Some(model.clone());
    contract.words.retain(|words| is_there(&words.at));
    if let (Some(time), Some(reach)) = (&mut contract.time, &job.reach) {
        time.reach = super::lists::reach(reach.value, surroundings.policy);
    }
    let mut rests = asked.rests.clone();
    if let Some(reach) = &job.reach
        && !matches!(reach.value, ReachWord::Contained)
    {
        rests.retain(|rest| *rest != Assumption::LegsContained);
    }
    let mut answer = asked.answer.clone();
    let passing = answer.keep.levels.entry("".into()).or_default();
    passing.extend(job.keep.iter().map(|field| Box::from(field.as_str())));
    passing.push(answers.cursor.clone());
    let sites: Vec<Site> = asked.sites.iter().filter(|site| is_there(&site.at)).cloned().collect();
    if sites.len() < asked.sites.len() {
        reader.problem(job.span.clone(), "the body of the job has no place for the scope");
        return None;
    }
    let list = |list: &Option<AllowList>| list.clone().filter(|list| is_there(&list.at));
    Some(Arc::new(Operation {
        id,
        class: Class::Job,
        contract: Arc::new(contract),
        rests,
        sites,
        group_by: list(&asked.group_by),
        sort: list(&asked.sort),
        metrics: asked.metrics.clone().filter(|metrics: &MetricRule| is_there(&metrics.at)),
        split: None,
        refuse: refuse(rule, surroundings, model, reader),
        answer,
        job: Some(JobPart::Submit(answers)),
        ..asked.clone()
    }))
}

/// What the rule refuses; a condition on a field that a job has not can never hold. The rule's own body has shown their
/// faults already.
fn refuse(rule: &At<Rule>, surroundings: &Surroundings<'_>, model: &BodyModel, reader: &Reader<'_>) -> Vec<RefuseWhen> {
    let mut quiet = super::problem::Problems::default();
    let mut reader = Reader { source: reader.source.clone(), problems: &mut quiet };
    surroundings.refusals(rule, model, &mut reader)
}

fn about(step: JobStep, job: &Job, submit: &Arc<Operation>, further: &[Param]) -> Operation {
    let id: Box<str> = format!("{}.{}", submit.id, step.as_str()).into();
    let mut contract = Contract::clone(&submit.contract);
    contract.operation = id.clone();
    contract.method = if step == JobStep::Cancel { Method::Delete } else { Method::Get };
    contract.template.segments.push(Segment::Param { name: job.id.as_str().into(), access: Access::Job });
    contract.body = None;
    contract.words = Vec::new();
    contract.job = Some((step, submit.contract.clone()));
    if step == JobStep::Results {
        contract.template.segments.push(Segment::Literal("results".into()));
        contract.params = vec![Param { name: job.cursor.as_str().into(), kind: ParamKind::Cursor }];
        contract.params.extend(further.iter().cloned());
    }
    Operation {
        id,
        class: Class::Job,
        contract: Arc::new(contract),
        sites: Vec::new(),
        group_by: None,
        sort: None,
        metrics: None,
        split: None,
        refuse: Vec::new(),
        job: Some(JobPart::Step { step, submit: submit.clone() }),
        ..Operation::clone(submit)
    }
}

/// How the body of a job differs from that of the query.
#[derive(Debug)]
pub(super) struct JobBody {
    pub(super) without: Vec<Box<str>>,
    pub(super) fields: Vec<crate::model::body::Field>,
}

impl JobBody {
    /// Checked against the model that it changes.
    pub(super) fn fits(
        &self,
        model: &BodyModel,
        spec: &At<super::model_format::JobModel>,
        reader: &mut Reader<'_>,
    ) -> bool {
        let known = |name: &str| model.fields.iter().any(|field| *field.name == *name);
        let mut fits = true;
        for name in &spec.without {
            if !known(name) {
                models::unknown("field", name, model.fields.iter().map(|field| &field.name), name.span.clone(), reader);
                fits = false;
            }
        }
        for (name, field) in &spec.fields {
            if known(&name.text) && !self.without.contains(&name.text) {
                reader.problem(field.span.clone(), format!("the body has a field `{}` already", name.text));
                fits = false;
            }
        }
        fits
    }
}
