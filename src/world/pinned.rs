//! One version of the world, and what was already derived from it.

use crate::{
    audit::ScopeRecord,
    base::hash::sha256_hex,
    decision,
    model::{
        entitlement::Scope,
        operation::{Operation, Rules},
        org::{GrantResource, Org, Principal, RegionIx},
        refusal::{Code, Refusal},
        world::{Claimed, Versions, World},
    },
};
use dashmap::DashMap;
use jiff::{SignedDuration, Timestamp};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// Scopes remembered in one version of the world. Beyond it all are forgotten: they cost time to derive, nothing else.
const REMEMBERED: usize = 50_000;

/// A scope and the words that the record has for it.
#[derive(Debug, Clone)]
pub struct Scoped {
    pub scope: Arc<Scope>,
    pub record: Arc<ScopeRecord>,
}

impl Scoped {
    pub fn of(scope: Arc<Scope>, org: &Org) -> Self {
        let record = Arc::new(ScopeRecord::of(&scope, org));
        Self { scope, record }
    }
}

/// Whose a scope is, what his token says of his roles, and for what it was derived.
type Key = (Principal, Option<Claimed>, Box<str>);

/// What one request is decided by. Never changes while it is held.
#[derive(Debug)]
pub struct Pinned {
    pub world: World,
    memo: Arc<DashMap<Key, Scoped>>,
    refuse_after: SignedDuration,
    /// Microseconds: when the source last said that this directory is still the newest.
    confirmed: Arc<AtomicI64>,
}

impl Pinned {
    pub(super) fn new(
        rules: Arc<Rules>,
        org: Arc<Org>,
        refuse_after: SignedDuration,
        confirmed: Arc<AtomicI64>,
    ) -> Self {
        let version = Versions {
            rules: rules.version.clone(),
            directory: org.version.clone(),
            grants: sha256_hex(grants_text(&org).as_bytes()).into(),
        };
        let world = World { version, org, rules, claimed: None };
        Self { world, memo: Arc::default(), refuse_after, confirmed }
    }

    /// The same version, as it is for an asker whose token says which roles he has.
    #[must_use]
    pub fn claimed(&self, claimed: Option<Claimed>) -> Self {
        Self {
            world: World { claimed, ..self.world.clone() },
            memo: self.memo.clone(),
            refuse_after: self.refuse_after,
            confirmed: self.confirmed.clone(),
        }
    }

    /// A new version of the world with an empty memory.
    pub(super) fn next(&self, rules: Arc<Rules>, org: Arc<Org>, confirmed: Arc<AtomicI64>) -> Self {
        Self::new(rules, org, self.refuse_after, confirmed)
    }

    pub(super) fn confirmed(&self) -> Arc<AtomicI64> {
        self.confirmed.clone()
    }

    /// When the directory was last known to be right.
    pub fn known_good_at(&self) -> Timestamp {
        let confirmed = Timestamp::from_microsecond(self.confirmed.load(Ordering::Acquire)).unwrap_or(Timestamp::MIN);
        self.world.org.taken_at.max(confirmed)
    }

    /// How long ago the directory was last known to be right.
    pub fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.known_good_at()).max(SignedDuration::ZERO)
    }

    /// Refuses when the directory is older than allowed.
    pub fn fresh(&self, now: Timestamp) -> Result<(), Refusal> {
        let age = self.age(now);
        if age < self.refuse_after {
            return Ok(());
        }
        Err(Refusal::new(
            Code::DirectoryStale,
            "the copy of the organisation is older than allowed, so nothing can be decided; ask again shortly, and tell the operator if it goes on",
        )
        .because(format!("the directory is {}s old, {}s are allowed", age.as_secs(), self.refuse_after.as_secs())))
    }

    /// What `principal` may see through `operation`, derived once for each version and time in which no source changes.
    pub fn scope(&self, principal: Principal, operation: &Operation, now: Timestamp) -> Result<Scoped, Refusal> {
        self.remembered(principal, operation.id.clone(), now, || {
            decision::scope(&self.world, principal, operation, now)
        })
    }

    /// The same of another region than his own.
    pub fn scope_abroad(
        &self,
        principal: Principal,
        operation: &Operation,
        region: RegionIx,
        now: Timestamp,
    ) -> Result<Scoped, Refusal> {
        // INVARIANT: no id of an operation has a blank
        let key = format!("{} {}", operation.id, self.world.org.region(region).id);
        self.remembered(principal, key.into(), now, || {
            decision::scope_abroad(&self.world, principal, operation, region)
        })
    }

    fn remembered(
        &self,
        principal: Principal,
        of: Box<str>,
        now: Timestamp,
        derive: impl FnOnce() -> Result<Scope, Refusal>,
    ) -> Result<Scoped, Refusal> {
        self.fresh(now)?;
        // INVARIANT: two tokens of one person that name other roles share no scope
        let key = (principal, self.world.claimed.clone(), of);
        if let Some(known) = self.memo.get(&key).map(|entry| entry.value().clone())
            && known.scope.good_until.is_none_or(|until| now < until)
        {
            return Ok(known);
        }
        let made = Scoped::of(Arc::new(derive()?), &self.world.org);
        if self.memo.len() >= REMEMBERED {
            self.memo.clear();
        }
        self.memo.insert(key, made.clone());
        Ok(made)
    }
}

/// Every grant by the ids it names, in an order that the file's order does not change.
fn grants_text(org: &Org) -> String {
    let mut lines: Vec<String> = org
        .grants
        .iter()
        .map(|grant| {
            let resources: Vec<String> = grant.resources.iter().map(|one| resource_text(one, org)).collect();
            let beneficiary = &org.user(grant.beneficiary).id;
            format!(
                "{:?} {beneficiary:?} {resources:?} {:?} {:?} {} {}",
                grant.id, grant.actions, grant.data, grant.from, grant.until
            )
        })
        .collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn resource_text(resource: &GrantResource, org: &Org) -> String {
    match resource {
        GrantResource::Queue(ix) => format!("queue {:?}", org.queue(*ix).id),
        GrantResource::Division(ix) => format!("division {:?}", org.division(*ix).id),
        GrantResource::User(ix) => format!("user {:?}", org.user(*ix).id),
        GrantResource::Group(ix) => format!("group {:?}", org.group(*ix).id),
        GrantResource::Conversation(id) => format!("conversation {id:?}"),
        GrantResource::Conversations { kind, id, conversations } => format!("{kind:?} {id:?} {conversations:?}"),
    }
}
