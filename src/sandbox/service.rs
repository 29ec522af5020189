//! Which operation a request is, and its answer. Knows no HTTP beyond method, path and query.

use super::{
    activity, aggregates,
    batches::{self, Batches},
    callbacks,
    condition::Lens,
    conversation, details, documents, evaluations,
    exports::Exports,
    families::Family,
    interval::show,
    jobs::{self, Jobs},
    lists::{self, Params},
    memberships, objects, opensearch, people, platform,
    problem::Problem,
    properties, queue_observations, recordings, searches,
    store::Store,
    traits::{Disobedience, Traits},
    user_details, users,
};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Instant,
};

/// All regions, and the switches that they share.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) stores: Vec<Arc<Store>>,
    pub(super) traits: RwLock<Traits>,
    pub(super) disobedience: RwLock<Disobedience>,
    executions: Mutex<Vec<Value>>,
    /// By region.
    jobs: BTreeMap<String, Jobs>,
    /// By region.
    exports: BTreeMap<String, Exports>,
    batches: BTreeMap<String, Batches>,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Me,
    ConversationAggregates,
    ConversationDetails,
    Family(&'static Family),
    ConversationActivity,
    QueueObservations,
    UserAggregates,
    UserObservations,
    UserDetails,
    UserActivity,
    RoutingActivity,
    TeamActivity,
    AgentStates,
    AgentState,
    FlowObservations,
    FlowActivity,
    PlatformQuery,
    PlatformExecutions,
    /// Legs as documents.
    Search,
    Queues,
    Users,
    Divisions,
    Queue,
    User,
    Division,
    Conversation,
    /// The same, as the application of one medium reads it.
    ConversationOfMedium,
    ConversationDetail,
    /// Some of them, by their ids.
    ConversationDetailsOf,
    /// Something of one person.
    Person(people::Part),
    Job(jobs::Part),
    /// Has a file made.
    Export,
    /// All files.
    Exports,
    /// How many dashboards people have.
    DashboardUsers,
    /// The same of one of them, and what he has.
    DashboardUser,
    Dashboards,
    Callbacks(callbacks::Part),
    /// Marks one conversation.
    Properties,
    /// Recordings of one conversation; by the whole path, as documents.
    Recording(recordings::Part),
    Batch(batches::Part),
    /// What stands below something, and lists by places.
    Below(memberships::List),
    /// By the whole path.
    Document,
    Evaluations,
    EvaluationSearch,
    /// People or groups, by criteria.
    Found(searches::Kind),
}

const DASHBOARD_USERS: &str = "/api/v2/analytics/reporting/dashboards/users";
const EXPORTS: &str = "/api/v2/analytics/reporting/exports";

impl Operation {
    /// The operation, and the id that ends the path of a read by id; of a document, its path.
    pub(super) fn of<'a>(method: &str, path: &'a str) -> Option<(Self, &'a str)> {
        if let ("GET" | "POST", Some(kind)) = (method, searches::Kind::of(path)) {
            return Some((Self::Found(kind), path));
        }
        if let ("GET", Some(part)) = (method, recordings::Part::of(path)) {
            return Some((Self::Recording(part), path));
        }
        if let Some((list, id)) = memberships::List::of(path).filter(|_| method == "GET") {
            return Some((Self::Below(list), id));
        }
        let person = matches!(Self::by_id(path), Some((Self::Person(_), _)));
        if method == "GET" && !person && documents::stands_at(path) {
            return Some((Self::Document, path));
        }
        if let Some((part, id)) = callbacks::Part::of(method, path) {
            return Some((Self::Callbacks(part), id));
        }
        if let ("POST", Some(id)) = (method, properties::named(path)) {
            return Some((Self::Properties, id));
        }
        if let Some((part, id)) = batches::Part::of(method, path) {
            return Some((Self::Batch(part), id));
        }
        if let Some((part, id)) = jobs::Part::of(method, path) {
            return Some((Self::Job(part), id));
        }
        let operation = match (method, path) {
            ("GET", "/api/v2/users/me") => Self::Me,
            ("POST", "/api/v2/analytics/conversations/aggregates/query") => Self::ConversationAggregates,
            ("POST", "/api/v2/analytics/conversations/details/query") => Self::ConversationDetails,
            ("POST", "/api/v2/analytics/queues/observations/query") => Self::QueueObservations,
            ("POST", "/api/v2/analytics/users/aggregates/query") => Self::UserAggregates,
            ("POST", "/api/v2/analytics/users/observations/query") => Self::UserObservations,
            ("POST", "/api/v2/analytics/users/details/query") => Self::UserDetails,
            ("POST", "/api/v2/analytics/conversations/activity/query") => Self::ConversationActivity,
            ("POST", "/api/v2/analytics/users/activity/query") => Self::UserActivity,
            ("POST", "/api/v2/analytics/routing/activity/query") => Self::RoutingActivity,
            ("POST", "/api/v2/analytics/teams/activity/query") => Self::TeamActivity,
            ("POST", "/api/v2/analytics/agents/status/query") => Self::AgentStates,
            ("POST", "/api/v2/analytics/flows/observations/query") => Self::FlowObservations,
            ("POST", "/api/v2/analytics/flows/activity/query") => Self::FlowActivity,
            ("POST", "/api/v2/analytics/query") => Self::PlatformQuery,
            ("POST", opensearch::PATH) => Self::Search,
            ("GET", "/api/v2/analytics/query/executions") => Self::PlatformExecutions,
            ("GET", "/api/v2/analytics/conversations/details") => Self::ConversationDetailsOf,
            ("GET", evaluations::PATH) => Self::Evaluations,
            ("POST", evaluations::SEARCH) => Self::EvaluationSearch,
            ("POST", EXPORTS) => Self::Export,
            ("GET", EXPORTS) => Self::Exports,
            ("GET", DASHBOARD_USERS) => Self::DashboardUsers,
            ("GET", "/api/v2/routing/queues") => Self::Queues,
            ("GET", "/api/v2/users") => Self::Users,
            ("GET", "/api/v2/authorization/divisions") => Self::Divisions,
            ("POST", _) => Self::Family(Family::of(path)?),
            ("GET", _) => return Self::by_id(path),
            _ => return None,
        };
        Some((operation, ""))
    }

    fn by_id<'a>(path: &'a str) -> Option<(Self, &'a str)> {
        let all = [
            (Self::Queue, "/api/v2/routing/queues/", ""),
            (Self::User, "/api/v2/users/", ""),
            (Self::Division, "/api/v2/authorization/divisions/", ""),
            (Self::Conversation, "/api/v2/conversations/", ""),
            (Self::DashboardUser, "/api/v2/analytics/reporting/dashboards/users/", ""),
            (Self::Dashboards, "/api/v2/analytics/reporting/settings/users/", "/dashboards"),
            (Self::ConversationDetail, "/api/v2/analytics/conversations/", "/details"),
            (Self::AgentState, "/api/v2/analytics/agents/", "/status"),
        ];
        let media = ["callbacks", "calls", "chats", "cobrowsesessions", "emails", "messages"];
        let of_medium = |path: &'a str| {
            let (medium, id) = path.strip_prefix("/api/v2/conversations/")?.split_once('/')?;
            (media.contains(&medium) && !id.is_empty() && !id.contains('/')).then_some(id)
        };
        if let Some(id) = of_medium(path) {
            return Some((Self::ConversationOfMedium, id));
        }
        let people = people::PARTS.map(|(part, after)| (Self::Person(part), "/api/v2/users/", after));
        let id = |before, after| path.strip_prefix(before)?.strip_suffix(after);
        let whole = |id: &&str| !id.is_empty() && !id.contains('/');
        all.into_iter()
            .chain(people)
            .find_map(|(operation, before, after)| Some((operation, id(before, after).filter(whole)?)))
    }
}

/// One request, read.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) operation: Operation,
    pub(super) id: String,
    pub(super) params: Params,
    pub(super) body: Value,
    /// The client of the bearer.
    pub(super) client: String,
    /// Scheme and host by which the asker calls this upstream.
    pub(super) address: String,
}

impl Service {
    pub(super) fn new(stores: Vec<Arc<Store>>, traits: Traits) -> Self {
        let disobedience = RwLock::new(Disobedience::default());
        let jobs = stores.iter().map(|store| (store.region.clone(), Jobs::default())).collect();
        let exports = stores.iter().map(|store| (store.region.clone(), Exports::default())).collect();
        let batches = stores.iter().map(|store| (store.region.clone(), Batches::default())).collect();
        let executions = Mutex::new(Vec::new());
        Self { stores, traits: RwLock::new(traits), disobedience, executions, jobs, exports, batches }
    }

    pub(super) fn traits(&self) -> Traits {
        *self.traits.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn disobedience(&self) -> Disobedience {
        *self.disobedience.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer of a region, with the disobedience of the moment.
    pub(super) fn answer(&self, region: usize, question: &Question) -> Result<Value, Problem> {
        let store = self.stores.get(region).ok_or_else(Problem::not_found)?;
        let faults = self.disobedience();
        if faults.forgotten && matches!(question.operation, Operation::ConversationDetailsOf) {
            return Err(Problem::not_found());
        }
        let Disobedience { ignore_filters: blind, short_pages, shifted_pages, .. } = faults;
        let lens = Lens { blind, short_pages, shifted_pages, ..Lens::whole(self.traits()) };
        let mut answer = self.ask(store, lens, question)?;
        let all = Lens { blind: true, ..lens };
        if faults.foreign_rows && matches!(question.operation, Operation::Callbacks(_)) {
            speak_of_another(store, &mut answer);
        } else if matches!(question.operation, Operation::Batch(_)) {
            // a stranger is among them already
        } else if faults.foreign_rows {
            add_rows(&mut answer, self.strangers(store, all, question));
        }
        if faults.other_region && !matches!(question.operation, Operation::Callbacks(_) | Operation::Batch(_)) {
            for other in self.stores.iter().filter(|other| other.region != store.region) {
                add_rows(&mut answer, self.strangers(other, all, question));
            }
        }
        if faults.false_totals {
            for key in ["totalHits", "total", "pageCount"] {
                if let Some(total) = answer.get_mut(key) {
                    *total = json!(total.as_i64().unwrap_or_default() + 1_000);
                }
            }
            opensearch::falsify_total(&mut answer);
        }
        if faults.extra_fields {
            add_fields(&mut answer);
        }
        Ok(answer)
    }

    /// Whatever the same question finds without its filters.
    fn strangers(&self, store: &Store, all: Lens, question: &Question) -> Value {
        if matches!(question.operation, Operation::Conversation | Operation::ConversationDetail) {
            let id = store
                .rows(&super::sql::Sql::text("SELECT id FROM conversations ORDER BY n DESC LIMIT 1"), |row| row.get(0));
            let id: Option<String> = id.ok().and_then(|ids| ids.into_iter().next());
            let found = id.and_then(|id| match question.operation {
                Operation::Conversation => conversation::by_id(store, &id).ok().flatten(),
                _ => details::by_id(store, all, &id).ok(),
            });
            return found.unwrap_or_default();
        }
        if matches!(question.operation, Operation::Job(part) if part != jobs::Part::Results) {
            return Value::Null;
        }
        self.ask(store, all, question).unwrap_or_default()
    }

    fn job(&self, store: &Store, lens: Lens, part: jobs::Part, question: &Question) -> Result<Value, Problem> {
        let jobs = self.jobs.get(&store.region).ok_or_else(Problem::not_found)?;
        match part {
            jobs::Part::Submit(asked) => jobs.submit(asked, question, self.disobedience().same_job),
            jobs::Part::Status => jobs.status(&question.id),
            jobs::Part::Results => jobs.results(question, |asked| evaluate(store, Lens { job: true, ..lens }, asked)),
            jobs::Part::Cancel => jobs.cancel(&question.id),
        }
    }

    /// Scheme and host of where files lie.
    fn files<'q>(&self, question: &'q Question) -> &'q str {
        if self.disobedience().far_files { "https://elsewhere.example" } else { &question.address }
    }

    fn exports(&self, store: &Store) -> Result<&Exports, Problem> {
        self.exports.get(&store.region).ok_or_else(Problem::not_found)
    }

    /// The file of an export, as its link gives it.
    pub(super) fn exported(&self, region: usize, id: &str) -> Result<String, Problem> {
        let store = self.stores.get(region).ok_or_else(Problem::not_found)?;
        self.exports(store)?.file(store, Lens::whole(self.traits()), id)
    }

    fn ask(&self, store: &Store, lens: Lens, question: &Question) -> Result<Value, Problem> {
        let Question { operation, id, params, body, client, .. } = question;
        match operation {
            Operation::PlatformQuery => {
                let began = Instant::now();
                let answer = evaluate(store, lens, question)?;
                self.executed(store, body, began);
                Ok(answer)
            }
            Operation::PlatformExecutions => self.executions(params),
            Operation::Me => Ok(json!({
                "id": client, "name": client, "username": client, "state": "active", "version": 1, "selfUri": "/api/v2/users/me",
            })),
            Operation::Queues => lists::queues(store, lens, params),
            Operation::Users => lists::users(store, lens, params),
            Operation::Divisions => lists::divisions(store, lens, params),
            Operation::Queue => lists::only(lists::queues(store, lens, &Params::id(id))?),
            Operation::User => lists::only(lists::users(store, lens, &Params::id(id).and("state", "any"))?),
            Operation::Division => lists::only(lists::divisions(store, lens, &Params::id(id))?),
            Operation::ConversationDetail => details::by_id(store, lens, id),
            Operation::ConversationDetailsOf => details::by_ids(store, lens, params),
            Operation::AgentState => lists::only(people::states(
                store,
                lens,
                &json!({ "userFilter": {
                "type": "and", "predicates": [{ "dimension": "userId", "value": id }],
            } }),
            )?),
            Operation::Below(list) => memberships::read(store, lens, *list, id, params),
            Operation::Person(part) => people::read(store, *part, id),
            Operation::Document => documents::read(store, id, lens.traits.part_of_its_interaction),
            Operation::Found(kind) => searches::read(store, lens, *kind, params, body),
            Operation::Evaluations => evaluations::query(store, lens, params),
            Operation::EvaluationSearch => evaluations::search(store, lens, body),
            Operation::Callbacks(part) => callbacks::answer(store, *part, id, body),
            Operation::Properties => properties::index(store, id, body),
            Operation::Recording(_) => recordings::read(store, id, self.files(question), lens.traits),
            Operation::Batch(part) => {
                let batches = self.batches.get(&store.region).ok_or_else(Problem::not_found)?;
                let how = (lens.traits.part_of_its_interaction, self.disobedience().foreign_rows);
                match part {
                    batches::Part::Submit => batches.submit(body),
                    batches::Part::Fetch => batches.fetch(store, id, self.files(question), how),
                }
            }
            Operation::Job(part) => self.job(store, lens, *part, question),
            Operation::DashboardUsers => lists::dashboard_users(store, lens, params),
            Operation::DashboardUser => lists::only(lists::dashboard_users(store, lens, &Params::id(id))?),
            Operation::Dashboards => lists::dashboards(store, id),
            Operation::Export => self.exports(store)?.submit(body, self.disobedience().same_job),
            Operation::Exports => self.exports(store)?.list(params),
            Operation::Conversation => conversation::by_id(store, id)?.ok_or_else(Problem::not_found),
            Operation::ConversationOfMedium => conversation::of_medium(store, id)?.ok_or_else(Problem::not_found),
            _ => evaluate(store, lens, question),
        }
    }

    fn executed(&self, store: &Store, body: &Value, began: Instant) {
        let mut all = self.executions.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = json!({
            "id": format!("x-{}", all.len() + 1), "name": body.get("name"), "startedAt": show(store.now),
            "durationMs": u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX), "cacheHit": false,
        });
        all.push(entry);
    }

    fn executions(&self, params: &Params) -> Result<Value, Problem> {
        let size = params.number("pageSize", 25, 500)?;
        let number = params.number("pageNumber", 1, 1_000_000)?;
        let all = self.executions.lock().unwrap_or_else(PoisonError::into_inner);
        let shown: Vec<_> = all.iter().rev().skip((number - 1).saturating_mul(size)).take(size).cloned().collect();
        Ok(json!({ "entities": shown, "total": all.len(), "cacheHitRatio": 0.0 }))
    }
}

/// The answer of a query, through a lens.
pub(super) fn evaluate(store: &Store, lens: Lens, question: &Question) -> Result<Value, Problem> {
    let body = &question.body;
    if !body.is_object() {
        return Err(Problem::bad("the body is no JSON object"));
    }
    match question.operation {
        Operation::ConversationAggregates => aggregates::query(store, lens, body),
        Operation::Family(family) => aggregates::family(store, lens, family, body),
        Operation::ConversationActivity => activity::conversations(store, lens, body),
        Operation::ConversationDetails => details::query(store, lens, body),
        Operation::QueueObservations => queue_observations::query(store, lens, body),
        Operation::UserAggregates => users::aggregates(store, lens, body),
        Operation::UserObservations => users::observations(store, lens, body),
        Operation::UserDetails => user_details::query(store, lens, body),
        Operation::UserActivity => activity::users(store, lens, body),
        Operation::RoutingActivity => activity::routing(store, lens, body),
        Operation::TeamActivity => activity::teams(store, lens, body),
        Operation::AgentStates => people::states(store, lens, body),
        Operation::FlowObservations => objects::observations(store, lens, body),
        Operation::FlowActivity => objects::activity(store, lens, body),
        Operation::PlatformQuery => platform::query(store, lens, body),
        Operation::Search => opensearch::search(store, lens, body),
        _ => Err(Problem::not_found()),
    }
}

/// The answer to a change is about some other interaction; asking once more would change once more.
fn speak_of_another(store: &Store, answer: &mut Value) {
    let last = super::sql::Sql::text("SELECT id FROM conversations ORDER BY n LIMIT 1");
    let other: Option<String> = store.rows(&last, |row| row.get(0)).ok().and_then(|ids| ids.into_iter().next());
    if let (Some(id), Some(other)) = (answer.pointer_mut("/conversation/id"), other) {
        *id = other.into();
    }
}

const ROWS: [&str; 6] = ["results", "conversations", "entities", "rows", "participants", "userDetails"];

fn add_rows(answer: &mut Value, strangers: Value) {
    opensearch::add_strangers(answer, &strangers);
    let Value::Object(strangers) = strangers else {
        return;
    };
    for (member, rows) in strangers {
        let (Value::Array(rows), true) = (rows, ROWS.contains(&member.as_str())) else {
            continue;
        };
        let Some(answer) = answer.as_object_mut() else {
            return;
        };
        let own = answer.entry(member).or_insert_with(|| json!([]));
        if let Some(own) = own.as_array_mut() {
            let new: Vec<Value> = rows.into_iter().filter(|row| !own.contains(row)).take(3).collect();
            own.extend(new);
        }
    }
}

fn add_fields(answer: &mut Value) {
    let mark = |fields: &mut Map<String, Value>| {
        fields.insert("internalNote".into(), json!({ "queueId": "q-unlisted", "userId": "u-unlisted" }));
    };
    opensearch::add_fields(answer, &mark);
    let Some(fields) = answer.as_object_mut() else {
        return;
    };
    mark(fields);
    for member in ROWS {
        for row in fields.get_mut(member).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(row) = row.as_object_mut() {
                mark(row);
            }
        }
    }
}
