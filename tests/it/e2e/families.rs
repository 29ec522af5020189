//! The first law through HTTP for every family that the shipped rules govern: what somebody is answered is the asked
//! question over what he may see. Visibility is the oracle's, evaluation is the sandbox's SQL.

use super::{
    house::{House, Plan, WEEK},
    truth::Truth,
};
use crate::{
    laws::{
        case::{Case, Organisation, Stock, data_of},
        families::{Family, ask::Draw},
    },
    oracle::{
        generate::Dice,
        questions::{Facts, Kind, facts_of, within},
        semantics::{Data, Entitlement},
    },
};
use bailiwick::model::{answer::Shape, body::FilterModel, refusal::Code};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Cases of each family; those of the aggregates hang on few legs, and cost little.
const CASES: u64 = 20;

const CAST: [&str; 17] = [
    "sofia", "carl", "ana", "bo", "bea", "dana", "ines", "olga", "rita", "nils", "gus", "viola", "greg", "max", "hugo",
    "pat", "dana-eu",
];

/// What the sandbox holds of a plain dimension.
fn values(_: &FilterModel, plain: &str) -> Vec<String> {
    let held: &[&str] = match plain {
        "mediaType" => &["voice", "chat"],
        "direction" | "originatingDirection" => &["inbound", "outbound"],
        "systemPresence" => &["AVAILABLE", "BUSY", "AWAY"],
        "routingStatus" => &["IDLE", "INTERACTING", "OFF_QUEUE"],
        "wrapUpCode" => &["wu-resolved", "wu-callback"],
        _ => &["true", "1"],
    };
    held.iter().map(|one| (*one).to_owned()).collect()
}

#[derive(Default)]
struct Tally {
    answered: usize,
    rows: usize,
    forbidden: usize,
    refused: BTreeMap<String, usize>,
}

struct Bench {
    house: House,
    truth: Truth,
    organisation: Organisation,
}

/// The rows of an answer, in an order of their own.
fn rows(family: &Family, answer: &Value) -> Vec<Value> {
    let member = family.operation.answer.rows.last().unwrap();
    let mut rows = answer[&**member].as_array().cloned().unwrap_or_default();
    rows.sort_by_key(ToString::to_string);
    rows
}

/// What can be held against less than everything: the least and the greatest of fewer legs may lie anywhere.
fn said(family: &Family, answer: &Value) -> Facts {
    let mut facts = match family.operation.answer.shape {
        Shape::Owned => Facts::new(),
        Shape::Conversations => facts_of(Kind::Details, answer),
        Shape::Rows => facts_of(Kind::Platform, answer),
        _ => facts_of(Kind::Aggregates, answer),
    };
    for cells in facts.values_mut() {
        cells.retain(|name, _| name.rsplit_once('.').is_none_or(|(_, stat)| !matches!(stat, "min" | "max")));
    }
    facts
}

impl Bench {
    /// Metrics of which the sandbox counts something.
    fn counted(&self, family: &Family) -> Vec<String> {
        let words = family.metrics();
        let counts = |word: &&String| {
            let mut body = json!({ "metrics": [word], "interval": WEEK, "groupBy": ["queueId"], "filter": {
                "type": "or", "predicates": [{ "dimension": "queueId", "operator": "exists" }] } });
            if family.model().data == bailiwick::model::contract::Data::User {
                body["groupBy"] = json!(["userId"]);
                body["filter"] = json!({ "type": "or", "predicates": [{ "dimension": "userId", "value": "ana" }] });
            }
            let known = |name: &str| family.model().fields.iter().any(|field| &*field.name == name);
            body.as_object_mut().unwrap().retain(|name, _| known(name));
            if family.metrics_are_objects() {
                body["metrics"] = json!([{ "metric": word }]);
            }
            let answer = self.house.sandbox.evaluate(super::house::US, &family.path(), &body);
            answer.is_ok_and(|answer| !rows(family, &answer).is_empty())
        };
        words.iter().filter(counts).cloned().collect()
    }

    fn draw(&self, family: &Family, metrics: &[String], dice: &mut Dice) -> (Case, Vec<Entitlement>) {
        let directory = &self.organisation.directory;
        let mut case = Truth::case("", family.kind, &Value::Null);
        let mut scope = Vec::new();
        for _ in 0..6 {
            case.person = (*dice.pick(&CAST)).to_owned();
            scope = case.scope_for(directory, &family.operation);
            if !scope.is_empty() {
                break;
            }
        }
        let names = case.names_within(directory, &scope);
        // The sandbox knows fewer plain dimensions than the real thing.
        for _ in 0..50 {
            let mut body = Draw { family, names: &names, metrics, values }.question(dice);
            if !body["paging"].is_null() || family.operation.answer.shape == Shape::Owned {
                body["paging"] = json!({ "pageSize": 100, "pageNumber": 1 });
            }
            // A sum over people or queues shows no row that could be told apart here.
            let groups = family.model().fields.iter().any(|field| &*field.name == "groupBy");
            if groups && body["groupBy"].is_null() && data_of(family.kind) != Data::Interaction {
                body["groupBy"] = json!([if data_of(family.kind) == Data::User { "userId" } else { "queueId" }]);
            }
            case.body = body.to_string();
            if self.house.sandbox.evaluate(self.truth.region(&case.person), &family.path(), &body).is_ok() {
                break;
            }
        }
        (case, scope)
    }

    /// The asked question over what the person may see.
    fn due(&self, family: &Family, case: &Case, scope: &[Entitlement], asked: &Value) -> Value {
        let (person, directory) = (&case.person, &self.organisation.directory);
        let (sandbox, region) = (&self.house.sandbox, self.truth.region(person));
        if data_of(family.kind) == Data::Interaction {
            let rows = self.truth.rows(person).iter();
            let seen: Vec<_> = rows.filter(|row| self.truth.sees(person, scope, row)).map(|row| row.id).collect();
            sandbox.mark_visible(region, &seen).unwrap();
            return sandbox.evaluate_visible(region, &family.path(), asked).unwrap();
        }
        // Every row is one queue's or one person's.
        let inside = |row: &Value| {
            if let Some(queue) = row["group"]["queueId"].as_str() {
                return case.queue_inside(directory, scope, queue);
            }
            let user = row["group"]["userId"].as_str().or(row["userId"].as_str()).unwrap();
            case.user_inside(directory, scope, user, false) && !family.leaves_out(directory, user)
        };
        let mut whole = self.whole(family, person, asked);
        let member = &**family.operation.answer.rows.last().unwrap();
        whole[member].as_array_mut().unwrap().retain(inside);
        whole
    }

    /// The asked question over everything, all pages of it.
    fn whole(&self, family: &Family, person: &str, asked: &Value) -> Value {
        let page = |number| {
            let mut asked = asked.clone();
            if family.operation.answer.shape == Shape::Owned {
                asked["paging"] = json!({ "pageSize": 100, "pageNumber": number });
            }
            self.house.sandbox.evaluate(self.truth.region(person), &family.path(), &asked).unwrap_or_default()
        };
        let mut first = page(1);
        let member = &**family.operation.answer.rows.last().unwrap();
        if family.operation.answer.shape == Shape::Owned {
            let rest = (2..).map(|number| rows(family, &page(number))).take_while(|rows| !rows.is_empty()).flatten();
            let all: Vec<Value> = rows(family, &first).into_iter().chain(rest).collect();
            first[member] = json!(all);
        }
        first
    }

    async fn judge(
        &self,
        family: &Family,
        case: &Case,
        scope: &[Entitlement],
        tally: &mut Tally,
    ) -> Result<(), String> {
        let directory = &self.organisation.directory;
        let heard = self.house.ask(&case.person, &format!("POST {}", family.path()), &case.body).await;
        if heard.status != 200 {
            let (_, code, body) = heard.refusal();
            *tally.refused.entry(code.clone()).or_default() += 1;
            let known = *Code::ALL.iter().find(|known| known.as_str() == code).ok_or(format!("no code: {body}"))?;
            let message = body["message"].as_str().unwrap_or_default();
            return family.judge_refusal(directory, case, scope, known, message);
        }
        case.judge_names(directory, scope)?;
        let Some(asked) = case.asked(directory, scope) else {
            return Err("a placeholder that stands for nothing was answered".to_owned());
        };
        let (got, notices) = (heard.json(), heard.notices());
        let due = self.due(family, case, scope, &asked);
        let whole = self.whole(family, &case.person, &asked);
        tally.answered += 1;
        tally.rows += usize::from(!rows(family, &got).is_empty());
        tally.forbidden += usize::from(rows(family, &whole) != rows(family, &due));
        let same = match family.operation.answer.shape {
            // Rows carry masks and lose what speaks of hidden legs; what they say of legs is compared.
            Shape::Conversations => facts_of(Kind::Details, &got) == facts_of(Kind::Details, &due),
            // Entities beside a count name interactions one by one, and are taken out.
            Shape::Groups if family.metrics_are_objects() => said(family, &got) == said(family, &due),
            _ => rows(family, &got) == rows(family, &due),
        };
        if same || !notices.is_empty() && within(&said(family, &got), &said(family, &due)) {
            return Ok(());
        }
        Err(format!("beside {notices:?}: due {due:#}\ngot {got:#}"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_family_answers_over_the_visible_world_through_http() {
    let house = House::of(Plan { seed: 3, interactions: 10_000, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let organisation = Organisation::of(house.directory.clone(), Stock::default()).unwrap();
    let bench = Bench { house, truth, organisation };
    let families = Family::all();
    let (mut different, mut too_easy, mut hidden) = (Vec::new(), Vec::new(), 0);
    for (nth, family) in families.iter().enumerate() {
        let metrics = bench.counted(family);
        let id = &*family.operation.id;
        let mut tally = Tally::default();
        for number in 0..CASES {
            let (case, scope) = bench.draw(family, &metrics, &mut Dice::new(7_000 + 100 * nth as u64 + number));
            if let Err(why) = bench.judge(family, &case, &scope, &mut tally).await {
                different.push(format!("{id} case {number}: {} {}\n{why}", case.person, case.body));
            }
        }
        let Tally { answered, rows, forbidden, refused } = &tally;
        println!(
            "{id}: {CASES} cases through HTTP, {answered} answered ({rows} with rows, {forbidden} over something hidden), \
             {} metrics counted, refused {refused:?}",
            metrics.len()
        );
        hidden += forbidden;
        if *rows < 3 {
            too_easy.push(id);
        }
        for code in ["verify.failed", "query.malformed", "proxy.internal", "answer.unreadable", "upstream.refused"] {
            assert!(!refused.contains_key(code), "{id}: {code}");
        }
    }
    println!("{} families through HTTP, {CASES} questions each, {hidden} over something hidden", families.len());
    assert!(different.is_empty(), "{}: {}", different.len(), different.iter().take(3).cloned().collect::<String>());
    assert!(too_easy.is_empty() && hidden >= 3 * families.len(), "the cases are too easy: {too_easy:?}, {hidden}");
}
