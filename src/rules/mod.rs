//! Rule files: read, checked against each other and compiled into [`Rules`].
//!
//! A folder of TOML files says which operations of an upstream are governed and how. [`compile`] is pure: texts in,
//! either everything compiled or every problem of every file, each with its place. It never takes half of a folder,
//! never fills in a permission, and lets no rule widen what the shipped model table says of a body.
//!
//! | file | what |
//! |---|---|
//! | `**/models.toml` | bodies, filters and their dimensions, fields of answers that may pass |
//! | `**/permissions.toml` | what permission strings open, which lift masks |
//! | `**/templates/*.toml` | role templates |
//! | `**/catalogue.jsonl` | operations of the upstream, each governed or denied |
//! | `**/denied.toml` | the reasons for denials |
//! | `**/*.toml` | rules |
//! | `**/*.json` | fixtures of rule tests |
//!
//! ```
//! use bailiwick::{model::world::Policy, rules};
//!
//! let broken = vec![("mine.toml".to_owned(), "[[rule]]\nidd = \"x\"".to_owned())];
//! let problems = rules::compile(broken, Policy::default()).unwrap_err();
//! assert!(problems[0].to_string().contains("the key `id` is missing here"));
//! ```

mod abroad;
mod answer;
mod below;
mod catalogue;
mod condition;
mod exports;
mod fetches;
mod foreign;
mod format;
mod jobs;
mod links;
mod lists;
mod looks;
mod model_format;
mod models;
mod operation;
mod owners;
mod params;
mod parts;
mod paths;
mod permissions;
mod previews;
mod problem;
mod query_test;
mod reading;
mod rests;
mod sameness;
mod saved;
mod schedules;
mod schema;
mod sites;
mod source;
mod splits;
mod values;
mod vocabulary;
pub mod watch;

#[cfg(test)]
mod tests;

pub use catalogue::steps;
pub use permissions::{Template, TemplatePermission};
pub use problem::{Problem, Source};
pub use query_test::{Expect, Fixture, RuleTest, SavedThere, ScheduledThere};
pub use sameness::same;
pub use schema::{schema, schemas};
pub use source::{Unreadable, embedded, read_dir};

use crate::{
    base::hash,
    model::{
        finding::Finding,
        operation::{Operation, Rules},
        routes::{RouteIndex, Slot},
        world::Policy,
    },
};
use catalogue::Catalogue;
use format::RuleFile;
use model_format::{DeniedFile, ModelFile, PermissionFile, TemplateFile};
use models::Models;
use operation::Surroundings;
use parts::Pending;
use permissions::Permissions;
use problem::Problems;
use reading::{At, Keys, Reader};
use std::{collections::BTreeMap, sync::Arc};

/// JSON files by name, for fixtures.
type Attachments = BTreeMap<Box<str>, Arc<str>>;

/// A whole folder, compiled.
#[derive(Debug, Clone)]
pub struct Compiled {
    pub rules: Rules,
    pub fixtures: Vec<Arc<Fixture>>,
    pub tests: Vec<RuleTest>,
    pub templates: Vec<Template>,
    /// What is allowed, but does nothing.
    pub findings: Vec<Finding>,
}

/// Compiles the files of one folder: names with `/` from the folder, and texts.
pub fn compile(files: Vec<(String, String)>, policy: Policy) -> Result<Compiled, Vec<Problem>> {
    let mut problems = Problems::default();
    let folder = Folder::sort(files);
    let version = folder.version(&policy);
    let models = Models::compile(read::<ModelFile>(folder.models, &mut problems), &mut problems);
    let permissions = Permissions::compile(read::<PermissionFile>(folder.permissions, &mut problems), &mut problems);
    let templates = permissions::templates(read::<TemplateFile>(folder.templates, &mut problems), &mut problems);
    let mut rules = Gathered::default();
    for (source, file) in read::<RuleFile>(folder.rules, &mut problems) {
        let mut reader = Reader { source, problems: &mut problems };
        let surroundings =
            Surroundings { models: &models, permissions: &permissions, policy: &policy, families: &families(&file) };
        rules.file(&file, &surroundings, &folder.attachments, &mut reader);
    }
    parts::tie(std::mem::take(&mut rules.parts), &mut rules.operations, &mut problems);
    exports::tie(std::mem::take(&mut rules.own), &mut rules.operations, &mut problems);
    looks::tie(std::mem::take(&mut rules.looks), &mut rules.operations, &mut problems);
    fetches::tie(std::mem::take(&mut rules.fetches), &mut rules.operations);
    previews::tie(std::mem::take(&mut rules.previews), &mut rules.operations, &mut problems);
    let tables = (&models, &permissions);
    abroad::tie(std::mem::take(&mut rules.abroad), &mut rules.operations, tables, &mut problems);
    below::tie(std::mem::take(&mut rules.below), &mut rules.operations, &mut problems);
    schedules::tie(std::mem::take(&mut rules.schedules), &mut rules.operations, &mut problems);
    let mut index = RouteIndex::default();
    for (slot, operation) in rules.operations.iter().enumerate() {
        index.insert(operation.contract.method, operation.contract.template.steps(), Slot::Governed(slot));
    }
    let reasons = read::<DeniedFile>(folder.denied, &mut problems);
    let denials = Catalogue::new(&reasons, &rules.operations, &mut index).read(folder.catalogues, &mut problems);
    permissions.check_idle(&rules.operations, &mut problems);
    if !problems.is_empty() {
        return Err(problems.into_sorted());
    }
    let findings = permissions::findings(&rules.operations, &permissions.actions, &templates, &permissions.idle);
    let Permissions { masks, actions, harmless, analytics, .. } = permissions;
    let Gathered { operations, fixtures, tests, .. } = rules;
    let rules =
        Rules { version: version.into(), policy, operations, denials, index, masks, actions, harmless, analytics };
    Ok(Compiled { rules, fixtures, tests, templates, findings })
}

/// The files of a folder by what they are for, each kind in the order of its names.
#[derive(Debug, Default)]
struct Folder {
    models: Vec<Arc<Source>>,
    permissions: Vec<Arc<Source>>,
    templates: Vec<Arc<Source>>,
    rules: Vec<Arc<Source>>,
    denied: Vec<Arc<Source>>,
    catalogues: Vec<Arc<Source>>,
    attachments: Attachments,
}

impl Folder {
    fn sort(mut files: Vec<(String, String)>) -> Self {
        files.sort();
        let mut folder = Self::default();
        for (name, text) in files {
            if name.rsplit_once('.').is_some_and(|(_, end)| end == "json") {
                folder.attachments.insert(name.into(), text.into());
                continue;
            }
            let kind = match name.rsplit('/').next() {
                Some("models.toml") => &mut folder.models,
                Some("permissions.toml") => &mut folder.permissions,
                Some("denied.toml") => &mut folder.denied,
                Some("catalogue.jsonl") => &mut folder.catalogues,
                _ if name.split('/').any(|part| part == "templates") => &mut folder.templates,
                _ => &mut folder.rules,
            };
            kind.push(Arc::new(Source::new(name, text)));
        }
        folder
    }

    /// The files that decide something.
    fn decisive(&self) -> impl Iterator<Item = &Vec<Arc<Source>>> {
        [&self.models, &self.permissions, &self.templates, &self.rules, &self.denied, &self.catalogues].into_iter()
    }

    /// Same texts and policy, same version; fixtures decide nothing and do not count.
    fn version(&self, policy: &Policy) -> String {
        let mut accepted: Vec<_> = policy.accepted.iter().map(|assumption| assumption.name()).collect();
        accepted.sort_unstable();
        accepted.dedup();
        let mut all = format!("{:?} {} {accepted:?} {:?}\n", policy.role_conflict, policy.require_tests, policy.media);
        for source in self.decisive().flatten() {
            // Lengths keep one file's end apart from the next one's name.
            for part in [&source.name, &source.text] {
                all.push_str(&part.len().to_string());
                all.push(' ');
                all.push_str(part);
            }
        }
        hash::short(all.as_bytes())
    }
}

fn read<T: Keys>(sources: Vec<Arc<Source>>, problems: &mut Problems) -> Vec<(Arc<Source>, T)> {
    let mut files = Vec::new();
    for source in sources {
        let mut reader = Reader { source: source.clone(), problems };
        if let Some(file) = reader.file() {
            files.push((source, file));
        }
    }
    files
}

fn families(file: &RuleFile) -> BTreeMap<values::Name, Option<format::Shared>> {
    file.family.iter().map(|(name, family)| (name.clone(), family.0.clone())).collect()
}

/// Records, metrics and reports name a rule by its id.
fn check_id(id: &At<String>, reader: &mut Reader<'_>) {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    if id.is_empty() || id.len() > MAX_ID || !id.chars().all(plain) {
        let help = format!("name it in 1 to {MAX_ID} letters, digits, `.`, `-` and `_`, such as `queues.list`");
        reader.problem_with(id.span.clone(), "this is no id of a rule".to_owned(), Some(help));
    }
}

const MAX_ID: usize = 100;

/// What the rule files make together.
#[derive(Debug, Default)]
struct Gathered {
    operations: Vec<Arc<Operation>>,
    fixtures: Vec<Arc<Fixture>>,
    tests: Vec<RuleTest>,
    ids: BTreeMap<Box<str>, Box<str>>,
    taken: RouteIndex,
    parts: Vec<Pending>,
    own: Vec<exports::Pending>,
    looks: Vec<looks::Pending>,
    fetches: Vec<fetches::Pending>,
    abroad: Vec<abroad::Pending>,
    previews: Vec<previews::Pending>,
    below: Vec<below::Pending>,
    schedules: Vec<schedules::Pending>,
}

impl Gathered {
    fn file(
        &mut self,
        file: &RuleFile,
        surroundings: &Surroundings<'_>,
        attachments: &Attachments,
        reader: &mut Reader<'_>,
    ) {
        let fixture = query_test::fixture(file, attachments, reader);
        self.fixtures.extend(fixture.clone());
        let rules: Vec<_> = file.rule.iter().filter_map(|rule| rule.0.as_ref()).collect();
        for name in file.family.keys() {
            let used = rules.iter().any(|rule| rule.family.as_ref().is_some_and(|family| **family == *name.text));
            // A rule that could not be read may be the one.
            if !used && rules.len() == file.rule.len() {
                let help = "remove it, or name it as the `family` of a rule";
                reader.problem_with(
                    name.span(),
                    format!("no rule is of the family `{}`", name.text),
                    Some(help.to_owned()),
                );
            }
        }
        for rule in rules {
            check_id(&rule.id, reader);
            if let Some(other) = self.ids.insert(rule.id.as_str().into(), reader.source.name.clone()) {
                reader.problem(rule.id.span.clone(), format!("the id `{}` is already used in `{other}`", *rule.id));
            }
            if surroundings.policy.require_tests && rule.test.is_empty() {
                let help = "add a `[[rule.test]]`: who asks what, and what is sent or refused";
                reader.problem_with(
                    rule.id.span.clone(),
                    format!("the rule `{}` has no test", *rule.id),
                    Some(help.to_owned()),
                );
            }
            self.tests.extend(query_test::tests(rule, fixture.as_ref(), attachments, reader));
            let Some(operation) = surroundings.operation(rule, reader) else { continue };
            let jobs = rule.job.as_ref().and_then(|job| jobs::operations(rule, job, &operation, surroundings, reader));
            let said = surroundings.said(rule, reader).unwrap_or_default();
            if let Some(part) = said.part {
                self.parts.push(Pending { slot: self.operations.len(), part, source: reader.source.clone() });
            }
            if let Some(own) = said.own {
                let pending = exports::Pending { slot: self.operations.len(), own, source: reader.source.clone() };
                self.own.push(pending);
            }
            if let Some(look) = said.look {
                self.looks.push(looks::Pending { slot: self.operations.len(), look, source: reader.source.clone() });
            }
            if let Some(cross) = rule.cross_region.clone() {
                let (slot, source) = (self.operations.len(), reader.source.clone());
                self.abroad.push(abroad::Pending { slot, cross, source });
            }
            if let Some(preview) = rule.preview.clone() {
                let (slot, source) = (self.operations.len(), reader.source.clone());
                self.previews.push(previews::Pending { slot, preview, source });
            }
            if let Some(of) = said.below {
                let source = reader.source.clone();
                self.below.push(below::Pending { slot: self.operations.len(), of, source });
            }
            if let Some(fetch) = &rule.fetch {
                self.fetched(operation, fetch, &rule.r#match, reader);
                continue;
            }
            if let Some(link) = &rule.link {
                let Some((asked, own)) = links::operations(link, operation, reader) else { continue };
                self.add(asked, &rule.r#match, reader);
                self.add(own, &link.r#match, reader);
                continue;
            }
            let operation = Arc::new(operation);
            let saved = rule.saved.as_ref();
            let kept = saved.and_then(|saved| saved::operations(saved, &operation, surroundings, reader));
            self.add(operation, &rule.r#match, reader);
            if let (Some(kept), Some(saved)) = (kept, saved) {
                self.kept(kept, saved, reader);
            }
            for operation in jobs.into_iter().flatten() {
                self.add(operation, rule.job.as_ref().map_or(&rule.r#match, |job| &job.r#match), reader);
            }
        }
    }

    /// An export that names interactions, and what fetches it.
    fn kept(&mut self, kept: Vec<Arc<Operation>>, saved: &At<format::Saved>, reader: &mut Reader<'_>) {
        let run = schedules::run_of(&kept);
        for operation in kept {
            self.add(operation, &saved.r#match, reader);
        }
        let Some((schedules, run)) = saved.schedules.as_ref().zip(run) else { return };
        let (first, recipient) = (self.operations.len(), schedules.recipient.clone());
        for operation in schedules::operations(schedules, &run, reader).into_iter().flatten() {
            self.add(operation, &schedules.r#match, reader);
        }
        self.schedules.push(schedules::Pending { first, recipient, source: reader.source.clone() });
    }

    fn fetched(&mut self, export: Operation, fetch: &At<format::Fetch>, at: &At<String>, reader: &mut Reader<'_>) {
        let Some((export, fetched)) = fetches::operations(fetch, export, reader) else { return };
        let slot = self.operations.len();
        self.add(Arc::new(export), at, reader);
        self.fetches.push(fetches::Pending { export: slot, fetch: self.operations.len() });
        self.add(Arc::new(fetched), &fetch.r#match, reader);
    }

    fn add(&mut self, operation: Arc<Operation>, at: &At<String>, reader: &mut Reader<'_>) {
        let (method, slot) = (operation.contract.method, self.operations.len());
        let template = &operation.contract.template;
        let clash = self.taken.exact(method, template.steps());
        self.taken.insert(method, template.steps(), Slot::Governed(slot));
        if let Some(Slot::Governed(other)) = clash
            && let Some(other) = self.operations.get(other)
        {
            let message = format!("this matches the same paths as the rule `{}`", other.id);
            let help = "a path is governed by one rule, whatever its ids are called";
            reader.problem_with(at.span.clone(), message, Some(help.to_owned()));
        }
        self.operations.push(operation);
    }
}
