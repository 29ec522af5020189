//! The keys that an issuer publishes: its document names where they are, and both are of configured hosts only.
//!
//! They are asked for at the start and from time to time, and when a token names a key that is not among them, but then not
//! more often than once in a while: a flood of invented names makes no flood of questions. What cannot be read, or holds no
//! key, changes nothing: the keys of before stay.

use super::{IdentityError, keys::Keys};
use crate::{
    egress::{Door, Times, Trust},
    query::json::{self, Value},
    telemetry::{
        Event as _, Metrics,
        event::{KeysKept, KeysPassedOver, KeysPublished},
    },
};
use arc_swap::ArcSwapOption;
use http::Uri;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::Algorithm;
use std::{
    sync::{Arc, Mutex as Lock, PoisonError},
    time::Duration,
};
use tokio::sync::{Mutex, Semaphore};

/// Bytes of the document, and of the set.
const MOST_BYTES: usize = 256 * 1024;
/// Requests that wait while somebody asks; the others are judged by the keys that there are.
const WAITING: usize = 32;
const TIMES: Times =
    Times { connect: Duration::from_secs(2), first_byte: Duration::from_secs(5), whole: Duration::from_secs(5) };

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerKeys {
    /// The issuer's document.
    pub document: Uri,
    /// Scheme and host of where keys may lie.
    pub hosts: Vec<Box<str>>,
    pub trust: Trust,
    /// How often they are read again.
    pub refresh: Duration,
    /// The least time between two questions that tokens cause.
    pub apart: Duration,
}

#[derive(Debug)]
pub(super) struct Published {
    from: IssuerKeys,
    issuer: String,
    algorithms: Vec<Algorithm>,
    door: Door,
    keys: ArcSwapOption<Keys>,
    /// When a token last caused a question. Held while one is asked.
    asked: Mutex<Option<Timestamp>>,
    waiting: Semaphore,
    trouble: Lock<Option<String>>,
    metrics: Metrics,
}

impl Published {
    pub(super) fn new(
        from: &IssuerKeys,
        issuer: &str,
        algorithms: &[Algorithm],
        metrics: Metrics,
    ) -> Result<Self, IdentityError> {
        let door = Door::new(&from.trust, TIMES, Arc::new(|| {})).map_err(IdentityError::Provider)?;
        Ok(Self {
            from: from.clone(),
            issuer: issuer.to_owned(),
            algorithms: algorithms.to_vec(),
            door: door.reading(MOST_BYTES),
            keys: ArcSwapOption::empty(),
            asked: Mutex::new(None),
            waiting: Semaphore::new(WAITING),
            trouble: Lock::default(),
            metrics,
        })
    }

    pub(super) fn refresh_after(&self) -> Duration {
        self.from.refresh
    }

    /// How soon a question that failed may be asked again.
    pub(super) fn apart(&self) -> Duration {
        self.from.apart
    }

    pub(super) fn keys(&self) -> Option<Arc<Keys>> {
        self.keys.load_full()
    }

    /// Why the keys are not those of now. `None`: they are.
    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks because a token names a key that is not known, unless that was done a short while ago.
    pub(super) async fn ask_for_more(&self, now: Timestamp) {
        let Ok(_place) = self.waiting.try_acquire() else { return };
        let mut asked = self.asked.lock().await;
        let apart = SignedDuration::try_from(self.from.apart).unwrap_or(SignedDuration::MAX);
        if asked.is_none_or(|last| now.duration_since(last) >= apart) {
            *asked = Some(now);
            self.ask().await;
        }
    }

    /// Asks now. Whether the keys are those of now.
    pub(super) async fn ask(&self) -> bool {
        let read = self.read().await;
        let trouble = match read {
            Ok((keys, passed_over)) => {
                for why in &passed_over {
                    KeysPassedOver { issuer: &self.issuer, why }.emit(&self.metrics);
                }
                KeysPublished { issuer: &self.issuer, keys: keys.many() }.emit(&self.metrics);
                self.keys.store(Some(Arc::new(keys)));
                None
            }
            Err(why) => {
                KeysKept { issuer: &self.issuer, why: &why }.emit(&self.metrics);
                Some(why)
            }
        };
        let fine = trouble.is_none();
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
        fine
    }

    async fn read(&self) -> Result<(Keys, Vec<String>), String> {
        let document = self.text(&self.from.document).await?;
        let document = json::parse_object(document.as_bytes(), &json::Limits::default())
            .map_err(|why| format!("the document of the issuer is not strict JSON: {why}"))?;
        let said = document.get("issuer").and_then(Value::as_str).unwrap_or_default();
        if said != self.issuer {
            return Err("the document is of another issuer".to_owned());
        }
        let place = document.get("jwks_uri").and_then(Value::as_str).ok_or("the document names no `jwks_uri`")?;
        let place: Uri = place.parse().map_err(|_| "`jwks_uri` is no address")?;
        if !origin(&place).is_some_and(|origin| self.from.hosts.iter().any(|host| **host == *origin)) {
            return Err("`jwks_uri` is of a host that is not configured; name it under `key-hosts`".to_owned());
        }
        Keys::set(&self.text(&place).await?, &self.algorithms)
    }

    async fn text(&self, from: &Uri) -> Result<String, String> {
        let reply = self.door.read(from).await.map_err(|why| format!("{from}: {why}"))?;
        if reply.status != 200 {
            return Err(format!("{from} answered {}", reply.status));
        }
        String::from_utf8(reply.body).map_err(|_| format!("{from}: the answer is no text"))
    }
}

/// Scheme and host, in small letters.
pub fn origin(uri: &Uri) -> Option<String> {
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    Some(format!("{scheme}://{}", authority.as_str().to_ascii_lowercase()))
}
