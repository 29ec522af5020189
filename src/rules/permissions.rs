//! What permission strings mean here: which ones open an operation, which lift a mask, which open nothing; and the
//! role templates that people start from.

use super::{
    format::{Rule, Shared},
    model_format::{Actions, PermissionFile, TemplateFile, TemplateScopeWord},
    problem::{Problems, Source},
    reading::{At, Reader},
};
use crate::model::{
    entitlement::Action,
    finding::{Finding, Severity},
    operation::Operation,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

type Words = BTreeSet<Box<str>>;

/// A role to start from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub name: Box<str>,
    pub description: Box<str>,
    pub permissions: Vec<TemplatePermission>,
    /// Metadata of other regions.
    pub cross_region: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplatePermission {
    pub name: Box<str>,
    /// `self`, `assigned`, `view`, `group` or `all`.
    pub scope: &'static str,
    pub team: bool,
}

#[derive(Debug, Default)]
pub(super) struct Permissions {
    /// Demanded permission -> every permission that stands for it.
    opens: BTreeMap<Box<str>, Words>,
    pub(super) masks: BTreeMap<Box<str>, Words>,
    pub(super) actions: BTreeMap<Action, Words>,
    pub(super) harmless: Words,
    /// Templates hold these, and no operation here is behind them.
    pub(super) idle: BTreeMap<Box<str>, Idle>,
    pub(super) analytics: Words,
}

/// Where a permission is said to open nothing.
#[derive(Debug)]
pub(super) struct Idle {
    source: Arc<Source>,
    span: std::ops::Range<usize>,
}

/// What opens an operation.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) permission: Box<str>,
    pub(super) demanded: Vec<Box<str>>,
    pub(super) by: BTreeSet<Box<str>>,
    /// One of each of these, too.
    pub(super) also: Vec<BTreeSet<Box<str>>>,
}

impl Permissions {
    pub(super) fn compile(files: Vec<(Arc<Source>, PermissionFile)>, problems: &mut Problems) -> Self {
        let mut compiled = Self::default();
        let mut harmless = Vec::new();
        for (source, file) in files {
            let mut reader = Reader { source, problems };
            for (name, demanded) in file.expand {
                check(&name.text, name.span(), &mut reader);
                for permission in demanded {
                    check(&permission, permission.span.clone(), &mut reader);
                    compiled.opens.entry(permission.as_str().into()).or_default().insert(name.text.clone());
                }
            }
            for (class, lifting) in file.lift {
                compiled.masks.entry(class.text).or_default().extend(words(&lifting, &mut reader));
            }
            for (name, why) in file.idle {
                check(&name.text, name.span(), &mut reader);
                if why.trim().is_empty() {
                    reader.problem(why.span.clone(), "the reason is empty: say why it opens nothing");
                }
                compiled.idle.insert(name.text.clone(), Idle { source: reader.source.clone(), span: name.span() });
            }
            let of = |file: Actions| {
                let Actions { playback, transcript, export } = file;
                [(Action::Playback, playback), (Action::Transcript, transcript), (Action::Export, export)]
            };
            for (action, letting) in file.action.into_iter().flat_map(of) {
                compiled.actions.entry(action).or_default().extend(words(&letting, &mut reader));
            }
            compiled.analytics.extend(words(&file.analytics, &mut reader));
            compiled.harmless.extend(words(&file.harmless, &mut reader));
            harmless.push((reader.source.clone(), file.harmless));
        }
        for (source, permissions) in harmless {
            compiled.check_harmless(&permissions, &mut Reader { source, problems });
        }
        compiled
    }

    /// A permission that stands for another one opens what that one opens.
    fn check_harmless(&self, permissions: &[At<String>], reader: &mut Reader<'_>) {
        for permission in permissions {
            let name = permission.as_str();
            if self.opens.iter().any(|(demanded, by)| **demanded == *name || by.contains(name)) {
                let message = format!("`{name}` opens an operation: it is not harmless");
                reader.problem(permission.span.clone(), message);
            }
        }
    }

    /// What opens something is not idle, and says so falsely.
    pub(super) fn check_idle(&self, operations: &[Arc<Operation>], problems: &mut Problems) {
        let opening: BTreeSet<&str> = opening(operations, &self.actions);
        for (name, Idle { source, span }) in self.idle.iter().filter(|(name, _)| opening.contains(&***name)) {
            let message = format!("`{name}` opens an operation: it is not idle");
            Reader { source: source.clone(), problems }.problem(span.clone(), message);
        }
    }

    /// What a rule demands, and all that stands for it.
    pub(super) fn opened_by(&self, shared: &Shared, rule: &At<Rule>, reader: &mut Reader<'_>) -> Option<Opened> {
        let (demanded, each): (Vec<&At<String>>, bool) = match (&shared.permission, &shared.any, &shared.all) {
            (Some(one), None, None) => (vec![one], false),
            (None, Some(any), None) if !any.is_empty() => (any.iter().collect(), false),
            (None, None, Some(all)) if !all.is_empty() => (all.iter().collect(), true),
            _ => {
                let help = "nothing passes by default: name the permission, several of which one is enough, or several that \
                            are all needed";
                let message = "a rule needs one of `permission`, `any` and `all`";
                reader.problem_with(rule.id.span.clone(), message, Some(help.to_owned()));
                return None;
            }
        };
        for permission in &demanded {
            check(permission, permission.span.clone(), reader);
            if self.harmless.contains(permission.as_str()) {
                let message =
                    format!("`{}` stands in `harmless`: an outsourcer keeps `all` on it", permission.as_str());
                reader.problem(permission.span.clone(), message);
            }
        }
        let between = if each { "` and `" } else { "` or `" };
        let name = demanded.iter().map(|permission| permission.as_str()).collect::<Vec<_>>().join(between);
        let mut sets = demanded.iter().map(|permission| self.opening(permission).into_iter().collect());
        let (opened_by, also) = if each {
            (sets.next()?, sets.collect())
        } else {
            (sets.flatten().collect::<BTreeSet<Box<str>>>(), Vec::new())
        };
        let demanded = demanded.iter().map(|permission| permission.as_str().into()).collect();
        Some(Opened { permission: name.into(), demanded, by: opened_by, also })
    }

    /// The permission itself and all that stand for it.
    pub(super) fn opening(&self, permission: &str) -> Words {
        let mut all = self.opens.get(permission).cloned().unwrap_or_default();
        all.insert(permission.into());
        all
    }
}

fn words(list: &[At<String>], reader: &mut Reader<'_>) -> Words {
    for permission in list {
        check(permission, permission.span.clone(), reader);
    }
    list.iter().map(|permission| permission.as_str().into()).collect()
}

/// `domain:entity:action`, each a word. A star would be inheritance by the back door.
pub(super) fn check(permission: &str, span: std::ops::Range<usize>, reader: &mut Reader<'_>) {
    let word = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let parts: Vec<_> = permission.split(':').collect();
    if parts.len() != 3 || !parts.iter().all(|part| word(part)) {
        let help = "a permission has the form `domain:entity:action`, without wildcards";
        reader.problem_with(span, format!("`{permission}` is not a permission"), Some(help.to_owned()));
    }
}

pub(super) fn templates(files: Vec<(Arc<Source>, TemplateFile)>, problems: &mut Problems) -> Vec<Template> {
    let mut templates: BTreeMap<Box<str>, Template> = BTreeMap::new();
    for (source, file) in files {
        let mut reader = Reader { source, problems };
        for spec in file.template.into_iter().filter_map(|spec| spec.0) {
            let permissions = spec.value.permissions.iter().map(|(name, scope)| {
                check(&name.text, name.span(), &mut reader);
                let (scope, team) = match scope {
                    TemplateScopeWord::Own => ("self", false),
                    TemplateScopeWord::Assigned => ("assigned", false),
                    TemplateScopeWord::Team => ("assigned", true),
                    TemplateScopeWord::View => ("view", false),
                    TemplateScopeWord::Group => ("group", false),
                    TemplateScopeWord::All => ("all", false),
                };
                TemplatePermission { name: name.text.clone(), scope, team }
            });
            let template = Template {
                name: spec.name.as_str().into(),
                description: spec.description.as_str().into(),
                permissions: permissions.collect(),
                cross_region: spec.cross_region.unwrap_or(false),
            };
            if templates.insert(template.name.clone(), template).is_some() {
                reader.problem(spec.name.span.clone(), format!("the template `{}` is defined twice", *spec.name));
            }
        }
    }
    templates.into_values().collect()
}

/// Every permission that is enough, or needed, for something.
fn opening<'n>(operations: &'n [Arc<Operation>], actions: &'n BTreeMap<Action, Words>) -> BTreeSet<&'n str> {
    let abroad = |one: &'n Arc<Operation>| one.abroad.iter().map(|abroad| &abroad.opened_by);
    let sets = operations.iter().flat_map(|one| std::iter::once(&one.opened_by).chain(&one.also).chain(abroad(one)));
    sets.chain(actions.values()).flatten().map(|name| &**name).collect()
}

/// What is allowed, but does nothing.
pub(super) fn findings(
    operations: &[Arc<Operation>],
    actions: &BTreeMap<Action, Words>,
    templates: &[Template],
    known: &BTreeMap<Box<str>, Idle>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let held: BTreeSet<&str> =
        templates.iter().flat_map(|template| template.permissions.iter().map(|permission| &*permission.name)).collect();
    let none = Words::new();
    for operation in operations {
        let opening = std::iter::once(&operation.opened_by).chain(&operation.also);
        let beside = operation.contract.links.iter().map(|action| actions.get(action).unwrap_or(&none));
        if !opening.chain(beside).all(|set| set.iter().any(|permission| held.contains(&**permission))) {
            findings.push(Finding {
                code: "R01",
                severity: Severity::Warning,
                at: format!("rule `{}`", operation.id),
                why: format!("no role template holds a permission that opens it (`{}`)", operation.permission),
                repair: "expand a template permission to it in `permissions.toml`, or add it to a template".to_owned(),
            });
        }
    }
    let opening = opening(operations, actions);
    for template in templates {
        let idle: Vec<_> = template
            .permissions
            .iter()
            .filter(|permission| !opening.contains(&*permission.name) && !known.contains_key(&permission.name))
            .map(|permission| format!("`{}`", permission.name))
            .collect();
        if !idle.is_empty() {
            findings.push(Finding {
                code: "R02",
                severity: Severity::Info,
                at: format!("template `{}`", template.name),
                why: format!("no rule is opened by {}", idle.join(", ")),
                repair: "add the rules that these permissions are for, or leave them out".to_owned(),
            });
        }
    }
    findings
}
