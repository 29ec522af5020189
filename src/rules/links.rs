//! `[rule.link]`: the rule's search, asked for by a link.

use super::{
    format::Link,
    paths,
    reading::{At, Reader},
};
use crate::model::{
    contract::{Contract, Method, Param, ParamKind, Segment},
    operation::{self, Operation},
};
use crate::query::linked;
use std::sync::Arc;

/// The operation that reads the link, and the search that knows how its links are written.
pub(super) fn operations(
    link: &At<Link>,
    mut asked: Operation,
    reader: &mut Reader<'_>,
) -> Option<(Arc<Operation>, Arc<Operation>)> {
    let (method, template) = paths::operation(&link.r#match, reader)?;
    let by_id = template.segments.iter().any(|segment| segment.access().is_some());
    let searches = asked.scan.is_some() && asked.body().is_some();
    if method != Method::Get || by_id || !searches {
        let help = "only a `list` with a body is asked for by a link, of a path without ids: `GET /api/v2/.../search`";
        reader.problem_with(link.r#match.span.clone(), "no link asks for this", Some(help.to_owned()));
        return None;
    }
    let mut path = String::new();
    for segment in &template.segments {
        if let Segment::Literal(text) = segment {
            path.push('/');
            path.push_str(text);
        }
    }
    let param: Box<str> = link.param.as_str().into();
    asked.linked = Some(Arc::new(operation::Link { path: path.into(), param: param.clone() }));
    let asked = Arc::new(asked);
    let id: Box<str> = format!("{}.link", asked.id).into();
    let contract = Contract {
        operation: id.clone(),
        method,
        template,
        params: vec![Param { name: param, kind: ParamKind::Text { max: linked::LONGEST } }],
        body: None,
        words: Vec::new(),
        ..Contract::clone(&asked.contract)
    };
    // never sent itself, so it has no way of being narrowed
    let own = Operation {
        id,
        contract: Arc::new(contract),
        sites: Vec::new(),
        sort: None,
        refuse: Vec::new(),
        scan: None,
        asks: Some(asked.clone()),
        ..Operation::clone(&asked)
    };
    Some((asked, Arc::new(own)))
}
