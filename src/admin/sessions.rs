//! Ending tokens, and having the issuer's keys read now.

use super::Parts;
use crate::model::{refusal::Code, session::Whose};
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// Bytes of an id; no provider has longer ones. A whole token may be as long as those that are taken.
const LONGEST: usize = 512;
const LONGEST_TOKEN: usize = 8 * 1024;

/// Exactly one of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Revoke {
    /// A token's `jti`; of one that has none, its SHA-256 in hex. A signed token, or one of the configuration, may stand here itself.
    token: Option<String>,
    /// A user of the directory.
    user: Option<String>,
    client: Option<String>,
    /// A token's `sid`.
    session: Option<String>,
}

/// JSON alone is taken: no form of a foreign page is.
pub(super) async fn revoke(State(parts): State<Arc<Parts>>, asked: Result<Json<Revoke>, JsonRejection>) -> Response {
    const DUE: &str = "post one of `user`, `client`, `session` and `token` with its id, as JSON";
    let Ok(Json(asked)) = asked else { return wrong(StatusCode::BAD_REQUEST, DUE) };
    let named = [
        (Whose::Token, asked.token),
        (Whose::User, asked.user),
        (Whose::Client, asked.client),
        (Whose::Session, asked.session),
    ];
    let mut named = named.into_iter().filter_map(|(whose, id)| Some((whose, id?)));
    let (Some((whose, id)), None) = (named.next(), named.next()) else { return wrong(StatusCode::BAD_REQUEST, DUE) };
    let longest = if whose == Whose::Token { LONGEST_TOKEN } else { LONGEST };
    if id.is_empty() || id.len() > longest || id.contains(char::is_control) {
        return wrong(StatusCode::BAD_REQUEST, DUE);
    }
    if whose == Whose::User && !parts.world.pin().world.org.index.users.contains_key(id.as_str()) {
        return wrong(
            StatusCode::NOT_FOUND,
            "the directory knows no user by this id, so that no token of his is taken",
        );
    }
    match parts.identity.end(whose, &id, parts.clock.now()).await {
        Ok(ended) => {
            let body = json!({ "ended": whose.as_str(), "id": ended.id, "at": ended.at, "until": ended.until });
            (StatusCode::OK, Json(body)).into_response()
        }
        Err(failed) => wrong(StatusCode::SERVICE_UNAVAILABLE, &format!("nothing was ended: {failed}; ask again")),
    }
}

/// A log-out, as identity providers post it.
pub(super) async fn back_channel(State(parts): State<Arc<Parts>>, headers: HeaderMap, body: String) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let form = kind.split(';').next().unwrap_or_default().trim();
    let mut tokens = body.split('&').filter_map(|pair| pair.strip_prefix("logout_token="));
    let (Some(token), None) = (tokens.next(), tokens.next()) else {
        return not_logged_out(StatusCode::BAD_REQUEST, "post one `logout_token` as a form");
    };
    let Ok(token) = percent_decode_str(token).decode_utf8() else {
        return not_logged_out(StatusCode::BAD_REQUEST, "the token is no text");
    };
    if !form.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return not_logged_out(StatusCode::BAD_REQUEST, "post one `logout_token` as a form");
    }
    match parts.identity.logged_out(&token, parts.clock.now()).await {
        Ok(()) => (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")]).into_response(),
        Err(refusal) => {
            let why = refusal.cause.unwrap_or_default();
            tracing::warn!(why, "a log-out of the identity provider was not believed");
            let status = match refusal.code {
                Code::IdentityRequired => StatusCode::BAD_REQUEST,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            not_logged_out(status, &why)
        }
    }
}

pub(super) async fn refresh_keys(State(parts): State<Arc<Parts>>) -> Response {
    if parts.identity.learn().await {
        return StatusCode::NO_CONTENT.into_response();
    }
    wrong(StatusCode::BAD_GATEWAY, "the issuer's keys cannot be read now; `/readyz` says why")
}

fn wrong(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

/// As the standard words it.
fn not_logged_out(status: StatusCode, why: &str) -> Response {
    let body = json!({ "error": "invalid_request", "error_description": why });
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
