//! The aggregate families beside conversations: evaluations, surveys, transcripts and the like. Each row hangs on a leg,
//! so that who sees the leg is due the row.

use super::{
    dimension::Column::{self, Division, Enum, Text},
    metric::{
        Measure::{self, Conversations, Count, Empty, Time},
        Metric,
    },
};

/// What one family counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Family {
    /// Its word in the path.
    pub(super) name: &'static str,
    /// Joined to the leg `l`.
    pub(super) join: &'static str,
    /// The legs that have such a row.
    pub(super) only: &'static str,
    pub(super) columns: &'static [(&'static str, Column)],
    pub(super) measures: &'static [(&'static str, Measure)],
    /// Dimensions and metrics that are known upstream, and that nothing in the sandbox has.
    pub(super) unused: &'static [&'static str],
    pub(super) unused_metrics: &'static [&'static str],
}

impl Family {
    /// The family of a path.
    pub(super) fn of(path: &str) -> Option<&'static Self> {
        let name = path.strip_prefix("/api/v2/analytics/")?.strip_suffix("/aggregates/query")?;
        Self::named(name)
    }

    pub(super) fn named(name: &str) -> Option<&'static Self> {
        FAMILIES.iter().find(|family| family.name == name)
    }

    pub(super) fn column(&self, name: &str) -> Option<(&'static str, Column)> {
        let here = |(known, _): &&(&'static str, Column)| known.eq_ignore_ascii_case(name);
        let found = self.columns.iter().chain(&SHARED).find(here).copied();
        let unused = || self.unused.iter().find(|known| known.eq_ignore_ascii_case(name));
        found.or_else(|| unused().map(|known| (*known, Column::Empty)))
    }

    pub(super) fn metric(&self, name: &str) -> Option<Metric> {
        let here = |(known, _): &&(&'static str, Measure)| known.eq_ignore_ascii_case(name);
        let found = self.measures.iter().find(here).copied();
        let unused = || self.unused_metrics.iter().find(|known| known.eq_ignore_ascii_case(name));
        let (name, measure) = found.or_else(|| unused().map(|known| (*known, Empty)))?;
        Some(Metric { name, measure, user: true })
    }
}

/// Every row has these of its leg.
const SHARED: [(&str, Column); 5] = [
    ("queueId", Text("l.queue")),
    ("userId", Text("l.agent")),
    ("divisionId", Division),
    ("mediaType", Enum("l.media")),
    ("conversationId", Text("c.id")),
];

const FAMILIES: [Family; 11] = [
    super::objects::FLOWS,
    super::objects::FLOW_EXECUTIONS,
    super::objects::CASES,
    Family {
        name: "evaluations",
        join: " JOIN evaluations e ON e.leg = l.id",
        only: "1",
        columns: &[("evaluationId", Text("e.id")), ("evaluatorId", Text("e.evaluator"))],
        measures: &[
            ("nEvaluations", Count("1")),
            ("oTotalScore", Time("e.score")),
            ("oTotalCriticalScore", Time("e.score")),
        ],
        unused: &[
            "assigneeApplicable",
            "assigneeId",
            "calibrationId",
            "contextId",
            "conversationStart",
            "evaluationContextId",
            "evaluationCreatedDate",
            "evaluationReleaseDate",
            "formId",
            "released",
            "rescored",
            "systemSubmitted",
            "teamId",
        ],
        unused_metrics: &["nEvaluationsDeleted", "nEvaluationsRescored"],
    },
    Family {
        name: "surveys",
        join: " JOIN surveys s ON s.leg = l.id",
        only: "1",
        columns: &[("surveyId", Text("s.id")), ("surveyStatus", Enum("s.status")), ("wrapUpCode", Text("l.wrapup"))],
        measures: &[
            ("nSurveysSent", Count("1")),
            ("nSurveyResponses", Count("(s.score IS NOT NULL)")),
            ("oSurveyTotalScore", Time("s.score")),
        ],
        unused: &[
            "externalContactId",
            "requestedLanguageId",
            "requestedRoutingSkillId",
            "surveyAnswerId",
            "surveyCreatedDate",
            "surveyErrorReason",
            "surveyFormContextId",
            "surveyFormId",
            "surveyFormName",
            "surveyPartialResponse",
            "surveyPreviousStatus",
            "surveyPromoterScore",
            "surveyQuestionGroupId",
            "surveyQuestionId",
            "surveyType",
            "teamId",
        ],
        unused_metrics: &[
            "nSurveyErrors",
            "nSurveyFullResponses",
            "nSurveyNpsDetractors",
            "nSurveyNpsPromoters",
            "nSurveyNpsResponses",
            "nSurveyPartialResponses",
            "nSurveyQuestionGroupResponses",
            "nSurveyQuestionResponses",
            "nSurveysAbandoned",
            "nSurveysDeleted",
            "nSurveysExpired",
            "nSurveysStarted",
            "nVoiceSurveys",
            "nWebSurveys",
            "oSurveyQuestionGroupScore",
            "oSurveyQuestionScore",
        ],
    },
    Family {
        name: "transcripts",
        join: "",
        only: "l.talk IS NOT NULL",
        columns: &[("direction", Enum("l.direction")), ("wrapUpCode", Text("l.wrapup"))],
        measures: &[
            ("nSpeechTextAnalyzedConversations", Conversations),
            ("tAgentSpeech", Time("l.talk")),
            ("tSilence", Time("l.hold")),
            ("tTotalSpeechAndSilence", Time("l.handle")),
        ],
        unused: &[
            "addressFrom",
            "addressTo",
            "ani",
            "categoryId",
            "channel",
            "conversationDuration",
            "dnis",
            "flowId",
            "flowVersion",
            "handleTime",
            "messageType",
            "resultsBy",
            "teamId",
            "topicId",
        ],
        unused_metrics: &[
            "nTopicCommunications",
            "oCustomerSentiment",
            "oOverTalkSpeechInstances",
            "oSentimentScore",
            "tCustomerSpeech",
            "tOtherAudio",
            "tOverTalkSpeech",
        ],
    },
    Family {
        name: "agentcopilots",
        join: "",
        only: "l.connected = 1 AND l.media <> 'voice'",
        columns: &[],
        measures: &[
            ("nCannedResponseSuggestions", Count("1")),
            ("nDistinctConversations", Conversations),
            ("nKnowledgeSearchSuggestions", Count("l.transferred")),
        ],
        unused: &[
            "agentAssistantId",
            "cannedResponseId",
            "cannedResponseLibraryId",
            "chunkCount",
            "engagementType",
            "externalContactId",
            "feedbackRating",
            "hasAnswerHighlight",
            "hasGeneratedAnswer",
            "knowledgeBaseDocumentId",
            "knowledgeBaseDocumentVersionId",
            "knowledgeSettingId",
            "messageId",
            "scriptId",
            "scriptPageId",
            "searchId",
            "state",
            "suggestionId",
            "suggestionType",
            "triggerType",
            "utteranceId",
        ],
        unused_metrics: &[
            "nDistinctSuggestions",
            "nKnowledgeAnswerSuggestions",
            "nKnowledgeArticleSuggestions",
            "nScriptSuggestions",
        ],
    },
    Family {
        name: "knowledge",
        join: "",
        only: "l.talk IS NOT NULL",
        columns: &[],
        measures: &[
            ("nKnowledgeSessions", Count("1")),
            ("nDistinctKnowledgeSessions", Conversations),
            ("nKnowledgeSearch", Count("(1 + coalesce(l.transferred, 0))")),
        ],
        unused: &[
            "agentAssistantId",
            "answerGenerationEnabled",
            "appDeploymentId",
            "appType",
            "botFlowId",
            "conversationChannelType",
            "documentEngagementType",
            "externalContactId",
            "feedbackCategory",
            "feedbackId",
            "feedbackRating",
            "feedbackRatingType",
            "feedbackRatingValue",
            "feedbackReason",
            "feedbackType",
            "hasComment",
            "hasRetrievedReferences",
            "hasSearch",
            "knowledgeBaseDocumentId",
            "knowledgeBaseDocumentVariationId",
            "knowledgeBaseDocumentVersionId",
            "knowledgeBaseId",
            "knowledgeSettingId",
            "languageCode",
            "messageType",
            "presentedDocumentsCount",
            "queryType",
            "queryTypeV3",
            "searchId",
            "searchQuery",
            "selfServed",
            "sessionId",
            "surfacingMethod",
        ],
        unused_metrics: &[
            "nKnowledgeDocumentCopied",
            "nKnowledgeDocumentFeedback",
            "nKnowledgeDocumentPresented",
            "nKnowledgeDocumentSurfaced",
            "nKnowledgeDocumentViewed",
            "nKnowledgeSearchAnswered",
            "nKnowledgeSearchFeedback",
            "nKnowledgeSearchUnanswered",
            "nKnowledgeV3Search",
            "oKnowledgeDocumentQuery",
            "oKnowledgeDocumentQuerySelfServed",
            "oKnowledgeSearch",
        ],
    },
    Family {
        name: "summaries",
        join: "",
        only: "l.acw IS NOT NULL",
        columns: &[],
        measures: &[
            ("nConversationSummaries", Count("1")),
            ("nConversationSummaryEngagements", Count("(l.wrapup IS NOT NULL)")),
            ("tConversationSummary", Time("l.acw")),
        ],
        unused: &[
            "copied",
            "editedField",
            "errorType",
            "language",
            "messageType",
            "presented",
            "summaryGenerated",
            "summaryId",
            "summaryRating",
            "triggerSourceId",
            "triggerSourceOutcome",
            "triggerSourceType",
            "wrapUpCodeRating",
            "wrapUpCodeSuggestionSelected",
            "wrapupCodesGenerated",
            "triggerType",
            "wrapupCodesSupported",
        ],
        unused_metrics: &[],
    },
    Family {
        name: "resolutions",
        join: "",
        only: "l.connected = 1",
        columns: &[],
        measures: &[("nNextContactAvoided", Count("(1 - coalesce(l.transferred, 0))"))],
        unused: &["externalContactId", "requestedRouting", "usedRouting", "wrapUpDate"],
        unused_metrics: &[],
    },
    Family {
        name: "taskmanagement",
        join: "",
        only: "l.media = 'callback'",
        columns: &[("wrapUpCode", Text("l.wrapup"))],
        measures: &[
            ("nWorkitemsCreated", Count("l.offered")),
            ("nWorkitemsOffered", Count("l.offered")),
            ("tWorkitemsHandled", Time("l.handle")),
            ("tWorkitemsHeld", Time("l.hold")),
        ],
        unused: &[
            "assigneeId",
            "caseId",
            "externalTag",
            "reporterId",
            "requestedLanguageId",
            "requestedRouting",
            "requestedRoutingSkillId",
            "statusCategory",
            "statusId",
            "typeId",
            "usedRouting",
            "workbinId",
            "workitemId",
        ],
        unused_metrics: &[
            "nWorkitemsAcdCancelled",
            "nWorkitemsAcdExpired",
            "nWorkitemsAcdStarted",
            "nWorkitemsAgentTransferred",
            "nWorkitemsDeclined",
            "nWorkitemsDeleted",
            "nWorkitemsDisconnected",
            "nWorkitemsOverSla",
            "nWorkitemsPurged",
            "nWorkitemsQueueTransferred",
            "nWorkitemsStatusChanged",
            "nWorkitemsTerminated",
            "nWorkitemsTimedout",
            "nWorkitemsTransferred",
            "nWorkitemsWrapupAdded",
            "nWorkitemsWrapupRemoved",
            "oWorkitemsServiceLevel",
            "tWorkitemsAgentFocusComplete",
            "tWorkitemsAlert",
            "tWorkitemsAnswered",
            "tWorkitemsDirectAnswered",
            "tWorkitemsFocus",
            "tWorkitemsFocusComplete",
            "tWorkitemsHeldComplete",
            "tWorkitemsNotResponding",
            "tWorkitemsParked",
            "tWorkitemsQueueAnswered",
            "tWorkitemsStatus",
        ],
    },
];
