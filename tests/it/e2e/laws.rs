//! The first law through HTTP: what somebody is answered is the asked question over the visible world. Visibility is
//! the oracle's, evaluation is the sandbox's SQL. `BAILIWICK_E2E_CASES` sets how many cases, `BAILIWICK_SEED` which.

use super::{
    house::{AGGREGATES, DETAILS, DIVISIONS, EU, Heard, House, Plan, QUEUES, US, USERS, WEEK, now},
    truth::{Truth, path},
};
use crate::{
    laws::{
        case::{Case, Organisation, Stock, named},
        lists::{Asker, draw_asked},
        program::{self, Got},
    },
    oracle::{
        generate::{self, Dice, Words},
        lists::{self, Asked, Entry, List},
        questions::{Facts, Kind, facts_of, within},
        semantics::Data,
    },
};
use bailiwick::model::refusal::Code;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const KINDS: [Kind; 10] = [
    Kind::Aggregates,
    Kind::Aggregates,
    Kind::Aggregates,
    Kind::Details,
    Kind::Details,
    Kind::Platform,
    Kind::Platform,
    Kind::QueueObservations,
    Kind::UserAggregates,
    Kind::UserObservations,
];

/// Everybody of the sample who is one of a kind; the crowd repeats them.
const CAST: [&str; 32] = [
    "sofia",
    "carl",
    "ana",
    "bo",
    "bea",
    "pat",
    "eva",
    "dana",
    "ines",
    "rolf",
    "olga",
    "rita",
    "nils",
    "gus",
    "viola",
    "greg",
    "max",
    "mia",
    "nobody",
    "hugo",
    "rex",
    "mona",
    "leo",
    "cara",
    "elsa",
    "eric",
    "dana-eu",
    "ewa",
    "svc-exporter",
    "u-0001",
    "u-0190",
    "u-0210",
];

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Metrics that the sandbox counts, some with an agent and some without.
fn metrics(kind: Kind) -> Vec<String> {
    let known: &[&str] = match kind {
        Kind::Aggregates => &["nOffered", "tHandle", "tHandle", "nConnected", "nConversations", "tTalk", "tWait"],
        Kind::QueueObservations => &["oWaiting", "oInteracting", "oOnQueueUsers", "oMemberUsers", "oActiveUsers"],
        Kind::UserAggregates => &["tSystemPresence", "tAgentRoutingStatus", "tOrganizationPresence"],
        Kind::UserObservations => &["oMemberQueues", "oActiveQueues"],
        Kind::Details | Kind::Platform => &[],
    };
    known.iter().map(|one| (*one).to_owned()).collect()
}

/// The generator's words for wrap-up codes are those of its own data.
fn in_the_sandboxs_words(body: &Value) -> Value {
    let text = body.to_string().replace("\"done\"", "\"wu-resolved\"").replace("\"again\"", "\"wu-callback\"");
    serde_json::from_str(&text).unwrap()
}

fn draw(dice: &mut Dice, organisation: &Organisation) -> Case {
    let mut case = Truth::case("", Kind::Details, &Value::Null);
    for _ in 0..6 {
        case.person = (*dice.pick(&CAST)).to_owned();
        case.kind = *dice.pick(&KINDS);
        if !case.scope(&organisation.directory).is_empty() {
            break;
        }
    }
    let names = case.names(&organisation.directory);
    let words = Words::from([("metrics", metrics(case.kind))]);
    let mut body = in_the_sandboxs_words(&generate::question(dice, case.kind, &names, &words));
    if let Some(asked) = body.get_mut("metrics").and_then(Value::as_array_mut) {
        let mut seen = Vec::new();
        asked.retain(|one| {
            !seen.contains(one) && {
                seen.push(one.clone());
                true
            }
        });
    }
    case.body = body.to_string();
    case
}

/// Rows in an order of their own, whole.
fn rows(kind: Kind, answer: &Value) -> Vec<String> {
    let member = match kind {
        Kind::Details => "conversations",
        Kind::Platform => "rows",
        _ => "results",
    };
    let mut rows: Vec<String> = answer[member].as_array().into_iter().flatten().map(ToString::to_string).collect();
    rows.sort();
    rows
}

/// The least and the greatest of fewer legs may lie anywhere.
fn without_extremes(mut facts: Facts) -> Facts {
    for cells in facts.values_mut() {
        cells.retain(|name, _| name.rsplit_once('.').is_none_or(|(_, stat)| !matches!(stat, "min" | "max")));
    }
    facts
}

#[derive(Default)]
struct Tally {
    answered: usize,
    locally: usize,
    refused: BTreeMap<String, usize>,
    noticed: usize,
    rows: usize,
    /// Cases in which the whole world has another answer than the visible one.
    forbidden: usize,
    different: Vec<String>,
}

struct Bench {
    house: House,
    truth: Truth,
    organisation: Organisation,
}

impl Bench {
    async fn new(seed: u64) -> Self {
        let house = House::of(Plan { seed, ..Default::default() }).await;
        let truth = Truth::of(&house.sandbox, &house.directory);
        let organisation = Organisation::of(house.directory.clone(), Stock::default()).unwrap();
        Self { house, truth, organisation }
    }

    async fn judge(&self, case: &Case, tally: &mut Tally) -> Result<(), String> {
        let heard = self.house.ask(&case.person, &format!("POST {}", path(case.kind)), &case.body).await;
        if heard.status != 200 {
            let (_, code, body) = heard.refusal();
            *tally.refused.entry(code.clone()).or_default() += 1;
            let known = Code::ALL.iter().find(|known| known.as_str() == code);
            let known = *known.ok_or_else(|| format!("refused with a code that is none: {body}"))?;
            let message = body["message"].as_str().unwrap_or_default().to_owned();
            return case.judge(&self.organisation, &Got::Refused { code: known, message });
        }
        self.judge_answer(case, &heard, tally)
    }

    fn judge_answer(&self, case: &Case, heard: &Heard, tally: &mut Tally) -> Result<(), String> {
        let directory = &self.truth.directory;
        let scope = case.scope(directory);
        let Some(asked) = case.asked(directory, &scope) else {
            return Err("a placeholder that stands for nothing was answered".to_owned());
        };
        for (kind, id) in named(&asked) {
            let inside = match kind {
                "queue" => case.queue_inside(directory, &scope, &id),
                "user" => case.user_inside(directory, &scope, &id, false),
                "region" => self.truth.region(&case.person) == id,
                _ => case.division_inside(directory, &scope, &id),
            };
            if !inside {
                return Err(format!("answered, though it names the {kind} `{id}`, which is outside"));
            }
        }
        let got = heard.json();
        let region = self.truth.region(&case.person);
        let due = self.truth.answer(&self.house.sandbox, &case.person, case.kind, &asked);
        let whole = self.house.sandbox.evaluate(region, path(case.kind), &asked).unwrap_or_default();
        tally.answered += 1;
        tally.locally += usize::from(self.house.received(region).is_empty());
        tally.rows += usize::from(!rows(case.kind, &got).is_empty());
        tally.forbidden += usize::from(rows(case.kind, &whole) != rows(case.kind, &due));
        let notices = heard.notices();
        if notices.is_empty() {
            let same = match case.kind {
                // Rows carry masks and lose what speaks of hidden legs; what they say of legs is compared.
                Kind::Details => facts_of(case.kind, &got) == facts_of(case.kind, &due),
                _ => rows(case.kind, &got) == rows(case.kind, &due),
            };
            return if same { Ok(()) } else { Err(format!("due {due:#}\ngot {got:#}")) };
        }
        tally.noticed += 1;
        let mut unpaged = asked.clone();
        if case.kind == Kind::Details {
            unpaged["paging"] = json!({ "pageSize": 100, "pageNumber": 1 });
        }
        let most = self.truth.answer(&self.house.sandbox, &case.person, case.kind, &unpaged);
        let (few, all) = (facts_of(case.kind, &got), facts_of(case.kind, &most));
        if within(&without_extremes(few), &without_extremes(all)) {
            return Ok(());
        }
        Err(format!("beside {notices:?}: due at most {most:#}\ngot {got:#}"))
    }
}

/// The same question right after, and at the same time as, somebody who sees more of it, or something else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_question_of_another_is_another_question() {
    let house = House::of(Plan { interactions: 400, ..Plan::default() }).await;
    let totals = json!({ "interval": WEEK, "metrics": ["tHandle"], "groupBy": ["queueId"] });
    let details = json!({ "interval": WEEK, "paging": { "pageSize": 25, "pageNumber": 1 } });
    let people = ["dana", "sofia", "carl", "ana", "ines", "olga"];
    let told = |heard: &Heard| (heard.json(), heard.notices().into_iter().map(str::to_owned).collect::<Vec<_>>());
    for (path, body) in [(AGGREGATES, &totals), (DETAILS, &details)] {
        let mut alone = BTreeMap::new();
        for person in people {
            let heard = house.post(person, path, body).await;
            assert_eq!(heard.status, 200, "{person}: {heard:?}");
            alone.insert(person, told(&heard));
        }
        assert!(alone.values().map(|(answer, _)| answer.to_string()).collect::<BTreeSet<_>>().len() > 3);
        for before in people {
            for person in people {
                let (other, heard) = tokio::join!(house.post(before, path, body), house.post(person, path, body));
                let after = house.post(person, path, body).await;
                for (whose, heard) in [(before, &other), (person, &heard), (person, &after)] {
                    assert_eq!(told(heard), alone[whose], "{whose} beside {before} and {person}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_is_the_question_over_the_visible_world_through_http() {
    let (cases, seed) = (number("BAILIWICK_E2E_CASES", 300), number("BAILIWICK_SEED", 1));
    let bench = Bench::new(seed).await;
    let mut tally = Tally::default();
    for nth in 0..cases {
        let case = draw(&mut Dice::new(seed.wrapping_mul(1_000_003).wrapping_add(nth)), &bench.organisation);
        if let Err(why) = bench.judge(&case, &mut tally).await {
            tally.different.push(format!("case {nth}: {} {:?} {}\n{why}", case.person, case.kind, case.body));
        }
    }
    let Tally { answered, locally, refused, noticed, rows, forbidden, different } = &tally;
    println!(
        "end to end: {cases} cases, {answered} answered ({locally} locally, {noticed} with a notice, {rows} with rows, \
         {forbidden} over something hidden), {} refused {refused:?}, {} different",
        refused.values().sum::<usize>(),
        different.len()
    );
    assert!(different.is_empty(), "{}", different.iter().take(5).cloned().collect::<Vec<_>>().join("\n\n"));
    assert_eq!(answered + refused.values().sum::<usize>(), usize::try_from(cases).unwrap());
    let share = |part: usize| part * 100 >= 30 * usize::try_from(cases).unwrap();
    assert!(share(*rows) && share(*forbidden), "the cases are too easy");
    for code in ["verify.failed", "proxy.internal", "answer.unreadable", "upstream.refused"] {
        assert!(!refused.contains_key(code), "{code}");
    }
    // Some of the cast ask from Europe, so both regions are asked, each by its own people.
    for region in [US, EU] {
        assert!(bench.house.sandbox.requests(region) > 0, "{region}");
    }
    for (kind, named) in program::KINDS {
        assert_eq!(path(kind), format!("/{named}"));
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

impl Bench {
    fn asker(&self, person: &str) -> Asker<'_> {
        Asker { organisation: &self.organisation, person: person.to_owned(), now: now().as_second() }
    }

    /// Walks one list, page by page: every entry that is due, once, in order, and nothing that speaks of others.
    async fn walk(&self, list: List, person: &str, dice: &mut Dice) -> Result<usize, String> {
        let path = match list {
            List::Queues => QUEUES,
            List::Users => USERS,
            List::Divisions => DIVISIONS,
        };
        let directory = &self.organisation.directory;
        let scope = self.asker(person).scope(program::list_of(list), lists::data_of(list));
        let all = lists::due(list, directory, person, &scope, &Asked::default());
        let mut asked = draw_asked(dice, list, &all);
        if let Some(one) = all.first().filter(|_| asked.name.is_some()) {
            asked.name = Some(format!("*{}*", one.name.chars().take(3).collect::<String>()));
        }
        let due = lists::due(list, directory, person, &scope, &asked);
        let size = 1 + dice.below(6);
        let pages = due.len().div_ceil(size);
        let mut target = format!("{path}?pageSize={size}");
        for (name, values) in [("id", &asked.ids), ("divisionId", &asked.divisions)] {
            if !values.is_empty() {
                let values: Vec<String> = values.iter().map(|one| encoded(one)).collect();
                target += &format!("&{name}={}", values.join(","));
            }
        }
        if let Some(name) = &asked.name {
            target += &format!("&name={}", encoded(name));
        }
        // Every page says its order; without a word the upstream has one of its own.
        let order = if list == List::Divisions {
            ""
        } else if asked.descending {
            "&sortOrder=desc"
        } else {
            "&sortOrder=asc"
        };
        target += order;
        let mut got = Vec::new();
        for number in 1..=pages.min(12) + usize::from(pages <= 12) {
            let heard = self.house.get(person, &format!("{target}&pageNumber={number}")).await;
            if heard.status != 200 {
                // A list has no time, so a right with a data window shows nothing of it.
                let windowed = scope.iter().any(|one| one.window.is_some());
                let due = if windowed { "window.outside" } else { "permission.missing" };
                let lawful = all.is_empty() && [due, "division.parent-scan"].contains(&&*heard.code());
                return if lawful { Ok(0) } else { Err(format!("{person} {target}: {heard:?}")) };
            }
            let answer = heard.json();
            let numbers = [("total", due.len()), ("pageCount", pages), ("pageNumber", number), ("pageSize", size)];
            if numbers.iter().any(|(name, value)| answer[*name] != json!(value))
                || answer.as_object().unwrap().len() != 5
            {
                return Err(format!("{person} {target}: {numbers:?} are due, and nothing else: {answer}"));
            }
            got.extend(answer["entities"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        }
        let mut due: Vec<String> = due.into_iter().map(|one: Entry| one.id).collect();
        due.truncate(if pages > 12 { 12 * size } else { due.len() });
        if list == List::Divisions {
            // Each page is the upstream's to order; which entry stands on which page is not.
            due.sort();
            got.sort();
        }
        if got == due { Ok(got.len()) } else { Err(format!("{person} {target}\ndue {due:?}\ngot {got:?}")) }
    }

    /// An interaction by its id: the visible legs, or what an invented id gets.
    async fn read(&self, person: &str, dice: &mut Dice) -> Result<bool, String> {
        let scope = self.asker(person).scope(program::read_by_id(), Data::Interaction);
        let rows = self.truth.rows(person);
        let id = &dice.pick(rows).conversation;
        let owned = |leg: &&bailiwick::sandbox::LegRow| leg.queue.is_some() || leg.agent.is_some();
        let visible = rows
            .iter()
            .filter(|leg| leg.conversation == *id)
            .filter(owned)
            .filter(|leg| self.truth.sees(person, &scope, leg));
        let due: BTreeSet<String> = visible
            .map(|leg| format!("{:?} {:?} {:.3}", leg.queue.as_deref(), leg.agent.as_deref(), leg.start))
            .collect();
        let heard = self.house.get(person, &format!("/api/v2/conversations/{id}")).await;
        if heard.status != 200 {
            let other = self.house.get(person, "/api/v2/conversations/invented").await;
            let same = heard.refusal() == other.refusal() && !heard.body.contains(id.as_str());
            return if due.is_empty() && same {
                Ok(false)
            } else {
                Err(format!("{person} {id}: {heard:?}\nan invented one {other:?}"))
            };
        }
        let answer = heard.json();
        let participants = answer["participants"].as_array().into_iter().flatten();
        let got: BTreeSet<String> = participants
            .filter(|one| one["queueId"].is_string() || one["userId"].is_string())
            .map(|one| {
                format!(
                    "{:?} {:?} {}",
                    one["queueId"].as_str(),
                    one["userId"].as_str(),
                    one["startTime"].as_str().unwrap()
                )
            })
            .collect();
        if due == got && !due.is_empty() { Ok(true) } else { Err(format!("{person} {id}\ndue {due:#?}\ngot {got:#?}")) }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_and_reads_by_id_show_the_visible_world_through_http() {
    let (cases, seed) = (number("BAILIWICK_E2E_CASES", 300) / 3, number("BAILIWICK_SEED", 1));
    let bench = Bench::new(seed).await;
    let (mut entries, mut shown, mut hidden, mut different) = (0, 0, 0, Vec::new());
    for nth in 0..cases {
        let mut dice = Dice::new(seed.wrapping_mul(3_000_017).wrapping_add(nth));
        let person = *dice.pick(&CAST);
        for list in [List::Queues, List::Users, List::Divisions] {
            match bench.walk(list, person, &mut dice).await {
                Ok(many) => entries += many,
                Err(why) => different.push(format!("{list:?} {why}")),
            }
        }
        for _ in 0..3 {
            match bench.read(person, &mut dice).await {
                Ok(true) => shown += 1,
                Ok(false) => hidden += 1,
                Err(why) => different.push(why),
            }
        }
    }
    println!(
        "lists and reads through HTTP: {cases} people, {entries} entries, {shown} interactions shown, {hidden} not there"
    );
    assert!(
        different.is_empty(),
        "{} differ: {}",
        different.len(),
        different.iter().take(4).cloned().collect::<Vec<_>>().join("\n\n")
    );
    let least = usize::try_from(cases).unwrap();
    assert!(entries > 2 * least && shown * 10 > least && hidden > least, "{entries} {shown} {hidden}");
}
