//! A server of tools for language models (`@makingchatbots/genesys-cloud-mcp-server`), unmodified, asked over its own
//! standard input: each tool tells a supervisor what she may see, and a refusal reaches the tool as an error.

use super::{
    super::{
        house::{EU, House, Plan, US, WEEK, now},
        truth::Truth,
    },
    home, installed,
};
use crate::{
    laws::{
        case::{Organisation, Stock},
        lists::Asker,
        program,
    },
    oracle::{questions::Kind, semantics::Data},
};
use bailiwick::sandbox::sample;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// The server as one process, logged in as one person.
struct Server {
    child: Child,
    asks: ChildStdin,
    says: BufReader<ChildStdout>,
    number: u64,
}

impl Server {
    fn start(house: &House, person: &str) -> Self {
        let node = installed("BAILIWICK_NODE", "target/tools/python/bin/node");
        let program = "target/tools/mcp/node_modules/@makingchatbots/genesys-cloud-mcp-server/dist/cli.js";
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(program);
        assert!(program.exists(), "`{}` is not there: run tests/run, which installs it", program.display());
        let mut child = Command::new(node)
            .arg(program)
            .env("HOME", home(house, "javascript"))
            .env("GENESYSCLOUD_REGION", "mypurecloud.com")
            .env("GENESYSCLOUD_OAUTHCLIENT_ID", format!("client-of-{person}"))
            .env("GENESYSCLOUD_OAUTHCLIENT_SECRET", format!("secret-of-{person}"))
            .env_remove("http_proxy")
            .env_remove("HTTP_PROXY")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (asks, says) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut server = Self { child, asks, says, number: 0 };
        let hello = json!({ "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": { "name": "tests", "version": "1" } });
        assert_eq!(server.ask("initialize", &hello)["serverInfo"]["name"], "Genesys Cloud");
        server.write(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        server
    }

    fn write(&mut self, message: &Value) {
        writeln!(self.asks, "{message}").unwrap();
        self.asks.flush().unwrap();
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.number += 1;
        self.write(&json!({ "jsonrpc": "2.0", "id": self.number, "method": method, "params": params }));
        loop {
            let mut line = String::new();
            assert!(self.says.read_line(&mut line).unwrap() > 0, "the server of tools ended");
            let message: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
            if message["id"] == self.number {
                assert!(message["error"].is_null(), "{method} {params}: {message}");
                return message["result"].clone();
            }
        }
    }

    /// What a tool says: data, or the text of an error.
    fn call(&mut self, tool: &str, arguments: &Value) -> Result<Value, String> {
        let result = self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }));
        let text = result["content"][0]["text"].as_str().unwrap_or_default().to_owned();
        if result["isError"] == true {
            return Err(text);
        }
        Ok(serde_json::from_str(&text).unwrap_or(json!(text)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Ids as these tools take them.
fn uuid(name: &str) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

/// The sample with ids of queues that the tools accept.
fn directory() -> Value {
    let mut text = sample::text();
    for queue in sample::directory()["queues"].as_array().unwrap() {
        let id = queue["id"].as_str().unwrap();
        text = text.replace(&format!("\"{id}\""), &format!("\"{}\"", uuid(id)));
    }
    serde_json::from_str(&text).unwrap()
}

/// The interactions of an answer in their order.
fn ids(rows: &Value) -> Vec<&str> {
    rows.as_array().into_iter().flatten().map(|one| one["conversationId"].as_str().unwrap()).collect()
}

/// A refusal without the id of its decision.
fn without_decision(told: &str) -> String {
    let (before, after) = told.split_once("contextId").expect("a decision");
    let (_, rest) = after.split_once(',').unwrap();
    format!("{before}{rest}")
}

/// The same question to the visible world, as the tool asks it.
fn details(filters: Value, order: &str, page: u64) -> Value {
    json!({ "interval": WEEK, "order": order, "orderBy": "conversationStart", "segmentFilters": filters,
        "paging": { "pageSize": 8, "pageNumber": page } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn tools_for_language_models_tell_what_is_due_and_pass_on_refusals() {
    let house = House::of(Plan { directory: directory(), interactions: 6_000, uuids: true, ..Plan::default() }).await;
    let truth = Truth::of(&house.sandbox, &house.directory);
    let (from, until) = WEEK.split_once('/').unwrap();
    let dates = json!({ "startDate": from, "endDate": until });
    let with = |more: Value| {
        let mut arguments = dates.clone();
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        arguments
    };
    let mut told = 0;
    tokio::task::block_in_place(|| {
        let mut sofia = Server::start(&house, "sofia");
        let tools = sofia.ask("tools/list", &json!({}));
        let tools: BTreeSet<&str> =
            tools["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
        assert!(tools.len() >= 10, "{tools:?}");

        // queues: exactly hers
        let case = Truth::case("sofia", Kind::QueueObservations, &Value::Null);
        let scope =
            truth.scope_of_list("sofia", Kind::QueueObservations, &["routing:queue:view", "telephony:queue:view"]);
        let alive = |state: &Option<String>| state.as_deref().is_none_or(|state| state == "active");
        let here = truth.directory.queues.iter().filter(|queue| alive(&queue.state));
        let due: BTreeSet<&str> = here
            .filter(|queue| case.queue_inside(&truth.directory, &scope, &queue.id))
            .map(|queue| queue.id.as_str())
            .collect();
        let found = sofia.call("search_queues", &json!({ "name": "*" })).unwrap();
        let got: BTreeSet<&str> =
            found["queues"].as_array().unwrap().iter().map(|queue| queue["id"].as_str().unwrap()).collect();
        assert_eq!(got, due);
        assert_eq!(found["pagination"]["totalMatchingQueues"], json!(due.len()), "{found}");
        assert!(!due.is_empty() && due.len() < truth.directory.queues.len());
        told += 1;

        // interactions by voice, page by page
        let voice = json!([
            { "type": "or", "predicates": [{ "dimension": "mediaType", "value": "voice" }] },
            { "type": "or", "predicates": [
                { "dimension": "direction", "value": "inbound" }, { "dimension": "direction", "value": "outbound" },
            ] },
        ]);
        let mut shown = 0;
        for page in 1..=3 {
            let due = truth.answer(&house.sandbox, "sofia", Kind::Details, &details(voice.clone(), "desc", page));
            let got =
                sofia.call("search_voice_conversations", &with(json!({ "pageSize": 8, "pageNumber": page }))).unwrap();
            assert_eq!(ids(&got["conversations"]), ids(&due["conversations"]), "page {page}");
            shown += ids(&got["conversations"]).len();
        }
        assert!(shown > 8, "{shown}");
        told += 3;

        // a job, submitted, polled and read: by queue
        let mine: Vec<String> = due.iter().take(2).map(|id| (*id).to_owned()).collect();
        let of_queues = |queues: &[String]| {
            let queues: Vec<Value> = queues.iter().map(|id| json!({ "dimension": "queueId", "value": id })).collect();
            let filters = json!([
                { "type": "and", "predicates": [{ "dimension": "purpose", "value": "customer" }] },
                { "type": "or", "predicates": queues },
            ]);
            let mut all = BTreeSet::new();
            for page in 1.. {
                let body = details(filters.clone(), "asc", page);
                let rows = truth.answer(&house.sandbox, "sofia", Kind::Details, &body);
                if ids(&rows["conversations"]).is_empty() {
                    return all;
                }
                all.extend(ids(&rows["conversations"]).into_iter().map(str::to_owned));
            }
            all
        };
        let volumes = sofia.call("query_queue_volumes", &with(json!({ "queueIds": mine }))).unwrap();
        for (queue, got) in mine.iter().zip(volumes["queues"].as_array().unwrap()) {
            assert_eq!(got["queueId"], json!(queue));
            let due = of_queues(std::slice::from_ref(queue)).len();
            assert_eq!(got["totalConversations"], json!(due), "{queue}");
        }
        let sample = sofia.call("sample_conversations_by_queue", &with(json!({ "queueId": mine[0] }))).unwrap();
        assert_eq!(sample["totalConversationsSampled"], json!(of_queues(&mine[..1]).len()));
        told += 2;

        // What hangs on whole interactions is shown of those that she sees whole. The tool looks for the interaction's id
        // in the answer, which does not pass: at most these, and none of the others.
        let organisation = Organisation::of(house.directory.clone(), Stock::default()).unwrap();
        let asker = Asker { organisation: &organisation, person: "sofia".to_owned(), now: now().as_second() };
        let speech = asker.scope(program::read("/api/v2/speechandtextanalytics/conversations/c-1"), Data::Interaction);
        let rows = truth.rows("sofia");
        let all: BTreeSet<&str> = rows.iter().map(|row| row.conversation.as_str()).collect();
        let whole = |id: &str| {
            let owned = |row: &&bailiwick::sandbox::LegRow| row.queue.is_some() || row.agent.is_some();
            let legs: Vec<_> = rows.iter().filter(|row| row.conversation == id).filter(owned).collect();
            !legs.is_empty() && legs.iter().all(|row| truth.sees("sofia", &speech, row))
        };
        let (seen, hidden): (Vec<&str>, Vec<&str>) = all.iter().take(400).partition(|id| whole(id));
        let some: Vec<&str> = seen.iter().take(5).chain(hidden.iter().take(5)).copied().collect();
        assert_eq!(some.len(), 10, "{} {}", seen.len(), hidden.len());
        let got = sofia.call("conversation_sentiment", &json!({ "conversationIds": some })).unwrap();
        let scores = got["conversationsWithSentiment"].as_array().unwrap();
        let got: BTreeSet<&str> = scores.iter().map(|one| one["conversationId"].as_str().unwrap()).collect();
        assert!(got.iter().all(|id| seen.contains(id)), "{got:?}");
        assert!(!hidden.iter().any(|id| scores.iter().any(|one| one.to_string().contains(id))));
        told += 1;

        // a figure of the whole interaction is in no answer
        let quality = sofia.call("voice_call_quality", &json!({ "conversationIds": [seen[0]] }));
        assert_eq!(quality, Ok(json!({ "conversations": [] })));
        told += 1;

        // refusals
        let foreign = uuid("q-fraud-vip");
        let not_there = uuid("invented");
        let mut refused = Vec::new();
        for queue in [&foreign, &not_there] {
            for (tool, arguments) in [
                ("query_queue_volumes", with(json!({ "queueIds": [mine[0], queue] }))),
                ("sample_conversations_by_queue", with(json!({ "queueId": queue }))),
            ] {
                let told = sofia.call(tool, &arguments).expect_err("a queue of somebody else");
                assert!(told.contains("scope.outside") || told.contains("Unauthorised"), "{tool}: {told}");
                assert!(!told.contains(queue.as_str()), "{told}");
                refused.push(without_decision(&told));
            }
        }
        assert_eq!(refused[..2], refused[2..], "a queue of somebody else and an invented one");
        for (tool, arguments) in [
            ("conversation_topics", json!({ "conversationId": hidden_whole(&truth, &hidden) })),
            ("conversation_transcript", json!({ "conversationId": hidden_whole(&truth, &hidden) })),
            ("oauth_clients", json!({})),
        ] {
            refused.push(sofia.call(tool, &arguments).expect_err(tool));
        }
        let mut nobody = Server::start(&house, "nobody");
        for (tool, arguments) in
            [("search_queues", json!({ "name": "*" })), ("search_voice_conversations", dates.clone())]
        {
            refused.push(nobody.call(tool, &arguments).expect_err(tool));
        }
        println!(
            "tools: {} known, {told} answers as due to sofia, {} refusals told as errors",
            tools.len(),
            refused.len()
        );
    });
    house.assert_no_connection_to(EU);
    assert!(!house.received(US).is_empty());
}

/// An interaction of which sofia sees nothing at all.
fn hidden_whole(truth: &Truth, hidden: &[&str]) -> String {
    let visible = truth.visible("sofia", Kind::Details);
    let rows = truth.rows("sofia");
    let nothing = |id: &&&str| !rows.iter().any(|row| row.conversation == **id && visible.contains(&row.id));
    (*hidden.iter().find(nothing).expect("something hidden")).to_owned()
}
