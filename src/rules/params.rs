//! Compiles query parameters, and how a list is paged.

use super::{
    format::{self, Param, ParamKindWord},
    models, paths,
    reading::{At, Reader},
    values::Name,
};
use crate::model::{
    body::{BodyModel, FieldKind, Path},
    contract::{self, IdsProof, ParamKind},
    operation::{Page, Paged, Scan, Walk},
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
        ParamKindWord::Place => ParamKind::Cursor,
        ParamKindWord::Ids => ParamKind::Ids { access: models::access(param.of?), max: size? },
    })
}

/// How a list is paged: cut from the visible ids, or from the visible rows of all that the upstream has.
#[derive(Debug)]
pub(super) enum Paging {
    Ids(Page, IdsProof),
    Scan(Scan),
    /// No list.
    None,
}

impl Paging {
    pub(super) fn parts(self) -> (Option<Page>, Option<IdsProof>, Option<Scan>) {
        match self {
            Self::Ids(page, ids) => (Some(page), Some(ids), None),
            Self::Scan(scan) => (None, None, Some(scan)),
            Self::None => (None, None, None),
        }
    }
}

/// What can be asked by: parameters, and where there is a body its fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Described<'d> {
    pub(super) params: Option<&'d BTreeMap<Name, At<Param>>>,
    pub(super) model: Option<&'d BodyModel>,
}

impl Described<'_> {
    /// The kind, and the largest number.
    fn find(&self, name: &str) -> Option<(ParamKindWord, Option<i64>)> {
        if let Some(model) = self.model {
            return match model.field(&[name.into()]) {
                Some(FieldKind::Int { max, .. }) => Some((ParamKindWord::Int, Some(*max))),
                _ => None,
            };
        }
        let (_, param) = self.params.into_iter().flatten().find(|(known, _)| *known.text == *name)?;
        Some((param.kind, param.max))
    }
}

pub(super) fn page(page: &At<format::Page>, described: Described<'_>, reader: &mut Reader<'_>) -> Option<Paging> {
    let mut named = |name: &At<String>, wanted: ParamKindWord| {
        if described.find(name).map(|(kind, _)| kind) != Some(wanted) {
            let help = "describe it in `[rule.params]`, or name a field of the body, with the right `kind`";
            let message = format!("the parameter `{}` is missing or of another kind", **name);
            reader.problem_with(name.span.clone(), message, Some(help.to_owned()));
        }
        Box::<str>::from(name.as_str())
    };
    let at = page.number.as_ref().map(|name| named(name, ParamKindWord::Int));
    let place = page.place.as_ref().map(|name| named(name, ParamKindWord::Place));
    let size = page.size.as_ref().map(|name| named(name, ParamKindWord::Int));
    let step = page.size.as_ref().and_then(|size| described.find(size)).and_then(|(_, max)| max);
    let param = page.id.as_ref().map(|name| named(name, ParamKindWord::Ids));
    let (name, order) = (
        page.name.as_ref().map(|name| named(name, ParamKindWord::Text)),
        page.order.as_ref().map(|name| named(name, ParamKindWord::Enum)),
    );
    let division = page.division.as_ref().map(|name| named(name, ParamKindWord::Ids));
    if page.default_size.is_some_and(|size| size < 1) {
        reader.problem(page.span.clone(), "`default-size` is at least 1");
    }
    let mut told = |says: &str, help: &str| {
        reader.problem_with(page.span.clone(), says.to_owned(), Some(help.to_owned()));
        None
    };
    match (page.access, param, page.scan) {
        (Some(access), Some(param), None) => {
            let paged = match (at, place, size, page.default_size) {
                (Some(number), None, Some(size), Some(default_size)) => Some(Paged { number, size, default_size }),
                (None, None, None, None) => None,
                _ => return told("pages by ids have all of `number`, `size`, `default-size`, or none", PAGES),
            };
            if page.each.is_some() {
                return told("entries that are asked for by id are told apart by it: leave `each` out", PAGES);
            }
            if page.narrowed_by.is_some() {
                return told("a page of ids is narrowed by them: leave `narrowed-by` out", PAGES);
            }
            let compiled = Page { access: models::access(access), paged, name, order, division };
            let proof = IdsProof { param, access: compiled.access };
            Some(Paging::Ids(compiled, proof))
        }
        (None, None, Some(most)) => {
            let (by_place, at) = (place.is_some(), at.xor(place));
            let walk = match (at, size, page.default_size, step.and_then(|step| usize::try_from(step).ok())) {
                (Some(at), Some(size), Some(default), Some(step)) if step > 0 => {
                    let default_size = usize::try_from(default).unwrap_or(1);
                    Some(Walk { at, by_place, size, step, default_size })
                }
                (None, None, None, None) => None,
                _ => {
                    return told(
                        "a scan has one of `number` and `place`, with `size` and `default-size`, or none of them",
                        PAGES,
                    );
                }
            };
            if most == 0 || name.is_some() || order.is_some() || division.is_some() {
                return told(
                    "a scan reads some rows, and what else it is asked by is sent: leave `name`, `order`, `division` out",
                    PAGES,
                );
            }
            let each: Option<Vec<_>> = page.each.iter().flatten().map(|at| field(at, reader)).collect();
            let mut narrowed_by = Vec::new();
            for name in page.narrowed_by.iter().flatten() {
                if described.find(name).is_none() {
                    let help = Some("describe it in `[rule.params]`".to_owned());
                    reader.problem_with(name.span.clone(), format!("the parameter `{}` is missing", **name), help);
                }
                narrowed_by.push(name.as_str().into());
            }
            Some(Paging::Scan(Scan { most, each: each?, walk, narrowed_by }))
        }
        _ => told("a page is cut from ids, by `access` and `id`, or by a `scan`", PAGES),
    }
}

const PAGES: &str = "see the description of `Page` in the schema of rule files";

/// A field of a row, such as `role.id`.
fn field(at: &At<String>, reader: &mut Reader<'_>) -> Option<Path> {
    let path = paths::parse(&format!("$.{}", at.as_str()));
    if path.is_none() {
        reader.problem(at.span.clone(), format!("`{}` is no field of a row", **at));
    }
    path
}
