//! S01: service accounts that may act for everybody, or read everybody.

use super::warning;
use crate::model::{
    finding::Finding,
    org::{Org, Permission, PermissionScope},
};

pub(super) fn find(org: &Org, out: &mut Vec<Finding>) {
    for service in &org.services {
        let held = service.assignments.iter().flat_map(|held| &org.role(held.role).permissions);
        for permission in held.filter(|permission| permission.scope == PermissionScope::All) {
            let at = format!("service account `{}`", service.id);
            if Permission::impersonates(&permission.name) {
                out.push(warning(
                    "S01",
                    at,
                    format!("may act for everybody by `{}`", permission.name),
                    "use scope `group`",
                ));
            } else if permission.name.starts_with("user:") || permission.name.starts_with("directory:user:") {
                out.push(warning(
                    "S01",
                    at,
                    format!("reads every user of its divisions by `{}`", permission.name),
                    "use scope `group`",
                ));
            }
        }
    }
}
