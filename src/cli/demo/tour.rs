//! The tour: each stop asked directly and through the proxy, beside what is due.

use super::{
    Arguments, Failure,
    ask::{Asked, Browser, Reply},
    cases::{self, Case, Due},
    questions::Dates,
    rows::{Count, Measure},
    set_up::{House, token},
    visible::Plain,
};
use crate::{
    cli::{compare, out},
    sandbox::Sandbox,
};
use serde::Serialize;
use serde_json::Value;

/// Everything that the tour showed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tour {
    seed: u64,
    interactions: u32,
    stops: Vec<Stop>,
    /// How many stops did not show what was due.
    wrong: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stop {
    asker: &'static str,
    who: &'static str,
    shows: &'static str,
    measure: Measure,
    asked: Asked,
    /// What the upstream received. `None`: nothing.
    sent: Option<Asked>,
    /// The same query sent straight to the upstream, with ids where it has placeholders.
    directly: Count,
    /// What came through the proxy.
    through: Option<Count>,
    /// What is due: counted by SQL over the visible world, or listed by the directory file.
    due: Option<Count>,
    refused: Option<Refused>,
    notices: Vec<String>,
    as_due: bool,
}

#[derive(Debug, Serialize)]
struct Refused {
    status: u16,
    code: String,
    message: String,
}

/// A page of conversations, as large as the upstream gives.
const PAGE: usize = 100;

pub(super) async fn walk(house: &House, arguments: &Arguments) -> Result<Tour, Failure> {
    let cases = cases::cases(Plain(&house.directory), &Dates::before(house.now));
    let browser = Browser::new();
    let mut stops = Vec::with_capacity(cases.len());
    for case in cases {
        stops.push(stop(house, &browser, case).await?);
    }
    let wrong = stops.iter().filter(|stop| !stop.as_due).count();
    Ok(Tour { seed: arguments.seed, interactions: arguments.interactions, stops, wrong })
}

async fn stop(house: &House, browser: &Browser, case: Case) -> Result<Stop, Failure> {
    let sandbox = &house.sandbox;
    let proxy = format!("http://{}", house.running.proxy);
    sandbox.record(true);
    let reply = browser.ask(&proxy, &token(case.asker), &case.asked).await?;
    let sent = received(sandbox);
    sandbox.record(false);
    let directly = directly(sandbox, browser, &case).await?;
    let mut stop = Stop {
        asker: case.asker,
        who: case.who,
        shows: case.shows,
        measure: case.measure,
        asked: case.asked.clone(),
        sent,
        directly,
        through: None,
        due: None,
        refused: None,
        notices: reply.notices.clone(),
        as_due: false,
    };
    if reply.status == 200 {
        stop.through = Some(through(browser, &proxy, &case, reply).await?);
    } else {
        let text = |member: &str| reply.body.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
        stop.refused = Some(Refused { status: reply.status, code: text("code"), message: text("message") });
    }
    stop.due = due(sandbox, &case)?;
    stop.as_due = match (&case.due, &stop.refused) {
        (Due::Refused(code), Some(refused)) => refused.code == *code && stop.sent.is_none(),
        (Due::Visible { .. } | Due::Listed(_), None) => stop.through == stop.due,
        _ => false,
    };
    Ok(stop)
}

/// The first query that any region received; requests for tokens are none.
fn received(sandbox: &Sandbox) -> Option<Asked> {
    let regions: Vec<String> = sandbox.regions().into_iter().map(str::to_owned).collect();
    let all: Vec<_> = regions.iter().flat_map(|region| sandbox.take_received(region)).collect();
    let first = all.into_iter().find(|received| received.target != "/oauth/token")?;
    let body = serde_json::from_str(&String::from_utf8_lossy(&first.body)).ok();
    Some(Asked { method: first.method, target: first.target, body })
}

async fn directly(sandbox: &Sandbox, browser: &Browser, case: &Case) -> Result<Count, Failure> {
    let base = sandbox.base_url(case.region).unwrap_or_default();
    let mut asked = case.asked.clone();
    // The upstream knows no placeholders.
    if let Due::Visible { plainly, .. } = &case.due {
        asked.body = asked.body.map(|_| plainly.clone());
    }
    let reply = browser.ask(&base, &sandbox.token(), &asked).await?;
    // Its own total says it without fetching every page.
    if case.measure == Measure::Conversations {
        let total = reply.body.get("totalHits").and_then(Value::as_u64).unwrap_or_default();
        return Ok(Count::total(usize::try_from(total).unwrap_or(usize::MAX)));
    }
    Ok(Count::of(case.measure, case.measure.rows(&reply.body)))
}

async fn through(browser: &Browser, proxy: &str, case: &Case, first: Reply) -> Result<Count, Failure> {
    let mut rows = case.measure.rows(&first.body);
    let mut number = 1;
    while case.measure == Measure::Conversations && rows.len() == number * PAGE {
        number += 1;
        let asked = Asked { body: case.asked.body.as_ref().map(|body| page(body, number)), ..case.asked.clone() };
        let next = browser.ask(proxy, &token(case.asker), &asked).await?;
        rows.extend(case.measure.rows(&next.body));
    }
    Ok(Count::of(case.measure, rows))
}

fn page(body: &Value, number: usize) -> Value {
    let mut body = body.clone();
    if let Some(at) = body.pointer_mut("/paging/pageNumber") {
        *at = Value::from(number);
    }
    body
}

/// The asked question over the visible world, put to the store itself.
fn due(sandbox: &Sandbox, case: &Case) -> Result<Option<Count>, Failure> {
    let (bounds, plainly) = match &case.due {
        Due::Refused(_) => return Ok(None),
        Due::Listed(ids) => {
            let rows = ids.iter().map(|id| serde_json::json!({ "id": id })).collect();
            return Ok(Some(Count::of(case.measure, rows)));
        }
        Due::Visible { bounds, plainly } => (bounds, plainly),
    };
    sandbox.mark_bounds(case.region, bounds).map_err(Failure::unreachable)?;
    let evaluate =
        |body: &Value| sandbox.evaluate_visible(case.region, &case.asked.target, body).map_err(Failure::unreachable);
    let mut rows = case.measure.rows(&evaluate(plainly)?);
    let mut number = 1;
    while case.measure == Measure::Conversations && rows.len() == number * PAGE {
        number += 1;
        rows.extend(case.measure.rows(&evaluate(&page(plainly, number))?));
    }
    Ok(Some(Count::of(case.measure, rows)))
}

impl Tour {
    /// Whether every stop showed what was due.
    pub(super) fn as_due(&self) -> bool {
        self.wrong == 0
    }

    pub(super) fn print(&self) {
        out::line(format!("bailiwick demo: {} interactions made up from seed {}", self.interactions, self.seed));
        out::line("each query as it was sent: `+` was added to what was asked, `-` was taken out\n");
        for (number, stop) in self.stops.iter().enumerate() {
            stop.print(number + 1);
        }
        let total = self.stops.len();
        out::line(if self.as_due() {
            format!("{total} of {total} as due")
        } else {
            format!(
                "{} of {total} as due, {} NOT: the proxy and the visible world differ",
                total - self.wrong,
                self.wrong
            )
        });
    }
}

impl Stop {
    fn print(&self, number: usize) {
        out::line(format!("{number:>2}. {} ({}): {}", self.asker, self.who, self.shows));
        let pass = |title: &str, text: String| out::line(format!("    {title:<15} {text}"));
        pass("asked", format!("{} {}", self.asked.method, self.asked.target));
        self.bodies(&pass);
        pass("directly", self.count(&self.directly));
        if let Some(refused) = &self.refused {
            pass("refused", format!("{} {}: {}", refused.status, refused.code, refused.message));
        }
        if let Some(through) = &self.through {
            pass("through proxy", self.count(through));
        }
        if let Some(due) = &self.due {
            let source = if self.measure == Measure::Entities { "directory says" } else { "SQL, visible" };
            pass(source, format!("{}{}", self.count(due), if self.as_due { "   equal" } else { "   DIFFERENT" }));
        } else if !self.as_due {
            pass("", "NOT the refusal that is due".to_owned());
        }
        for notice in &self.notices {
            pass("notice", notice.clone());
        }
        out::line("");
    }

    fn bodies(&self, pass: &dyn Fn(&str, String)) {
        let line = |mark: char, text: &str| out::line(format!("      {mark} {text}"));
        match (&self.sent, &self.asked.body) {
            (Some(sent), asked) => {
                if sent.target != self.asked.target {
                    line('+', &format!("{} {}", sent.method, sent.target));
                }
                let lines: Vec<_> = sent.body.iter().flat_map(|body| compare::marked(asked.as_ref(), body)).collect();
                for one in &lines {
                    line(one.mark, &one.text);
                }
                if sent.target == self.asked.target && lines.iter().all(|one| one.mark == ' ') {
                    pass("sent", "as asked".to_owned());
                }
            }
            (None, Some(asked)) => {
                for text in compare::lay_out(asked) {
                    line(' ', &text);
                }
            }
            (None, None) => {}
        }
        if self.sent.is_none() {
            pass("sent", "nothing".to_owned());
        }
    }

    fn count(&self, count: &Count) -> String {
        let (rows, legs) = self.measure.words();
        match count.legs {
            Some(number) => format!("{:>6} {rows}, {number:>6} {legs}", count.rows),
            None => format!("{:>6} {rows}", count.rows),
        }
    }
}
