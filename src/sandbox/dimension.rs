//! Which dimensions there are at each level, and where their values stand in the store.

use super::families::Family;

/// What a predicate or a group speaks about, and the table aliases that are in reach there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// A leg `l` and its conversation `c`, in aggregates.
    Aggregate,
    /// A leg `l`, its conversation `c`, and what hangs on it.
    Family(&'static Family),
    /// A leg `l`, in segment filters.
    Segment,
    /// A conversation `c`.
    Conversation,
    /// An evaluation `e`.
    Evaluation,
    /// A survey `s`.
    Survey,
    /// A queue `q` and a medium `m`.
    Observation,
    /// A user `u`.
    User,
    /// A user `u` at this moment.
    UserActivity,
    /// A member `u` of a team `m`, with the presence `p` of this moment.
    TeamActivity,
    /// A user `u`, with the presence `p` of this moment.
    AgentState,
    /// A queue `q` with its members at this moment.
    RoutingActivity,
    /// A span of presence `p`.
    Presence,
    /// The same span, by what its person could do.
    RoutingStatus,
}

/// Where a dimension's value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// An expression, compared byte for byte.
    Text(&'static str),
    /// An expression with values of an enum, compared without case.
    Enum(&'static str),
    /// An expression in milliseconds; a value is an instant.
    Instant(&'static str),
    Number(&'static str),
    /// Divisions of the leg or of the conversation, as the traits say.
    Division,
    /// The division of a case `k`, or those of its conversation, as the traits say.
    CaseDivision,
    /// Known upstream, but nothing in the sandbox has it.
    Empty,
}

/// The canonical spelling and the column of a dimension, its name given in any case.
pub(super) fn dimension(level: Level, name: &str) -> Option<(&'static str, Column)> {
    if let Level::Family(family) = level {
        return family.column(name);
    }
    let here = |(known, _): &&(&'static str, Column)| known.eq_ignore_ascii_case(name);
    let empty = |known: &&&'static str| known.eq_ignore_ascii_case(name);
    let found = columns(level).iter().find(here).copied();
    let unused: &[&[&'static str]] = match level {
        Level::Aggregate => &[&SHARED, &AGGREGATE],
        Level::Segment => &[&SHARED, &SEGMENT],
        Level::Conversation => &[&CONVERSATION],
        Level::Evaluation => &[&EVALUATION],
        Level::Survey => &[&SURVEY],
        Level::UserActivity | Level::RoutingActivity | Level::TeamActivity => &[&ACTIVITY],
        Level::AgentState => &[&AGENT_STATE],
        _ => &[],
    };
    found.or_else(|| unused.iter().flat_map(|list| list.iter()).find(empty).map(|known| (*known, Column::Empty)))
}

fn columns(level: Level) -> &'static [(&'static str, Column)] {
    use Column::{Division, Enum, Instant, Number, Text};
    match level {
        Level::Aggregate => &[
            ("queueId", Text("l.queue")),
            ("userId", Text("l.agent")),
            ("divisionId", Division),
            ("mediaType", Enum("l.media")),
            ("direction", Enum("l.direction")),
            ("originatingDirection", Enum("c.originating")),
            ("wrapUpCode", Text("l.wrapup")),
            ("purpose", Enum("l.purpose")),
            ("ani", Text("l.ani")),
            ("dnis", Text("l.dnis")),
            ("conversationId", Text("c.id")),
        ],
        Level::Segment => &[
            ("queueId", Text("l.queue")),
            ("userId", Text("l.agent")),
            ("mediaType", Enum("l.media")),
            ("direction", Enum("l.direction")),
            ("wrapUpCode", Text("l.wrapup")),
            ("purpose", Enum("l.purpose")),
            ("ani", Text("l.ani")),
            ("dnis", Text("l.dnis")),
            ("segmentEnd", Instant("l.end")),
            ("segmentType", Enum(SEGMENT_TYPE)),
        ],
        Level::Conversation => &[
            ("conversationId", Text("c.id")),
            ("divisionId", Division),
            ("originatingDirection", Enum("c.originating")),
            ("conversationStart", Instant("c.start")),
            ("conversationEnd", Instant("c.end")),
            ("mediaStatsMinConversationMos", Number("c.mos")),
        ],
        Level::Evaluation => &[
            ("evaluationId", Text("e.id")),
            ("evaluationStatus", Enum("iif(e.score IS NULL, 'PENDING', 'FINISHED')")),
            ("evaluatorId", Text("e.evaluator")),
            ("queueId", Text("e.queue")),
            ("userId", Text("e.agent")),
        ],
        Level::Survey => &[
            ("surveyId", Text("s.id")),
            ("surveyStatus", Enum("s.status")),
            ("queueId", Text("s.queue")),
            ("userId", Text("s.agent")),
        ],
        Level::Observation => &[("queueId", Text("q.id")), ("mediaType", Enum("m.name"))],
        Level::User | Level::UserActivity => &[("userId", Text("u.id"))],
        Level::AgentState => &[
            ("userId", Text("u.id")),
            ("divisionId", Text("u.division")),
            ("systemPresence", Enum("coalesce(p.system, 'OFFLINE')")),
            ("routingStatus", Enum("coalesce(p.routing, 'OFF_QUEUE')")),
            ("isOutOfOffice", Enum("'false'")),
        ],
        Level::TeamActivity => &[
            ("teamId", Text("m.team")),
            ("userId", Text("u.id")),
            ("systemPresence", Enum("coalesce(p.system, 'OFFLINE')")),
            ("routingStatus", Enum("coalesce(p.routing, 'OFF_QUEUE')")),
        ],
        Level::Presence => {
            &[("systemPresence", Enum("p.system")), ("organizationPresenceId", Text("'presence-' || lower(p.system)"))]
        }
        Level::RoutingStatus => &[("routingStatus", Enum("p.routing"))],
        Level::RoutingActivity => &[("queueId", Text("q.id"))],
        Level::Family(_) => &[],
    }
}

/// As answers show it.
const SEGMENT_TYPE: &str = "iif(l.purpose = 'ivr', 'ivr', 'interact')";

/// Known for legs in aggregates and in segment filters.
const SHARED: [&str; 29] = [
    "addressFrom",
    "addressTo",
    "agentAssistantId",
    "agentOwned",
    "authenticated",
    "canonicalExternalContactId",
    "deliveryStatus",
    "destinationAddress",
    "disconnectType",
    "edgeId",
    "errorCode",
    "externalContactId",
    "externalOrganizationId",
    "flaggedReason",
    "flowOutType",
    "groupId",
    "mediaCount",
    "messageType",
    "outboundCampaignId",
    "outboundContactId",
    "outboundContactListId",
    "participantName",
    "provider",
    "remote",
    "requestedLanguageId",
    "requestedRouting",
    "scoredAgentId",
    "sessionDnis",
    "teamId",
];

/// Known of people at this moment.
const EVALUATION: [&str; 11] = [
    "assigneeApplicable",
    "assigneeId",
    "calibrationId",
    "contextId",
    "deleted",
    "eventTime",
    "formId",
    "formName",
    "released",
    "rescored",
    "systemSubmitted",
];

const SURVEY: [&str; 7] = [
    "eventTime",
    "surveyCompletedDate",
    "surveyFormContextId",
    "surveyFormId",
    "surveyPartialResponse",
    "surveyPromoterScore",
    "surveyType",
];

const AGENT_STATE: [&str; 16] = [
    "activeQueueId",
    "actualActivityCategory",
    "adherenceImpact",
    "adherenceState",
    "assignedLanguageId",
    "assignedSkillId",
    "businessUnitId",
    "inactiveQueueId",
    "managementUnitId",
    "managerId",
    "online",
    "organizationPresenceId",
    "queueId",
    "scheduledActivityCategory",
    "scheduledActivityCodeId",
    "teamId",
];

const ACTIVITY: [&str; 6] =
    ["organizationPresenceId", "presenceDate", "queueMembershipStatus", "routingStatus", "systemPresence", "teamId"];

/// Known for legs in aggregates only.
const AGGREGATE: [&str; 19] = [
    "activeRouting",
    "activeSkillId",
    "assignerId",
    "conversationInitiator",
    "customerParticipation",
    "externalTag",
    "firstQueue",
    "flowInType",
    "interactionType",
    "journeyActionId",
    "peerId",
    "proposedAgentId",
    "requestedRoutingSkillId",
    "roomId",
    "routingPriority",
    "selectedAgentId",
    "sessionId",
    "stationId",
    "usedRouting",
];

/// Known in segment filters only.
const SEGMENT: [&str; 15] = [
    "bargedParticipantId",
    "callbackNumber",
    "coachedParticipantId",
    "conference",
    "flowId",
    "flowName",
    "monitoredParticipantId",
    "recording",
    "requestedRoutingSkillId",
    "screenMonitoredUserId",
    "scriptId",
    "subject",
    "transferTargetName",
    "usedRouting",
    "wrapUpNote",
];

const CONVERSATION: [&str; 5] = [
    "accessAttribute",
    "conversationInitiator",
    "customerParticipation",
    "externalTag",
    "originatingSocialMediaPublic",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_case_and_belong_to_a_level() {
        assert_eq!(dimension(Level::Aggregate, "QUEUEID"), Some(("queueId", Column::Text("l.queue"))));
        assert_eq!(dimension(Level::Segment, "teamid"), Some(("teamId", Column::Empty)));
        assert_eq!(dimension(Level::Segment, "divisionId"), None);
        assert_eq!(dimension(Level::Conversation, "queueId"), None);
        assert_eq!(dimension(Level::Observation, "userId"), None);
        assert_eq!(dimension(Level::User, "queueId"), None);
    }
}
