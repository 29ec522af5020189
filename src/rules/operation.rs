//! Compiles one rule into an operation. What a rule rests on must be said by the rule itself.

use super::{
    answer, condition,
    format::{
        ActionWord, ArchivedWord, AssumptionWord, AudienceWord, ClassWord, DataWord, EmptyScopeWord, OutsideWord,
        Param, ParamKindWord, Rule, Shared, StaticWord,
    },
    models::{self, Masks, Models},
    paths,
    permissions::{self, Permissions},
    reading::{At, Name, Reader},
    sites::Body,
};
use crate::model::{
    answer::Shape,
    assumption::Assumption,
    body::{BodyModel, Level},
    contract::{Contract, Data, IdsProof, Method, ParamKind, Segment, Template},
    entitlement::Action,
    operation::{Audience, Class, EmptyScope, Entry, Operation, Outside, Page, RefuseWhen, Site, StaticDead},
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
    pub(super) fn operation(&self, rule: &At<Rule>, reader: &mut Reader<'_>) -> Option<Operation> {
        let shared = self.shared(rule, reader)?;
        let matched = paths::operation(&rule.r#match, reader);
        let opened = self.opened_by(&shared, rule, reader);
        let class = required(shared.class, "class", rule, reader).map(class);
        let data = required(shared.data.as_ref().map(data), "data", rule, reader);
        let answer_spec = required(shared.answer.as_ref(), "answer", rule, reader);
        let body = match &shared.body {
            Some(name) => Some(self.body(name, &shared, reader)?),
            None => None,
        };
        let (model, masks) = body.unzip();
        let masks = masks.unwrap_or_default();
        let answer = answer_spec.and_then(|spec| answer::compile(spec, self.models, &masks, reader));
        let params = params(shared.params.as_ref(), reader);
        let page = match &shared.page {
            Some(page) => Some(compile_page(page, shared.params.as_ref(), reader)?),
            None => None,
        };
        let parts = self.parts(rule, &shared, model.as_deref(), reader);
        let needs = needs(&shared);
        self.check_masks(answer.as_ref(), rule, reader);
        let ((method, template), (permission, opened_by)) = (matched?, opened?);
        let (class, data, answer, params, parts) = (class?, data?, answer?, params?, parts?);
        let (page, ids) = page.unzip();
        let rests = Rests { sites: &parts.sites, model: model.as_deref(), data, page: page.is_some() };
        rests.check(&needs, rule, reader);
        shape_fits(class, method, &template, model.as_deref(), page.as_ref(), &rule.r#match, reader);
        let archived = matches!(shared.archived, Some(ArchivedWord::Include));
        let contract = Contract {
            operation: rule.id.as_str().into(),
            method,
            template,
            action: action(shared.action),
            data,
            params,
            body: model,
            ids,
            shape: answer.shape,
            time: parts.time,
            archived,
            rows_decide: answer.shape == Shape::Conversation,
            max_values: shared.max_values.unwrap_or(MAX_VALUES),
        };
        Some(Operation {
            id: rule.id.as_str().into(),
            class,
            contract: Arc::new(contract),
            opened_by,
            permission,
            audience: match shared.audience {
                Some(AudienceWord::Internal) => Audience::Internal,
                Some(AudienceWord::Everybody) | None => Audience::Everybody,
            },
            unproved: needs.into_iter().filter(|needed| !self.policy.accepted.contains(needed)).collect(),
            sites: parts.sites,
            group_by: parts.group_by,
            sort: parts.sort,
            metrics: parts.metrics,
            division_slot: parts.division_slot,
            page,
            refuse: parts.refuse,
            outside: match shared.outside {
                Some(OutsideWord::Narrow) => Outside::Narrow,
                Some(OutsideWord::Refuse) | None => Outside::Refuse,
            },
            static_dead: match shared.r#static {
                Some(StaticWord::Drop) => StaticDead::Drop,
                Some(StaticWord::Refuse) | None => StaticDead::Refuse,
            },
            empty_scope: match shared.empty_scope {
                Some(EmptyScopeWord::Answer) => EmptyScope::Answer,
                Some(EmptyScopeWord::Refuse) | None => EmptyScope::Refuse,
            },
            archived,
            max_clauses: shared.max_clauses.unwrap_or(MAX_CLAUSES),
            max_predicates: shared.max_predicates.unwrap_or(MAX_PREDICATES),
            answer,
        })
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

    fn opened_by(
        &self,
        shared: &Shared,
        rule: &At<Rule>,
        reader: &mut Reader<'_>,
    ) -> Option<(Box<str>, std::collections::BTreeSet<Box<str>>)> {
        let demanded: Vec<&At<String>> = match (&shared.permission, &shared.any) {
            (Some(one), None) => vec![one],
            (None, Some(any)) if !any.is_empty() => any.iter().collect(),
            _ => {
                let help = "nothing passes by default: name the permission, or several of which one is enough";
                let message = "a rule needs `permission` or `any`, not both";
                reader.problem_with(rule.id.span.clone(), message, Some(help.to_owned()));
                return None;
            }
        };
        for permission in &demanded {
            permissions::check(permission, permission.span.clone(), reader);
        }
        let name = demanded.iter().map(|permission| permission.as_str()).collect::<Vec<_>>().join("` or `");
        let opened = demanded.iter().flat_map(|permission| self.permissions.opening(permission)).collect();
        Some((name.into(), opened))
    }

    /// The model, with what this rule hides.
    fn body(&self, name: &At<String>, shared: &Shared, reader: &mut Reader<'_>) -> Option<(Arc<BodyModel>, Masks)> {
        let (model, masks) = self.models.body(name, reader)?;
        if let Some(word) = &shared.dialect
            && models::dialect(word.value) != model.dialect
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
        twice(&sites, rule, reader);
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

    fn check_masks(&self, answer: Option<&crate::model::answer::Answer>, rule: &At<Rule>, reader: &mut Reader<'_>) {
        for class in answer.iter().flat_map(|answer| answer.mask.values()) {
            if !self.permissions.masks.contains_key(class) {
                let known = self.permissions.masks.keys();
                models::unknown("mask class in `[lift]` named", class, known, rule.id.span.clone(), reader);
            }
        }
    }
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

fn required<T>(value: Option<T>, key: &str, rule: &At<Rule>, reader: &mut Reader<'_>) -> Option<T> {
    if value.is_none() {
        let id = rule.id.as_str();
        reader.problem(rule.id.span.clone(), format!("the rule `{id}` and its family do not say `{key}`"));
    }
    value
}

fn twice(sites: &[Site], rule: &At<Rule>, reader: &mut Reader<'_>) {
    for (at, site) in sites.iter().enumerate() {
        if sites.iter().take(at).any(|before| before.at == site.at) {
            reader.problem(rule.id.span.clone(), format!("two places narrow `$.{}`", site.at.join(".")));
        }
    }
}

/// What a rule rests on follows from where it writes the scope.
#[derive(Debug)]
struct Rests<'r> {
    sites: &'r [Site],
    model: Option<&'r BodyModel>,
    data: Data,
    page: bool,
}

impl Rests<'_> {
    fn check(&self, needs: &[Assumption], rule: &At<Rule>, reader: &mut Reader<'_>) {
        let mut rests = Vec::new();
        let level = |site: &Site| self.model.and_then(|model| model.filter(&site.at)).map(|filter| filter.level);
        if self.sites.iter().any(|site| site.entry != Entry::Filter && level(site) == Some(Level::Leg)) {
            rests.extend([Assumption::EntriesAnd, Assumption::SameSegment]);
        }
        if self.data == Data::Interaction && self.sites.iter().any(|site| site.entry == Entry::Filter) {
            rests.push(Assumption::LegFilter);
        }
        if self.page {
            rests.push(Assumption::IdsOnly);
        }
        for missing in rests.into_iter().filter(|rest| !needs.contains(rest)) {
            let help = format!("add it to `needs`: {}", missing.meaning());
            let message = format!("this rule rests on `{}` and does not say so", missing.name());
            reader.problem_with(rule.id.span.clone(), message, Some(help));
        }
        if let Some(model) = self.model {
            let narrowed = |at: &[Box<str>]| self.sites.iter().any(|site| site.at == at);
            let unproved = match &model.proof {
                crate::model::body::Proof::Filter { at } => !narrowed(at),
                crate::model::body::Proof::Entries { at, also } => {
                    !std::iter::once(at).chain(also).all(|at| narrowed(at))
                }
            };
            if unproved {
                let help = "add a `[[rule.narrow]]` for each filter that the model's proof names";
                let message = format!("the rule does not narrow where `{}` proves its scope", model.name);
                reader.problem_with(rule.id.span.clone(), message, Some(help.to_owned()));
            }
            for path in model.filters() {
                if !narrowed(&path) {
                    let help = "add a `[[rule.narrow]]` for it: what the asker sends there must be judged and joined";
                    let message =
                        format!("the filter `$.{}` of `{}` has no place in this rule", path.join("."), model.name);
                    reader.problem_with(rule.id.span.clone(), message, Some(help.to_owned()));
                }
            }
        }
    }
}

/// A request must be able to show that it stays inside the scope.
fn shape_fits(
    class: Class,
    method: Method,
    template: &Template,
    model: Option<&BodyModel>,
    page: Option<&Page>,
    at: &At<String>,
    reader: &mut Reader<'_>,
) {
    let by_id = template.segments.iter().any(|segment| matches!(segment, Segment::Param { .. }));
    let says = match class {
        Class::Query if method != Method::Post || model.is_none() => "a `query` is a `POST` with a `body`",
        Class::List if method != Method::Get || page.is_none() => "a `list` is a `GET` with a `[rule.page]`",
        Class::Read if method != Method::Get || !by_id => "a `read` is a `GET` with an id in its path",
        _ => return,
    };
    reader.problem(at.span.clone(), says);
}

fn params(
    table: Option<&BTreeMap<Name, At<Param>>>,
    reader: &mut Reader<'_>,
) -> Option<Vec<crate::model::contract::Param>> {
    let params: Vec<_> = table
        .into_iter()
        .flatten()
        .map(|(name, param)| {
            let kind = param_kind(param);
            if kind.is_none() {
                let help =
                    "`int` needs `min` and `max`, `enum` needs `words`, `text` needs `max`, `ids` needs `of` and `max`";
                let message = format!("the parameter `{}` is not described", name.text);
                reader.problem_with(param.span.clone(), message, Some(help.to_owned()));
            }
            kind.map(|kind| crate::model::contract::Param { name: name.text.clone(), kind })
        })
        .collect();
    params.into_iter().collect()
}

fn param_kind(param: &Param) -> Option<ParamKind> {
    let size = param.max.and_then(|max| usize::try_from(max).ok());
    Some(match param.kind {
        ParamKindWord::Int => ParamKind::Int { min: param.min?, max: param.max? },
        ParamKindWord::Enum => ParamKind::Enum(param.words.as_ref()?.iter().map(|word| word.as_str().into()).collect()),
        ParamKindWord::Text => ParamKind::Text { max: size? },
        ParamKindWord::Ids => ParamKind::Ids { access: models::access(param.of?), max: size? },
    })
}

fn compile_page(
    page: &At<super::format::Page>,
    params: Option<&BTreeMap<Name, At<Param>>>,
    reader: &mut Reader<'_>,
) -> Option<(Page, IdsProof)> {
    let kind =
        |name: &str| params.into_iter().flatten().find(|(known, _)| &*known.text == name).map(|(_, param)| param.kind);
    let mut named = |name: &At<String>, wanted: ParamKindWord| {
        if kind(name) != Some(wanted) {
            let help = "describe it in `[rule.params]`, with the right `kind`";
            let message = format!("the parameter `{}` is missing or of another kind", **name);
            reader.problem_with(name.span.clone(), message, Some(help.to_owned()));
        }
        Box::<str>::from(name.as_str())
    };
    let access = models::access(page.access);
    let param = named(&page.id, ParamKindWord::Ids);
    let compiled = Page {
        access,
        number: named(&page.number, ParamKindWord::Int),
        size: named(&page.size, ParamKindWord::Int),
        default_size: page.default_size,
        name: page.name.as_ref().map(|name| named(name, ParamKindWord::Text)),
        order: page.order.as_ref().map(|name| named(name, ParamKindWord::Enum)),
        division: page.division.as_ref().map(|name| named(name, ParamKindWord::Ids)),
    };
    if page.default_size < 1 {
        reader.problem(page.span.clone(), "`default-size` is at least 1");
    }
    Some((compiled, IdsProof { param, access }))
}

fn compile_refuse(refuse: &super::format::Refuse, model: &BodyModel, reader: &mut Reader<'_>) -> Option<RefuseWhen> {
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
    let needs = shared.needs.iter().flatten().map(|word| match word.value {
        AssumptionWord::EntriesAnd => Assumption::EntriesAnd,
        AssumptionWord::SameSegment => Assumption::SameSegment,
        AssumptionWord::LegFilter => Assumption::LegFilter,
        AssumptionWord::LegsContained => Assumption::LegsContained,
        AssumptionWord::DivisionOfLeg => Assumption::DivisionOfLeg,
        AssumptionWord::IdsOnly => Assumption::IdsOnly,
    });
    needs.collect()
}

fn class(word: ClassWord) -> Class {
    match word {
        ClassWord::Query => Class::Query,
        ClassWord::List => Class::List,
        ClassWord::Read => Class::Read,
    }
}

fn data(word: &At<DataWord>) -> Data {
    match word.value {
        DataWord::Interaction => Data::Interaction,
        DataWord::Queue => Data::Queue,
        DataWord::User => Data::User,
        DataWord::Division => Data::Division,
        DataWord::Metadata => Data::Metadata,
    }
}

fn action(word: Option<ActionWord>) -> Action {
    match word {
        Some(ActionWord::View) | None => Action::View,
        Some(ActionWord::Playback) => Action::Playback,
        Some(ActionWord::Transcript) => Action::Transcript,
        Some(ActionWord::Export) => Action::Export,
        Some(ActionWord::AddRemove) => Action::AddRemove,
        Some(ActionWord::Preview) => Action::Preview,
    }
}
