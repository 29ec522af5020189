//! Compiles one rule into an operation. What a rule rests on must be said by the rule itself.

use super::{
    answer, condition, fetches,
    format::{self, ArchivedWord, Rule, Shared},
    looks,
    models::{self, Masks, Models},
    params::{self, Paging},
    parts, paths,
    permissions::{Opened, Permissions},
    reading::{At, Reader},
    rests::{self, Fits, Listed, Rests},
    sites::Body,
    splits,
    values::Name,
    vocabulary::Lists,
};
use crate::model::{
    answer::{Answer, Shape},
    assumption::Assumption,
    body::{BodyModel, Dialect, Proof},
    contract::{Contract, Data, Effect, ScanProof},
    entitlement::Action,
    operation::{
        Audience, BpoExports, Caller, Class, EmptyScope, Operation, Outside, RefuseWhen, Scan, Site, StaticDead,
    },
    refusal::Code,
    world::Policy,
};
use std::{collections::BTreeMap, ops::Range, sync::Arc};

/// Clauses, predicates and values of one outgoing query, unless the rule says otherwise.
const MAX_CLAUSES: usize = 64;
const MAX_PREDICATES: usize = 20_000;
const MAX_VALUES: usize = 10_000;

/// What rules are compiled against.
#[derive(Debug)]
pub(super) struct Surroundings<'s> {
    pub(super) models: &'s Models,
    pub(super) permissions: &'s Permissions,
    pub(super) policy: &'s Policy,
    pub(super) families: &'s BTreeMap<Name, Option<Shared>>,
}

impl Surroundings<'_> {
    #[expect(clippy::too_many_lines, reason = "one rule, key by key: its lines are the keys of the file")]
    pub(super) fn operation(&self, rule: &At<Rule>, reader: &mut Reader<'_>) -> Option<Operation> {
        let shared = self.shared(rule, reader)?;
        let matched = paths::operation(&rule.r#match, reader);
        let opened = self.permissions.opened_by(&shared, rule, reader);
        let class = required(shared.class, "class", rule, reader).map(Class::from);
        let data = required(shared.data.as_ref(), "data", rule, reader).map(|word| word.value.into());
        let answer_spec = required(shared.answer.as_ref(), "answer", rule, reader);
        let (model, masks) = self.asked(&shared, reader)?;
        let fetch = rule.fetch.as_ref();
        let whose = answer::Whose::of(&shared, fetch.is_some());
        let answer =
            answer_spec.and_then(|spec| answer::compile(spec, self.models, &masks, model.as_deref(), whose, reader));
        let params = params::params(shared.params.as_ref(), reader);
        let paging = paging(&shared, model.as_deref(), reader)?;
        let parts = self.parts(rule, &shared, model.as_deref(), reader);
        let needs = needs(&shared);
        self.check_masks(answer.as_ref(), rule, reader);
        let ((method, template), Opened { permission, demanded, by: opened_by, also }) = (matched?, opened?);
        let (class, data, answer, params, parts) = (class?, data?, answer?, params?, parts?);
        fetches::check(fetch, class, model.as_deref(), reader);
        let (page, ids, scan) = paging.parts();
        let looks = shared.look.is_some();
        rests::scan(scan.as_ref(), answer.shape, shared.page.as_ref(), (model.as_deref(), &parts.sites), looks, reader);
        check_data(model.as_deref(), &shared, data, reader);
        if let Some(written) = answer_spec {
            answer::check_owner(&answer, data, looks, written, reader);
        }
        let below = shared.part.as_ref().is_some_and(|part| parts::leaves_open(part, &template));
        let rests = Rests {
            sites: &parts.sites,
            model: model.as_deref(),
            data,
            page: page.is_some(),
            parts: below || fetch.is_some() || looks && scan.is_some(),
            files: fetch.is_some(),
        };
        rests.check(&needs, rule, reader);
        let part = shared.part.is_some();
        let fits = Fits {
            class,
            method,
            template: &template,
            params: &params,
            shape: answer.shape,
            data,
            part,
            own: shared.own.is_some(),
            looks,
            fetched: fetch.is_some(),
            listed: match (&shared.page, &shared.below) {
                (_, Some(_)) => Listed::Below,
                (Some(_), None) => Listed::Paged,
                (None, None) => Listed::No,
            },
        };
        fits.check(shared.caller.is_some(), model.as_deref(), &rule.r#match, reader);
        let lists = parts.lists(&answer);
        if let Some(model) = &model {
            lists.check(model, rule, reader);
        }
        let words = model.as_ref().map(|model| lists.words(model, data, self.policy)).unwrap_or_default();
        let partly = rests::partly(&shared, model.as_deref(), data, parts.group_by.as_ref());
        let asked = splits::Asked {
            class,
            data,
            shape: answer.shape,
            sites: &parts.sites,
            metrics: parts.metrics.as_ref(),
            model: model.as_deref(),
        };
        let split = shared.split.as_ref().and_then(|split| splits::compile(split, &asked, reader));
        let audience = check_outsourcers(&shared, class, data, &answer, reader);
        let archived = matches!(shared.archived, Some(ArchivedWord::Include));
        // criteria that name what may come back are proved like any query
        let names = model.as_ref().is_some_and(|model| !matches!(model.proof, Proof::Rows { .. }));
        let scan_proof = scan.as_ref().filter(|_| !names).map(|scan| scan_proof(scan, looks));
        let contract = Contract {
            operation: rule.id.as_str().into(),
            method,
            template,
            action: action(class, &shared, rule, reader),
            data,
            params,
            body: model,
            words,
            masks: answer.mask.clone(),
            ids,
            scan: scan_proof,
            shape: answer.shape,
            time: parts.time,
            archived,
            rows_decide: class == Class::Read && matches!(answer.shape, Shape::Conversation | Shape::Conversations),
            max_values: shared.max_values.unwrap_or(MAX_VALUES),
            job: None,
            part,
            links: answer.beside(),
            // tied when every rule is read
            own: None,
            abroad: false,
            effect: if class == Class::Write || fetch.is_some() { Effect::Changes } else { Effect::Reads },
        };
        Some(Operation {
            id: rule.id.as_str().into(),
            class,
            contract: Arc::new(contract),
            opened_by,
            also,
            permission,
            demanded,
            audience,
            outsourcers: shared.outsourcers.as_ref().map(|word| word.value.into()).unwrap_or_default(),
            bpo: shared.bpo.as_ref().map(|word| BpoExports::from(word.value)).unwrap_or_default(),
            rests: partly,
            unproved: needs.iter().copied().filter(|needed| !self.policy.accepted.contains(needed)).collect(),
            needs,
            sites: parts.sites,
            group_by: parts.group_by,
            sort: parts.sort,
            metrics: parts.metrics,
            split,
            division_slot: parts.division_slot,
            page,
            scan,
            below: None,
            caller: shared.caller.map(Caller::from),
            refuse: parts.refuse,
            outside: shared.outside.map(Outside::from).unwrap_or_default(),
            static_dead: shared.r#static.map(StaticDead::from).unwrap_or_default(),
            empty_scope: shared.empty_scope.map(EmptyScope::from).unwrap_or_default(),
            archived,
            max_clauses: shared.max_clauses.unwrap_or(MAX_CLAUSES),
            max_predicates: shared.max_predicates.unwrap_or(MAX_PREDICATES),
            answer,
            job: None,
            // tied when every rule is read
            part: None,
            own: None,
            look: None,
            preview: None,
            definition: None,
            schedule: None,
            abroad: None,
            linked: None,
            asks: None,
        })
    }

    /// What a rule says, with its family. Problems of the family are told by [`Self::operation`].
    pub(super) fn said(&self, rule: &At<Rule>, reader: &Reader<'_>) -> Option<Shared> {
        let mut quiet = super::problem::Problems::default();
        self.shared(rule, &mut Reader { source: reader.source.clone(), problems: &mut quiet })
    }

    /// What a rule refuses of a body, as far as it can be said of this one.
    pub(super) fn refusals(&self, rule: &At<Rule>, model: &BodyModel, reader: &mut Reader<'_>) -> Vec<RefuseWhen> {
        let shared = self.shared(rule, reader);
        let refuse = shared.iter().flat_map(|shared| shared.refuse.iter().flatten());
        refuse.filter_map(|refuse| compile_refuse(refuse, model, reader)).collect()
    }

    fn shared(&self, rule: &At<Rule>, reader: &mut Reader<'_>) -> Option<Shared> {
        let Some(name) = &rule.family else {
            return Some(rule.shared.clone());
        };
        let found = self.families.iter().find(|(family, _)| *family.text == **name);
        if found.is_none() {
            let known: Vec<_> = self.families.keys().map(|family| &family.text).collect();
            models::unknown("family", name, known, name.span.clone(), reader);
        }
        // A family that could not be read has its own problem.
        found.and_then(|(_, family)| family.as_ref()).map(|family| rule.shared.clone().or(family))
    }

    /// The model of the body, where there is one, and its masks.
    fn asked(&self, shared: &Shared, reader: &mut Reader<'_>) -> Option<(Option<Arc<BodyModel>>, Masks)> {
        let Some(name) = &shared.body else { return Some((None, Masks::default())) };
        self.body(name, shared, reader).map(|(model, masks)| (Some(model), masks))
    }

    /// The model, with what this rule hides.
    fn body(&self, name: &At<String>, shared: &Shared, reader: &mut Reader<'_>) -> Option<(Arc<BodyModel>, Masks)> {
        let (model, masks) = self.models.body(name, reader)?;
        if let Some(word) = &shared.dialect
            && Dialect::from(word.value) != model.dialect
        {
            reader.problem(word.span.clone(), format!("the body model `{}` is written in another dialect", **name));
        }
        let mut model = model.clone();
        for narrow in shared.narrow.iter().flatten().filter(|narrow| !narrow.hidden.is_empty()) {
            Body::hide(Arc::make_mut(&mut model), narrow, reader);
        }
        Some((model, masks.clone()))
    }

    fn parts(
        &self,
        rule: &At<Rule>,
        shared: &Shared,
        model: Option<&BodyModel>,
        reader: &mut Reader<'_>,
    ) -> Option<Parts> {
        let Some(model) = model else {
            let speaks = shared.narrow.is_some()
                || shared.time.is_some()
                || shared.sort.is_some()
                || shared.group_by.is_some()
                || shared.metrics.is_some()
                || shared.refuse.is_some()
                || shared.division_slot.is_some();
            if speaks {
                reader.problem(
                    rule.id.span.clone(),
                    "a rule that speaks about a body needs `body`: the name of its model",
                );
            }
            return Some(Parts::default());
        };
        let body = Body { model, policy: self.policy };
        let sites: Vec<_> = shared.narrow.iter().flatten().map(|narrow| body.sites(narrow, reader)).collect();
        let refuse: Vec<_> =
            shared.refuse.iter().flatten().map(|refuse| compile_refuse(refuse, model, reader)).collect();
        let time = shared.time.as_ref().map(|time| body.time(time, reader).ok_or(())).transpose();
        let sort = shared.sort.as_ref().map(|list| body.allow(list, reader).ok_or(())).transpose();
        let group_by = shared.group_by.as_ref().map(|list| body.allow(list, reader).ok_or(())).transpose();
        let metrics = shared.metrics.as_ref().map(|metrics| body.metrics(metrics, reader).ok_or(())).transpose();
        let division_slot =
            shared.division_slot.as_ref().map(|at| body.division_slot(at, reader).ok_or(())).transpose();
        let sites: Vec<Site> = sites.into_iter().collect::<Option<Vec<_>>>()?.concat();
        rests::twice(&sites, rule, reader);
        Some(Parts {
            sites,
            refuse: refuse.into_iter().collect::<Option<_>>()?,
            time: time.ok()?,
            sort: sort.ok()?,
            group_by: group_by.ok()?,
            metrics: metrics.ok()?,
            division_slot: division_slot.ok()?,
        })
    }

    fn check_masks(&self, answer: Option<&Answer>, rule: &At<Rule>, reader: &mut Reader<'_>) {
        for class in answer.iter().flat_map(|answer| answer.mask.values()) {
            if !self.permissions.masks.contains_key(class) {
                let known = self.permissions.masks.keys();
                models::unknown("mask class in `[lift]` named", class, known, rule.id.span.clone(), reader);
            }
        }
    }
}

fn paging(shared: &Shared, model: Option<&BodyModel>, reader: &mut Reader<'_>) -> Option<Paging> {
    match &shared.page {
        Some(page) => params::page(page, params::Described { params: shared.params.as_ref(), model }, reader),
        None => Some(Paging::None),
    }
}

fn scan_proof(scan: &Scan, looks: bool) -> ScanProof {
    let place = scan.walk.as_ref().filter(|walk| walk.by_place).map(|walk| walk.at.clone());
    // tied when every rule is read
    ScanProof { below: None, place, looks }
}

#[derive(Debug, Default)]
struct Parts {
    sites: Vec<Site>,
    refuse: Vec<RefuseWhen>,
    time: Option<crate::model::contract::TimeRule>,
    sort: Option<crate::model::operation::AllowList>,
    group_by: Option<crate::model::operation::AllowList>,
    metrics: Option<crate::model::operation::MetricRule>,
    division_slot: Option<crate::model::body::Path>,
}

/// What is changed is edited, whatever a rule calls it.
fn action(class: Class, shared: &Shared, rule: &At<Rule>, reader: &mut Reader<'_>) -> Action {
    if class == Class::Write || rule.fetch.is_some() {
        looks::check_keys(shared, class, rule.id.span.clone(), reader);
    }
    match (class, shared.action) {
        (Class::Write, _) => Action::Edit,
        (_, action) => action.map_or(Action::View, Action::from),
    }
}

/// For whom an operation is, and what it says to outsourcers.
fn check_outsourcers(shared: &Shared, class: Class, data: Data, answer: &Answer, reader: &mut Reader<'_>) -> Audience {
    let audience = shared.audience.map(Audience::from).unwrap_or_default();
    rests::outsourcers(shared.outsourcers.as_ref(), audience, data, answer, reader);
    if let Some(word) = shared.bpo.as_ref().filter(|_| class != Class::Export) {
        let help = "keep outsourcers out of other operations by `audience = \"internal\"`".to_owned();
        reader.problem_with(word.span.clone(), "only rules of class `export` say `bpo`", Some(help));
    }
    audience
}

impl Parts {
    fn lists<'p>(&'p self, answer: &'p Answer) -> Lists<'p> {
        Lists {
            group_by: self.group_by.as_ref(),
            sort: self.sort.as_ref(),
            metrics: self.metrics.as_ref(),
            source: answer.source.as_ref(),
        }
    }
}

/// The model table says what rows are about; the rule's own word is not believed.
fn check_data(model: Option<&BodyModel>, shared: &Shared, data: Data, reader: &mut Reader<'_>) {
    if let (Some(model), Some(word)) = (model, &shared.data)
        && model.data != data
    {
        let says = format!("a `{}` asks about other data than this", model.name);
        let help = "the model table says what the rows of a body are about: leave this as it is there";
        reader.problem_with(word.span.clone(), says, Some(help.to_owned()));
    }
}

fn required<T>(value: Option<T>, key: &str, rule: &At<Rule>, reader: &mut Reader<'_>) -> Option<T> {
    if value.is_none() {
        let id = rule.id.as_str();
        reader.problem(rule.id.span.clone(), format!("the rule `{id}` and its family do not say `{key}`"));
    }
    value
}

fn compile_refuse(refuse: &format::Refuse, model: &BodyModel, reader: &mut Reader<'_>) -> Option<RefuseWhen> {
    let code = Code::ALL.iter().find(|code| code.as_str() == refuse.code.as_str());
    if code.is_none() {
        code_unknown(&refuse.code, refuse.code.span.clone(), reader);
    }
    let when = condition::compile(&refuse.when, model, reader)?;
    Some(RefuseWhen { when, code: code?.as_str().into(), message: refuse.message.as_str().into() })
}

pub(super) fn code_unknown(code: &str, span: Range<usize>, reader: &mut Reader<'_>) {
    let known: Vec<Box<str>> = Code::ALL.iter().map(|code| code.as_str().into()).collect();
    models::unknown("refusal code", code, &known, span, reader);
}

fn needs(shared: &Shared) -> Vec<Assumption> {
    let needs = shared.needs.iter().flatten();
    needs.map(|word| word.value.into()).collect()
}
