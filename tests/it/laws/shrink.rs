//! Makes a failing case small: whatever can be left out without mending it is left out.

use super::case::{Case, Organisation};
use serde_json::Value;

/// Prints the smallest form found and fails.
pub(crate) fn report(
    organisation: &Organisation,
    case: &Case,
    seed: u64,
    breaks: &dyn Fn(&Organisation, &Case) -> Option<String>,
) -> String {
    let mut small = Organisation::of(organisation.file.clone(), organisation.stock.clone()).unwrap();
    let mut case = case.clone();
    let broken = |organisation: &Organisation, case: &Case| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| breaks(organisation, case))).ok().flatten()
    };
    let mut why = broken(&small, &case).unwrap_or_else(|| "not seen again".to_owned());
    for _ in 0..3 {
        let mut changed = false;
        // Interactions, then things of the directory, then parts of the question.
        let mut at = 0;
        while at < small.stock.of(case.kind).len() {
            let mut stock = small.stock.clone();
            stock.of_mut(case.kind).remove(at);
            changed |= attempt(
                &mut small,
                &mut at,
                Organisation::of(small_file(&organisation.file, None), stock),
                &case,
                &mut why,
                &broken,
                &class,
                true,
            );
        }
        let mut file = small.file.clone();
        for list in ["grants", "serviceAccounts", "queues", "users", "roles", "views", "folders", "groups", "divisions"]
        {
            let mut at = 0;
            while at < file[list].as_array().map_or(0, Vec::len) {
                let candidate = without(&file, list, at);
                let taken = Organisation::of(candidate.clone(), small.stock.clone()).ok().filter(|candidate| {
                    candidate.directory.users.iter().any(|user| user.id == case.person)
                        || candidate.directory.service_accounts.iter().any(|one| one.id == case.person)
                });
                match taken.and_then(|taken| broken(&taken, &case).map(|new| (taken, new))) {
                    Some((taken, new)) if class(&new) == class(&why) => {
                        (small, why, changed) = (taken, new, true);
                        file = candidate;
                    }
                    _ => at += 1,
                }
            }
        }
        for smaller in parts(&serde_json::from_str(&case.body).unwrap()) {
            let candidate = Case { body: smaller.to_string(), ..case.clone() };
            if let Some(new) = broken(&small, &candidate)
                && class(&new) == class(&why)
            {
                (case, why, changed) = (candidate, new, true);
                break;
            }
        }
        if !changed {
            break;
        }
    }
    let got = case.ask(&small);
    format!(
        "seed {seed}: {why}\nperson {}\nnow {}\nkind {:?}\nquery {}\ngot {got:#?}\nscope by the oracle {:#?}\ndata {:#?}\ndirectory {}\n",
        case.person,
        crate::oracle::data::instant(case.now),
        case.kind,
        case.body,
        case.scope(&small.directory),
        small.stock.of(case.kind),
        small.file,
    )
}

/// What kind of failure it is: the first line without what stands in back quotes.
pub(crate) fn class(why: &str) -> String {
    let line = why.lines().next().unwrap_or_default().split("; outgoing").next().unwrap_or_default();
    line.split('`').step_by(2).collect::<Vec<_>>().join("_").chars().take(260).collect()
}

fn small_file(file: &Value, _list: Option<&str>) -> Value {
    file.clone()
}

#[expect(clippy::too_many_arguments, reason = "the state of one greedy loop")]
fn attempt(
    small: &mut Organisation,
    at: &mut usize,
    candidate: Result<Organisation, String>,
    case: &Case,
    why: &mut String,
    broken: &dyn Fn(&Organisation, &Case) -> Option<String>,
    class: &dyn Fn(&str) -> String,
    step: bool,
) -> bool {
    if let Some((candidate, new)) = candidate.ok().and_then(|one| broken(&one, case).map(|new| (one, new)))
        && class(&new) == class(why)
    {
        (*small, *why) = (candidate, new);
        return true;
    }
    *at += usize::from(step);
    false
}

/// The directory without one thing, and without its id in every list.
fn without(file: &Value, list: &str, at: usize) -> Value {
    let mut file = file.clone();
    let gone = file[list].as_array_mut().unwrap().remove(at);
    let id = gone["id"].clone();
    scrub(&mut file, &id);
    file
}

fn scrub(value: &mut Value, id: &Value) {
    let names = |item: &Value| {
        item == id || ["role", "division"].iter().any(|key| item.get(key) == Some(id) && item.get("id").is_none())
    };
    match value {
        Value::Array(items) => {
            items.retain(|item| !names(item));
            items.iter_mut().for_each(|item| scrub(item, id));
        }
        Value::Object(members) => {
            members.shift_remove_entry_if(|key, value| key == "folder" && value == id);
            members.values_mut().for_each(|member| scrub(member, id));
        }
        _ => {}
    }
}

trait RemoveIf {
    fn shift_remove_entry_if(&mut self, gone: impl Fn(&str, &Value) -> bool);
}

impl RemoveIf for serde_json::Map<String, Value> {
    fn shift_remove_entry_if(&mut self, gone: impl Fn(&str, &Value) -> bool) {
        self.retain(|key, value| !gone(key, value));
    }
}

/// Every body that is this one without one member or item somewhere.
fn parts(value: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    match value {
        Value::Array(items) => {
            for at in 0..items.len() {
                if items.len() > 1 {
                    let mut fewer = items.clone();
                    fewer.remove(at);
                    all.push(Value::Array(fewer));
                }
                for part in parts(&items[at]) {
                    let mut changed = items.clone();
                    changed[at] = part;
                    all.push(Value::Array(changed));
                }
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                if [
                    "filter",
                    "clauses",
                    "segmentFilters",
                    "conversationFilters",
                    "evaluationFilters",
                    "groupBy",
                    "divisionId",
                ]
                .contains(&key.as_str())
                {
                    let mut fewer = members.clone();
                    fewer.shift_remove(key);
                    all.push(Value::Object(fewer));
                }
                for part in parts(member) {
                    let mut changed = members.clone();
                    changed[key] = part;
                    all.push(Value::Object(changed));
                }
            }
        }
        _ => {}
    }
    all
}
