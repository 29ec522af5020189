//! The list of an upstream's operations: each is governed by a rule, or denied with a reason. What stands here and
//! what the rules say must agree, so that nothing is open or closed by forgetting.

use super::{
    model_format::DeniedFile,
    problem::{Problem, Problems, Source, did_you_mean},
};
use crate::model::{
    contract::Method,
    operation::{Denial, Operation},
    routes::{RouteIndex, Slot, Step},
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

/// One line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'l> {
    method: &'l str,
    path: &'l str,
    class: &'l str,
    decision: &'l str,
    reason: Option<&'l str>,
}

const CLASSES: [&str; 7] = ["query", "list", "read", "job", "export", "write", "no-data"];

#[derive(Debug)]
pub(super) struct Catalogue<'c> {
    files: &'c [(Arc<Source>, DeniedFile)],
    reasons: BTreeMap<&'c str, Arc<str>>,
    operations: &'c [Arc<Operation>],
    index: &'c mut RouteIndex,
    denials: Vec<Denial>,
    rules_missing: bool,
    used: BTreeSet<Box<str>>,
}

impl<'c> Catalogue<'c> {
    /// `index` knows the governed operations and learns the denied ones.
    pub(super) fn new(
        files: &'c [(Arc<Source>, DeniedFile)],
        operations: &'c [Arc<Operation>],
        index: &'c mut RouteIndex,
    ) -> Self {
        let named = files.iter().flat_map(|(_, file)| &file.reason);
        let reasons = named.map(|(name, says)| (&*name.text, says.as_str().into())).collect();
        Self { files, reasons, operations, index, denials: Vec::new(), rules_missing: false, used: BTreeSet::new() }
    }

    pub(super) fn read(mut self, sources: Vec<Arc<Source>>, problems: &mut Problems) -> Vec<Denial> {
        let before = problems.len();
        self.rules_missing = before > 0;
        for source in sources {
            let mut start = 0;
            for text in source.text.split_inclusive('\n') {
                let line = text.trim_end();
                if let Err((message, help)) = if line.is_empty() { Ok(()) } else { self.line(line) } {
                    problems.add(Problem { source: source.clone(), span: start..start + line.len(), message, help });
                }
                start += text.len();
            }
        }
        if problems.len() == before {
            self.check_reasons(problems);
        }
        self.denials
    }

    fn line(&mut self, text: &str) -> Result<(), (String, Option<String>)> {
        let line: Line<'_> = serde_json::from_str(text).map_err(|error| {
            let help = "a line is `{\"method\": \"GET\", \"path\": \"/api/v2/...\", \"class\": \"list\", \"decision\": \"deny\", \"reason\": \"...\"}`";
            (format!("this line cannot be read: {error}"), Some(help.to_owned()))
        })?;
        let method = Method::named(line.method).ok_or_else(|| (format!("`{}` is no method", line.method), None))?;
        let steps = steps(line.path).ok_or_else(|| (format!("`{}` is no path", line.path), None))?;
        known(line.class, &CLASSES)?;
        let there = self.index.exact(method, steps.iter().copied());
        let name = format!("`{} {}`", line.method, line.path);
        match (line.decision, there, line.reason) {
            (_, Some(Slot::Denied(_)), _) => Err((format!("{name} is already denied"), None)),
            ("govern", Some(Slot::Governed(slot)), None) => match self.operations.get(slot) {
                Some(rule) if rule.class.as_str() != line.class => {
                    Err((format!("{name} is a `{}` by the rule `{}`", rule.class.as_str(), rule.id), None))
                }
                _ => Ok(()),
            },
            ("govern", Some(Slot::Governed(_)), Some(_)) => {
                Err((format!("{name} is governed: a reason belongs to a denial"), None))
            }
            // A rule that could not be read may be the one.
            ("govern", None, _) if self.rules_missing => Ok(()),
            ("govern", None, _) => {
                let help = "write a rule for it, or deny it with a reason";
                Err((format!("no rule governs {name}"), Some(help.to_owned())))
            }
            ("deny", Some(Slot::Governed(_)), _) => {
                let help = "remove the rule, or say `govern` here";
                Err((format!("{name} is denied here and governed by a rule"), Some(help.to_owned())))
            }
            ("deny", None, Some(reason)) => self.deny(method, &steps, line.class, reason),
            ("deny", None, None) => Err((format!("{name} is denied without a reason"), None)),
            (other, ..) => known(other, &["govern", "deny"]),
        }
    }

    fn deny(
        &mut self,
        method: Method,
        steps: &[Step<'_>],
        class: &str,
        reason: &str,
    ) -> Result<(), (String, Option<String>)> {
        let Some(says) = self.reasons.get(reason) else {
            let help = did_you_mean(reason, self.reasons.keys().copied())
                .unwrap_or_else(|| "write it into `denied.toml` under `[reason]`".to_owned());
            return Err((format!("the reason `{reason}` is not known"), Some(help)));
        };
        self.used.insert(reason.into());
        self.index.insert(method, steps.iter().copied(), Slot::Denied(self.denials.len()));
        self.denials.push(Denial { class: class.into(), reason: reason.into(), says: says.clone() });
        Ok(())
    }

    /// A reason that nothing is denied for is left over, or misspelt in the catalogue.
    fn check_reasons(&self, problems: &mut Problems) {
        let mut seen = BTreeSet::new();
        for (source, file) in self.files {
            for (name, says) in &file.reason {
                let mut problem = |span: Range<usize>, message: String| {
                    problems.add(Problem { source: source.clone(), span, message, help: None });
                };
                if !seen.insert(&name.text) {
                    problem(name.span(), format!("the reason `{}` stands in two files", name.text));
                } else if !self.used.contains(&name.text) {
                    problem(name.span(), format!("nothing is denied for the reason `{}`", name.text));
                }
                if says.trim().is_empty() {
                    problem(says.span.clone(), "the reason is empty: say why in a sentence".to_owned());
                }
            }
        }
    }
}

fn known(word: &str, words: &[&str]) -> Result<(), (String, Option<String>)> {
    if words.contains(&word) {
        return Ok(());
    }
    let list = words.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
    Err((format!("`{word}` is not known here"), Some(format!("possible here: {list}"))))
}

/// `/a/{id}/b`, whatever the name of the id. `None`: not a path.
pub fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let step = |part| match part {
        "" => None,
        part if part.starts_with('{') && part.ends_with('}') => Some(Step::Id),
        part if part.contains(['{', '}']) => None,
        part => Some(Step::Literal(part)),
    };
    path.strip_prefix('/')?.split('/').map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{compile, embedded};
    use crate::model::{contract::Method, world::Policy};

    const DENIED: &str = "[reason]\nmine = \"it is mine\"\n";

    fn problems(reasons: &str, lines: &str) -> String {
        let mut files = embedded();
        files.retain(|(name, _)| !name.ends_with("catalogue.jsonl") && !name.ends_with("denied.toml"));
        files.push(("mine/denied.toml".to_owned(), reasons.to_owned()));
        files.push(("mine/catalogue.jsonl".to_owned(), lines.to_owned()));
        let problems = compile(files, Policy::default()).err().unwrap_or_default();
        let told = problems.iter().map(|problem| format!("{}:{} {problem}", problem.source.name, problem.line()));
        told.collect::<Vec<_>>().join("\n")
    }

    fn line(operation: &str, rest: &str) -> String {
        let (method, path) = operation.split_once(' ').unwrap();
        format!("{{\"method\": \"{method}\", \"path\": \"{path}\", \"class\": \"list\", {rest}}}\n")
    }

    const DENY: &str = r#""decision": "deny", "reason": "mine""#;

    #[test]
    fn a_denied_operation_is_closed_and_says_why() {
        let mut files = embedded();
        files.push(("mine/denied.toml".to_owned(), DENIED.to_owned()));
        files.push(("mine/catalogue.jsonl".to_owned(), line("DELETE /api/v2/mine/{whatever}", DENY)));
        let rules = compile(files, Policy::default()).unwrap().rules;
        let denial = rules.denied(Method::Delete, &["api", "v2", "mine", "x"]).unwrap();
        assert_eq!((&*denial.reason, &*denial.says, &*denial.class), ("mine", "it is mine", "list"));
        assert!(rules.denied(Method::Get, &["api", "v2", "mine", "x"]).is_none());
        assert!(rules.denied(Method::Get, &["api", "v2", "users"]).is_none(), "this one is governed");
    }

    /// An id of a governed path must not swallow a word that is denied.
    #[test]
    fn a_denied_word_wins_over_a_governed_id() {
        let rules = compile(embedded(), Policy::default()).unwrap().rules;
        let governed = ["api", "v2", "conversations", "c-1"];
        let denied = ["api", "v2", "conversations", "calls"];
        assert!(rules.find(Method::Get, &governed).is_some() && rules.denied(Method::Get, &governed).is_none());
        assert!(rules.find(Method::Get, &denied).is_none() && rules.denied(Method::Get, &denied).is_some());
    }

    #[test]
    fn rules_and_catalogue_have_to_agree() {
        let first = line("GET /api/v2/mine", DENY);
        for (second, due) in [
            (line("GET /api/v2/mine", DENY), "`GET /api/v2/mine` is already denied"),
            (line("GET /api/v2/users", DENY), "is denied here and governed by a rule"),
            (line("GET /api/v2/yours", r#""decision": "govern""#), "no rule governs `GET /api/v2/yours`"),
            (line("GET /api/v2/users", r#""decision": "govern", "reason": "mine""#), "a reason belongs to a denial"),
            (
                line("GET /api/v2/users", r#""decision": "govern""#).replace("list", "query"),
                "`GET /api/v2/users` is a `list` by the rule `users.list`",
            ),
            (line("GET /api/v2/yours", r#""decision": "deny""#), "is denied without a reason"),
            (line("GET /api/v2/yours", r#""decision": "deny", "reason": "minn""#), "did you mean `mine`?"),
            (line("GET /api/v2/yours", r#""decision": "allow""#), "possible here: `govern`, `deny`"),
            (line("GET /api/v2/yours", r#""decision": "deny", "decision": "govern""#), "duplicate field"),
            (line("GET /api/v2/yours", r#""decision": "deny", "reason": "mine", "but": 1"#), "unknown field `but`"),
            (line("FETCH /api/v2/yours", DENY), "`FETCH` is no method"),
            (line("GET api", DENY), "`api` is no path"),
            ("not json\n".to_owned(), "this line cannot be read"),
        ] {
            let found = problems(DENIED, &format!("{first}{second}"));
            assert!(found.starts_with("mine/catalogue.jsonl:2 ") && found.contains(due), "{due}:\n{found}");
        }
        assert_eq!(problems(DENIED, &first), "");
    }

    /// The rule that a line misses may be one that could not be read.
    #[test]
    fn a_broken_rule_is_told_alone() {
        let mut files = embedded();
        let users = files.iter_mut().find(|(name, _)| name.ends_with("genesys/users.toml")).unwrap();
        users.1 = users.1.replacen("class = ", "klass = ", 1);
        let problems = compile(files, Policy::default()).unwrap_err();
        assert!(problems.iter().all(|problem| problem.source.name.ends_with("users.toml")), "{}", problems.len());
    }

    #[test]
    fn a_reason_for_nothing_is_refused() {
        let more = format!("{DENIED}more = \"never named\"\n");
        let found = problems(&more, &line("GET /api/v2/mine", DENY));
        assert!(found.starts_with("mine/denied.toml:3 ") && found.contains("nothing is denied"), "{found}");
        let found = problems("[reason]\nmine = \" \"\n", &line("GET /api/v2/mine", DENY));
        assert!(found.contains("the reason is empty"), "{found}");
    }
}
