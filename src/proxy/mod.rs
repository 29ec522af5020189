//! The data path. [`Proxy::handle`] is the life of a request; the files stand in the order of its phases.
//!
//! Nothing of a client passes but what was read, scoped, narrowed, verified and recorded, and no answer but what was
//! guarded. Nothing here knows a status code but `respond`.

mod admission;
mod body;
mod cors;
mod exchange;
mod fetch;
mod flow;
mod front_door;
#[cfg(any(test, fuzzing))]
pub mod fuzzed;
mod identify;
mod jobs;
mod judge;
mod leaving;
mod look;
mod noted;
mod params;
mod path;
pub mod question;
mod read_on;
pub mod respond;
mod schedules;
mod split;
mod token;

pub use leaving::Body;

use crate::{
    audit::Recorder,
    base::{clock::Clock, secret::Secret},
    decision::{self, Decided},
    identity::{Identity, Logins},
    model::refusal::{Code, Refusal},
    policy::guard::unsure,
    server::{self, Fault, Peer},
    store::Store,
    telemetry::Metrics,
    upstream::Upstreams,
    world::{Scoped, WorldStore},
};
use admission::Admission;
use cors::Origins;
use exchange::Exchange;
use front_door::{Admitted, FrontDoor};
use http::{Method, Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use identify::Asker;
use respond::{Answer, Service};
use std::{sync::Arc, time::Duration};

/// What the data path takes from clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Path in front of every path that is taken off, such as `/gateway`.
    pub prefix: Option<String>,
    /// Refuse bodies whose type is not stated. Real clients leave it out.
    pub needs_content_type: bool,
    /// Requests under way at once.
    pub in_flight: usize,
    pub body_bytes: usize,
    pub json_depth: usize,
    pub body_time: Duration,
    /// Bytes a second that a body has to bring, once it has got going.
    pub body_rate: usize,
    /// Origins whose pages may read what is answered. Empty: none.
    pub origins: Vec<String>,
    /// Answers say how long each phase took.
    pub server_timing: bool,
    /// From the head of a request to its answer.
    pub total_time: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prefix: None,
            needs_content_type: false,
            in_flight: 256,
            body_bytes: 1024 * 1024,
            json_depth: 32,
            body_time: Duration::from_secs(15),
            body_rate: 1024,
            origins: Vec::new(),
            server_timing: false,
            total_time: Duration::from_mins(1),
        }
    }
}

/// What a [`Proxy`] is made of.
#[derive(Debug)]
pub struct Parts {
    pub settings: Settings,
    pub world: Arc<WorldStore>,
    pub identity: Arc<Identity>,
    pub logins: Logins,
    pub recorder: Recorder,
    pub upstreams: Arc<Upstreams>,
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub metrics: Metrics,
}

#[derive(Debug)]
pub struct Proxy {
    settings: Settings,
    front_door: FrontDoor,
    origins: Origins,
    admission: Admission,
    /// Log-ins under way at once.
    logging_in: Admission,
    world: Arc<WorldStore>,
    identity: Arc<Identity>,
    logins: Logins,
    recorder: Recorder,
    upstreams: Arc<Upstreams>,
    store: Store,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    /// What names of other people's legs are made with; without it such legs are cut.
    secret: Option<Secret>,
}

impl Proxy {
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { settings, world, identity, logins, recorder, upstreams, store, clock, metrics } = parts;
        Arc::new(Self {
            front_door: FrontDoor::new(settings.prefix.as_deref(), settings.needs_content_type),
            origins: Origins::new(&settings.origins),
            admission: Admission::new(settings.in_flight),
            logging_in: Admission::new((settings.in_flight / 8).clamp(1, LOGGING_IN)),
            settings,
            world,
            identity,
            logins,
            recorder,
            upstreams,
            store,
            clock,
            metrics,
            secret: Secret::random(),
        })
    }

    /// Answers one request. Every ending, a panic included, has its answer and its line in the record.
    pub async fn handle(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let unread = !request.body().is_end_stream();
        let mut exchange = self.open(request.method() == Method::HEAD, unread, &peer).await;
        exchange.read_by(self.origins.reader(request.headers()));
        exchange.tell_times(self.settings.server_timing);
        let phases = tokio::time::timeout(self.settings.total_time, self.phases(request, &peer, &mut exchange));
        let ended = server::catch(Box::pin(phases)).await;
        let late = |_| Err(too_slow(self.settings.total_time, exchange.phase()));
        let ended = ended.map(|timed| timed.unwrap_or_else(late));
        exchange.finish(ended)
    }

    async fn phases(
        &self,
        request: Request<Incoming>,
        peer: &Peer,
        exchange: &mut Exchange,
    ) -> Result<Answer, Refusal> {
        exchange.recordable()?;
        let place = self.admission.enter()?;
        let call = match self.front_door.admit(request, peer.address.ip(), exchange)? {
            Admitted::Call(call) => call,
            Admitted::Preflight(path) => {
                let allow = question::allowed(&self.world.pin().world.rules, &path);
                return Ok(Service::Preflight { allow }.into());
            }
            Admitted::Token(call) => {
                // whoever never ends his form takes no place of those who ask
                drop(place);
                return self.log_in(call, exchange).await.map(Answer::from);
            }
        };
        let pinned = self.world.pin();
        exchange.tell(self.world.late(exchange.now()));
        let Asker { subject, claimed, acting } = self.identify(&call, peer, &pinned, exchange).await?;
        let pinned = pinned.claimed(claimed);
        let named = call.region.clone();
        let mut question = self.read(call, &pinned, exchange).await?;
        let abroad = match &named {
            Some(named) => decision::cross(&pinned.world, subject.principal, &mut question, named)?,
            None => None,
        };
        let whose = (subject.principal, &*pinned.world.org);
        exchange.enter("scope");
        let scoped = match abroad {
            Some(region) => pinned.scope_abroad(subject.principal, &question.operation, region, exchange.now())?,
            None => pinned.scope(subject.principal, &question.operation, exchange.now())?,
        };
        let scoped = match &acting {
            Some(acting) => {
                let limited = acting.limit(&scoped.scope, &question.operation, &pinned.world.org, exchange.now())?;
                Scoped::of(Arc::new(limited), &pinned.world.org)
            }
            None => scoped,
        };
        exchange.scoped(&scoped, &pinned.world.org);
        self.find_kept(&mut question, subject.principal, &pinned.world, exchange.now()).await?;
        self.look(&mut question, &pinned, &scoped.scope, exchange).await?;
        exchange.enter("decide");
        let now = exchange.now();
        let decided = decision::decide(&pinned.world, &scoped.scope, &question, now);
        // whose it is not, does not read in the record what is kept either
        if decided.as_ref().map_or_else(|refusal| !refusal.in_path, |_| true) {
            exchange.asks_again(&question);
        }
        let understood = match &decided {
            Ok(_) => true,
            Err(refusal) => refusal.code != Code::QueryMalformed && question.is_readable(),
        };
        if understood {
            exchange.understood();
        }
        let forward = match decided? {
            Decided::Local(guarded) => {
                if let Some(change) = decision::schedules::change(&pinned.world, subject.principal, &question, now) {
                    self.store.reschedule(change).await?;
                    return Ok(guarded.into());
                }
                return self.answer_here(&question, guarded, whose, exchange, now).await.map(Answer::from);
            }
            Decided::Kept(again) => {
                exchange.scoped(&Scoped::of(again.scope.clone(), &pinned.world.org), &pinned.world.org);
                exchange.enter("intend");
                exchange.tell_all(again.forward.notices.iter().chain(&again.notices));
                exchange.intend_kept(&self.recorder, &again.forward).await?;
                exchange.enter("guard");
                return again.forward.plan.guard(again.answer).map(Answer::from);
            }
            Decided::Split(split) => {
                let region = &pinned.world.org.region(scoped.scope.region).id;
                return self.ask_parts(&question, *split, region, exchange).await.map(Answer::from);
            }
            Decided::Forward(forward) => forward,
        };
        exchange.enter("intend");
        let slot = self.upstreams.enter(&pinned.world.org.region(scoped.scope.region).id, exchange.asker()).await?;
        let intent = exchange.intend(&self.recorder, &forward).await?;
        let sent = forward.verified.outgoing().body.clone();
        let answer = self.fetch(&question.operation, forward.verified, intent, slot, exchange).await?;
        let within = (place, &pinned, &scoped.scope);
        let plan = match &self.secret {
            Some(secret) => forward.plan.salted(secret.of(exchange.decision().as_bytes())),
            None => forward.plan,
        };
        let (guarded, rest) = self.judge(&question, plan, answer, within, exchange).await?;
        self.keep(&question, sent, &guarded, whose, exchange).await?;
        self.note_execution(&question, whose, rest.is_none().then(|| guarded.rows_out()), exchange);
        Ok(Answer::Guarded(guarded, rest))
    }

    async fn open(&self, head: bool, unread: bool, peer: &Peer) -> Exchange {
        Exchange::open(&self.recorder, &self.clock, &self.metrics, head, unread, peer.address.to_string()).await
    }
}

/// Of log-ins; those who ask have places of their own.
const LOGGING_IN: usize = 32;

/// The phase in which something may be changed upstream.
const CHANGE: &str = "change";

fn too_slow(limit: Duration, phase: &str) -> Refusal {
    let slow = Refusal::new(
        Code::ProxyTimeout,
        "the exchange took longer than this proxy allows; ask again, or for less at once",
    )
    .because(format!("`total-time` of {limit:?} ended in the phase `{phase}`"));
    if phase == CHANGE { unsure(&slow) } else { slow }
}

impl server::Handler for Proxy {
    type Body = Body;

    async fn handle(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        self.handle(request, peer).await
    }

    async fn unreadable(&self, fault: Fault, peer: Peer) -> Response<Body> {
        let (code, why) = match fault {
            Fault::Malformed(why) => (Code::RequestMalformed, why),
            Fault::TooLarge(why) => (Code::RequestTooLarge, why),
            Fault::Timeout(why) => (Code::RequestTimeout, why),
        };
        let exchange = self.open(false, false, &peer).await;
        exchange.finish(Ok(Err(Refusal::new(code, why))))
    }
}
