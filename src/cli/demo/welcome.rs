//! What to try, in words that can be pasted.

use super::{
    super::out,
    Failure,
    questions::Dates,
    set_up::{House, token},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Welcome {
    proxy: String,
    ready: String,
    folder: PathBuf,
    directory: PathBuf,
    tries: Vec<Try>,
    membership: Membership,
}

#[derive(Debug, Serialize)]
struct Try {
    what: &'static str,
    command: String,
}

/// The line of the directory file that makes somebody a member.
#[derive(Debug, Serialize)]
struct Membership {
    user: &'static str,
    queue: &'static str,
    line: usize,
    remove: String,
}

impl Welcome {
    pub(super) fn of(house: &House) -> Result<Self, Failure> {
        let proxy = format!("http://{}", house.running.proxy);
        let directory = house.folder.join("directory.json");
        let interval = Dates::before(house.now).week();
        let aggregates = "/api/v2/analytics/conversations/aggregates/query";
        let query = json!({ "interval": interval, "groupBy": ["queueId"], "metrics": ["nConnected", "tHandle"] });
        let outside = json!({
            "interval": interval, "groupBy": ["queueId"], "metrics": ["nConnected"],
            "filter": { "type": "and", "predicates": [{ "dimension": "queueId", "value": "q-sales-new" }] },
        });
        let tries = vec![
            Try {
                what: "sofia, supervisor of two queues, asks for all queues",
                command: post(&proxy, aggregates, "sofia", &query),
            },
            Try {
                what: "sofia asks for a queue that is not hers: refused",
                command: post(&proxy, aggregates, "sofia", &outside),
            },
            Try {
                what: "ana, an agent, lists the queues",
                command: format!(
                    "curl -s -H 'Authorization: Bearer {}' '{proxy}/api/v2/routing/queues?pageSize=100'",
                    token("ana")
                ),
            },
        ];
        let text = std::fs::read_to_string(&directory)
            .map_err(|why| Failure::input(format!("`{}` cannot be read: {why}", directory.display())))?;
        let (user, queue) = ("sofia", "q-pay-cards");
        let line = member_line(&text, queue, user).ok_or_else(|| {
            Failure::input(format!("`{}` names no member `{user}` of `{queue}`", directory.display()))
        })?;
        let remove = format!("sed -i '{line}d' '{}'", directory.display());
        let ready = format!("http://{}/readyz", house.running.admin);
        Ok(Self {
            proxy,
            ready,
            folder: house.folder.clone(),
            directory,
            tries,
            membership: Membership { user, queue, line, remove },
        })
    }

    pub(super) fn print(&self) {
        out::line(format!("bailiwick demo: the proxy is at {}, its readiness at {}", self.proxy, self.ready));
        out::line(format!("configuration, directory file and record: {}\n", self.folder.display()));
        for one in &self.tries {
            out::line(format!("# {}\n{}\n", one.what, one.command));
        }
        let Membership { user, queue, line, remove } = &self.membership;
        out::line(format!(
            "# line {line} of {} makes {user} a member of {queue}: without it, her next query",
            self.directory.display()
        ));
        out::line(format!("# has one queue less, within a second, while everybody else's stays as it was\n{remove}\n"));
        out::line(
            "Tokens are `demo-` and an id: sofia, carl, ana, bo, bea, pat, eva, dana, ines, rolf, olga, rita, nils, gus, ...",
        );
        out::line("Clients that log in at /oauth/token use such an id and `<id>-secret`. Ctrl-C ends it.");
    }
}

fn post(proxy: &str, path: &str, user: &str, body: &Value) -> String {
    format!(
        "curl -s -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' -d '{body}' '{proxy}{path}'",
        token(user)
    )
}

/// The number, from 1, of the line that names the member within the queue's own lines.
fn member_line(text: &str, queue: &str, user: &str) -> Option<usize> {
    let (id, member) = (format!("\"id\": \"{queue}\""), format!("\"{user}\""));
    let mut lines = text.lines().enumerate().skip_while(|(_, line)| !line.contains(&id));
    lines.find(|(_, line)| line.trim().trim_end_matches(',') == member).map(|(place, _)| place + 1)
}
