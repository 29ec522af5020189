//! `bailiwick explain`: what somebody may see and why, and what a query of his becomes. For administrators.
//! The same code serves requests; nothing is sent.

use super::{
    Format,
    compare::{self, Line},
    failure::Failure,
    out, serve,
};
use crate::{
    app::{self, selftest},
    base::clock::{Clock, SystemClock},
    config::{self, RulesFrom},
    decision::{self, Decided},
    model::{
        assumption::Assumption,
        definition::DefinitionStep,
        entitlement::{Entitlement, Scope, Source},
        kept::Kept,
        operation::JobPart,
        org::{Org, Principal},
        refusal::{Code, Refusal},
        set::{Dim, Ix},
        world::{Policy, Versions, World},
    },
    proxy::{self, question},
    query::Question,
};
use jiff::Timestamp;
use serde::Serialize;
use std::{io::Read as _, path::PathBuf, process::ExitCode, sync::Arc};

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
    /// The region that is asked, where it is not the asker's own: what a request says in the header `bailiwick-region`
    #[arg(long, value_name = "ID")]
    region: Option<String>,
    /// Decide as at this instant
    #[arg(long, value_name = "INSTANT")]
    at: Option<Timestamp>,
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

#[derive(Debug, Default, Serialize)]
struct Explanation {
    asker: String,
    operation: String,
    /// The region that is asked, where it is not the asker's own.
    region: Option<String>,
    sources: Vec<String>,
    asked: Option<serde_json::Value>,
    sent: Option<serde_json::Value>,
    /// Query parameters as they are sent.
    parameters: Vec<(String, String)>,
    /// What was asked and what is sent as one text: ` ` in both, `+` only sent, `-` only asked.
    difference: Vec<Line>,
    certificate: Vec<crate::verify::Step>,
    notices: Vec<String>,
    verdict: String,
    code: Option<&'static str>,
    cause: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let (world, settings) = world(arguments)?;
    let now = arguments.at.unwrap_or_else(|| SystemClock::default().now());
    let asker = selftest::principal(&world.org, &arguments.asker)
        .ok_or_else(|| Failure::input(format!("the directory has no user or service account `{}`", arguments.asker)))?;
    let body = body(arguments)?;
    let mut explanation = Explanation {
        asker: arguments.asker.clone(),
        operation: arguments.operation.clone(),
        asked: (!body.is_empty()).then(|| read(&body)).flatten(),
        ..Explanation::default()
    };
    let explained = explanation.explain(arguments, &world, &settings, asker, &body, now)?;
    let refused = explained.is_err();
    if let Err(refusal) = explained {
        explanation.verdict = format!("refused: {}", refusal.message);
        explanation.code = Some(refusal.code.as_str());
        explanation.cause = refusal.cause;
    }
    match arguments.format {
        Format::Json => out::json(&explanation)?,
        Format::Text => print(&explanation),
    }
    Ok(ExitCode::from(u8::from(refused)))
}

impl Explanation {
    /// The outer failure is a wrong use of the command.
    fn explain(
        &mut self,
        arguments: &Arguments,
        world: &World,
        settings: &proxy::Settings,
        asker: Principal,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Result<(), Refusal>, Failure> {
        let Some((method, target)) = arguments.operation.trim().split_once(' ') else {
            return Err(Failure::input("write the operation as `POST /api/v2/...`"));
        };
        if question::method(method).is_none() {
            return Err(Failure::input(format!("no operation uses the method `{method}`")));
        }
        let question = match question::of(&world.rules, settings, method, target.trim(), body) {
            Ok(question) => question,
            Err(_) if takes_a_body(world, settings, method, target.trim()) && arguments.query.is_none() => {
                let message = format!(
                    "`{}` takes a JSON body; give it with `--query FILE`, or `--query -` for standard input",
                    arguments.operation
                );
                return Err(Failure::input(message));
            }
            Err(refusal) => return Ok(Err(refusal)),
        };
        if matches!(question.operation.job, Some(JobPart::Step { .. })) {
            let message =
                "whose a job is, only the serving program knows; explain how it is submitted: `POST .../jobs`";
            return Err(Failure::input(message));
        }
        let mut question = question;
        match question.operation.definition.as_ref().map(|part| (part.step, &part.asks)) {
            Some((DefinitionStep::Save, _)) => question.kept = Some(Kept::New("new".into())),
            Some((step, asks)) if step.names_one() => {
                let message = format!(
                    "what is kept here, and whose it is, only the serving program knows; explain the question itself, \
                     by `{}`, or how one is kept",
                    asks.id
                );
                return Err(Failure::input(message));
            }
            _ => {}
        }
        Ok(self.decide(world, asker, (question, arguments.region.as_deref()), now))
    }

    fn decide(
        &mut self,
        world: &World,
        asker: Principal,
        (mut question, named): (Question, Option<&str>),
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.operation = question.operation.id.to_string();
        if let Principal::User(user) = asker
            && !world.org.user(user).active
        {
            return Err(Refusal::new(
                Code::IdentityUnknown,
                "the account is not active in the directory, so nobody is let in by it, whatever its roles are",
            ));
        }
        let abroad = named.map(|named| decision::cross(world, asker, &mut question, named)).transpose()?.flatten();
        let scope = match abroad {
            Some(region) => decision::scope_abroad(world, asker, &question.operation, region)?,
            None => decision::scope(world, asker, &question.operation, now)?,
        };
        let question = &question;
        self.region = abroad.map(|region| world.org.region(region).id.to_string());
        self.sources = sources(&world.org, &scope);
        let scope = Arc::new(scope);
        if let Some(above) = &question.operation.below {
            let opened = decision::scope(world, asker, above, now)?;
            let of_above = |sentence| format!("{sentence} (what stands above, by `{}`)", above.id);
            self.sources.extend(sources(&world.org, &opened).into_iter().map(of_above));
        }
        if let (Some(look), Some(first)) =
            (decision::look(world, &scope, question, now)?, question.operation.first_look())
        {
            self.certificate.clone_from(&look.verified.certificate().steps);
            self.notices = look.notices.iter().map(|notice| notice.text.clone()).collect();
            let (what, then) = if question.operation.look.is_some() {
                ("each interaction", "the request is forwarded when all are there, and every leg of them")
            } else {
                ("the interaction", "the part is forwarded when every leg that it speaks of")
            };
            self.verdict =
                format!("{what} is looked at first, by `{}`; {then} is in the scope, else refused", first.id);
            return Ok(());
        }
        match decision::decide(world, &scope, question, now)? {
            Decided::Forward(forward) => {
                let verified = &forward.verified;
                self.sent = verified.body().and_then(read);
                self.parameters =
                    verified.query().iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
                self.difference = parameters(&question.params, &self.parameters);
                if let Some(sent) = &self.sent {
                    self.difference.extend(compare::whole(self.asked.as_ref(), sent));
                }
                self.certificate.clone_from(&verified.certificate().steps);
                self.notices = forward.notices.iter().map(|notice| notice.text.clone()).collect();
                "forwarded".clone_into(&mut self.verdict);
            }
            Decided::Kept(_) => "answered with what was kept of a run".clone_into(&mut self.verdict),
            Decided::Split(split) => {
                let sent = split.parts().iter().filter_map(|part| part.verified.body().and_then(read));
                self.sent = Some(sent.collect());
                let steps = split.parts().iter().flat_map(|part| part.verified.certificate().steps.iter().cloned());
                self.certificate = steps.collect();
                let notices = split.parts().iter().flat_map(|part| &part.notices);
                self.notices = notices.map(|notice| notice.text.clone()).collect();
                self.verdict = format!("forwarded in {} parts, whose answers are put together", split.parts().len());
            }
            Decided::Local(guarded) => {
                self.notices = guarded.notices().iter().map(|notice| notice.text.clone()).collect();
                let step = question.operation.definition.as_ref().map(|part| part.step);
                let why = match step {
                    _ if question.operation.caller.is_some() => "from the directory, which says who asks",
                    Some(DefinitionStep::Save) => "it would be kept here, as it was asked",
                    Some(_) => "from what is kept here, of which only the serving program knows",
                    None => "nothing can match",
                };
                self.verdict = format!("answered without asking the upstream: {why}");
            }
        }
        Ok(())
    }
}

fn read(bytes: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_str(&String::from_utf8_lossy(bytes)).ok()
}

fn takes_a_body(world: &World, settings: &proxy::Settings, method: &str, target: &str) -> bool {
    // any body will do to learn which operation it is
    let asked = question::of(&world.rules, settings, method, target, b"{}");
    asked.is_ok_and(|question| question.operation.body().is_some())
}

/// Query parameters, those that were asked and those that are sent.
fn parameters(asked: &[(Box<str>, Vec<String>)], sent: &[(String, String)]) -> Vec<Line> {
    let asked: Vec<_> = asked.iter().map(|(name, values)| (name.to_string(), values.join(","))).collect();
    let line = |mark, (name, value): &(String, String)| Line { mark, text: format!("{name}={value}") };
    let gone = asked.iter().filter(|one| !sent.contains(one)).map(|one| line('-', one));
    gone.chain(sent.iter().map(|one| line(if asked.contains(one) { ' ' } else { '+' }, one))).collect()
}

fn world(arguments: &Arguments) -> Result<(World, proxy::Settings), Failure> {
    let settings = serve::settings_here(arguments.config.as_deref()).map_err(app::StartError::Config)?;
    let (from, policy) = match &settings {
        Some(settings) => (settings.rules.clone(), settings.policy.clone()),
        None => (RulesFrom::Shipped, Policy { accepted: Assumption::ALL.to_vec(), ..Policy::default() }),
    };
    let proxy = settings.as_ref().map_or_else(config::Proxy::default, |settings| settings.proxy.clone());
    let file = arguments
        .directory
        .clone()
        .or_else(|| settings.map(|settings| settings.directory.file))
        .ok_or_else(|| Failure::input("say whose organisation: `--config FILE` or `--directory FILE`"))?;
    let (compiled, org) = app::both(app::rules(&from, policy), app::organisation(&file, &SystemClock::default()))?;
    let rules = compiled.rules;
    let version =
        Versions { rules: rules.version.clone(), directory: org.version.clone(), grants: org.version.clone() };
    Ok((World { version, org: Arc::new(org), rules: Arc::new(rules), claimed: None }, app::proxy_settings(&proxy)))
}

fn body(arguments: &Arguments) -> Result<Vec<u8>, Failure> {
    let Some(file) = &arguments.query else { return Ok(Vec::new()) };
    let mut bytes = Vec::new();
    let done = if file.as_os_str() == "-" {
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    done.map_err(|error| Failure::input(format!("`{}` cannot be read: {error}", file.display())))
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
    let Explanation { asker, operation, sources, difference, certificate, notices, verdict, code, cause, .. } =
        explanation;
    let region = explanation.region.iter().map(|region| format!(" of region {region}"));
    out::line(format!("{asker} asks {operation}{}", region.collect::<String>()));
    for source in sources {
        out::line(format!("  may see by {source}"));
    }
    let unsent = explanation.asked.as_ref().filter(|_| difference.is_empty());
    for text in unsent.into_iter().flat_map(compare::lay_out) {
        out::line(format!("asked    {text}"));
    }
    for line in compare::shorten(difference.clone()) {
        out::line(format!("sent   {} {}", line.mark, line.text));
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
