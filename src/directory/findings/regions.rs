//! O03: regions of a person, his division, groups, roles and queues, or of upstreams, that disagree.

use super::{finding, warning};
use crate::{
    base::address,
    model::{
        finding::{Finding, Severity},
        org::Org,
    },
};
use std::collections::HashMap;

pub(super) fn find(org: &Org, out: &mut Vec<Finding>) {
    upstreams(org, out);
    for user in &org.users {
        let at = || format!("user `{}`", user.id);
        let division = org.division(user.division);
        if division.region != user.region {
            let why = format!(
                "works in region `{}` and is placed in division `{}` of region `{}`",
                org.region(user.region).id,
                division.id,
                org.region(division.region).id
            );
            out.push(finding(
                "O03",
                Severity::Error,
                at(),
                why,
                "correct the region or the division; until then the person is in no list",
            ));
        }
        for held in user.assignments.iter().filter(|held| org.division(held.division).region != user.region) {
            let division = org.division(held.division);
            let why = format!(
                "holds role `{}` in division `{}` of another region: it opens nothing",
                org.role(held.role).id,
                division.id
            );
            out.push(warning("O03", at(), why, "remove the assignment, or give the person an account of that region"));
        }
    }
    for service in &org.services {
        for held in service.assignments.iter().filter(|held| org.division(held.division).region != service.region) {
            let why = format!(
                "holds role `{}` in division `{}` of another region: it opens nothing",
                org.role(held.role).id,
                org.division(held.division).id
            );
            out.push(warning("O03", format!("service account `{}`", service.id), why, "remove the assignment"));
        }
    }
    for group in &org.groups {
        let Some(region) = group.region else { continue };
        let few = super::Few::of(
            group.members.iter().map(|user| org.user(*user)).filter(|user| user.region != region).map(|user| &*user.id),
        );
        if !few.is_empty() {
            let why = format!("belongs to region `{}` and has members of others: {few}", org.region(region).id);
            out.push(warning("O03", format!("group `{}`", group.id), why, "keep one group for each region"));
        }
    }
    for queue in &org.queues {
        let few = super::Few::of(
            queue
                .members
                .iter()
                .map(|user| org.user(*user))
                .filter(|user| user.region != queue.region)
                .map(|user| &*user.id),
        );
        if !few.is_empty() {
            let why = format!("has members of another region: {few}; they see nothing of it");
            out.push(warning("O03", format!("queue `{}`", queue.id), why, "remove them from the queue"));
        }
    }
}

/// Two regions behind one address.
fn upstreams(org: &Org, out: &mut Vec<Finding>) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for region in &org.regions {
        let Some(address) = address::stated(&region.upstream) else { continue };
        if let Some(other) = seen.insert(address, &region.id) {
            let why = format!("shares its upstream with region `{other}`: nothing keeps the two apart there");
            out.push(warning("O03", format!("region `{}`", region.id), why, "give each region its own upstream"));
        }
    }
}
