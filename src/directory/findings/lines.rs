//! L01 open or contradictory read rights over lines of business, L02 queues that nobody may read, L03 permission objects
//! that are bound to no queue.

use super::{Few, finding, warning};
use crate::{
    directory::{
        bindings::Bindings,
        file::{DefaultRead, DirectoryFile},
    },
    model::{
        finding::{Finding, Severity},
        org::{Org, Read},
    },
};

pub(super) fn find(file: &DirectoryFile, org: &Org, out: &mut Vec<Finding>) {
    let in_force = !file.folders.is_empty()
        || !file.permission_objects.is_empty()
        || file.queues.iter().any(|queue| queue.read_list.is_some());
    if in_force && file.default_read == DefaultRead::Open {
        let open = Few::of(org.queues.iter().filter(|queue| queue.read == Read::Open).map(|queue| &*queue.id));
        let why = if open.is_empty() {
            "queues that no read list reaches are open; there is none now".to_owned()
        } else {
            format!("queues that no read list reaches are open: {open}")
        };
        out.push(warning(
            "L01",
            "`defaultRead`".to_owned(),
            why,
            "give the folders read lists and set `defaultRead` to `closed`",
        ));
    }
    let without =
        Few::of(file.folders.iter().filter(|folder| folder.read_list.is_none()).map(|folder| folder.id.as_str()));
    if !without.is_empty() {
        let meaning = if file.default_read == DefaultRead::Open { "open" } else { "closed" };
        let why = format!(
            "folders without a read list of their own: {without}; without one above that propagates, their queues are {meaning}"
        );
        let severity = if file.default_read == DefaultRead::Open { Severity::Warning } else { Severity::Info };
        out.push(finding(
            "L01",
            severity,
            "`folders`".to_owned(),
            why,
            "give each a read list, or let the one above propagate",
        ));
    }
    let closed = Few::of(org.queues.iter().filter(|queue| queue.read == Read::Closed).map(|queue| &*queue.id));
    if !closed.is_empty() {
        let why = format!("closed to everybody, because no read list reaches them or theirs is empty: {closed}");
        out.push(finding("L02", Severity::Info, "`queues`".to_owned(), why, "put them into a folder with a read list"));
    }
    objects(file, out);
    let legacy = Few::of(file.users.iter().filter(|user| !user.legacy.is_empty()).map(|user| user.id.as_str()));
    if !legacy.is_empty() {
        let why =
            format!("a legacy option overrides the group settings of {legacy}; only what all its sections open counts");
        out.push(warning("L01", "`users`".to_owned(), why, "remove the option; roles and read lists say the same"));
    }
}

fn objects(file: &DirectoryFile, out: &mut Vec<Finding>) {
    let bindings = Bindings::of(file);
    let name = |nth: &usize| file.permission_objects.get(*nth).map(|object| object.name.as_str());
    let unclear = Few::of(bindings.unclear.iter().filter_map(|nth| file.queues.get(*nth)).map(|queue| &*queue.id));
    if !unclear.is_empty() {
        let objects = Few::of(bindings.ambiguous.iter().filter_map(name));
        let why = format!("it is not clear whose read lists {objects} are, so these queues are closed: {unclear}");
        let repair = "name the queue by `queue`, one object for each, and remove the queue's own `readList`";
        out.push(finding("L03", Severity::Error, "`permissionObjects`".to_owned(), why, repair));
    }
    let loose = Few::of(bindings.loose.iter().filter_map(name));
    if !loose.is_empty() {
        let why = format!("permission objects that mean no queue and open nothing: {loose}");
        out.push(warning("L03", "`permissionObjects`".to_owned(), why, "remove them, or name the queue by `queue`"));
    }
}
