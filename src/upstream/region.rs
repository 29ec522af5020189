//! One region's upstream: its connections, its budget, one exchange.

use super::{
    Credentials, RegionSettings, Slot, UpstreamError,
    arriving::{Arriving, Packed},
    asker::AskerToken,
    credential::{Credential, refused},
    request::{Base, build, file_request},
};
use crate::{
    base::clock::Clock,
    egress::{Connector, Door, OnOpen, Times, causes, connector, read_beginning, read_capped},
    model::refusal::{Code, Refusal},
    policy::guard::Unguarded,
    telemetry::{Event as _, Metrics, event::ConnectionOpened},
    verify::{Verified, VerifiedLink},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout, timeout_at},
};

/// How much of an upstream's error text the record keeps.
const ERROR_TEXT: usize = 300;
/// How long nothing may be heard on a connection of HTTP/2 before it is asked whether it is there, and how long that may take.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
const ERROR_BYTES: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Region {
    base: Base,
    client: Client<Connector, Full<Bytes>>,
    /// `None`: whoever asks brings his own.
    credential: Option<Credential>,
    times: Times,
    max_answer_bytes: usize,
    gzip: bool,
    media_hosts: Vec<Box<str>>,
    forward_subject: bool,
    pub(super) budget: Arc<Semaphore>,
    pub(super) wait: Duration,
    pub(super) opened: Arc<AtomicU64>,
}

impl Region {
    pub(super) fn new(
        settings: &RegionSettings,
        clock: Arc<dyn Clock>,
        metrics: Metrics,
    ) -> Result<Self, UpstreamError> {
        let egress = |why| UpstreamError::Egress { region: settings.region.clone(), why };
        let url = || UpstreamError::Url { region: settings.region.clone(), url: settings.url.to_string() };
        let base = Base::new(&settings.url).ok_or_else(url)?;
        let opened = Arc::new(AtomicU64::new(0));
        let on_open: OnOpen = {
            let (opened, region, metrics) = (opened.clone(), settings.region.clone(), metrics.clone());
            Arc::new(move || {
                opened.fetch_add(1, Ordering::AcqRel);
                ConnectionOpened { region: &region }.emit(&metrics);
            })
        };
        let door = Door::new(&settings.way, settings.times, on_open.clone()).map_err(egress)?;
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            // one connection carries everything where both sides speak HTTP/2: one that is dead is noticed while it is in use
            .http2_keep_alive_interval(KEEP_ALIVE)
            .http2_keep_alive_timeout(KEEP_ALIVE)
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(20))
            .pool_max_idle_per_host(settings.concurrency)
            .build(connector(&settings.way, settings.times.connect, on_open).map_err(egress)?);
        Ok(Self {
            credential: match &settings.credential {
                Credentials::Service { client_id, client_secret } => {
                    let pair = (client_id.clone(), client_secret.clone());
                    Some(Credential::new(&settings.region, pair, &base, door, clock, metrics).ok_or_else(url)?)
                }
                Credentials::Asker => None,
            },
            base,
            client,
            times: settings.times,
            max_answer_bytes: settings.max_answer_bytes,
            gzip: settings.gzip,
            media_hosts: settings.media_hosts.clone(),
            forward_subject: settings.forward_subject,
            budget: Arc::new(Semaphore::new(settings.concurrency)),
            wait: settings.wait,
            opened,
        })
    }

    pub(super) fn needs_asker(&self) -> bool {
        self.credential.is_none()
    }

    /// Sends the query; gives the answer when its head has come. A token of ours that is no longer taken is renewed once.
    /// `on_behalf`: the user for whom a service account asks; the upstream is told where the region says so.
    pub(super) async fn exchange(
        &self,
        verified: &Verified,
        on_behalf: Option<&str>,
        slot: Slot,
    ) -> Result<Arriving, Refusal> {
        let subject = on_behalf.filter(|_| self.forward_subject);
        let end = Instant::now() + self.times.whole;
        let late = |_| Err(too_late("the whole exchange"));
        timeout_at(end, async {
            let Some(credential) = &self.credential else {
                let token = slot.asker.as_ref().ok_or_else(AskerToken::none)?;
                let sent = token.value().clone();
                let answer = self.send(verified, &sent, subject).await?;
                // only he himself can get another one
                if answer.status() == StatusCode::UNAUTHORIZED {
                    return Err(AskerToken::over());
                }
                return self.read(answer, &sent, end, slot).await;
            };
            let token = credential.token(None).await?;
            let answer = self.send(verified, &token.value, subject).await?;
            if answer.status() != StatusCode::UNAUTHORIZED {
                return self.read(answer, &token.value, end, slot).await;
            }
            let token = credential.token(Some(&token)).await?;
            let answer = self.send(verified, &token.value, subject).await?;
            if answer.status() == StatusCode::UNAUTHORIZED {
                return Err(refused("the upstream answered 401 to a new token").with("upstream-status", "401"));
            }
            self.read(answer, &token.value, end, slot).await
        })
        .await
        .unwrap_or_else(late)
    }

    /// The beginning of a file, without any credential.
    pub(super) async fn file(&self, link: &VerifiedLink) -> Result<Unguarded, Refusal> {
        if !self.media_hosts.iter().any(|host| **host == *link.origin()) {
            return Err(Refusal::new(Code::PreviewHost, "no files are fetched from where this one lies")
                .because("a link that was proved by another configuration"));
        }
        let request = file_request(link.uri())
            .ok_or_else(|| Refusal::new(Code::Internal, "a fault of this proxy; tell the operator the decision id"))?;
        let end = Instant::now() + self.times.whole;
        timeout_at(end, async {
            let answer = match timeout(self.times.first_byte, self.client.request(request)).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(why)) => return Err(no_file(causes(&why))),
                Err(_) => return Err(too_late("the first byte of a file")),
            };
            let (head, body) = answer.into_parts();
            if head.status != StatusCode::OK || head.headers.contains_key(header::CONTENT_ENCODING) {
                return Err(no_file(format!("where the file lies the answer is {}, or encoded", head.status)));
            }
            let body = read_beginning(body, self.max_answer_bytes).await.map_err(|why| no_file(why.to_string()))?;
            Ok(Unguarded::new(200, body))
        })
        .await
        .unwrap_or_else(|_| Err(too_late("the file")))
    }

    async fn send(
        &self,
        verified: &Verified,
        token: &HeaderValue,
        subject: Option<&str>,
    ) -> Result<Response<Incoming>, Refusal> {
        let encoding = if self.gzip { "gzip" } else { "identity" };
        let request = build(&self.base, verified, token, encoding, subject).ok_or_else(|| {
            Refusal::new(Code::Internal, "a fault of this proxy; tell the operator the decision id")
                .because("the proved query makes no valid HTTP message")
        })?;
        match timeout(self.times.first_byte, self.client.request(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(why)) => Err(unavailable(causes(&why))),
            Err(_) => Err(too_late("the first byte")),
        }
    }

    /// `sent`: the credential that it was asked with.
    async fn read(
        &self,
        answer: Response<Incoming>,
        sent: &HeaderValue,
        end: Instant,
        slot: Slot,
    ) -> Result<Arriving, Refusal> {
        let (head, body) = answer.into_parts();
        if !head.status.is_success() {
            let text = read_capped(body, ERROR_BYTES).await.unwrap_or_default();
            return Err(not_a_success(head.status, &head.headers, &without(&text, sent)));
        }
        let encodings: Vec<_> =
            head.headers.get_all(header::CONTENT_ENCODING).iter().map(HeaderValue::as_bytes).collect();
        let is = |word: &str| matches!(&*encodings, [one] if one.eq_ignore_ascii_case(word.as_bytes()));
        let packed = (self.gzip && is("gzip")).then(Packed::default);
        if packed.is_none() && !encodings.is_empty() && !is("identity") {
            return Err(Refusal::new(
                Code::AnswerUnreadable,
                "the upstream's answer cannot be read; tell the operator",
            )
            .because("the answer is encoded although none was asked for"));
        }
        Ok(Arriving::new(head.status.as_u16(), body, packed, end, self.max_answer_bytes, slot))
    }
}

pub(super) fn too_large(limit: usize) -> Refusal {
    let says = "the answer is larger than this proxy may hold; ask for less at once";
    Refusal::new(Code::AnswerTooLarge, says).with("limit", limit.to_string())
}

/// Half an answer is there and cannot be judged: not the same as an upstream that is not.
pub(super) fn broken(status: u16, why: &str) -> Refusal {
    let says = "the upstream's answer broke off before its end; ask again shortly";
    Refusal::new(Code::AnswerUnreadable, says)
        .because(format!("the answer broke off: {why}"))
        .with("upstream-status", status.to_string())
}

/// What the file's host says stays in the record.
fn no_file(cause: impl Into<String>) -> Refusal {
    Refusal::new(Code::UpstreamUnavailable, "the file of this recording cannot be fetched; ask again shortly")
        .because(cause)
}

fn unavailable(cause: impl Into<String>) -> Refusal {
    Refusal::new(Code::UpstreamUnavailable, "the upstream cannot be reached; ask again shortly").because(cause)
}

pub(super) fn too_late(what: &str) -> Refusal {
    Refusal::new(Code::UpstreamTimeout, "the upstream did not answer in time; ask again, or for less at once")
        .because(format!("{what} took too long"))
}

/// The upstream's words without the credential, should it quote that: its words stand in the record.
fn without(text: &[u8], sent: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(text);
    let token = sent.to_str().ok().and_then(|value| value.split_once(' ')).map(|(_, token)| token);
    match token.filter(|token| !token.is_empty()) {
        Some(token) => text.replace(token, "***"),
        None => text.into_owned(),
    }
}

/// The upstream's own words stay in the record: they could speak of what the asker may not see.
fn not_a_success(status: StatusCode, headers: &HeaderMap, text: &str) -> Refusal {
    let mut words: String = text.chars().take(ERROR_TEXT).collect();
    words.retain(|character| !character.is_control());
    let cause = format!("the upstream answered {status}: {words}");
    let refusal = match status {
        StatusCode::FORBIDDEN => refused(cause),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => unavailable(cause),
        StatusCode::TOO_MANY_REQUESTS => {
            Refusal::new(Code::UpstreamRefused, "the upstream asks for fewer queries; ask again later").because(cause)
        }
        _ => Refusal::new(Code::UpstreamRefused, "the upstream refused the query; tell the operator the decision id")
            .because(cause),
    };
    let refusal = refusal.with("upstream-status", status.as_u16().to_string());
    // Seconds only: a date would have to be read against somebody's clock.
    let wait = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
    match wait {
        Some(seconds) => refusal.with("retry-after", seconds.to_string()),
        None => refusal,
    }
}
