//! Narrows one query for one person as a library call, without a socket: the organisation, the rules and the question
//! go in; what would be sent, why, and what the asker would be told come out. Nothing is forwarded or recorded.
//!
//!     cargo run --example explain
//!     cargo run --example explain -- carl query.json

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use bailiwick::{
    app::selftest,
    decision::{self, Decided},
    directory,
    model::{
        assumption::Assumption,
        contract::Method,
        world::{Policy, Versions, World},
    },
    query::{
        Question,
        json::{self, Limits},
    },
    rules,
};
use jiff::Timestamp;
use std::{error::Error, sync::Arc};

const DIRECTORY: &str = include_str!("../rules/sample/directory.json");
const PATH: [&str; 6] = ["api", "v2", "analytics", "conversations", "aggregates", "query"];
const QUERY: &str = r#"{
    "interval": "2026-11-01T00:00:00Z/2026-11-08T00:00:00Z",
    "groupBy": ["queueId"],
    "metrics": ["tHandle"]
}"#;

/// What becomes of a question.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Explained {
    /// The outgoing body, and for each clause of the scope what implies it.
    Sent { body: String, proof: Vec<(String, String)> },
    /// Answered from the directory: nothing is sent.
    Answered(String),
    /// The code, and the sentence that the asker gets.
    Refused { code: &'static str, message: String },
}

/// One world: rules and organisation of one version.
pub(crate) fn world(organisation: &str, now: Timestamp) -> Result<World, Box<dyn Error>> {
    // What you vouch for about the upstream; a rule that needs more stays closed.
    let policy = Policy { accepted: vec![Assumption::LegFilter], ..Policy::default() };
    let compiled = rules::compile(rules::embedded(), policy).map_err(|problems| all(&problems))?;
    let org = directory::load(organisation, "directory.json", now).map_err(|problems| all(&problems))?;
    let version =
        Versions { rules: compiled.rules.version.clone(), directory: org.version.clone(), grants: org.version.clone() };
    Ok(World { version, org: Arc::new(org), rules: Arc::new(compiled.rules), claimed: None })
}

/// The same pure chain as for a request: scope, narrow, verify.
pub(crate) fn explain(world: &World, person: &str, query: &str, now: Timestamp) -> Result<Explained, Box<dyn Error>> {
    let holder = selftest::principal(&world.org, person).ok_or_else(|| format!("nobody is called `{person}`"))?;
    let (operation, _) = world.rules.find(Method::Post, &PATH).ok_or("no rule governs this path")?;
    let body = json::parse_object(query.as_bytes(), &Limits::default())?;
    let question = Question {
        operation: operation.clone(),
        ids: Vec::new(),
        params: Vec::new(),
        body: Some(body),
        kept: None,
        seen: None,
    };
    let decided = decision::scope(world, holder, operation, now)
        .and_then(|scope| decision::decide(world, &Arc::new(scope), &question, now));
    Ok(match decided {
        Ok(Decided::Forward(forward)) => {
            let steps = &forward.verified.certificate().steps;
            Explained::Sent {
                body: String::from_utf8_lossy(forward.verified.body().unwrap_or_default()).into_owned(),
                proof: steps.iter().map(|step| (step.clause.clone(), step.by.clone())).collect(),
            }
        }
        Ok(Decided::Split(split)) => return Err(format!("asked in {} parts", split.parts().len()).into()),
        Ok(Decided::Kept(_)) => return Err("only a run of a schedule is answered with what was kept".into()),
        Ok(Decided::Local(answer)) => Explained::Answered(String::from_utf8_lossy(answer.body()).into_owned()),
        Err(refusal) => Explained::Refused { code: refusal.code.as_str(), message: refusal.message.into_owned() },
    })
}

fn all<P: ToString>(problems: &[P]) -> String {
    problems.iter().map(P::to_string).collect::<Vec<_>>().join("\n")
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let person = arguments.next().unwrap_or_else(|| "sofia".to_owned());
    let query = arguments.next().map_or_else(|| Ok(QUERY.to_owned()), std::fs::read_to_string)?;
    let now: Timestamp = "2026-11-20T10:00:00Z".parse()?;
    match explain(&world(DIRECTORY, now)?, &person, &query, now)? {
        Explained::Sent { body, proof } => {
            println!("sent: {body}");
            for (clause, by) in proof {
                println!("  {clause}\n    because of {by}");
            }
        }
        Explained::Answered(body) => println!("answered without the upstream: {body}"),
        Explained::Refused { code, message } => println!("refused, {code}: {message}"),
    }
    Ok(())
}
