//! The metrics of conversations: where they stand in a leg, and what they lack.

/// How a metric is summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// The sum of a column of ones and zeroes.
    Count(&'static str),
    /// Count, sum, least and greatest of a column of milliseconds.
    Time(&'static str),
    /// Distinct conversations.
    Conversations,
    /// Known upstream, but nothing in the sandbox has it.
    Empty,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) measure: Measure,
    /// Has a user: without one, a filter or group on users takes the metric away.
    pub(super) user: bool,
}

const METRICS: [Metric; 12] = [
    Metric { name: "nOffered", measure: Measure::Count("l.offered"), user: false },
    Metric { name: "nConnected", measure: Measure::Count("l.connected"), user: true },
    Metric { name: "nTransferred", measure: Measure::Count("l.transferred"), user: true },
    Metric { name: "nConversations", measure: Measure::Conversations, user: true },
    Metric { name: "tHandle", measure: Measure::Time("l.handle"), user: true },
    Metric { name: "tTalk", measure: Measure::Time("l.talk"), user: true },
    Metric { name: "tHeld", measure: Measure::Time("l.hold"), user: true },
    Metric { name: "tAcw", measure: Measure::Time("l.acw"), user: true },
    Metric { name: "tWait", measure: Measure::Time("l.wait"), user: false },
    Metric { name: "tAbandon", measure: Measure::Time("l.abandon"), user: false },
    Metric { name: "tAnswered", measure: Measure::Time("l.answered"), user: true },
    Metric { name: "tTalkComplete", measure: Measure::Time("l.talk"), user: true },
];

/// Known, and never present here.
const EMPTY: [&str; 44] = [
    "nBlindTransferred",
    "nBotInteractions",
    "nCallbackAttempts",
    "nCobrowseSessions",
    "nConsult",
    "nConsultTransferred",
    "nError",
    "nOutbound",
    "nOutboundAbandoned",
    "nOutboundAttempted",
    "nOutboundConnected",
    "nOverSla",
    "nStateTransitionError",
    "nTakeover",
    "oMediaCount",
    "oMessageCount",
    "oMessageSegmentCount",
    "oMessageTurn",
    "oServiceLevel",
    "oServiceTarget",
    "tAcd",
    "tActiveCallback",
    "tAgentResponseTime",
    "tAlert",
    "tBarging",
    "tCallbackAbandon",
    "tCoaching",
    "tConnected",
    "tContacting",
    "tDialing",
    "tFirstConnect",
    "tFirstDial",
    "tFirstResponse",
    "tFlowOut",
    "tHeldComplete",
    "tIvr",
    "tMonitoring",
    "tNotResponding",
    "tPark",
    "tShortAbandon",
    "tSnippetRecord",
    "tTransmitting",
    "tUserResponseTime",
    "tVoicemail",
];

/// The metric of this name, given in any case.
pub(super) fn metric(name: &str) -> Option<Metric> {
    let found = METRICS.iter().find(|metric| metric.name.eq_ignore_ascii_case(name)).copied();
    let unused = || EMPTY.iter().find(|known| known.eq_ignore_ascii_case(name));
    found.or_else(|| unused().map(|name| Metric { name, measure: Measure::Empty, user: true }))
}
