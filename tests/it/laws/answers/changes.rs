//! What a careless or hostile upstream makes of an honest answer, shape by shape.

use super::{Form, Honest, MARK, Mutant};
use crate::oracle::{generate::Dice, lists::List};
use serde_json::{Value, json};

impl Honest {
    /// Every change that this answer can take.
    pub(super) fn mutants(&self, dice: &mut Dice) -> Vec<Mutant> {
        let mut all = Mutants { honest: self, all: Vec::new() };
        if self.queues.is_empty() || self.users.is_empty() || self.divisions.is_empty() {
            return all.all;
        }
        let foreign = Foreign {
            queue: dice.pick(&self.queues).clone(),
            user: dice.pick(&self.users).clone(),
            division: dice.pick(&self.divisions).clone(),
        };
        all.beside_the_rows(&foreign);
        match self.form {
            Form::Groups { rows, key } => all.groups(&foreign, rows, key),
            Form::Conversations => all.conversations(&foreign),
            Form::Conversation => all.conversation(&foreign),
            Form::Entities(list) => all.entities(&foreign, list),
        }
        all.all
    }
}

struct Foreign {
    queue: String,
    user: String,
    division: String,
}

struct Mutants<'a> {
    honest: &'a Honest,
    all: Vec<Mutant>,
}

/// The whole answer with one value changed.
fn changed(answer: &Value, at: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut answer = answer.clone();
    change(answer.pointer_mut(at).unwrap_or_else(|| panic!("nothing at {at}")));
    answer
}

impl Mutants<'_> {
    fn put(&mut self, what: &'static str, answer: &Value, forbidden: &[&str], instead: Option<&Value>) {
        let forbidden = forbidden.iter().map(|one| (*one).to_owned()).collect();
        self.all.push(Mutant { what, bytes: answer.to_string(), forbidden, instead: instead.cloned() });
    }

    /// Only added to what was honest.
    fn added(&mut self, what: &'static str, answer: &Value, forbidden: &[&str]) {
        let honest = self.honest.answer.clone();
        self.put(what, answer, forbidden, Some(&honest));
    }

    fn beside_the_rows(&mut self, foreign: &Foreign) {
        let beside = [
            ("facets beside the rows", "facets", json!([{ "term": foreign.queue, "count": 3, "note": MARK }])),
            ("aggregations beside the rows", "aggregations", json!([{ "queueId": foreign.queue, "note": MARK }])),
            ("a next link", "nextUri", json!(format!("/next?id={MARK}"))),
            ("a cursor", "cursor", json!(MARK)),
            (
                "another list of rows",
                "others",
                json!([{ "queueId": foreign.queue, "userId": foreign.user, "note": MARK }]),
            ),
            ("an embedded object", "_embedded", json!({ "queue": { "id": foreign.queue, "name": MARK } })),
        ];
        for (what, name, value) in beside {
            self.added(what, &changed(&self.honest.answer, "", |answer| answer[name] = value), &[MARK]);
        }
        if self.honest.form != Form::Conversation {
            let totals = |answer: &mut Value| {
                for name in ["totalHits", "total", "pageCount", "totalConversations"] {
                    answer[name] = json!(987_654_321);
                }
            };
            // The numbers of a page are settled by what is visible; all other totals go.
            self.added("false totals", &changed(&self.honest.answer, "", totals), &["987654321"]);
        }
    }

    fn groups(&mut self, foreign: &Foreign, rows: &str, key: &'static str) {
        let honest = self.honest.answer.clone();
        let payload = if rows == "rows" { "values" } else { "data" };
        let id = if key == "userId" { &foreign.user } else { &foreign.queue };
        let first = honest[rows][0].clone();
        let template = |group: Value| {
            let mut row = json!({ "group": group });
            row[payload] = first.get(payload).cloned().unwrap_or_else(|| json!([]));
            row
        };
        let with = |row: Value| changed(&honest, "", |answer| answer[rows].as_array_mut().unwrap().push(row));
        let mut push = |what, row: Value, forbidden: &str| {
            let answer = with(row);
            self.added(what, &answer, &[forbidden]);
        };
        push("a foreign row", template(json!({ key: id })), id);
        push("a row of nobody known", template(json!({ key: MARK })), MARK);
        push("a foreign row, its id in a list", template(json!({ key: [id] })), id);
        push("a foreign row, its id in an object", template(json!({ key: { "id": id } })), id);
        push("a foreign row, its id under a key of other case", template(json!({ key.to_lowercase(): id })), id);
        push("a foreign row, its id under a key that nobody reads", template(json!({ "teamId": id })), id);
        let mut beside = template(json!({}));
        beside["group"] = json!([{ key: id }]);
        push("a foreign row, its group in a list", beside, id);
        if rows == "rows" {
            push("a row of another region", template(json!({ "region": MARK })), MARK);
        }
        push("a row of a hidden division", template(json!({ "divisionId": foreign.division })), &foreign.division);
        if first.is_null() {
            return;
        }
        let without_first = changed(&honest, &format!("/{rows}"), |all| {
            all.as_array_mut().unwrap().remove(0);
        });
        let group = format!("/{rows}/0/group");
        let swapped = changed(&honest, &group, |group| group[key] = json!(id));
        self.put("an id swapped", &swapped, &[id], Some(&without_first));
        let second = changed(&honest, &group, |group| group["divisionId"] = json!(foreign.division));
        self.put("a second key of somebody else", &second, &[&foreign.division], None);
        if rows == "rows"
            && first["group"].get("agentId").is_some()
            && let Some(stranger) = self.honest.strangers.first()
        {
            let both = changed(&honest, &group, |group| group["userId"] = json!(stranger));
            self.put("two keys of one thing that differ", &both, &[stranger], Some(&without_first));
        }
        let unknown = changed(&honest, &format!("/{rows}/0"), |row| row["queue"] = json!({ "id": id, "note": MARK }));
        self.added("an unknown field of a row", &unknown, &[MARK, id]);
        if rows == "rows" {
            let embedded = changed(&honest, "/rows/0/values", |cells| cells["top"] = json!([{ "queueId": id }]));
            self.added("an unknown field below a row", &embedded, &[id]);
        } else if let Some(metrics) =
            honest.pointer("/results/0/data/0/metrics/0").map(|_| "/results/0/data/0/metrics/0/stats")
        {
            let embedded = changed(&honest, metrics, |stats| stats["of"] = json!({ "queueId": id }));
            self.added("an unknown field below a row", &embedded, &[id]);
        } else if honest.pointer("/results/0/data/0/stats").is_some() {
            let embedded = changed(&honest, "/results/0/data/0/stats", |stats| stats["of"] = json!({ "queueId": id }));
            self.added("an unknown field below a row", &embedded, &[id]);
            let raw = changed(&honest, "/results/0/data/0", |cell| {
                cell["observations"] = json!([{ "userId": foreign.user }]);
            });
            self.added("raw observations", &raw, &[&foreign.user]);
        }
        self.duplicate(&first["group"], key, id);
    }

    /// The same key twice: readers differ in which one they believe.
    fn duplicate(&mut self, of: &Value, key: &str, id: &str) {
        let Some(held) = of.get(key).filter(|held| held.is_string()) else { return };
        let (one, other) = (format!("\"{key}\":{held}"), format!("\"{key}\":{}", json!(id)));
        for (what, pair) in [
            ("a key twice, the foreign id last", format!("{one},{other}")),
            ("a key twice, the foreign id first", format!("{other},{one}")),
            ("a key twice, in another case", format!("\"{}\":{},{one}", key.to_uppercase(), json!(id))),
        ] {
            let bytes = self.honest.answer.to_string().replacen(&one, &pair, 1);
            self.all.push(Mutant { what, bytes, forbidden: vec![id.to_owned()], instead: None });
        }
    }

    fn conversations(&mut self, foreign: &Foreign) {
        let honest = self.honest.answer.clone();
        let Some(first) = honest["conversations"].get(0).cloned() else { return };
        let segment = |queue: Value| {
            let mut segment =
                json!({ "segmentStart": first["conversationStart"], "segmentEnd": first["conversationStart"] });
            segment["queueId"] = queue;
            segment
        };
        let leg = |queue: Value, user: Value| json!({ "participantId": MARK, "userId": user, "sessions": [{ "sessionId": MARK, "segments": [segment(queue)] }] });
        let with_leg = |leg: Value| {
            changed(&honest, "/conversations/0/participants", |all| all.as_array_mut().unwrap().insert(0, leg))
        };
        let (queue, user) = (json!(foreign.queue), json!(foreign.user));
        let mut row = first.clone();
        row["conversationId"] = json!(MARK);
        row["participants"] = json!([leg(queue.clone(), Value::Null)]);
        let more = changed(&honest, "/conversations", |all| all.as_array_mut().unwrap().push(row));
        self.added("a foreign interaction", &more, &[MARK, &foreign.queue]);
        for (what, queue, user) in [
            ("a foreign leg of a queue", queue.clone(), Value::Null),
            ("a foreign leg of a person", Value::Null, user.clone()),
            ("a foreign leg of both", queue.clone(), user.clone()),
            ("a leg of nobody known", json!(MARK), Value::Null),
            ("a foreign leg, its queue in a list", json!([foreign.queue]), Value::Null),
            ("a foreign leg, its person in an object", Value::Null, json!({ "id": foreign.user })),
        ] {
            self.added(what, &with_leg(leg(queue, user)), &[MARK]);
        }
        for (what, at, name, value) in [
            ("tags of hidden divisions", "/conversations/0", "divisionIds", json!([foreign.division, MARK])),
            ("an evaluation of somebody", "/conversations/0", "evaluations", json!([{ "userId": user, "note": MARK }])),
            ("a survey of somebody", "/conversations/0", "surveys", json!([{ "queueId": queue, "note": MARK }])),
            ("an expanded object", "/conversations/0/participants/0", "queue", json!({ "id": queue, "name": MARK })),
            (
                "metrics over hidden legs",
                "/conversations/0/participants/0/sessions/0",
                "metrics",
                json!([{ "name": MARK }]),
            ),
            (
                "agents beside the leg's",
                "/conversations/0/participants/0/sessions/0",
                "proposedAgents",
                json!([{ "proposedAgentId": user, "note": MARK }]),
            ),
            (
                "an unknown field of a leg",
                "/conversations/0/participants/0/sessions/0/segments/0",
                "destination",
                json!({ "queueId": queue, "note": MARK }),
            ),
            ("another list of legs", "/conversations/0", "legs", json!([leg(queue.clone(), Value::Null)])),
        ] {
            self.added(what, &changed(&honest, at, |holder| holder[name] = value), &[MARK]);
        }
        self.swapped("/conversations/0/participants", "/sessions/0/segments/0", foreign);
        let at = "/conversations/0/participants/0/sessions/0/segments/0";
        let moved = changed(&honest, at, |segment| {
            segment.as_object_mut().unwrap().shift_remove("queueId");
            segment["queueID"] = queue.clone();
        });
        self.put("an id moved to a key that nobody reads", &moved, &[&foreign.queue], None);
        self.duplicate(&honest.pointer(at).unwrap().clone(), "queueId", &foreign.queue);
    }

    /// An owned part becomes somebody else's: it goes, and everything else stays.
    fn swapped(&mut self, participants: &str, leg: &str, foreign: &Foreign) {
        let honest = self.honest.answer.clone();
        let all = honest.pointer(participants).unwrap().as_array().unwrap().clone();
        let owned = |one: &Value| one["userId"].is_string() || one.pointer(leg).unwrap()["queueId"].is_string();
        let Some(at) = all.iter().position(owned) else { return };
        let swapped =
            changed(&honest, &format!("{participants}/{at}{leg}"), |leg| leg["queueId"] = json!(foreign.queue));
        let without = changed(&honest, participants, |all| {
            all.as_array_mut().unwrap().remove(at);
        });
        self.put("an id swapped", &swapped, &[&foreign.queue], Some(&without));
    }

    fn conversation(&mut self, foreign: &Foreign) {
        let honest = self.honest.answer.clone();
        let (queue, user) = (json!(foreign.queue), json!(foreign.user));
        let times = (honest["startTime"].clone(), honest["endTime"].clone());
        let leg = |queue: Value, user: Value| json!({ "id": MARK, "name": MARK, "queueId": queue, "userId": user, "startTime": times.0, "endTime": times.1 });
        let with = |leg: Value| changed(&honest, "/participants", |all| all.as_array_mut().unwrap().push(leg));
        for (what, leg) in [
            ("a foreign leg of a queue", leg(queue.clone(), Value::Null)),
            ("a foreign leg of a person", leg(Value::Null, user.clone())),
            ("a foreign leg of both", leg(queue.clone(), user.clone())),
            ("a leg of nobody known", leg(json!(MARK), Value::Null)),
            ("a foreign leg, its queue in a list", leg(json!([foreign.queue]), Value::Null)),
            ("a foreign leg, its person in an object", leg(Value::Null, json!({ "id": foreign.user }))),
        ] {
            self.added(what, &with(leg), &[MARK]);
        }
        for (what, at, name, value) in [
            ("tags of hidden divisions", "", "divisions", json!([{ "id": foreign.division, "name": MARK }])),
            ("an expanded object", "/participants/0", "queue", json!({ "id": queue, "name": MARK })),
            ("an unknown field of a leg", "/participants/0", "calls", json!([{ "queueId": queue, "note": MARK }])),
            ("notes", "/participants/0", "wrapup", json!({ "code": "w", "notes": MARK })),
            ("another list of legs", "", "legs", json!([leg(queue.clone(), Value::Null)])),
            ("recordings", "", "recordings", json!([{ "userId": user, "mediaUri": MARK }])),
        ] {
            let mutant = changed(&honest, at, |holder| holder[name] = value);
            let instead = if what == "notes" {
                changed(&honest, at, |holder| holder[name] = json!({ "code": "w" }))
            } else {
                honest.clone()
            };
            self.put(what, &mutant, &[MARK], Some(&instead));
        }
        self.swapped("/participants", "", foreign);
        self.duplicate(&honest["participants"][0], "queueId", &foreign.queue);
        self.duplicate(&honest["participants"][0], "userId", &foreign.user);
    }

    fn entities(&mut self, foreign: &Foreign, list: List) {
        let honest = self.honest.answer.clone();
        let id = match list {
            List::Queues => &foreign.queue,
            List::Users => &foreign.user,
            List::Divisions => &foreign.division,
        };
        let first = honest["entities"][0].clone();
        let of = |id: Value| {
            let mut row = first.clone();
            (row["id"], row["name"]) = (id, json!(MARK));
            row
        };
        let with = |row: Value| changed(&honest, "/entities", |all| all.as_array_mut().unwrap().push(row));
        let mut moved = of(json!(id));
        moved.as_object_mut().unwrap().shift_remove("id");
        moved["Id"] = json!(id);
        for (what, row) in [
            ("a foreign row", of(json!(id))),
            ("a row of nobody known", of(json!(MARK))),
            ("a row twice, with something else in it", of(first["id"].clone())),
            ("a foreign row, its id in a list", of(json!([id]))),
            ("a foreign row, its id in an object", of(json!({ "id": id }))),
            ("a foreign row, its id under a key that nobody reads", moved),
        ] {
            self.added(what, &with(row), &[MARK]);
        }
        let without_first = changed(&honest, "/entities", |all| {
            all.as_array_mut().unwrap().remove(0);
        });
        let swapped = changed(&honest, "/entities/0", |row| row["id"] = json!(id));
        self.put("an id swapped", &swapped, &[id], Some(&without_first));
        if list != List::Divisions {
            let other = changed(&honest, "/entities/0/division", |division| division["id"] = json!(foreign.division));
            self.put("a second key of somebody else", &other, &[&foreign.division], Some(&without_first));
        }
        for (what, name, value) in [
            ("an expanded object", "queues", json!([{ "id": foreign.queue, "name": MARK }])),
            ("an unknown field of a row", "members", json!([{ "id": foreign.user, "name": MARK }])),
            ("a link of a row", "selfUri", json!(format!("/{MARK}"))),
        ] {
            self.added(what, &changed(&honest, "/entities/0", |row| row[name] = value), &[MARK]);
        }
        self.duplicate(&first, "id", id);
    }
}
