//! What is of a flow or of a case: runs of flows on legs, cases of conversations, and how many run now. The directory says
//! which division owns a flow; a case is made up with a division of its own, whatever its conversation is tagged with.

use super::{
    activity::{detailed, ordered},
    aggregates::texts,
    condition::Lens,
    dimension::{
        Column::{CaseDivision, Enum, Text},
        Level, dimension,
    },
    families::Family,
    filter,
    metric::Measure::{Count, Time},
    organisation::Organisation,
    problem::Problem,
    queue_observations::PRESENT,
    sql::Sql,
    store::Store,
};
use rusqlite::{Connection, params, types::Value as Cell};
use serde_json::{Map, Value, json};

pub(super) const FLOWS: Family = Family {
    name: "flows",
    join: " JOIN runs r ON r.leg = l.id",
    only: "1",
    columns: &[
        ("flowId", Text("r.flow")),
        ("flowType", Enum("r.kind")),
        ("flowVersion", Text("r.version")),
        ("flowOutcomeValue", Enum("r.outcome")),
        ("direction", Enum("l.direction")),
        ("ani", Text("l.ani")),
        ("dnis", Text("l.dnis")),
        ("purpose", Enum("l.purpose")),
    ],
    measures: &[
        ("nFlow", Count("1")),
        ("tFlow", Time("(l.end - l.start)")),
        ("nFlowOutcome", Count("(r.outcome IS NOT NULL)")),
        ("nFlowOutcomeFailed", Count("(r.outcome = 'FAILURE')")),
        ("tFlowDisconnect", Time("iif(l.abandoned = 1, l.end - l.start, NULL)")),
    ],
    unused: &[
        "disconnectType",
        "endingLanguage",
        "entryReason",
        "entryType",
        "exitReason",
        "flowMilestoneId",
        "flowName",
        "flowOutcome",
        "flowOutcomeId",
        "flowSubType",
        "groupId",
        "messageType",
        "originatingDirection",
        "participantName",
        "recognitionFailureReason",
        "selfServed",
        "sessionId",
        "startingLanguage",
        "teamId",
        "transferTargetName",
        "transferType",
    ],
    unused_metrics: &["nFlowMilestone", "oFlowMilestone", "tFlowExit", "tFlowOutcome"],
};

pub(super) const FLOW_EXECUTIONS: Family = Family {
    name: "flowexecutions",
    join: " JOIN runs r ON r.leg = l.id",
    only: "1",
    columns: &[("flowId", Text("r.flow")), ("flowVersion", Text("r.version"))],
    measures: &[("nFlowExecutions", Count("1"))],
    unused: &["flowObjectId"],
    unused_metrics: &[],
};

pub(super) const CASES: Family = Family {
    name: "casemanagement",
    join: " JOIN cases k ON k.leg = l.id",
    only: "1",
    columns: &[
        ("divisionId", CaseDivision),
        ("caseId", Text("k.id")),
        ("priority", Enum("k.priority")),
        ("status", Enum("k.status")),
    ],
    measures: &[
        ("nCasesOpened", Count("1")),
        ("nCasesTerminated", Count("(k.status = 'closed')")),
        ("tCasesResolved", Time("k.resolved")),
    ],
    unused: &["associationType", "caseplanId", "customerIntentId", "ownerId", "stageId", "stepId", "workitemId"],
    unused_metrics: &[
        "nCaseAssociationsCreated",
        "nCasesDeleted",
        "nCasesOverSla",
        "nCasesPurged",
        "nCasesStatusChanged",
        "oCasesServiceLevel",
        "tCasesStatus",
    ],
};

/// Runs of flows in menus and while people wait, a case for one conversation in four, and who is in which team. By number
/// and not by chance, so that the legs are what they would be without.
pub(super) fn write(connection: &Connection, organisation: &Organisation, prefix: &str) -> rusqlite::Result<()> {
    let mut member = connection.prepare("INSERT OR IGNORE INTO teams VALUES (?, ?)")?;
    for team in &organisation.teams {
        for user in &team.members {
            member.execute(params![team.id, user])?;
        }
    }
    let of = |number: i64, len: usize| usize::try_from(number).unwrap_or_default() % len.max(1);
    let mut run = connection.prepare("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?)")?;
    let mut legs =
        connection.prepare("SELECT id, purpose FROM legs WHERE purpose = 'ivr' OR purpose = 'acd' AND id % 2")?;
    let legs: Vec<(i64, String)> =
        legs.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (leg, purpose) in legs {
        let Some(flow) = organisation.flows.get(of(leg * 31 / 7, organisation.flows.len())) else { break };
        let kind = if purpose == "ivr" { "inboundcall" } else { "inqueuecall" };
        let outcome = [None, Some("SUCCESS"), Some("FAILURE")].get(of(leg / 5, 3)).copied().flatten();
        let version = if leg % 4 == 0 { "2.0" } else { "1.0" };
        run.execute(params![leg, flow.id, flow.division, kind, version, outcome])?;
    }
    let leaves = organisation.leaves();
    let mut case = connection.prepare("INSERT INTO cases VALUES (?, ?, ?, ?, ?, ?)")?;
    let mut legs = connection.prepare("SELECT id, conversation FROM legs WHERE no = 0 AND conversation % 4 = 0")?;
    let legs: Vec<(i64, i64)> = legs.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (leg, conversation) in legs {
        let Some(division) = leaves.get(of(conversation * 5 / 9, leaves.len())) else { break };
        let priority = if conversation % 3 == 0 { "high" } else { "medium" };
        let closed = conversation % 8 == 0;
        let resolved = closed.then_some(60_000 * (1 + conversation % 90));
        let status = if closed { "closed" } else { "open" };
        case.execute(params![leg, format!("case-{prefix}-{conversation}"), division.id, priority, status, resolved])?;
    }
    Ok(())
}

/// `POST /api/v2/analytics/flows/observations/query`: runs of the last eight hours stand for the present ones.
pub(super) fn observations(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    let filter = filter::optional(body, "filter")?.ok_or_else(|| Problem::bad("`filter` is missing"))?;
    for name in texts(body, "metrics")? {
        if !name.eq_ignore_ascii_case("oFlow") {
            return Err(Problem::value(format!("`{name}` is no metric of flows")));
        }
    }
    let groups = present(store, lens, &["flowId", "mediaType"], Some(&filter))?;
    let shown = |(group, count): Counted| json!({ "group": group, "data": [{ "metric": "oFlow", "stats": { "count": count } }] });
    Ok(json!({ "results": groups.into_iter().map(shown).collect::<Vec<_>>() }))
}

/// `POST /api/v2/analytics/flows/activity/query`.
pub(super) fn activity(store: &Store, lens: Lens, body: &Value) -> Result<Value, Problem> {
    detailed(body, &["oFlow"])?;
    let names = texts(body, "groupBy")?;
    if names.is_empty() {
        return Err(Problem::bad("`groupBy` is missing"));
    }
    let filter = filter::optional(body, "filter")?;
    let groups = present(store, lens, &names, filter.as_ref())?;
    let shown = |(group, count): Counted| json!({ "group": group, "data": [{ "metric": "oFlow", "count": count }], "truncated": false, "entities": [] });
    Ok(
        json!({ "results": ordered(body, groups.into_iter().map(shown).collect()), "entityIdDimension": "conversationId" }),
    )
}

/// A group, and how many runs there are in it.
type Counted = (Map<String, Value>, i64);

fn present(store: &Store, lens: Lens, names: &[&str], filter: Option<&filter::Node>) -> Result<Vec<Counted>, Problem> {
    let level = Level::Family(Family::named("flows").ok_or_else(Problem::not_found)?);
    let known = |name: &&str| {
        let (name, column) =
            dimension(level, name).ok_or_else(|| Problem::value(format!("`{name}` is no dimension")))?;
        match column {
            Text(expression) | Enum(expression) => Ok((name, expression)),
            _ => Ok((name, "NULL")),
        }
    };
    let groups: Vec<_> = names.iter().map(known).collect::<Result<_, Problem>>()?;
    let columns: Vec<&str> = groups.iter().map(|(_, expression)| *expression).collect();
    let from = format!(
        " FROM {} l JOIN conversations c ON c.n = l.conversation JOIN runs r ON r.leg = l.id WHERE ",
        lens.legs
    );
    let mut condition = lens.condition(level, filter)?;
    if !lens.traits.leg_filter {
        condition = condition.around(&format!("l.conversation IN (SELECT l.conversation{from}"), ")");
    }
    let mut sql = Sql::text(format!("SELECT {}, count(*){from}", columns.join(", ")));
    sql.push(&Sql::with("l.start >= ? AND ", vec![Cell::Integer(store.now - PRESENT)]));
    sql.push(&condition);
    let keys = (1..=groups.len()).map(|place| place.to_string()).collect::<Vec<_>>().join(",");
    sql.push_text(&format!(" GROUP BY {keys} ORDER BY {keys}"));
    store.rows(&sql, |row| {
        let mut group = Map::new();
        for (place, (name, _)) in groups.iter().enumerate() {
            if let Some(value) = row.get::<_, Option<String>>(place)? {
                group.insert((*name).to_owned(), value.into());
            }
        }
        Ok((group, row.get(groups.len())?))
    })
}
