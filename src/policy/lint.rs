//! Dangerous or useless set-ups that rules and organisation only show together. A finding warns; it changes nothing.

use super::{
    extent::{Extent, MAX_BOXES},
    scope,
};
use crate::model::{
    body::Access,
    contract::Data,
    finding::{Finding, Severity},
    operation::{Operation, Rules, Strength},
    org::{Org, Principal, Queue},
    set::Dim,
    world::Held,
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// At most so many operations stand in one sentence.
const SHOWN: usize = 3;

/// What these rules and this organisation show together at `now`.
pub fn findings(rules: &Rules, org: &Org, now: Timestamp) -> Vec<Finding> {
    let families = families(rules);
    let users = org.index.users.values().map(|user| Principal::User(*user));
    let services = org.index.services.values().map(|service| Principal::Service(*service));
    let mut found: Vec<_> =
        users.chain(services).filter_map(|holder| scattered(rules, org, &families, holder, now)).collect();
    found.extend(unbound(rules, org));
    found.sort();
    found
}

/// Queues that an operation narrowed by values of an attribute cannot say: without a value, or with one that others
/// have too. Their rows are nobody's.
fn unbound(rules: &Rules, org: &Org) -> Vec<Finding> {
    let carried: BTreeSet<&str> = rules.operations.iter().filter_map(|one| one.carried_attribute()).collect();
    let mut found = Vec::new();
    for attribute in carried {
        let lost: Vec<&Queue> = org
            .index
            .queues
            .values()
            .filter(|queue| org.bound_value(**queue, attribute).is_none())
            .map(|queue| org.queue(*queue))
            .collect();
        let mut shared: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut without = BTreeSet::new();
        for queue in lost {
            let value = queue.attributes.iter().find(|(name, value)| **name == *attribute && !value.is_empty());
            match value {
                Some((_, value)) => {
                    shared.entry(value).or_default().insert(&queue.id);
                }
                None => {
                    without.insert(&*queue.id);
                }
            }
        }
        let warning = |at: String, why: String| Finding {
            code: "A01",
            severity: Severity::Warning,
            at,
            why,
            repair: format!("give each queue a `{attribute}` that no other has"),
        };
        found.extend(shared.into_iter().map(|(value, queues)| {
            let why = format!("shared by {}, so its rows are nobody's", some(queues.into_iter()));
            warning(format!("`{attribute}` = `{value}`"), why)
        }));
        if !without.is_empty() {
            let why = format!("missing from {}, so their rows are nobody's", some(without.into_iter()));
            found.push(warning(format!("attribute `{attribute}`"), why));
        }
    }
    found
}

/// The first few names, and how many more.
fn some<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> String {
    let more = names.len().saturating_sub(SHOWN);
    let shown: Vec<_> = names.take(SHOWN).map(|name| format!("`{name}`")).collect();
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{rest}", shown.join(", "))
}

/// Operations that read the rights of a person alike, so that one derivation speaks for all of them.
type Family<'r> = Vec<&'r Arc<Operation>>;

/// Only legs fall into boxes: figures of queues and of users have one side.
fn families(rules: &Rules) -> Vec<Family<'_>> {
    let alike = |one: &Operation, other: &Operation| {
        (&one.opened_by, &one.also) == (&other.opened_by, &other.also)
            && one.contract.action == other.contract.action
            && one.archived == other.archived
            && one.audience == other.audience
            && one.outsourcers == other.outsourcers
    };
    let mut families: Vec<Family<'_>> = Vec::new();
    // Where no filter says the agent, boxes are left out with a notice; reads by id leave them to the guard.
    let says_agent = |one: &&Arc<Operation>| {
        let exact = one.sites.iter().filter(|site| site.strength == Strength::Exact);
        exact.flat_map(|site| &site.carry).any(|(access, _)| *access == Access::User)
    };
    let legs = rules.operations.iter().filter(|one| one.contract.data == Data::Interaction);
    for operation in legs.filter(says_agent) {
        match families.iter_mut().find(|family| family.first().is_some_and(|one| alike(one, operation))) {
            Some(family) => family.push(operation),
            None => families.push(vec![operation]),
        }
    }
    families
}

/// Rights in more separate boxes than one query can say: an unfiltered question of theirs is refused.
fn scattered(rules: &Rules, org: &Org, families: &[Family<'_>], holder: Principal, now: Timestamp) -> Option<Finding> {
    let mut most = 0;
    let mut refused: Vec<&str> = Vec::new();
    for family in families {
        let Some(first) = family.first() else { continue };
        // Whoever may not ask at all has no boxes either.
        let Ok(scope) = scope::derive(Held::by_directory(org, holder), rules, first, now) else { continue };
        // Merging never makes more: most people are done here, without looking at a queue.
        if scope.entitlements.iter().filter(|one| matches!(one.users, Dim::Only(_))).count() <= MAX_BOXES {
            continue;
        }
        let boxes = Extent::of(org, Data::Interaction, &scope.entitlements, first.archived).boxes.len();
        if boxes > MAX_BOXES {
            most = most.max(boxes);
            refused.extend(family.iter().map(|operation| &*operation.id));
        }
    }
    let kind = match holder {
        Principal::User(_) => "user",
        Principal::Service(_) => "service account",
    };
    (!refused.is_empty()).then(|| Finding {
        code: "B01",
        severity: Severity::Warning,
        at: format!("{kind} `{}`", org.principal_id(holder)),
        why: format!(
            "rights fall into {most} separate boxes of queues and agents, and {MAX_BOXES} fit into one query: without a \
             narrower filter {} is refused `scope.too-complex`",
            some(refused.iter().copied())
        ),
        repair: "give views and groups that share their queues or their agents to one role, or use fewer".to_owned(),
    })
}
