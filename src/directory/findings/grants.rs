//! G01: grants that last too long, belong to somebody who left, or open nothing.

use super::warning;
use crate::model::{
    finding::Finding,
    org::{Grant, GrantResource, Org, Principal},
};
use jiff::SignedDuration;

/// Longer than this is no temporary right.
const LONGEST_DAYS: i64 = 366;

pub(super) fn find(org: &Org, out: &mut Vec<Finding>) {
    for grant in &org.grants {
        let at = || format!("grant `{}`", grant.id);
        let holder = org.user(grant.beneficiary);
        let days = grant.until.duration_since(grant.from).as_hours() / 24;
        if grant.until.duration_since(grant.from) > SignedDuration::from_hours(24 * LONGEST_DAYS) {
            out.push(warning(
                "G01",
                at(),
                format!("lasts {days} days: as good as without end"),
                "set an end within a year and extend it when needed",
            ));
        }
        if !holder.active {
            out.push(warning("G01", at(), format!("belongs to `{}`, who left", holder.id), "remove it"));
        }
        for resource in &grant.resources {
            if let Some(why) = opens_nothing(org, grant, resource) {
                out.push(warning("G01", at(), why, "correct the resource, or remove it"));
            }
        }
    }
}

fn opens_nothing(org: &Org, grant: &Grant, resource: &GrantResource) -> Option<String> {
    let region = org.user(grant.beneficiary).region;
    let (what, other) = match resource {
        GrantResource::Queue(queue) => (format!("queue `{}`", org.queue(*queue).id), org.queue(*queue).region),
        GrantResource::User(user) => (format!("user `{}`", org.user(*user).id), org.user(*user).region),
        GrantResource::Division(ix) => {
            let division = org.division(*ix);
            if !division.leaf {
                return Some(format!("names the parent division `{}`: a grant opens leaf divisions only", division.id));
            }
            (format!("division `{}`", division.id), division.region)
        }
        GrantResource::Conversations { id, conversations, .. } if conversations.is_empty() => {
            return Some(format!("names `{id}`, of which no conversation is known"));
        }
        GrantResource::Group(_) | GrantResource::Conversation(_) | GrantResource::Conversations { .. } => return None,
    };
    if other != region {
        return Some(format!("names {what} of another region: no grant crosses a region wall"));
    }
    match resource {
        GrantResource::Queue(queue) if !org.open_to(*queue, Principal::User(grant.beneficiary)) => {
            let holder = &org.user(grant.beneficiary).id;
            Some(format!(
                "names {what}, which no read list opens to `{holder}`: a grant does not open what lines of business close"
            ))
        }
        _ => None,
    }
}
