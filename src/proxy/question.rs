//! From a call to a question: the operation that a rule governs, typed parameters, the parsed body.

use super::{
    Proxy, Settings, body,
    exchange::Exchange,
    front_door::{self, Call},
    params,
    path::Path,
};
use crate::{
    audit::Query,
    model::{
        contract::Method,
        operation::{Operation, Rules},
        refusal::{Code, Refusal},
    },
    query::{Question, json::Value, linked},
    world::Pinned,
};
use hyper::Uri;
use std::sync::Arc;

impl Proxy {
    /// Reads what is asked. The body is read last: what is refused for another reason costs no memory for it.
    pub(super) async fn read(&self, call: Call, pinned: &Pinned, exchange: &mut Exchange) -> Result<Question, Refusal> {
        exchange.enter("read");
        let (verb, path) = (call.verb.as_str(), call.path.text());
        let (operation, ids) = find(&pinned.world.rules, call.method, &call.path.segments(), &path)?;
        exchange.operation(&operation);
        let params = params::typed(call.params, &operation.contract.params)?;
        // what a link holds is a body: it may say anything until it was understood
        let linked = linked::of(&operation).map(|(asks, link)| (Arc::clone(asks), link.param.clone()));
        let is_body = |name: &str| linked.as_ref().is_some_and(|(_, param)| **param == *name);
        let flat: Vec<_> = params
            .iter()
            .filter(|(name, _)| !is_body(name))
            .map(|(name, values)| (name.clone(), values.join(",")))
            .collect();
        exchange.asked(Query::new(verb, &path, &flat, None));
        let bytes = body::read(call.body, self.settings.body_bytes, &self.settings).await?;
        exchange.body_read();
        exchange.asked_with_body((verb, &path), &flat, (!bytes.is_empty()).then_some(bytes.as_slice()));
        if let Some((asks, param)) = &linked
            && let Some((_, text)) = params.iter().find(|(name, _)| name == param).filter(|_| bytes.is_empty())
        {
            exchange.asked_by_link((verb, &path), &flat, text.join(",").as_bytes(), Arc::clone(asks));
        }
        let question = question(operation, ids, params, &bytes, &self.settings)?;
        if let (Some((asks, _)), Some(body)) = (linked, &question.body) {
            exchange.asked_by_link((verb, &path), &flat, &body.to_bytes(), asks);
        }
        Ok(question)
    }
}

/// What a method of HTTP asks for: the answer to a HEAD is that to the GET, without its body.
pub fn method(verb: &str) -> Option<Method> {
    Method::named(if verb == "HEAD" { "GET" } else { verb })
}

/// The methods by which rules govern a path, as its shape says: the same whatever its ids name.
pub(super) fn allowed(rules: &Rules, path: &Path) -> String {
    let segments = path.segments();
    let governed = |method: Method| {
        // the answer to a HEAD is that to the GET
        let asked = if method == Method::Head { Method::Get } else { method };
        rules.find(asked, &segments).is_some() || (method == Method::Post && path.is(&["oauth", "token"]))
    };
    let named = Method::ALL.into_iter().filter(|method| governed(*method)).map(Method::as_str);
    named.chain(["OPTIONS"]).collect::<Vec<_>>().join(", ")
}

/// What a call with this method, target and body would ask, read as a call is, without one.
pub fn of(rules: &Rules, settings: &Settings, method: &str, target: &str, body: &[u8]) -> Result<Question, Refusal> {
    let target: Uri = target.parse().map_err(|error| {
        Refusal::new(Code::RequestMalformed, format!("`{}` is no target of a request: {error}", short(target)))
    })?;
    let path = Path::read(target.path())?.without(&front_door::segments(settings.prefix.as_deref()));
    let (operation, ids) = find(rules, self::method(method), &path.segments(), &path.text())?;
    let params = params::read(target.query().unwrap_or_default())?;
    let params = params::typed(params, &operation.contract.params)?;
    question(operation, ids, params, body, settings)
}

/// A link asks what would be posted.
fn question(
    operation: Arc<Operation>,
    ids: Vec<(Box<str>, String)>,
    params: Params,
    bytes: &[u8],
    settings: &Settings,
) -> Result<Question, Refusal> {
    let body = parse(&operation, &params, bytes, settings)?;
    match linked::of(&operation) {
        Some((asks, link)) => {
            let body = Some(linked::read(link, &params, &body::limits(settings))?);
            Ok(Question { operation: asks.clone(), ids, params: Vec::new(), body, kept: None, seen: None })
        }
        None => Ok(Question { operation, ids, params, body, kept: None, seen: None }),
    }
}

type Params = Vec<(Box<str>, Vec<String>)>;

fn parse(
    operation: &Operation,
    params: &[(Box<str>, Vec<String>)],
    bytes: &[u8],
    settings: &Settings,
) -> Result<Option<Value>, Refusal> {
    match (operation.body(), bytes) {
        (None, []) => Ok(None),
        (None, _) => Err(Refusal::new(Code::QueryMalformed, "this operation takes no body; leave it out")),
        (Some(_), bytes) => {
            let body = body::parse(bytes, settings)?;
            params::not_in_body(params, &body)?;
            Ok(Some(body))
        }
    }
}

type Found = (Arc<Operation>, Vec<(Box<str>, String)>);

fn find(rules: &Rules, method: Option<Method>, segments: &[&str], path: &str) -> Result<Found, Refusal> {
    // Some servers fold case: a spelling that they would take for another known path means two things.
    let folded: Vec<String> = segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let folded: Vec<&str> = folded.iter().map(String::as_str).collect();
    let found = method.and_then(|method| rules.find(method, segments));
    let by_case = (folded != segments).then_some(method).flatten().is_some_and(|method| {
        let known = rules.find(method, &folded).map(|(operation, _)| &operation.id);
        match &found {
            Some((operation, _)) => known != Some(&operation.id),
            None => known.is_some(),
        }
    });
    if by_case {
        return Err(Refusal::new(
            Code::RequestMalformed,
            "the path differs from a known one by case only; write it as documented",
        ));
    }
    if let Some((operation, ids)) = found {
        let ids = ids.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        return Ok((Arc::clone(operation), ids));
    }
    if let (Some(method), Some(denial)) = (method, method.and_then(|method| rules.denied(method, segments))) {
        let path = short(path);
        let (says, method) = (&denial.says, method.as_str());
        let message = format!("{method} `{path}` is closed: {says}; ask the administrator of the proxy if you need it");
        return Err(Refusal::new(Code::OperationDenied, message).because(format!("denied as `{}`", denial.reason)));
    }
    let method = method.map_or("this method", Method::as_str);
    let path = short(path);
    let message = format!("no rule governs {method} `{path}`; ask the administrator of the proxy for one");
    Err(Refusal::new(Code::OperationUnknown, message))
}

/// Enough of a path to know it again.
fn short(path: &str) -> String {
    path.chars().take(200).collect()
}
