//! Payloads of the access-control guides, SCIM resources and the workforce system's queue owners, put
//! together into one directory file.
//!
//! Pure: texts in, a [`DirectoryFile`] out, to be written and then loaded like any other. It invents nothing:
//! a right without scope or a person without division is still refused, here or when the result is loaded.
//! Lists that already have the file's own form are taken over, so that regions can be given beside payloads.

mod owners;
mod payload;
mod scim;

use super::{
    file::{DirectoryFile, User},
    problem::{Problem, Source},
    read::{self, syntax},
    shape::Shape,
    tree::{Node, Value, Walk},
};
use serde::de::IgnoredAny;
use std::collections::HashMap;

/// Reads every input by what it is; all problems of all inputs at once.
pub fn import(inputs: Vec<(String, String)>) -> Result<DirectoryFile, Vec<Problem>> {
    let mut import = Import {
        file: DirectoryFile::default(),
        scim: Vec::new(),
        shape: Shape::of(super::schema()),
        problems: Vec::new(),
    };
    let (tables, documents): (Vec<_>, Vec<_>) = inputs.into_iter().partition(|(name, text)| is_table(name, text));
    for (name, text) in &documents {
        import.document(&Source::new(name, text));
    }
    read::name_the_nameless(&mut import.file);
    import.merge_people();
    import.fill_regions();
    for (name, text) in &tables {
        owners::read(&mut import, &Source::new(name, text));
    }
    "imported".clone_into(&mut import.file.version);
    // A list may stand in what could not be read.
    if import.problems.is_empty() {
        import.missing();
    }
    if import.problems.is_empty() { Ok(import.file) } else { Err(import.problems) }
}

fn is_table(name: &str, text: &str) -> bool {
    let is_csv = std::path::Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    is_csv || !text.trim_start().starts_with(['{', '['])
}

struct Import {
    file: DirectoryFile,
    /// People as SCIM tells them, until they are merged.
    scim: Vec<User>,
    shape: Shape,
    problems: Vec<Problem>,
}

impl Import {
    fn document(&mut self, source: &Source<'_>) {
        if let Err(fault) = serde_json::from_str::<IgnoredAny>(source.text) {
            self.problems.push(syntax(source, &fault));
            return;
        }
        let Some(root) = Walk::from(source.text, 0).node() else {
            self.problems.push(read::too_deep(source, 0..1));
            return;
        };
        self.payloads(source, &root, true);
    }

    /// One payload, or an envelope around many.
    fn payloads(&mut self, source: &Source<'_>, node: &Node<'_>, outermost: bool) {
        let has = |keys: &[&str]| node.member(keys).is_some();
        if let Value::List(items) = &node.value {
            for item in items {
                self.payloads(source, item, false);
            }
        } else if let Some(inner) = node.named("Resources").or_else(|| node.member(&["entities"])) {
            self.payloads(source, inner, false);
        } else if scim::is_one(node) {
            scim::read(self, source, node);
        } else if has(&["allowedPermissions", "rolePermissions", "permissions"]) {
            payload::role(self, source, node);
        } else if has(&["email", "userRoles", "bpoUser"]) {
            payload::user(self, source, node);
        } else if has(&["divisionId", "parentDivisionId"]) {
            payload::division(self, source, node);
        } else if outermost && node.members().iter().any(|member| super::places::LISTS.contains(&member.key.as_ref())) {
            match read::read(source.text, source.name) {
                Ok((part, _)) => self.take(part),
                Err(problems) => self.problems.extend(problems),
            }
        } else {
            let what = "this is no payload that can be imported".to_owned();
            let repair = "give roles (`rolePermissions`), users (`email`, `userRoles`), divisions (`divisionId`), SCIM users, or lists of a directory file".to_owned();
            self.problems.push(Problem::at(source, node.span.start..node.span.start + 1, None, what, repair));
        }
    }

    /// Adds the lists of a file in our own form.
    fn take(&mut self, part: DirectoryFile) {
        let file = &mut self.file;
        file.home = part.home.or(file.home);
        if part.default_read != super::file::DefaultRead::default() {
            file.default_read = part.default_read;
        }
        file.unsafe_allow.extend(part.unsafe_allow);
        file.bpo_marks.licences.extend(part.bpo_marks.licences);
        file.bpo_marks.groups.extend(part.bpo_marks.groups);
        file.bpo_marks.mail_domains.extend(part.bpo_marks.mail_domains);
        file.regions.extend(part.regions);
        file.divisions.extend(part.divisions);
        file.folders.extend(part.folders);
        file.groups.extend(part.groups);
        file.roles.extend(part.roles);
        file.views.extend(part.views);
        file.users.extend(part.users);
        file.queues.extend(part.queues);
        file.permission_objects.extend(part.permission_objects);
        file.service_accounts.extend(part.service_accounts);
        file.flows.extend(part.flows);
        file.teams.extend(part.teams);
        file.cases.extend(part.cases);
        file.labels.extend(part.labels);
        file.conflicts.extend(part.conflicts);
        file.grants.extend(part.grants);
    }

    /// The same account from SCIM and from the guides becomes one: by the same id, or where the guides know it
    /// by its mail address only. SCIM brings no rights, so nothing widens but by groups. Two payloads of one
    /// account in the same form stay two, and the loader refuses them.
    fn merge_people(&mut self) {
        let mut at: HashMap<String, usize> =
            self.file.users.iter().enumerate().map(|(nth, user)| (user.id.clone(), nth)).collect();
        let mut by_mail = self.by_mail();
        for user in std::mem::take(&mut self.scim) {
            let mail = user.email.as_deref().map(folded);
            let known = at.get(&user.id).or_else(|| by_mail.get(mail.as_ref()?)).copied();
            if let Some(first) = known.and_then(|nth| self.file.users.get_mut(nth)) {
                merge(first, user);
            } else {
                at.insert(user.id.clone(), self.file.users.len());
                if mail.as_ref() == Some(&folded(&user.id)) {
                    by_mail.entry(folded(&user.id)).or_insert(self.file.users.len());
                }
                self.file.users.push(user);
            }
        }
    }

    /// Accounts that are known by their mail address only. Addresses have no case; two accounts that differ in it would
    /// share one SCIM user, and only one of them its flag.
    fn by_mail(&mut self) -> HashMap<String, usize> {
        let mut by_mail: HashMap<String, usize> = HashMap::new();
        for (nth, user) in self.file.users.iter().enumerate() {
            if user.email.as_deref().is_none_or(|email| folded(email) != folded(&user.id)) {
                continue;
            }
            let first = *by_mail.entry(folded(&user.id)).or_insert(nth);
            let Some(other) = self.file.users.get(first).filter(|other| other.id != user.id) else { continue };
            let what = format!("the users `{}` and `{}` have one mail address", other.id, user.id);
            let repair = "keep one payload of the account, or give each the `id` of the platform".to_owned();
            self.problems.push(Problem::whole("import", what, repair));
        }
        by_mail
    }

    /// A file without regions or divisions would be refused when it is loaded.
    fn missing(&mut self) {
        let needed = [
            (
                "region",
                self.file.regions.is_empty(),
                "lists of a directory file, `{ \"regions\": [{ \"id\": ..., \"upstream\": ... }] }`",
            ),
            (
                "division",
                self.file.divisions.is_empty(),
                "payloads with `divisionId`, or `divisions` of a directory file",
            ),
        ];
        for (kind, missing, give) in needed {
            if missing {
                let what = format!("no input has a {kind}");
                self.problems.push(Problem::whole("import", what, format!("add an input with {give}")));
            }
        }
    }

    /// A person without a region works in that of his division.
    fn fill_regions(&mut self) {
        let above: HashMap<&str, &super::file::Division> =
            self.file.divisions.iter().map(|division| (division.id.as_str(), division)).collect();
        for user in self.file.users.iter_mut().filter(|user| user.region.is_empty()) {
            let mut at = above.get(user.division.as_str());
            // A chain is never longer than the table; the loader tells a cycle.
            for _ in 0..above.len() {
                let Some(division) = at.filter(|division| division.region.is_empty()) else { break };
                at = division.parent.as_deref().and_then(|parent| above.get(parent));
            }
            if let Some(division) = at {
                user.region.clone_from(&division.region);
            }
        }
    }
}

/// A mail address as it is compared.
fn folded(mail: &str) -> String {
    mail.to_lowercase()
}

/// What only one of the two says is kept; the outsourcer's flag and a deactivation count from either.
fn merge(first: &mut User, scim: User) {
    let fill = |mine: &mut String, theirs: String| {
        if mine.is_empty() {
            *mine = theirs;
        }
    };
    first.id = scim.id;
    fill(&mut first.name, scim.name);
    fill(&mut first.division, scim.division);
    fill(&mut first.region, scim.region);
    first.email = first.email.take().or(scim.email);
    first.manager = first.manager.take().or(scim.manager);
    first.bpo |= scim.bpo;
    first.active &= scim.active;
    for group in scim.groups {
        if !first.groups.contains(&group) {
            first.groups.push(group);
        }
    }
}
