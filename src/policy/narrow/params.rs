//! Query parameters that an operation lists beside its body or its path id: judged, and sent as they were typed.

use super::Asking;
use crate::{
    model::{
        contract::ParamKind,
        refusal::{Code, Echo, Refusal},
    },
    policy::judge::Judge,
};

/// Names and values in the order of the contract.
pub(super) type Sent = Vec<(Box<str>, String)>;

/// What is sent; `None` when every id that the asker listed was left out, so that nothing can match.
pub(super) fn listed(asking: &Asking<'_>, judge: &mut Judge<'_>) -> Result<Option<Sent>, Refusal> {
    let listed = &asking.operation.contract.params;
    if let Some((name, _)) = asking.question.params.iter().find(|(name, _)| listed.iter().all(|one| one.name != *name))
    {
        let message = format!("this operation has no query parameter `{}`; leave it out", Echo(name));
        return Err(Refusal::new(Code::QueryMalformed, message));
    }
    let mut sent = Vec::new();
    for param in listed {
        let Some((name, values)) = asking.question.params.iter().find(|(name, _)| *name == param.name) else {
            continue;
        };
        let mut kept = Vec::with_capacity(values.len());
        for value in values {
            let stays = match param.kind {
                ParamKind::Ids { access, .. } => judge.id(access, value)?,
                ParamKind::Int { .. } | ParamKind::Enum(_) | ParamKind::Text { .. } | ParamKind::Cursor => true,
            };
            if stays && !kept.contains(&value.as_str()) {
                kept.push(value);
            }
        }
        if kept.is_empty() {
            return Ok(None);
        }
        sent.push((name.clone(), kept.join(",")));
    }
    Ok(Some(sent))
}
