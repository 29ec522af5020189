//! `bailiwick explain`: what somebody may see and why, and what a query of his becomes. For administrators.
//! The same code serves requests; nothing is sent.

use super::{Format, failure::Failure, out, serve};
use crate::{
    app::{self, selftest},
    base::clock::{Clock, SystemClock},
    config::RulesFrom,
    decision::{self, Decided},
    model::{
        assumption::Assumption,
        contract::{Method, ParamKind},
        entitlement::{Entitlement, Scope, Source},
        operation::Operation,
        org::Org,
        set::{Dim, Ix},
        world::{Policy, Versions, World},
    },
    query::{
        Question,
        json::{self, Limits},
    },
};
use jiff::Timestamp;
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode, sync::Arc};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Id of a user or a service account
    #[arg(long = "as", value_name = "ID")]
    asker: String,
    /// Such as `POST /api/v2/analytics/conversations/details/query`, with query parameters if any
    #[arg(long, value_name = "METHOD PATH")]
    operation: String,
    /// The asked body; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    query: Option<PathBuf>,
    /// The configuration, else `bailiwick.toml` in this folder; without either the shipped rules with every assumption
    /// accepted, and `--directory`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A directory file, instead of the configuration's
    #[arg(long, value_name = "FILE")]
    directory: Option<PathBuf>,
    /// Decide as at this instant
    #[arg(long, value_name = "INSTANT")]
    at: Option<Timestamp>,
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

#[derive(Debug, Serialize)]
struct Explanation {
    asker: String,
    operation: String,
    sources: Vec<String>,
    asked: Option<serde_json::Value>,
    sent: Option<serde_json::Value>,
    parameters: Vec<(String, String)>,
    certificate: Vec<crate::verify::Step>,
    notices: Vec<String>,
    verdict: String,
    code: Option<&'static str>,
    cause: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let world = world(arguments)?;
    let now = arguments.at.unwrap_or_else(|| SystemClock::default().now());
    let asker = selftest::principal(&world.org, &arguments.asker)
        .ok_or_else(|| Failure::input(format!("the directory has no user or service account `{}`", arguments.asker)))?;
    let question = question(arguments, &world)?;
    let mut explanation = Explanation {
        asker: arguments.asker.clone(),
        operation: question.operation.id.to_string(),
        sources: Vec::new(),
        asked: question
            .body
            .as_ref()
            .and_then(|body| serde_json::from_str(&String::from_utf8_lossy(&body.to_bytes())).ok()),
        sent: None,
        parameters: Vec::new(),
        certificate: Vec::new(),
        notices: Vec::new(),
        verdict: String::new(),
        code: None,
        cause: None,
    };
    let decided = decision::scope(&world, asker, &question.operation, now).and_then(|scope| {
        explanation.sources = sources(&world.org, &scope);
        decision::decide(&world, &Arc::new(scope), &question, now)
    });
    let refused = decided.is_err();
    match decided {
        Ok(Decided::Forward(forward)) => {
            explanation.sent =
                forward.verified.body().and_then(|bytes| serde_json::from_str(&String::from_utf8_lossy(bytes)).ok());
            explanation.parameters =
                forward.verified.query().iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
            explanation.certificate.clone_from(&forward.verified.certificate().steps);
            explanation.notices = forward.notices.iter().map(|notice| notice.text.clone()).collect();
            "forwarded".clone_into(&mut explanation.verdict);
        }
        Ok(Decided::Local(guarded)) => {
            explanation.notices = guarded.notices().iter().map(|notice| notice.text.clone()).collect();
            "answered without asking the upstream: nothing can match".clone_into(&mut explanation.verdict);
        }
        Err(refusal) => {
            explanation.verdict = format!("refused: {}", refusal.message);
            explanation.code = Some(refusal.code.as_str());
            explanation.cause = refusal.cause;
        }
    }
    match arguments.format {
        Format::Json => out::json(&explanation)?,
        Format::Text => print(&explanation),
    }
    Ok(ExitCode::from(u8::from(refused)))
}

fn world(arguments: &Arguments) -> Result<World, Failure> {
    let settings = serve::settings_here(arguments.config.as_deref()).map_err(app::StartError::Config)?;
    let (from, policy) = match &settings {
        Some(settings) => (settings.rules.clone(), settings.policy.clone()),
        None => (RulesFrom::Shipped, Policy { accepted: Assumption::ALL.to_vec(), ..Policy::default() }),
    };
    let file = arguments
        .directory
        .clone()
        .or_else(|| settings.map(|settings| settings.directory.file))
        .ok_or_else(|| Failure::input("say whose organisation: `--config FILE` or `--directory FILE`"))?;
    let (compiled, org) = app::both(app::rules(&from, policy), app::organisation(&file, &SystemClock::default()))?;
    let rules = compiled.rules;
    let version =
        Versions { rules: rules.version.clone(), directory: org.version.clone(), grants: org.version.clone() };
    Ok(World { version, org: Arc::new(org), rules: Arc::new(rules) })
}

fn question(arguments: &Arguments, world: &World) -> Result<Question, Failure> {
    let (method, target) = arguments
        .operation
        .split_once(' ')
        .ok_or_else(|| Failure::input("write the operation as `POST /api/v2/...`"))?;
    let method =
        Method::named(method).ok_or_else(|| Failure::input(format!("no operation uses the method `{method}`")))?;
    let (path, query) = target.trim().split_once('?').unwrap_or((target.trim(), ""));
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (operation, ids) = world.rules.find(method, &segments).ok_or_else(|| {
        let (denial, method) = (world.rules.denied(method, &segments), method.as_str());
        let message = match denial {
            Some(denial) => format!("operation.denied: `{method} {path}` is closed: {}", denial.says),
            None => format!("operation.unknown: no rule governs `{method} {path}`"),
        };
        Failure::new(1, message)
    })?;
    let ids = ids.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    let params = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| parameter(operation, pair)).collect();
    if operation.body().is_some() && arguments.query.is_none() {
        let message = format!(
            "`{}` takes a JSON body; give it with `--query FILE`, or `--query -` for standard input",
            arguments.operation
        );
        return Err(Failure::input(message));
    }
    Ok(Question { operation: operation.clone(), ids, params, body: body(arguments)? })
}

fn parameter(operation: &Operation, pair: &str) -> (Box<str>, Vec<String>) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let listed = operation.contract.params.iter().find(|param| *param.name == *name);
    let values = match listed.map(|param| &param.kind) {
        Some(ParamKind::Ids { .. }) => value.split(',').map(str::to_owned).collect(),
        _ => vec![value.to_owned()],
    };
    (name.into(), values)
}

fn body(arguments: &Arguments) -> Result<Option<json::Value>, Failure> {
    let Some(file) = &arguments.query else { return Ok(None) };
    let text =
        if file.as_os_str() == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let text = text.map_err(|error| Failure::input(format!("`{}` cannot be read: {error}", file.display())))?;
    let body = json::parse_object(text.as_bytes(), &Limits::default());
    body.map(Some).map_err(|error| Failure::input(format!("`{}`: {error}", file.display())))
}

/// One sentence for each source of visibility.
fn sources(org: &Org, scope: &Scope) -> Vec<String> {
    scope.entitlements.iter().map(|entitlement| sentence(org, entitlement)).collect()
}

fn sentence(org: &Org, entitlement: &Entitlement) -> String {
    let source = match &entitlement.source {
        Source::Role { role, division, permission, via } => {
            let through = via.map(|group| format!(" through group `{}`", org.group(group).id)).unwrap_or_default();
            format!(
                "role `{}` in `{}`{through}, permission `{permission}`",
                org.role(*role).id,
                org.division(*division).id
            )
        }
        Source::Grant { id } => format!("grant `{id}`"),
    };
    let queues = names(&entitlement.queues, "every open queue and legs without one", |ix| org.queue(ix).id.to_string());
    let users = names(&entitlement.users, "every agent", |ix| org.user(ix).id.to_string());
    let divisions = names(&entitlement.divisions, "every division of the region", |ix| org.division(ix).id.to_string());
    let window = entitlement
        .data
        .map(|window| format!("; data from {} until {}", window.from, window.until))
        .unwrap_or_default();
    let until = entitlement.valid.until.map(|until| format!("; until {until}")).unwrap_or_default();
    format!("{source}: divisions {divisions}; queues {queues}; agents {users}{window}{until}")
}

fn names<T>(dim: &Dim<Ix<T>>, any: &str, name: impl Fn(Ix<T>) -> String) -> String {
    match dim {
        Dim::Any => any.to_owned(),
        Dim::Only(set) if set.len() <= 12 => set.iter().map(|ix| name(*ix)).collect::<Vec<_>>().join(", "),
        Dim::Only(set) => format!("{} by name", set.len()),
    }
}

fn print(explanation: &Explanation) {
    let Explanation { asker, operation, sources, asked, sent, parameters, certificate, notices, verdict, code, cause } =
        explanation;
    out::line(format!("{asker} asks {operation}"));
    for source in sources {
        out::line(format!("  may see by {source}"));
    }
    if let Some(asked) = asked {
        out::line(format!("asked  {asked}"));
    }
    if let Some(sent) = sent {
        out::line(format!("sent   {sent}"));
    }
    for (name, value) in parameters {
        out::line(format!("sent   {name}={value}"));
    }
    for step in certificate {
        out::line(format!("proof  {} <- {}", step.clause, step.by));
    }
    for notice in notices {
        out::line(format!("notice {notice}"));
    }
    out::line(match code {
        Some(code) => format!("{verdict} ({code})"),
        None => verdict.clone(),
    });
    if let Some(cause) = cause {
        out::line(format!("cause  {cause}"));
    }
}
