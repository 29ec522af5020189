//! `bailiwick token`: ends tokens before their time, in the store that every process of the data folder reads.

use super::{Format, failure::Failure, out, serve};
use crate::{
    app,
    base::clock::{Clock as _, SystemClock},
    identity::Identity,
    model::session::{Ended, Whose},
    store::{Failed, Store},
    telemetry::Metrics,
};
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// End every token of a user, a client or a session, or one token; within a second nobody takes them any more
    Revoke(Revoke),
    /// List what was ended and is not forgotten
    List(List),
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// A user of the directory: what was issued until now
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// A client: what was issued to it until now
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// A session of the identity provider (`sid`)
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// One token: its `jti`, or its SHA-256 in hex where it has none; a signed token, or one of the configuration, may stand here
    /// itself and is kept by its SHA-256 alone
    #[arg(long, value_name = "ID")]
    token: Option<String>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, clap::Args)]
struct List {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = serve::HERE)]
    config: PathBuf,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// One line of the list.
#[derive(Debug, Serialize)]
struct Row {
    ended: &'static str,
    id: Box<str>,
    at: String,
    forgotten: String,
}

impl From<Ended> for Row {
    fn from(one: Ended) -> Self {
        let Ended { whose, id, at, until } = one;
        Self { ended: whose.as_str(), id, at: at.to_string(), forgotten: until.to_string() }
    }
}

impl Arguments {
    pub(super) fn format(&self) -> Format {
        match &self.command {
            Command::Revoke(revoke) => revoke.list.format,
            Command::List(list) => list.format,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    match &arguments.command {
        Command::Revoke(asked) => revoke(asked),
        Command::List(asked) => list(asked),
    }
}

fn revoke(asked: &Revoke) -> Result<ExitCode, Failure> {
    let named = [
        (Whose::User, &asked.user),
        (Whose::Client, &asked.client),
        (Whose::Session, &asked.session),
        (Whose::Token, &asked.token),
    ];
    let mut named = named.into_iter().filter_map(|(whose, id)| Some((whose, id.as_deref()?)));
    let (Some((whose, id)), None) = (named.next(), named.next()) else {
        return Err(Failure::input("nothing was ended: name one of `--user`, `--client`, `--session` and `--token`"));
    };
    let settings = serve::settings(&asked.list.config).map_err(app::StartError::Config)?;
    let clock = SystemClock::default();
    if whose == Whose::User {
        let org = app::organisation(&settings.directory.file, &clock)?;
        if !org.index.users.contains_key(id) {
            let file = settings.directory.file.display();
            return Err(Failure::input(format!("nothing was ended: `{file}` knows no user `{id}`; correct the id")));
        }
    }
    let store = Store::open(&settings.data).map_err(app::StartError::Store)?;
    let identity = Identity::new(&settings.identity, &Metrics::detached()).map_err(app::StartError::Identity)?;
    let ended = serve::runtime()?.block_on(async { identity.kept_in(store).await?.end(whose, id, clock.now()).await });
    print(vec![ended.map_err(|failed| unkept(&failed))?.into()], asked.list.format)
}

fn list(asked: &List) -> Result<ExitCode, Failure> {
    let settings = serve::settings(&asked.config).map_err(app::StartError::Config)?;
    let store = Store::open(&settings.data).map_err(app::StartError::Store)?;
    let (found, _) = serve::runtime()?.block_on(store.ended_since(0)).map_err(|failed| unkept(&failed))?;
    let now = SystemClock::default().now();
    print(found.into_iter().filter(|one| now < one.until).map(Row::from).collect(), asked.format)
}

fn unkept(failed: &Failed) -> Failure {
    Failure::unreachable(format!("the store cannot be used: {failed}; try again"))
}

fn print(rows: Vec<Row>, format: Format) -> Result<ExitCode, Failure> {
    match format {
        Format::Json => out::json(&rows)?,
        Format::Text => {
            let cells = |row: Row| vec![row.ended.to_owned(), row.id.into(), row.at, row.forgotten];
            let rows: Vec<Vec<String>> = rows.into_iter().map(cells).collect();
            out::table(&["ended", "id", "at", "forgotten"], &rows);
        }
    }
    Ok(ExitCode::SUCCESS)
}
