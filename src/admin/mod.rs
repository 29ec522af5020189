//! The administrators' listener: is it alive, is it ready and if not why, its metrics; ending tokens. Never sees the data path.

mod sessions;

use crate::{
    audit::Recorder,
    base::clock::Clock,
    identity::Identity,
    server::{Fault, Handler, Peer},
    telemetry::metrics,
    world::WorldStore,
};
use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, State},
    http::{Request, Response, StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use hyper::{body::Incoming, service::Service as _};
use hyper_util::service::TowerToHyperService;
use prometheus_client::registry::Registry;
use serde::Serialize;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Bytes of what is posted here.
const MOST_BYTES: usize = 32 * 1024;

/// What an [`Admin`] is made of.
#[derive(Debug)]
pub struct Parts {
    pub world: Arc<WorldStore>,
    pub identity: Arc<Identity>,
    pub recorder: Recorder,
    pub clock: Arc<dyn Clock>,
    pub registry: Arc<Registry>,
    /// Set when the program has begun to stop: balancers have to look elsewhere.
    pub draining: Arc<AtomicBool>,
}

/// The control side, to be given to [`crate::server::serve`].
#[derive(Debug)]
pub struct Admin {
    router: TowerToHyperService<Router>,
}

/// The answer of `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Whether requests can be decided now.
    pub ready: bool,
    /// Everything that is not as it should be. Some of it does not keep the program from serving.
    pub reasons: Vec<String>,
}

impl Admin {
    pub fn new(parts: Parts) -> Arc<Self> {
        let router = Router::new()
            .route("/", get(index))
            .route("/livez", get(async || "alive\n"))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics_text))
            .route("/v1/keys/refresh", post(sessions::refresh_keys))
            .route("/v1/sessions/revoke", post(sessions::revoke))
            .route("/v1/sessions/backchannel", post(sessions::back_channel))
            .layer(DefaultBodyLimit::max(MOST_BYTES))
            .with_state(Arc::new(parts));
        Arc::new(Self { router: TowerToHyperService::new(router) })
    }
}

impl Parts {
    fn readiness(&self) -> Readiness {
        let now = self.clock.now();
        let mut reasons = self.world.troubles(now);
        let unrecorded = self.recorder.trouble();
        let draining = self.draining.load(Ordering::Acquire);
        let (judges, late) = self.identity.readiness();
        let ready = self.world.serves(now) && judges && unrecorded.is_none() && !draining;
        reasons.extend(late.map(|why| format!("keys of the issuer: {why}")));
        reasons.extend(unrecorded.map(|why| format!("record: {why}")));
        if draining {
            reasons.push("stopping: what is under way is being ended".to_owned());
        }
        Readiness { ready, reasons }
    }
}

async fn index() -> &'static str {
    "bailiwick, administrators' side\n\n/livez    the process answers\n/readyz   requests can be decided; if not, why\n/metrics  Prometheus text\n\nPOST /v1/sessions/revoke       ends tokens: {\"user\": id}, or `client`, `session`, `token`\nPOST /v1/sessions/backchannel  a log-out, told by the identity provider\nPOST /v1/keys/refresh          asks the issuer for its keys now\n"
}

async fn ready(State(parts): State<Arc<Parts>>) -> impl IntoResponse {
    let readiness = parts.readiness();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness))
}

async fn metrics_text(State(parts): State<Arc<Parts>>) -> impl IntoResponse {
    // The age of the directory is measured when somebody looks.
    parts.world.late(parts.clock.now());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], metrics::render(&parts.registry))
}

impl Handler for Admin {
    type Body = Body;

    async fn handle(&self, request: Request<Incoming>, _: Peer) -> Response<Body> {
        self.router.call(request).await.unwrap_or_else(|never| match never {})
    }

    async fn unreadable(&self, fault: Fault, _: Peer) -> Response<Body> {
        let (status, why) = match fault {
            Fault::Malformed(why) => (StatusCode::BAD_REQUEST, why),
            Fault::TooLarge(why) => (StatusCode::PAYLOAD_TOO_LARGE, why),
            Fault::Timeout(why) => (StatusCode::REQUEST_TIMEOUT, why),
        };
        (status, format!("{why}\n")).into_response()
    }
}
