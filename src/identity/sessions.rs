//! What was ended before its time: held in memory, where each request looks, and in the store, where every process that shares
//! the data folder reads it.

use super::claims::Claims;
use crate::{
    model::session::{Ended, Presence, Whose},
    store::{Failed, Store},
};
use jiff::Timestamp;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

/// Between two looks for what other processes ended.
pub(super) const LOOK: Duration = Duration::from_millis(250);
/// Whoever cannot know for so long what others ended takes no more tokens.
const BLIND: Duration = Duration::from_secs(10);

type Times = (Timestamp, Timestamp);

/// Ends that are held before it is looked whether some of them are over.
const ROOM: usize = 1024;

#[derive(Debug, Default)]
struct Ends {
    kinds: HashMap<Whose, HashMap<Box<str>, Times>>,
    /// From more than these on what nobody can hold any more is forgotten.
    room: usize,
}

impl Ends {
    fn count(&self) -> usize {
        self.kinds.values().map(HashMap::len).sum()
    }
}

#[derive(Debug, Default)]
pub(super) struct Sessions {
    store: Option<Store>,
    ended: RwLock<Ends>,
    seen: Mutex<HashMap<Box<str>, Presence>>,
    /// Up to where the store was read.
    read: tokio::sync::Mutex<i64>,
    /// Since when it cannot be read.
    unread: Mutex<Option<Instant>>,
}

/// Whether somebody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Session {
    Live,
    LoggedOut,
    /// Nobody saw him come or go.
    Unknown,
}

impl Sessions {
    pub(super) async fn open(store: Store) -> Result<Self, Failed> {
        let opened = Self { store: Some(store), ..Self::default() };
        opened.read_on().await?;
        Ok(opened)
    }

    /// Reads what was ended since the last look.
    pub(super) async fn read_on(&self) -> Result<(), Failed> {
        let Some(store) = &self.store else { return Ok(()) };
        let mut read = self.read.lock().await;
        let found = store.ended_since(*read).await;
        {
            let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
            *unread = found.is_err().then(|| unread.unwrap_or_else(Instant::now));
        }
        let (found, last) = found?;
        for one in found {
            self.hold(one);
        }
        *read = last;
        Ok(())
    }

    /// Since when nobody knows what other processes ended, and whether that is too long.
    pub(super) fn blind(&self) -> Option<(Duration, bool)> {
        let since = (*self.unread.lock().unwrap_or_else(PoisonError::into_inner))?.elapsed();
        Some((since, since > BLIND))
    }

    /// As if it could not be read for so long.
    #[cfg(test)]
    pub(super) fn unread_for(&self, time: Duration) {
        *self.unread.lock().unwrap() = Instant::now().checked_sub(time);
    }

    fn hold(&self, one: Ended) {
        let mut ended = self.ended.write().unwrap_or_else(PoisonError::into_inner);
        let ended = &mut *ended;
        if ended.count() > ended.room.max(ROOM) {
            // it is now, or ahead of it by a leeway that every `until` has to spare
            ended.kinds.values_mut().for_each(|kind| kind.retain(|_, (_, until)| one.at < *until));
            ended.room = ended.count().saturating_mul(2);
        }
        let kind = ended.kinds.entry(one.whose).or_default();
        let held = kind.entry(one.id).or_insert((one.at, one.until));
        *held = (held.0.max(one.at), held.1.max(one.until));
    }

    /// Ends something: for the next request here, and within one look elsewhere. Kept before it is said to be.
    pub(super) async fn end(&self, one: Ended, now: Timestamp) -> Result<(), Failed> {
        if let Some(store) = &self.store {
            store.end_tokens(one.clone(), now).await?;
        }
        self.hold(one);
        Ok(())
    }

    /// Whether tokens of `id` that were issued then are over; `None`: nobody knows when.
    pub(super) fn is_over(&self, whose: Whose, id: &str, issued: Option<Timestamp>, now: Timestamp) -> bool {
        let ended = self.ended.read().unwrap_or_else(PoisonError::into_inner);
        let held = ended.kinds.get(&whose).and_then(|kind| kind.get(id));
        held.is_some_and(|(at, until)| now < *until && (whose.is_over() || issued.is_none_or(|issued| issued <= *at)))
    }

    /// Whether what a token says of itself was ended.
    pub(super) fn ends(&self, claims: &Claims, now: Timestamp) -> bool {
        let over =
            |whose, id: &Option<Box<str>>| id.as_deref().is_some_and(|id| self.is_over(whose, id, claims.issued, now));
        over(Whose::Token, &claims.token)
            || over(Whose::Client, &claims.client)
            || over(Whose::Session, &claims.session)
            || over(Whose::Subject, &claims.subject)
    }

    /// Notes that a user was seen, when that says more than what is known.
    pub(super) fn saw(&self, presence: Presence) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // a token without an end is seen again and again: it is noted now and then
        let later = |known: &Presence| {
            presence.issued > known.issued && presence.until.duration_since(known.until).as_secs() > 30
                || presence.session != known.session
                || presence.token != known.token && presence.until >= known.until
        };
        if seen.get(&presence.user).is_none_or(later) {
            if let Some(store) = &self.store {
                store.saw(presence.clone());
            }
            seen.insert(presence.user.clone(), presence);
        }
    }

    /// Whether a user is signed in now.
    pub(super) async fn of_user(&self, user: &str, now: Timestamp) -> Result<Session, Failed> {
        let here = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(user).cloned();
        let mut over = self.is_over(Whose::User, user, None, now);
        if let Some(state) = here.map(|presence| self.state(&presence, now)) {
            if state == Session::Live {
                return Ok(state);
            }
            over |= state == Session::LoggedOut;
        }
        let kept = match &self.store {
            Some(store) => store.presence(user).await?,
            None => None,
        };
        Ok(match kept.map(|presence| self.state(&presence, now)) {
            Some(Session::Live) => Session::Live,
            Some(Session::LoggedOut) => Session::LoggedOut,
            _ if over => Session::LoggedOut,
            _ => Session::Unknown,
        })
    }

    fn state(&self, one: &Presence, now: Timestamp) -> Session {
        let over = |whose, id: &Option<Box<str>>| {
            id.as_deref().is_some_and(|id| self.is_over(whose, id, Some(one.issued), now))
        };
        let over = self.is_over(Whose::User, &one.user, Some(one.issued), now)
            || over(Whose::Token, &one.token)
            || over(Whose::Client, &one.client)
            || over(Whose::Session, &one.session)
            || over(Whose::Subject, &one.subject);
        match (over, now < one.until) {
            (true, _) => Session::LoggedOut,
            (false, true) => Session::Live,
            (false, false) => Session::Unknown,
        }
    }
}
