//! The stops of the tour: who asks what, and what is due, said case by case.

use super::{
    ask::Asked,
    rows::Measure,
    set_up::DAY,
    visible::{Plain, of_people, on_queues, without_queue},
};
use crate::sandbox::Bounds;
use jiff::Timestamp;
use serde_json::{Value, json};

#[derive(Debug)]
pub(super) struct Case {
    pub(super) asker: &'static str,
    pub(super) who: &'static str,
    /// What this stop shows.
    pub(super) shows: &'static str,
    pub(super) asked: Asked,
    pub(super) measure: Measure,
    /// Whose upstream has the rows.
    pub(super) region: &'static str,
    pub(super) due: Due,
}

#[derive(Debug)]
pub(super) enum Due {
    /// The asked query over the world of these legs. The text is the question without placeholders.
    Visible { bounds: Vec<Bounds>, plainly: Value },
    /// These entities.
    Listed(Vec<String>),
    /// A refusal with this code.
    Refused(&'static str),
}

const US: &str = "us-east-1";
const EU: &str = "eu-west-1";
const AGGREGATES: &str = "/api/v2/analytics/conversations/aggregates/query";
const DETAILS: &str = "/api/v2/analytics/conversations/details/query";
const PLATFORM: &str = "/api/v2/analytics/query";
const QUEUES: &str = "/api/v2/routing/queues";

/// The week and the day that are asked for.
#[derive(Debug, Clone)]
pub(super) struct Dates {
    from: Timestamp,
    yesterday: Timestamp,
    until: Timestamp,
}

impl Dates {
    /// Whole days before `now`.
    pub(super) fn before(now: Timestamp) -> Self {
        let until = Timestamp::from_second(now.as_second().div_euclid(DAY.as_secs()) * DAY.as_secs()).unwrap_or(now);
        Self { from: until - DAY * 7, yesterday: until - DAY, until }
    }

    pub(super) fn week(&self) -> String {
        format!("{}/{}", self.from, self.until)
    }

    fn day(&self) -> String {
        format!("{}/{}", self.yesterday, self.until)
    }

    fn aggregates(&self, group: &str, filter: Option<Value>) -> Asked {
        let mut body = json!({ "interval": self.week(), "groupBy": [group], "metrics": ["nConnected", "tHandle"] });
        put(&mut body, "filter", filter);
        post(AGGREGATES, body)
    }

    fn platform(&self, name: &str, predicate: Option<Value>) -> Asked {
        let mut query = json!({
            "dateFrom": self.from.to_string(), "dateTo": self.until.to_string(), "groupBy": ["queueId"],
            "aggregations": [{ "dimension": "handleTime", "function": "COUNT" }],
        });
        put(&mut query, "filter", predicate.map(|predicate| json!({ "type": "AND", "predicates": [predicate] })));
        post(PLATFORM, json!({ "name": name, "query": query }))
    }
}

fn put(body: &mut Value, member: &str, value: Option<Value>) {
    if let (Some(body), Some(value)) = (body.as_object_mut(), value) {
        body.insert(member.to_owned(), value);
    }
}

fn post(target: &str, body: Value) -> Asked {
    Asked { method: "POST".to_owned(), target: target.to_owned(), body: Some(body) }
}

fn get(target: &str) -> Asked {
    Asked { method: "GET".to_owned(), target: target.to_owned(), body: None }
}

fn details(interval: &str, segments: Option<Value>) -> Asked {
    let mut body = json!({ "interval": interval, "paging": { "pageSize": 100, "pageNumber": 1 } });
    put(&mut body, "segmentFilters", segments.map(|filter| json!([filter])));
    post(DETAILS, body)
}

fn is(dimension: &str, value: &str) -> Value {
    json!({ "dimension": dimension, "value": value })
}

fn and(predicates: &[Value]) -> Value {
    json!({ "type": "and", "predicates": predicates })
}

fn visible(asked: &Asked, bounds: Vec<Bounds>) -> Due {
    Due::Visible { bounds, plainly: asked.body.clone().unwrap_or_default() }
}

/// One stop with rows or with a refusal, in the first region.
fn case(
    asker: &'static str,
    who: &'static str,
    shows: &'static str,
    question: Asked,
    measure: Measure,
    due: Due,
) -> Case {
    Case { asker, who, shows, asked: question, measure, region: US, due }
}

/// All stops, in the order in which they are told.
pub(super) fn cases(directory: Plain<'_>, dates: &Dates) -> Vec<Case> {
    let mut all = people(directory, dates);
    all.extend(outsourcers(directory, dates));
    all.extend(questions(directory, dates));
    all.extend(restricted(directory, dates));
    all.extend(walls(dates));
    all
}

fn people(directory: Plain<'_>, dates: &Dates) -> Vec<Case> {
    let by_queue = || dates.aggregates("queueId", None);
    let whole = |division: &str, reader: &str| {
        vec![on_queues(directory.open_queues(division, reader)), without_queue(directory.users_of(division))]
    };
    let mut all = Vec::new();
    let sofia = vec![on_queues(directory.queues_of_member("d-payments-us", "sofia"))];
    all.push(case(
        "sofia",
        "supervisor of two queues",
        "no filter asked: her two queues are written",
        by_queue(),
        Measure::Connected,
        visible(&by_queue(), sofia),
    ));
    let by_medium = dates.aggregates("mediaType", None);
    let due = visible(&by_medium, whole("d-claims-us", "carl"));
    all.push(case(
        "carl",
        "report consumer of one division",
        "every queue open to him, and his people's legs without a queue",
        by_medium,
        Measure::Connected,
        due,
    ));
    let own = details(&dates.week(), None);
    let ana = vec![
        of_people(directory.open_queues("d-payments-us", "ana"), vec!["ana".to_owned()]),
        without_queue(vec!["ana".to_owned()]),
    ];
    let due = visible(&own, ana);
    all.push(case(
        "ana",
        "agent, `self`",
        "her own legs; those of others in the same interactions are cut",
        own,
        Measure::Conversations,
        due,
    ));
    let listed = Due::Listed(directory.queues_of_member("d-payments-us", "ana"));
    all.push(case(
        "ana",
        "agent, `self`",
        "a list is asked by the ids that she may see",
        get(&format!("{QUEUES}?pageSize=100")),
        Measure::Entities,
        listed,
    ));
    let viola = vec![on_queues(directory.queues_of_view("d-sales-us", "v-sales-hot", "viola"))];
    all.push(case(
        "viola",
        "analyst with a view of three queues",
        "the view names a restricted queue, and so opens it",
        by_queue(),
        Measure::Connected,
        visible(&by_queue(), viola),
    ));
    let blue = directory.members("g-svc-blue");
    let greg = vec![
        of_people(directory.open_queues("d-service-us", "greg"), blue.clone()),
        without_queue(blue),
        on_queues(directory.queues_of_group("d-service-us", "g-svc-blue", "greg")),
    ];
    let by_person = dates.aggregates("userId", None);
    let due = visible(&by_person, greg);
    all.push(case(
        "greg",
        "lead of a group of five",
        "their legs anywhere in the division, and the queue that is theirs alone",
        by_person,
        Measure::Connected,
        due,
    ));
    let retail = whole("d-retail-us", "svc-exporter");
    all.push(case(
        "svc-exporter",
        "service account of one division",
        "a program is narrowed like a person",
        by_queue(),
        Measure::Connected,
        visible(&by_queue(), retail),
    ));
    let eva = Case {
        region: EU,
        ..case(
            "eva",
            "report consumer in Europe",
            "her region's upstream is asked, and no other",
            by_queue(),
            Measure::Connected,
            visible(&by_queue(), whole("d-payments-eu", "eva")),
        )
    };
    all.push(eva);
    all
}

fn outsourcers(directory: Plain<'_>, dates: &Dates) -> Vec<Case> {
    let asked = || dates.aggregates("queueId", None);
    let bo = vec![of_people(directory.queues_of_member("d-bpo-acme-voice", "bo"), vec!["bo".to_owned()])];
    let bea = vec![on_queues(directory.queues_of_view("d-bpo-acme-voice", "v-acme-voice", "bea"))];
    vec![
        case(
            "bo",
            "outsourcer's agent, `assigned`",
            "his own work on the queues he serves",
            asked(),
            Measure::Connected,
            visible(&asked(), bo),
        ),
        case(
            "bea",
            "outsourcer's supervisor, view-scoped",
            "the two queues of the view, not the one shared with own agents",
            asked(),
            Measure::Connected,
            visible(&asked(), bea),
        ),
    ]
}

fn questions(directory: Plain<'_>, dates: &Dates) -> Vec<Case> {
    let ines = directory.queues_of_member("d-service-us", "ines");
    let named = |values: Value| Some(json!({ "dimension": "queueId", "operator": "IN", "values": values }));
    let mine = dates.platform("my queues", named(json!(["${user.queueIds}"])));
    // The upstream knows no placeholders: plainly, these are her queues.
    let plainly = dates.platform("my queues", named(json!(ines))).body.unwrap_or_default();
    let due = Due::Visible { bounds: vec![of_people(ines, vec!["ines".to_owned()])], plainly };
    let dead = dates.platform("cards, old and new", named(json!(["q-pay-cards", "q-pay-old"])));
    let either = json!({ "type": "or", "clauses": [
        and(&[is("queueId", "q-sales-new"), is("mediaType", "voice")]),
        and(&[is("queueId", "q-svc-care"), is("direction", "inbound")]),
        and(&[is("mediaType", "email"), is("direction", "outbound")]),
    ] });
    let either = dates.aggregates("queueId", Some(either));
    let olga: Vec<Bounds> = ["d-sales-us", "d-service-us"]
        .into_iter()
        .flat_map(|division| {
            [on_queues(directory.open_queues(division, "olga")), without_queue(directory.users_of(division))]
        })
        .collect();
    let olga = visible(&either, olga);
    let sold = details(&dates.day(), Some(and(&[is("purpose", "agent"), is("wrapUpCode", "wu-sale")])));
    let sofia = visible(&sold, vec![on_queues(directory.queues_of_member("d-payments-us", "sofia"))]);
    let probe = details(&dates.day(), Some(and(&[is("queueId", "q-claims-motor")])));
    vec![
        case(
            "ines",
            "queue operator",
            "`${user.queueIds}` becomes the queues she is a member of",
            mine,
            Measure::Handled,
            due,
        ),
        case(
            "dana",
            "report builder",
            "a static list with an archived queue",
            dead,
            Measure::Handled,
            Due::Refused("query.dead-queue"),
        ),
        case(
            "olga",
            "report consumer of two divisions",
            "an or of ands: branches that name a queue stay, the scope joins the others",
            either,
            Measure::Connected,
            olga,
        ),
        case(
            "sofia",
            "supervisor of two queues",
            "a filter that a hidden leg could meet: the scope stands inside it",
            sold,
            Measure::Conversations,
            sofia,
        ),
        case(
            "sofia",
            "supervisor of two queues",
            "a filter that probes a foreign leg of interactions that she sees",
            probe,
            Measure::Conversations,
            Due::Refused("scope.outside"),
        ),
    ]
}

fn restricted(directory: Plain<'_>, dates: &Dates) -> Vec<Case> {
    let asked = || dates.aggregates("queueId", Some(and(&[is("queueId", "q-fraud-vip")])));
    let rita = vec![on_queues(directory.queues_of_member("d-fraud-us", "rita"))];
    let gus = vec![on_queues(vec!["q-fraud-vip".to_owned()])];
    let shows = "a restricted queue";
    vec![
        case(
            "rita",
            "supervisor, named member of the queue",
            shows,
            asked(),
            Measure::Connected,
            visible(&asked(), rita),
        ),
        case(
            "nils",
            "report consumer of the whole division",
            shows,
            asked(),
            Measure::Connected,
            Due::Refused("scope.outside"),
        ),
        case(
            "gus",
            "no role there, but a grant for this queue",
            shows,
            asked(),
            Measure::Connected,
            visible(&asked(), gus),
        ),
    ]
}

fn walls(dates: &Dates) -> Vec<Case> {
    let everything = || dates.aggregates("queueId", None);
    let region =
        dates.platform("cards in Europe", Some(json!({ "dimension": "region", "operator": "EQUALS", "values": [EU] })));
    let division = dates.aggregates("queueId", Some(and(&[is("divisionId", "d-payments-eu")])));
    let elsewhere = |case: Case| Case { region: EU, ..case };
    vec![
        case(
            "pat",
            "placed in a parent division",
            "nothing is inherited downwards",
            everything(),
            Measure::Connected,
            Due::Refused("division.parent-scan"),
        ),
        elsewhere(case(
            "sofia",
            "supervisor of two queues",
            "another region, by its name",
            region,
            Measure::Handled,
            Due::Refused("region.cross-region-scan"),
        )),
        elsewhere(case(
            "carl",
            "report consumer of one division",
            "another region, by one of its divisions",
            division,
            Measure::Connected,
            Due::Refused("region.cross-region-scan"),
        )),
        case(
            "rolf",
            "two analytics roles",
            "roles that conflict are not added up",
            everything(),
            Measure::Connected,
            Due::Refused("role.conflict"),
        ),
        case(
            "nobody",
            "no role at all",
            "nothing passes by default",
            everything(),
            Measure::Connected,
            Due::Refused("permission.missing"),
        ),
        case(
            "carl",
            "report consumer of one division",
            "an operation without a rule",
            get("/api/v2/analytics/query/execution?pageSize=100"),
            Measure::Entities,
            Due::Refused("operation.unknown"),
        ),
    ]
}
