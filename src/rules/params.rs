//! Compiles query parameters, and how a list is paged.

use super::{
    format::{self, Param, ParamKindWord},
    models,
    reading::{At, Reader},
    values::Name,
};
use crate::model::{
    contract::{self, IdsProof, ParamKind},
    operation::Page,
};
use std::collections::BTreeMap;

pub(super) fn params(
    table: Option<&BTreeMap<Name, At<Param>>>,
    reader: &mut Reader<'_>,
) -> Option<Vec<contract::Param>> {
    let params: Vec<_> = table
        .into_iter()
        .flatten()
        .map(|(name, param)| {
            let kind = param_kind(param);
            if kind.is_none() {
                let help =
                    "`int` needs `min` and `max`, `enum` needs `words`, `text` needs `max`, `ids` needs `of` and `max`";
                let message = format!("the parameter `{}` is not described", name.text);
                reader.problem_with(param.span.clone(), message, Some(help.to_owned()));
            }
            kind.map(|kind| contract::Param { name: name.text.clone(), kind })
        })
        .collect();
    params.into_iter().collect()
}

fn param_kind(param: &Param) -> Option<ParamKind> {
    let size = param.max.and_then(|max| usize::try_from(max).ok());
    Some(match param.kind {
        ParamKindWord::Int => ParamKind::Int { min: param.min?, max: param.max? },
        ParamKindWord::Enum => ParamKind::Enum(param.words.as_ref()?.iter().map(|word| word.as_str().into()).collect()),
        ParamKindWord::Text => ParamKind::Text { max: size? },
        ParamKindWord::Ids => ParamKind::Ids { access: models::access(param.of?), max: size? },
    })
}

pub(super) fn page(
    page: &At<format::Page>,
    params: Option<&BTreeMap<Name, At<Param>>>,
    reader: &mut Reader<'_>,
) -> (Page, IdsProof) {
    let kind =
        |name: &str| params.into_iter().flatten().find(|(known, _)| &*known.text == name).map(|(_, param)| param.kind);
    let mut named = |name: &At<String>, wanted: ParamKindWord| {
        if kind(name) != Some(wanted) {
            let help = "describe it in `[rule.params]`, with the right `kind`";
            let message = format!("the parameter `{}` is missing or of another kind", **name);
            reader.problem_with(name.span.clone(), message, Some(help.to_owned()));
        }
        Box::<str>::from(name.as_str())
    };
    let access = models::access(page.access);
    let param = named(&page.id, ParamKindWord::Ids);
    let compiled = Page {
        access,
        number: named(&page.number, ParamKindWord::Int),
        size: named(&page.size, ParamKindWord::Int),
        default_size: page.default_size,
        name: page.name.as_ref().map(|name| named(name, ParamKindWord::Text)),
        order: page.order.as_ref().map(|name| named(name, ParamKindWord::Enum)),
        division: page.division.as_ref().map(|name| named(name, ParamKindWord::Ids)),
    };
    if page.default_size < 1 {
        reader.problem(page.span.clone(), "`default-size` is at least 1");
    }
    (compiled, IdsProof { param, access })
}
