//! The first law for every family whose rows hang on legs: what somebody is answered is the asked question over the rows
//! of the legs that he may see. Visibility is the oracle's, evaluation is the sandbox's SQL over those legs.

use super::{
    house::{House, Plan},
    truth::Truth,
};
use crate::{
    laws::{
        case::{Case, Organisation, Stock},
        program::Got,
    },
    oracle::{
        generate::{self, Dice, Words},
        questions::{Kind, facts_of, within},
    },
};
use bailiwick::model::refusal::Code;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One family: its word in the path, whether the upstream tags its rows with divisions, and metrics of the sandbox.
struct Family {
    name: &'static str,
    tagged: bool,
    /// Whether its rows have a medium.
    media: bool,
    metrics: &'static [&'static str],
}

const FAMILIES: [Family; 8] = [
    Family { name: "evaluations", tagged: true, media: true, metrics: &["nEvaluations", "oTotalScore"] },
    Family {
        name: "surveys",
        tagged: true,
        media: true,
        metrics: &["nSurveysSent", "nSurveyResponses", "oSurveyTotalScore"],
    },
    Family {
        name: "transcripts",
        tagged: true,
        media: true,
        metrics: &["nSpeechTextAnalyzedConversations", "tAgentSpeech", "tSilence"],
    },
    Family {
        name: "agentcopilots",
        tagged: false,
        media: true,
        metrics: &["nCannedResponseSuggestions", "nDistinctConversations"],
    },
    Family { name: "knowledge", tagged: false, media: true, metrics: &["nKnowledgeSessions", "nKnowledgeSearch"] },
    Family {
        name: "summaries",
        tagged: false,
        media: true,
        metrics: &["nConversationSummaries", "tConversationSummary"],
    },
    Family { name: "resolutions", tagged: false, media: true, metrics: &["nNextContactAvoided"] },
    Family {
        name: "taskmanagement",
        tagged: true,
        media: false,
        metrics: &["nWorkitemsCreated", "tWorkitemsHandled", "tWorkitemsHeld"],
    },
];

const CAST: [&str; 16] = [
    "sofia", "carl", "ana", "bo", "bea", "dana", "ines", "olga", "rita", "nils", "gus", "viola", "greg", "max", "hugo",
    "dana-eu",
];

/// Whoever may view a report, a dashboard or a query, or data as an outsourcer.
const OPENED_BY: [&str; 4] =
    ["analytics:report:view", "analytics:dashboard:view", "analytics:query:view", "reporting:data:view"];

impl Family {
    fn path(&self) -> String {
        format!("/api/v2/analytics/{}/aggregates/query", self.name)
    }

    /// A question about conversations in the words of this family.
    fn in_its_words(&self, mut body: Value, dice: &mut Dice) -> Value {
        let known = |name: &str| match name {
            "queueId" | "userId" => true,
            "mediaType" => self.media,
            "divisionId" => self.tagged,
            _ => false,
        };
        if let Some(groups) = body.get_mut("groupBy").and_then(Value::as_array_mut) {
            groups.retain(|one| known(one.as_str().unwrap()));
        }
        reword(&mut body["filter"], &known, if self.media { "mediaType" } else { "wrapUpCode" }, dice);
        if body["filter"].is_null() {
            body.as_object_mut().unwrap().shift_remove("filter");
        }
        let mut metrics: Vec<&str> = (0..2).map(|_| *dice.pick(self.metrics)).collect();
        metrics.dedup();
        body["metrics"] = json!(metrics);
        body
    }
}

/// Every predicate that the family does not know asks for something plain.
fn reword(filter: &mut Value, known: &dyn Fn(&str) -> bool, plain: &str, dice: &mut Dice) {
    for part in ["predicates", "clauses"] {
        for one in filter.get_mut(part).and_then(Value::as_array_mut).into_iter().flatten() {
            let canonical = |name: &str| {
                ["queueId", "userId", "mediaType", "divisionId"].into_iter().find(|one| one.eq_ignore_ascii_case(name))
            };
            if let Some(name) = one["dimension"].as_str() {
                if !canonical(name).is_some_and(known) {
                    *one = json!({ "dimension": plain, "value": *dice.pick(values(plain)) });
                }
            } else {
                reword(one, known, plain, dice);
            }
        }
    }
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

impl Bench {
    async fn judge(&self, family: &Family, case: &Case, tally: &mut Tally) -> Result<(), String> {
        let heard = self.house.ask(&case.person, &format!("POST {}", family.path()), &case.body).await;
        if heard.status != 200 {
            let (_, code, body) = heard.refusal();
            *tally.refused.entry(code.clone()).or_default() += 1;
            let known = *Code::ALL.iter().find(|known| known.as_str() == code).ok_or(format!("no code: {body}"))?;
            // The same question about conversations is refused with as much right.
            let mut asked: Value = serde_json::from_str(&case.body).unwrap();
            asked["metrics"] = json!(["tHandle"]);
            let alike = Case { body: asked.to_string(), ..case.clone() };
            let message = body["message"].as_str().unwrap_or_default().to_owned();
            return alike.judge(&self.organisation, &Got::Refused { code: known, message });
        }
        let (got, notices) = (heard.json(), heard.notices());
        let asked: Value = serde_json::from_str(&case.body).unwrap();
        let (region, sandbox) = (self.truth.region(&case.person), &self.house.sandbox);
        let scope = self.truth.scope_of_list(&case.person, Kind::Aggregates, &OPENED_BY);
        let rows = self.truth.rows(&case.person).iter();
        let seen: Vec<_> = rows.filter(|row| self.truth.sees(&case.person, &scope, row)).map(|row| row.id).collect();
        sandbox.mark_visible(region, &seen).unwrap();
        let due = sandbox.evaluate_visible(region, &family.path(), &asked).unwrap();
        let whole = sandbox.evaluate(region, &family.path(), &asked).unwrap_or_default();
        tally.answered += 1;
        tally.rows += usize::from(got["results"].as_array().is_some_and(|rows| !rows.is_empty()));
        tally.forbidden += usize::from(sorted(&whole) != sorted(&due));
        let same = if notices.is_empty() {
            sorted(&got) == sorted(&due)
        } else {
            let extremes = |name: &String| name.rsplit_once('.').is_none_or(|(_, stat)| !matches!(stat, "min" | "max"));
            let mut facts = [&got, &due].map(|answer| facts_of(Kind::Aggregates, answer));
            facts
                .iter_mut()
                .flat_map(|facts| facts.values_mut())
                .for_each(|cells| cells.retain(|name, _| extremes(name)));
            within(&facts[0], &facts[1])
        };
        if same { Ok(()) } else { Err(format!("beside {notices:?}: due {due:#}\ngot {got:#}")) }
    }
}

fn sorted(answer: &Value) -> Vec<String> {
    let mut rows: Vec<String> = answer["results"].as_array().into_iter().flatten().map(ToString::to_string).collect();
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_family_answers_over_the_visible_legs() {
    let house = House::of(Plan { seed: 3, interactions: 10_000, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let organisation = Organisation::of(house.directory.clone(), Stock::default()).unwrap();
    let bench = Bench { house, truth, organisation };
    for (nth, family) in FAMILIES.iter().enumerate() {
        let mut tally = Tally::default();
        let cases = 30;
        for case in 0..cases {
            let mut dice = Dice::new(7_000 + 100 * nth as u64 + case);
            let mut asking = Truth::case("", Kind::Aggregates, &Value::Null);
            asking.person = (*dice.pick(&CAST)).to_owned();
            let names = asking.names(&bench.organisation.directory);
            let words = Words::from([("metrics", vec!["tHandle".to_owned()])]);
            let body = generate::question(&mut dice, Kind::Aggregates, &names, &words);
            asking.body = family.in_its_words(body, &mut dice).to_string();
            if let Err(why) = bench.judge(family, &asking, &mut tally).await {
                panic!("{} case {case}: {} {}\n{why}", family.name, asking.person, asking.body);
            }
        }
        let Tally { answered, rows, forbidden, refused } = &tally;
        println!(
            "{}: {cases} cases, {answered} answered ({rows} with rows, {forbidden} over something hidden), refused {refused:?}",
            family.name
        );
        assert!(*rows >= 3 && *forbidden >= 3, "{}: the cases are too easy", family.name);
        assert!(!refused.contains_key("verify.failed") && !refused.contains_key("query.malformed"), "{}", family.name);
    }
}

/// What the sandbox holds of a plain dimension.
fn values(plain: &str) -> &'static [&'static str] {
    match plain {
        "mediaType" => &["voice", "chat"],
        "direction" | "originatingDirection" => &["inbound", "outbound"],
        _ => &["voice", "chat", "wu-resolved", "wu-callback"],
    }
}
