//! Holds method, path and query against the contract.

use super::{Unproved, scope::Scope};
use crate::model::{
    body::Access,
    contract::{Contract, ParamKind, Segment},
    outgoing::Outgoing,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;

/// All but the unreserved characters are encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The ids of the path, decoded, in order. Everything but them is equal to the template.
pub(super) fn hold_path<'o>(
    scope: &Scope<'_>,
    contract: &Contract,
    outgoing: &'o Outgoing,
) -> Result<Vec<(Access, Cow<'o, str>)>, Unproved> {
    let ids = read_path(contract, outgoing)?;
    for (_, access, id) in &ids {
        scope.named(*access, id, "path")?;
    }
    Ok(ids.into_iter().map(|(_, access, id)| (access, id)).collect())
}

/// An id of a path: its name in the template, its kind, itself.
type PathId<'c, 'o> = (&'c Box<str>, Access, Cow<'o, str>);

/// The same, before anybody judged the ids.
pub(super) fn read_path<'c, 'o>(
    contract: &'c Contract,
    outgoing: &'o Outgoing,
) -> Result<Vec<PathId<'c, 'o>>, Unproved> {
    if outgoing.method != contract.method {
        return Err(Unproved::at("method", "not that of the operation"));
    }
    let wrong = |why: &str| Unproved::at("path", why);
    let mut parts = outgoing.path.strip_prefix('/').ok_or_else(|| wrong("does not begin with `/`"))?.split('/');
    let mut ids = Vec::new();
    for segment in &contract.template.segments {
        let part = parts.next().ok_or_else(|| wrong("shorter than the template"))?;
        match segment {
            Segment::Literal(text) if **text == *part => {}
            Segment::Literal(_) => return Err(wrong("differs from the template")),
            Segment::Param { name, access } => {
                let id = percent_decode_str(part).decode_utf8().map_err(|_| wrong("an id is not UTF-8"))?;
                let canonical = utf8_percent_encode(&id, ENCODED).eq_str(part);
                if !canonical || matches!(&*id, "" | "." | "..") {
                    return Err(wrong("an id that is not spelt canonically"));
                }
                ids.push((name, *access, id));
            }
        }
    }
    if parts.next().is_some() { Err(wrong("longer than the template")) } else { Ok(ids) }
}

/// An id as it stands in a path.
pub(super) fn encoded(id: &str) -> percent_encoding::PercentEncode<'_> {
    utf8_percent_encode(id, ENCODED)
}

trait EqStr {
    fn eq_str(self, text: &str) -> bool;
}

impl EqStr for percent_encoding::PercentEncode<'_> {
    fn eq_str(self, mut text: &str) -> bool {
        for part in self {
            let Some(rest) = text.strip_prefix(part) else {
                return false;
            };
            text = rest;
        }
        text.is_empty()
    }
}

/// Every parameter is listed, stands once, and has a value of its type; ids stand inside the scope.
pub(super) fn hold_query(scope: &Scope<'_>, contract: &Contract, outgoing: &Outgoing) -> Result<(), Unproved> {
    for (place, (name, value)) in outgoing.query.iter().enumerate() {
        let at = format!("query {name}");
        if outgoing.query.iter().take(place).any(|(earlier, _)| earlier.eq_ignore_ascii_case(name)) {
            return Err(Unproved::at(at, "stands twice"));
        }
        let known = contract.params.iter().find(|param| param.name == *name);
        let fits = match &known.ok_or_else(|| Unproved::at(&at, "an unknown parameter"))?.kind {
            ParamKind::Int { min, max } => {
                value.parse::<i64>().is_ok_and(|n| (*min..=*max).contains(&n) && n.to_string() == *value)
            }
            ParamKind::Enum(words) => words.iter().any(|word| **word == **value),
            ParamKind::Text { max } => value.len() <= *max,
            // which places may be named is said where jobs and lists are proved
            ParamKind::Cursor => contract.job.is_some() || contract.scan.is_some(),
            ParamKind::Ids { access, max } => {
                for id in value.split(',') {
                    scope.named(*access, id, &at)?;
                }
                value.split(',').count() <= *max
            }
        };
        if !fits {
            return Err(Unproved::at(at, "a value that the contract does not allow"));
        }
    }
    Ok(())
}
