//! Q03: restricted queues and how people got in.

use super::{Few, finding, warning};
use crate::{
    directory::file::DirectoryFile,
    model::{
        finding::{Finding, Severity},
        org::Org,
    },
};

pub(super) fn find(file: &DirectoryFile, org: &Org, out: &mut Vec<Finding>) {
    for (queue, compiled) in file.queues.iter().zip(&org.queues).filter(|(queue, _)| queue.restricted) {
        let at = || format!("queue `{}`", queue.id);
        if !compiled.named.is_empty() {
            let few = Few::of(compiled.named.iter().map(|user| &*org.user(*user).id));
            let why = format!("members of a restricted queue were added by hand: {few}");
            out.push(finding("Q03", Severity::Info, at(), why, "let an approved request with an end open it instead"));
        }
        if !queue.member_groups.is_empty() {
            let few = Few::of(queue.member_groups.iter().map(String::as_str));
            let why = format!("groups are members of a restricted queue and see nothing of it by that: {few}");
            out.push(warning("Q03", at(), why, "name the people who may see it, or give them a grant"));
        }
    }
}
