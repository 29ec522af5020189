//! The one place that knows status codes: refusals and answers to HTTP, in the form that the upstream's clients read.
//!
//! It takes what was guarded, what was refused, or what the front door answers itself. An answer that nobody judged
//! has no way in: [`Answer`] cannot be made of an `Unguarded`.

use super::flow::Flow;
use crate::{
    identity::Granted,
    model::refusal::{Code, Notice, Refusal},
    policy::guard::{Content, Guarded},
    query::json::Value,
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

/// Everything that may be answered.
#[derive(Debug)]
pub enum Answer {
    /// The part that is held, and what follows it.
    Guarded(Guarded, Option<Box<Flow>>),
    Refusal(Refusal),
    Service(Service),
}

impl From<Guarded> for Answer {
    fn from(guarded: Guarded) -> Self {
        Self::Guarded(guarded, None)
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<Service> for Answer {
    fn from(service: Service) -> Self {
        Self::Service(service)
    }
}

/// What the front door says itself. It never carries data of an upstream.
#[derive(Debug)]
pub enum Service {
    /// To a browser that asks whether it may ask, and whoever else. `allow`: the methods that are governed there.
    Preflight { allow: String },
    /// A token for a client that has proved who it is.
    Token(Granted),
}

const DECISION: HeaderName = HeaderName::from_static("bailiwick-decision");
const NOTICE: HeaderName = HeaderName::from_static("bailiwick-notice");
/// How long each phase took, for whoever measures. Never with a refusal: how far a question came is nobody's business.
pub(super) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// More notices than this stand in the record only.
const NOTICES: usize = 16;

/// Writes an answer.
pub fn respond(decision: Uuid, answer: impl Into<Answer>, notices: &[Notice]) -> Response<Bytes> {
    let (mut wait, mut allowed, mut content) = (None, None, Content::Json);
    let (status, body, challenge) = match answer.into() {
        Answer::Guarded(guarded, _) => {
            let status = StatusCode::from_u16(guarded.status()).unwrap_or(StatusCode::BAD_GATEWAY);
            content = guarded.content();
            (status, guarded.into_body(), false)
        }
        Answer::Refusal(refusal) => {
            let status = status(&refusal);
            // Clients try again by themselves when they read this: only the upstream may ask for it, never a policy.
            wait = param(&refusal, "retry-after").filter(|_| status == StatusCode::TOO_MANY_REQUESTS).map(ascii);
            (status, native(decision, status, &refusal), status == StatusCode::UNAUTHORIZED)
        }
        Answer::Service(Service::Preflight { allow }) => {
            allowed = Some(ascii(&allow));
            (StatusCode::NO_CONTENT, Vec::new(), false)
        }
        Answer::Service(Service::Token(told)) => (StatusCode::OK, granted(&told), false),
    };
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(DECISION, ascii(&decision.to_string()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(allowed) = allowed {
        headers.insert(header::ALLOW, allowed);
    }
    if status != StatusCode::NO_CONTENT {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(content)));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    if challenge {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"bailiwick\""));
    }
    if let Some(seconds) = wait {
        headers.insert(header::RETRY_AFTER, seconds);
    }
    let shown = if notices.len() > NOTICES { NOTICES - 1 } else { notices.len() };
    for notice in notices.iter().take(shown) {
        headers.append(NOTICE, ascii(&format!("{}; {}", notice.code, notice.text)));
    }
    // A loss is never passed over in silence: what does not fit is counted.
    if let more @ 1.. = notices.len() - shown {
        headers.append(NOTICE, ascii(&format!("notice.more; {more} more stand in the record of this decision")));
    }
    response
}

/// Phases with their microseconds, each name once, as `Server-Timing` has them: in milliseconds.
pub(super) fn times(phases: &[(String, u64)]) -> HeaderValue {
    let mut sums: Vec<(&str, u64)> = Vec::new();
    for (name, micros) in phases {
        match sums.iter_mut().find(|(known, _)| known == name) {
            Some((_, sum)) => *sum = sum.saturating_add(*micros),
            None => sums.push((name, *micros)),
        }
    }
    let entry = |(name, micros): &(&str, u64)| format!("{name};dur={}.{:03}", micros / 1000, micros % 1000);
    ascii(&sums.iter().map(entry).collect::<Vec<_>>().join(", "))
}

fn kind(content: Content) -> &'static str {
    match content {
        Content::Json => "application/json; charset=utf-8",
        Content::Wav => "audio/wav",
    }
}

/// The status that a code has in most places, for the generated table.
pub fn status_of(code: Code) -> u16 {
    status(&Refusal::new(code, "")).as_u16()
}

fn status(refusal: &Refusal) -> StatusCode {
    match refusal.code {
        Code::ScopeOutside if refusal.in_path => StatusCode::NOT_FOUND,
        Code::RequestMalformed
        | Code::QueryMalformed
        | Code::NotAUser
        | Code::QueryTooComplex
        | Code::QueryTooWide
        | Code::QueryDeadQueue
        | Code::DivisionChoose
        | Code::MetricUnscopable
        | Code::GroupByDivision
        | Code::GroupByHighCardinality
        | Code::GroupByRefused
        | Code::SortRefused
        | Code::IntervalTooLong
        | Code::PagingTooLarge
        | Code::PlaceholderMany
        | Code::PlaceholderUnknown
        | Code::JobUnfinished => StatusCode::BAD_REQUEST,
        Code::IdentityRequired | Code::IdentityUnknown => StatusCode::UNAUTHORIZED,
        Code::IdentityNoRoles
        | Code::UpstreamAsker
        | Code::SubjectRefused
        | Code::SubjectNoSession
        | Code::OperationDenied
        | Code::OperationUnproved
        | Code::OperationUnscopable
        | Code::PermissionMissing
        | Code::RoleConflict
        | Code::ScopeEmpty
        | Code::ScopeOutside
        | Code::ScopeTooComplex
        | Code::DivisionParentScan
        | Code::RegionCrossRegionScan
        | Code::BpoInternalOnly
        | Code::BpoExport
        | Code::BpoField
        | Code::BpoMixedTotals
        | Code::FieldHidden
        | Code::WindowOutside
        | Code::JobScopeChanged
        | Code::DefinitionsFull
        | Code::InteractionMixed
        | Code::PreviewFormat
        | Code::PreviewHost
        | Code::RuleRefused => StatusCode::FORBIDDEN,
        Code::OperationUnknown => StatusCode::NOT_FOUND,
        Code::DefinitionChanged => StatusCode::CONFLICT,
        Code::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        Code::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::RequestMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::RequestLooped => StatusCode::LOOP_DETECTED,
        Code::VerifyFailed | Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        // What the upstream says of the asker's question is the asker's; the rest is between it and this proxy.
        Code::UpstreamRefused => match param(refusal, "upstream-status") {
            Some("400" | "409" | "422") => StatusCode::BAD_REQUEST,
            Some("429") => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::BAD_GATEWAY,
        },
        Code::UpstreamUnavailable | Code::UpstreamCredential | Code::AnswerUnreadable | Code::AnswerTooLarge => {
            StatusCode::BAD_GATEWAY
        }
        Code::IdentityThrottled => StatusCode::TOO_MANY_REQUESTS,
        Code::IdentityUnavailable
        | Code::DirectoryStale
        | Code::AuditUnavailable
        | Code::StoreUnavailable
        | Code::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        Code::UpstreamTimeout | Code::ProxyTimeout => StatusCode::GATEWAY_TIMEOUT,
    }
}

fn param<'a>(refusal: &'a Refusal, name: &str) -> Option<&'a str> {
    refusal.params.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

/// The error body of the upstream's own clients. The cause is not in it.
fn native(decision: Uuid, status: StatusCode, refusal: &Refusal) -> Vec<u8> {
    let none = || Value::Array(Vec::new());
    Value::object([
        ("message", Value::text(&*refusal.message)),
        ("code", Value::text(refusal.code.as_str())),
        ("status", Value::int(i64::from(status.as_u16()))),
        (
            "messageParams",
            Value::object(refusal.params.iter().map(|(name, value)| (*name, Value::text(value.as_str())))),
        ),
        ("contextId", Value::text(decision.to_string())),
        ("details", none()),
        ("errors", none()),
    ])
    .to_bytes()
}

fn granted(told: &Granted) -> Vec<u8> {
    let refresh = told.refresh.iter().map(|token| ("refresh_token", Value::text(token.expose_secret())));
    let always = [
        ("access_token", Value::text(told.token.expose_secret())),
        ("token_type", Value::text("bearer")),
        ("expires_in", Value::int(i64::from(told.expires_in))),
    ];
    Value::object(always.into_iter().chain(refresh)).to_bytes()
}

/// A header value of printable ASCII; anything else becomes `?`.
fn ascii(text: &str) -> HeaderValue {
    let plain: String =
        text.chars().take(512).map(|letter| if (' '..='~').contains(&letter) { letter } else { '?' }).collect();
    HeaderValue::from_str(&plain).unwrap_or(HeaderValue::from_static("?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(response: &Response<Bytes>) -> serde_json::Value {
        serde_json::from_str(std::str::from_utf8(response.body()).unwrap()).unwrap()
    }

    #[test]
    fn a_refusal_has_the_native_form_and_hides_its_cause() {
        let id = Uuid::now_v7();
        let refusal = Refusal::new(Code::DivisionChoose, "say which of `a`, `b`")
            .with("divisions", "a,b")
            .because("secret cause");
        let response = respond(id, refusal, &[Notice::new("narrowed", "to \u{e4} part")]);
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()["bailiwick-decision"], id.to_string());
        assert_eq!(response.headers()["bailiwick-notice"], "narrowed; to ? part");
        assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let due = serde_json::json!({
            "message": "say which of `a`, `b`", "code": "division.choose", "status": 400, "messageParams": {"divisions": "a,b"},
            "contextId": id.to_string(), "details": [], "errors": [],
        });
        assert_eq!(body(&response), due);
    }

    #[test]
    fn notices_that_do_not_fit_are_counted() {
        let told = |many: usize| -> Vec<String> {
            let notices: Vec<_> = (0..many).map(|nth| Notice::new("n", nth.to_string())).collect();
            let response = respond(Uuid::nil(), Refusal::outside("x"), &notices);
            response.headers().get_all("bailiwick-notice").iter().map(|one| one.to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(told(NOTICES).last().unwrap(), "n; 15");
        assert_eq!(told(20).len(), NOTICES);
        assert_eq!(told(20).last().unwrap(), "notice.more; 5 more stand in the record of this decision");
        assert!(told(0).is_empty());
    }

    #[test]
    fn outside_is_one_answer_but_for_the_place_of_the_id() {
        let id = Uuid::now_v7();
        assert_eq!(respond(id, Refusal::outside("x"), &[]).status(), 403);
        let in_path = respond(id, Refusal::outside("y").in_path(), &[]);
        assert_eq!(in_path.status(), 404);
        assert_eq!(in_path.body(), respond(id, Refusal::outside("z").in_path(), &[]).body());
    }

    #[test]
    fn no_refusal_asks_to_be_tried_again_and_identity_is_challenged() {
        for code in Code::ALL {
            let response = respond(Uuid::nil(), Refusal::new(*code, "no"), &[]);
            assert!(response.status().is_client_error() || response.status().is_server_error(), "{code:?}");
            assert!(!response.headers().contains_key("retry-after"), "{code:?}");
            let challenged = response.headers().contains_key("www-authenticate");
            let unknown = matches!(code, Code::IdentityRequired | Code::IdentityUnknown);
            assert_eq!(challenged, unknown, "{code:?}");
        }
    }

    #[test]
    fn the_upstream_may_ask_for_patience() {
        let busy = Refusal::new(Code::UpstreamRefused, "later").with("upstream-status", "429").with("retry-after", "7");
        let response = respond(Uuid::nil(), busy, &[]);
        assert_eq!(
            (response.status().as_u16(), &response.headers()["retry-after"]),
            (429, &HeaderValue::from_static("7"))
        );
        let status = |upstream| {
            respond(Uuid::nil(), Refusal::new(Code::UpstreamRefused, "no").with("upstream-status", upstream), &[])
                .status()
        };
        assert_eq!(
            (status("400"), status("403"), status("418")),
            (StatusCode::BAD_REQUEST, StatusCode::BAD_GATEWAY, StatusCode::BAD_GATEWAY)
        );
    }

    #[test]
    fn the_front_door_answers_itself() {
        let response =
            respond(Uuid::nil(), Service::Token(Granted { token: "t".into(), expires_in: 60, refresh: None }), &[]);
        assert_eq!(body(&response), serde_json::json!({"access_token": "t", "token_type": "bearer", "expires_in": 60}));
        let told = Granted { token: "t".into(), expires_in: 60, refresh: Some("r".into()) };
        assert_eq!(body(&respond(Uuid::nil(), Service::Token(told), &[]))["refresh_token"], "r");
        assert_eq!(respond(Uuid::nil(), Service::Preflight { allow: "OPTIONS".to_owned() }, &[]).status(), 204);
    }
}
