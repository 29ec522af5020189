//! The second reader: outgoing bytes + contract + entitlements -> a proof that the query stays inside the scope.
//!
//! It shares nothing with the rewriter: own JSON reader, own filter readers, own clauses. It sees neither
//! `query`, `policy` nor `rules`, and takes nothing from a rule file but the contract. What is not proved is
//! refused; it never repairs. It does not ask where the entitlements come from: wrong ones it takes for right.
//!
//! | file | what |
//! |---|---|
//! | `request` | method, path and query parameters equal the contract |
//! | `json`, `body`, `time` | the body is canonical and inside the model's allow-list |
//! | `filter`, `genesys`, `platform`, `opensearch`, `criteria`, `marks` | what a filter says about queue and agent |
//! | `words` | what the body may group, sort and filter by |
//! | `scope` | what the entitlements cover, id by id |
//! | `legs` | the scope as clauses, and which of them a filter entails |
//! | `job` | a step of a job: it is the holder's, and what was sent for it is inside the scope of now |
//! | `lists` | lists of ids in the place of filters: what they let through together is inside the scope |
//! | `export` | the list of one's own exports: whose they are, and which files are inside the scope of now |
//! | `link` | the file of a recording, for a preview: every leg is inside the scope, and its host is listed |
//! | `scan` | a list that is read from its beginning: what stands above it is the holder's, and its rows are judged |
//! | `part` | a part of an interaction: every leg that it speaks of is inside the scope |
//! | `shown` | a question that is kept, before it is shown: every id in it is inside the scope |
//! | `change` | a change: its owner is named, and every id of it is the holder's to change |

mod body;
mod change;
mod criteria;
mod export;
mod filter;
#[cfg(any(test, fuzzing))]
pub mod fuzzed;
mod genesys;
mod job;
mod json;
mod legs;
mod link;
mod lists;
mod marks;
mod opensearch;
mod part;
mod platform;
mod request;
mod scan;
mod scope;
mod shown;
#[cfg(test)]
mod tests;
mod time;
mod words;

use crate::model::{
    answer::Shape,
    body::{Access, BodyModel, Level, ObjectOrd, Path, Proof},
    contract::{Contract, Data, Effect, Method, Param, ParamKind},
    entitlement,
    org::Org,
    outgoing::{Outgoing, Residual},
};
use body::Found;
pub use change::check_change;
pub use export::{OwnRows, check_own};
use filter::Entry;
use jiff::Timestamp;
pub use job::{JobUnproved, check_job};
use legs::Goal;
pub use link::{VerifiedLink, check_link};
pub use part::check_part;
pub use scan::{Whole, check_rows, check_scan};
use scope::Scope;
use serde::Serialize;
pub use shown::check_shown;
use std::borrow::Cow;
use time::Asked;
use words::Vocabulary;

/// A narrowed request that was proved to be inside the scope. Only [`check`] makes one, and only it can be forwarded.
#[derive(Debug)]
pub struct Verified {
    outgoing: Outgoing,
    residual: Residual,
    certificate: Certificate,
}

/// Which outgoing clause implies which clause of the scope, or which answer key the guard decides by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Certificate {
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The clause of the scope, such as `queue in {3 values} or queue missing`.
    pub clause: String,
    /// Where the outgoing request implies it, such as `$.filter.clauses[1]`, or `answer: legs`.
    pub by: String,
}

/// Why the bytes do not prove that they stay inside the scope. An alarm: the rewriter is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {why}")]
pub struct Unproved {
    pub at: String,
    pub why: String,
}

impl Verified {
    /// The whole of it, for those who keep or send it.
    pub fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }
    pub fn method(&self) -> Method {
        self.outgoing.method
    }
    pub fn path(&self) -> &str {
        &self.outgoing.path
    }
    pub fn query(&self) -> &[(Box<str>, String)] {
        &self.outgoing.query
    }
    pub fn body(&self) -> Option<&[u8]> {
        self.outgoing.body.as_deref()
    }
    pub fn residual(&self) -> &Residual {
        &self.residual
    }
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

impl Unproved {
    fn at(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self { at: at.into(), why: why.into() }
    }
}

/// Proves that `outgoing`, together with `residual`, stays inside what the entitlements of `given` cover.
pub fn check(
    contract: &Contract,
    outgoing: Outgoing,
    residual: Residual,
    given: &entitlement::Scope,
    org: &Org,
    now: Timestamp,
) -> Result<Verified, Unproved> {
    if contract.job.is_some() {
        return Err(Unproved::at("contract", "a step of a job is proved with the job"));
    }
    if contract.part {
        return Err(Unproved::at("contract", "a part of an interaction is proved with what was seen of it"));
    }
    if contract.own.is_some() {
        return Err(Unproved::at("contract", "a list of one's own is proved with what is bound to its asker"));
    }
    if contract.effect != Effect::Reads {
        return Err(Unproved::at("contract", "a change is proved with what was seen of what it names"));
    }
    if !residual.links.is_empty() {
        return Err(Unproved::at("residual", "only links of a part of an interaction may pass"));
    }
    if contract.scan.is_some() {
        return Err(Unproved::at(
            "contract",
            "a list that is read from its beginning is proved with what stands above",
        ));
    }
    let scope = Scope::of(contract, given, org, now)?;
    let ids = request::hold_path(&scope, contract, &outgoing)?;
    request::hold_query(&scope, contract, &outgoing)?;
    let steps = match (&contract.body, &outgoing.body) {
        (Some(model), Some(bytes)) => {
            let body = json::read(bytes).map_err(|(at, why)| Unproved::at(format!("body, byte {at}"), why))?;
            let asked = Asked::of(contract, Some(&body), &residual)?;
            let words = Vocabulary::of(contract, model, &scope, &given.lifts);
            let found = body::hold(&scope, &words, model, &body)?;
            let scope = scope.only(|e| asked.counts(e));
            match &model.proof {
                Proof::Lists(lists) => lists::prove(contract, model, lists, &body, &found, &scope)?,
                proof => by_body(contract, model, proof, &found, &residual, &scope)?,
            }
        }
        (None, None) => {
            let asked = Asked::of(contract, None, &residual)?;
            by_ids(contract, &ids, &outgoing, &residual, &scope.only(|e| asked.counts(e)))?
        }
        _ => {
            return Err(Unproved::at("body", "present in one of contract and request only"));
        }
    };
    drop(ids);
    Ok(Verified { outgoing, residual, certificate: Certificate { steps } })
}

/// The filters entail the scope, as the model of the body says that they must.
fn by_body(
    contract: &Contract,
    model: &BodyModel,
    proof: &Proof,
    found: &[Found<'_>],
    residual: &Residual,
    scope: &Scope<'_>,
) -> Result<Vec<Step>, Unproved> {
    let shows_legs = matches!(contract.shape, Shape::Conversations | Shape::Conversation);
    if shows_legs && !residual.legs {
        return Err(Unproved::at("residual", "rows show more legs than a filter can speak of, and nobody judges them"));
    }
    if scope.live.is_empty() {
        return Err(Unproved::at("scope", "no entitlement counts for the asked time"));
    }
    // the word of the model table: the rule's own is not believed
    if model.data != contract.data {
        return Err(Unproved::at("body", "its rows are about other data than the rule says"));
    }
    let goals = match model.data {
        Data::Interaction => vec![Goal::Legs(scope)],
        Data::Queue => vec![Goal::Queues(scope)],
        Data::User => vec![Goal::Users(scope)],
        Data::Flow => vec![Goal::Objects(scope, ObjectOrd::Flow)],
        Data::Team => vec![Goal::Users(scope), Goal::Objects(scope, ObjectOrd::Team)],
        Data::Case => vec![Goal::Divisions(scope)],
        Data::Division | Data::Metadata => {
            return Err(Unproved::at("body", "no filter proves anything for this kind of data"));
        }
    };
    let (main, also): (&Path, &[Path]) = match proof {
        Proof::Filter { at } => (at, &[]),
        Proof::Entries { at, also } => (at, also),
        Proof::Lists(_) => return Err(Unproved::at("body", "its lists of ids are proved, and no filter")),
        Proof::Owners { .. } => return Err(Unproved::at("body", "its model is one of a change")),
        Proof::Rows { .. } => return Err(Unproved::at("body", "its rows are judged, and no filter proves them")),
    };
    let array = matches!(proof, Proof::Entries { .. });
    // a row about one person or one queue is not more than the one that its entries speak of
    if array && model.data == Data::Interaction && !shows_legs {
        return Err(Unproved::at("body", "entries ask for some leg, but this answer speaks of all legs"));
    }
    let (main, also) = (written(main), also.iter().map(written).collect::<Vec<_>>());
    let mut steps = Vec::new();
    let mut proved = false;
    for Found { at, model, array: is_array, entries } in found {
        if *at == main && *is_array == array && model.level == Level::Leg {
            proved |= !entries.is_empty();
            prove_all(&goals, entries, &mut steps)?;
        } else if also.contains(at) && model.level != Level::Interaction {
            prove_all(&goals, entries, &mut steps)?;
        } else if model.level != Level::Interaction && !entries.is_empty() {
            return Err(Unproved::at(at, "a filter on legs that the contract does not tie to the scope"));
        }
    }
    if !proved {
        return Err(Unproved::at(main, "no filter that carries the scope"));
    }
    if residual.legs {
        steps.push(Step { clause: "every leg of the scope".into(), by: "answer: legs".into() });
    }
    Ok(steps)
}

fn prove_all(goals: &[Goal<'_>], entries: &[Entry], steps: &mut Vec<Step>) -> Result<(), Unproved> {
    for entry in entries {
        for goal in goals {
            let shown = goal.prove(&entry.node, &entry.at)?;
            steps.extend(shown.into_iter().map(|(clause, item)| Step { clause, by: entry.place(item) }));
        }
    }
    Ok(())
}

/// Without a body the ids say what may come back: in a list parameter, in the path, or row by row.
fn by_ids(
    contract: &Contract,
    path: &[(Access, Cow<'_, str>)],
    outgoing: &Outgoing,
    residual: &Residual,
    scope: &Scope<'_>,
) -> Result<Vec<Step>, Unproved> {
    let shows = |access, id: &str, at: &str| {
        if scope.shows(contract.data, access, id) {
            Ok(())
        } else {
            Err(Unproved::at(at, "names something that may not come back whole"))
        }
    };
    if let Some(proof) = &contract.ids {
        let (_, ids) = outgoing
            .query
            .iter()
            .find(|(name, _)| *name == proof.param)
            .ok_or_else(|| Unproved::at(format!("query {}", proof.param), "is missing: the list would be whole"))?;
        let at = format!("query {}", proof.param);
        let mut count = 0;
        for id in ids.split(',') {
            shows(proof.access, id, &at)?;
            count += 1;
        }
        return Ok(vec![Step { clause: format!("{count} ids of the scope"), by: at }]);
    }
    if contract.rows_decide {
        let shows_legs = matches!(contract.shape, Shape::Conversations | Shape::Conversation);
        if contract.shape == Shape::Conversations && !names_interactions(contract, outgoing) {
            return Err(Unproved::at("query", "names no interaction: the list would be whole"));
        }
        if contract.data == Data::Interaction && residual.legs && shows_legs {
            return Ok(vec![Step { clause: "every leg of the scope".into(), by: "answer: legs".into() }]);
        }
        return Err(Unproved::at("residual", "nobody judges the rows"));
    }
    if contract.shape == Shape::Plain {
        return plain(contract, path, scope, &shows);
    }
    // the one thing that is read, or rows of it that are judged one by one
    if !(contract.shape == Shape::Entity || contract.shape == Shape::Owned && residual.keys) {
        return Err(Unproved::at("contract", "rows that no id of the request stands for"));
    }
    // the last id of the path is what is read
    let (access, id) = path.last().ok_or_else(|| Unproved::at("path", "nothing says what may come back"))?;
    shows(*access, id, "path")?;
    Ok(vec![Step { clause: "one id of the scope".into(), by: "path".into() }])
}

/// Without rows to judge, every id of the path that is somebody's is shown whole; without one, the data is nobody's.
fn plain(
    contract: &Contract,
    path: &[(Access, Cow<'_, str>)],
    scope: &Scope<'_>,
    shows: &impl Fn(Access, &str, &str) -> Result<(), Unproved>,
) -> Result<Vec<Step>, Unproved> {
    if contract.params.iter().any(|param| matches!(param.kind, ParamKind::Ids { .. })) {
        return Err(Unproved::at("contract", "ids in parameters of an answer that nobody judges"));
    }
    let owners: Vec<_> = path.iter().filter(|(access, _)| *access != Access::Unowned).collect();
    if owners.is_empty() {
        return if scope.live.is_empty() {
            Err(Unproved::at("scope", "no entitlement opens it"))
        } else if contract.data == Data::Metadata {
            Ok(vec![Step { clause: "data of nobody".into(), by: "answer: listed fields".into() }])
        } else {
            Err(Unproved::at("path", "nothing says whose the answer is"))
        };
    }
    for (access, id) in owners {
        shows(*access, id, "path")?;
    }
    Ok(vec![Step { clause: "one id of the scope".into(), by: "path".into() }])
}

/// Whether a parameter lists the interactions that may come back.
fn names_interactions(contract: &Contract, outgoing: &Outgoing) -> bool {
    let lists = |param: &&Param| matches!(param.kind, ParamKind::Ids { access: Access::Conversation, .. });
    let said = |param: &Param| outgoing.query.iter().any(|(name, _)| *name == param.name);
    contract.params.iter().filter(lists).any(said)
}

fn written(path: &Path) -> String {
    path.iter().fold("$".to_owned(), |at, key| format!("{at}.{key}"))
}
