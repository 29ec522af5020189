//! A service account that acts for a person: for whom it may, and how much of what he may see.
//!
//! Trusted base. What comes out is the lesser of two: the person's own scope, and the divisions in which the account holds the
//! right to act for him.

use super::lesser;
use crate::model::{
    entitlement::Scope,
    operation::{Caller, Operation},
    org::{Assignment, DivisionIx, Org, Permission, PermissionScope, Principal, ServiceIx, UserIx},
    refusal::{Code, Echo, Refusal},
    schedule::{Ids, Right, Rights},
    world::{Claimed, Held},
};
use jiff::Timestamp;

/// An account that acts for somebody, and where it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acting {
    pub account: ServiceIx,
    pub subject: UserIx,
    divisions: Vec<DivisionIx>,
}

/// The person that an account names, when it may act for him now. `claimed`: what the account's token says of its roles;
/// `never`: people for whom nobody acts.
pub fn acting(
    org: &Org,
    (account, claimed): (ServiceIx, Option<&Claimed>),
    named: &str,
    never: &[Box<str>],
) -> Result<Acting, Refusal> {
    // one sentence for all, so that nothing is told of whom the account names
    let says = || {
        Refusal::new(
            Code::SubjectRefused,
            "this account may not act for whom it names; ask the administrator of your organisation",
        )
    };
    let refused = |why: &str| says().because(format!("`{}`: {why}", Echo(named)));
    let subject = org.index.users.get(named).copied();
    // what is no id may be a token in the wrong field: it is not repeated
    let subject = subject.ok_or_else(|| {
        says().because("what it names is no user of the directory; an account acts for none of its kind")
    })?;
    let (service, person) = (org.service(account), org.user(subject));
    if !person.active {
        return Err(refused("the person is not active"));
    }
    if person.region != service.region {
        return Err(refused("the person is of another region"));
    }
    if never.contains(&person.id) {
        return Err(refused("the person administers this proxy"));
    }
    let listed = service.acts_for_users.contains(&subject)
        || service.acts_for_groups.iter().any(|group| person.groups.contains(group));
    if !listed {
        return Err(refused("`actsFor` of the account names neither the person nor a group of his"));
    }
    let reaches = |permission: &Permission| {
        Permission::impersonates(&permission.name)
            && match &permission.scope {
                PermissionScope::Groups(groups) => groups.iter().any(|group| person.groups.contains(group)),
                // loads only where the directory says that it is unsafe and meant; the list decides alone then
                PermissionScope::All => true,
                PermissionScope::Own | PermissionScope::Assigned { .. } | PermissionScope::View(_) => false,
            }
    };
    let reaching = |one: &&Assignment| org.role(one.role).permissions.iter().any(reaches);
    let held = Held { org, holder: Principal::Service(account), claimed };
    let divisions: Vec<DivisionIx> = held.assignments().filter(reaching).map(|one| one.division).collect();
    if divisions.is_empty() {
        return Err(refused("no permission `impersonate` of the account reaches a group of the person"));
    }
    Ok(Acting { account, subject, divisions })
}

impl Acting {
    /// What of the subject's own scope the account gets. An assignment in a parent division opens nothing, as everywhere.
    pub fn limit(&self, scope: &Scope, operation: &Operation, org: &Org, now: Timestamp) -> Result<Scope, Refusal> {
        let judged_elsewhere = operation.definition.is_some()
            || operation.schedule.is_some()
            || operation.own.is_some()
            // a job is bound to whom it is for: the account would see and end those that he asked for elsewhere
            || operation.job.is_some()
            || operation.below.is_some()
            || operation.contract.abroad
            || operation.caller.is_some_and(|caller| caller != Caller::User);
        if judged_elsewhere {
            // these are decided by more rights than the one scope that can be limited here
            return Err(Refusal::new(
                Code::SubjectRefused,
                "this is done by a person himself, and by no account for him; ask with the token of the person",
            )
            .because(format!("`{}` looks at rights beside its scope", operation.id)));
        }
        let here = |ix: &&DivisionIx| org.division(**ix).leaf && org.division(**ix).region == scope.region;
        let divisions = self.divisions.iter().filter(here).map(|ix| org.division(*ix).id.clone()).collect();
        let right = Right {
            divisions: Ids::Only(divisions),
            queues: Ids::Any,
            users: Ids::Any,
            conversations: Ids::Any,
            data: None,
            from: None,
            until: None,
        };
        let restricted = org.queues.iter().filter(|queue| queue.restricted).map(|queue| queue.id.clone()).collect();
        let region = org.region(org.service(self.account).region).id.clone();
        let own = Rights { region, sources: vec![right], closed: Vec::new(), restricted };
        Ok(lesser(scope, &own, operation, org, now))
    }
}
