//! Legs of others that stay without their owner, over the wire: which interactions come is as under a rule that cuts, whom the
//! hidden legs belong to is said by the sandbox's own store, and no answer knows a name of another.

use super::{
    house::{DETAILS, House, Plan, WEEK},
    truth::Truth,
};
use crate::oracle::questions::Kind;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const CUT: &str = "shape = \"conversations\"\nrows = \"$.conversations\"\n";
const STAYS: &str =
    "shape = \"conversations\"\nrows = \"$.conversations\"\nforeign = \"pseudonym\"\nforeign-keep = \"foreign-legs\"\n";

/// The rule's own test of a leg of others, as this rule shows it: tests are run with one salt for all.
const ALONE: &str = "    ] }] },\n] }]\n\n[[rule.test]]\nname = \"a supervisor of two queues, as a job\"";
const BESIDE: &str = "    ] }] },\n    { purpose = \"agent\", userId = \"agent-122c723b9ebe5775\", sessions = [{ mediaType = \"voice\", segments = [{ segmentType = \"interact\" }] }] },\n] }]\n\n[[rule.test]]\nname = \"a supervisor of two queues, as a job\"";

/// The pseudonyms of an answer, by interaction; and that nothing else stands beside them.
fn shadows(answer: &Value) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for row in answer["conversations"].as_array().into_iter().flatten() {
        let names: &mut Vec<String> = all.entry(row["conversationId"].as_str().unwrap().to_owned()).or_default();
        for participant in row["participants"].as_array().unwrap() {
            let name = participant["userId"].as_str().filter(|name| name.starts_with("agent-"));
            let Some(name) = name else { continue };
            let keys: BTreeSet<&str> = participant.as_object().unwrap().keys().map(String::as_str).collect();
            assert!(keys.is_subset(&BTreeSet::from(["purpose", "sessions", "userId"])), "{participant}");
            names.push(name.to_owned());
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_hidden_has_a_name_that_no_other_answer_knows() {
    let file = "genesys/conversations.toml";
    let rules = vec![(file, CUT, STAYS), (file, ALONE, BESIDE)];
    let house = House::of(Plan { own_rules: true, rules, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let asked = json!({ "interval": WEEK, "order": "asc", "paging": { "pageSize": 100, "pageNumber": 1 } });
    let (mut hidden_people, mut everybody) = (0, BTreeSet::new());
    for person in ["sofia", "viola", "ana"] {
        let visible = truth.visible(person, Kind::Details);
        let (one, two) = (house.post(person, DETAILS, &asked).await, house.post(person, DETAILS, &asked).await);
        assert_eq!((one.status, two.status), (200, 200), "{one:?}");
        let (first, second) = (shadows(&one.json()), shadows(&two.json()));
        // the interactions are those of the visible world
        let due = truth.answer(&house.sandbox, person, Kind::Details, &asked);
        let answer = one.json();
        let ids = |answer: &Value| -> Vec<String> {
            let rows = answer["conversations"].as_array().into_iter().flatten();
            rows.map(|row| row["conversationId"].as_str().unwrap().to_owned()).collect()
        };
        let (got, due) = (ids(&answer), ids(&due));
        assert_eq!(got, due, "{person}");
        // one name for each hidden agent, the same all over the answer
        let mut by_name: BTreeMap<&String, BTreeSet<&str>> = BTreeMap::new();
        for (conversation, names) in &first {
            let rows = truth.rows(person).iter().filter(|row| row.conversation == *conversation);
            let agents: BTreeSet<&str> =
                rows.filter(|row| !visible.contains(&row.id)).filter_map(|row| row.agent.as_deref()).collect();
            let different: BTreeSet<&String> = names.iter().collect();
            assert!(different.len() <= agents.len(), "{person} {conversation}: {names:?} for {agents:?}");
            for name in different {
                let known = by_name.entry(name).or_insert_with(|| agents.clone());
                known.retain(|agent| agents.contains(agent));
                assert!(!known.is_empty(), "{person}: `{name}` is nobody of every interaction that it stands in");
            }
            hidden_people += names.len();
        }
        let names = |all: &BTreeMap<String, Vec<String>>| all.values().flatten().cloned().collect::<BTreeSet<String>>();
        assert_eq!(names(&first).len(), names(&second).len(), "{person}");
        assert!(names(&first).is_disjoint(&names(&second)), "{person}: two answers share a name");
        assert!(names(&first).is_disjoint(&everybody), "{person}: two askers share a name");
        everybody.extend(names(&first));
        // of hidden legs no queue and no agent stands anywhere, unless a visible one has it too
        let mut shown: BTreeSet<&str> = BTreeSet::new();
        for row in truth.rows(person).iter().filter(|row| visible.contains(&row.id)) {
            shown.extend(row.queue.iter().chain(&row.agent).map(String::as_str));
        }
        for row in truth.rows(person).iter().filter(|row| first.contains_key(&row.conversation)) {
            for id in row.queue.iter().chain(&row.agent).filter(|id| !shown.contains(id.as_str())) {
                assert!(!one.body.contains(&format!("\"{id}\"")), "{person}: {id}");
            }
        }
    }
    println!("{hidden_people} hidden agents in answers, {} names", everybody.len());
    assert!(hidden_people > 20, "the cases are too easy");
}
