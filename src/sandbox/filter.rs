//! Reads the two-level filters of the first dialect.

use super::problem::Problem;
use serde_json::Value;

/// A filter as a tree. Names are in lower case: enums are case-insensitive upstream.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Atom(Atom),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Atom {
    pub(super) kind: Kind,
    /// Dimension, metric or property, in lower case.
    pub(super) name: String,
    pub(super) test: Test,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Dimension,
    /// An attribute of queues, under the organisation's own spelling.
    Attribute,
    Metric,
    Property,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Equals(String),
    Range { gt: Option<f64>, gte: Option<f64>, lt: Option<f64>, lte: Option<f64> },
    Exists,
    NotExists,
}

impl Node {
    /// Every atom, left to right.
    pub(super) fn atoms(&self) -> Vec<&Atom> {
        match self {
            Self::Atom(atom) => vec![atom],
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().flat_map(Self::atoms).collect(),
        }
    }

    pub(super) fn names(&self, dimension: &str) -> bool {
        self.atoms().iter().any(|atom| atom.name == dimension)
    }
}

/// The filter of an optional member: absent or null means none.
pub(super) fn optional(body: &Value, member: &str) -> Result<Option<Node>, Problem> {
    match body.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(filter) => read(filter, member).map(Some),
    }
}

/// The entries of an optional array of filters.
pub(super) fn array(body: &Value, member: &str) -> Result<Vec<Node>, Problem> {
    match body.get(member) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(entries)) => entries.iter().map(|entry| read(entry, member)).collect(),
        Some(_) => Err(Problem::bad(format!("`{member}` must be an array of filters"))),
    }
}

fn read(filter: &Value, member: &str) -> Result<Node, Problem> {
    let mut nodes = list(filter, "predicates", member)?.iter().map(atom).collect::<Result<Vec<_>, _>>()?;
    for clause in list(filter, "clauses", member)? {
        if clause.get("clauses").is_some() {
            return Err(Problem::bad(format!("a clause of `{member}` holds predicates only")));
        }
        let atoms = list(clause, "predicates", member)?.iter().map(atom).collect::<Result<Vec<_>, _>>()?;
        nodes.push(join(clause, atoms, member)?);
    }
    join(filter, nodes, member)
}

fn join(holder: &Value, nodes: Vec<Node>, member: &str) -> Result<Node, Problem> {
    if nodes.is_empty() {
        return Err(Problem::constraint(format!("a filter or clause of `{member}` is empty")));
    }
    match word(holder, "type")?.as_deref() {
        Some("and") => Ok(Node::All(nodes)),
        Some("or") => Ok(Node::Any(nodes)),
        Some(other) => Err(Problem::value(format!("`{other}` is no type of a filter: use `and` or `or`"))),
        None => Err(Problem::constraint(format!("a filter or clause of `{member}` has no `type`"))),
    }
}

fn list<'a>(holder: &'a Value, key: &str, member: &str) -> Result<&'a [Value], Problem> {
    if !holder.is_object() {
        return Err(Problem::bad(format!("`{member}` holds something that is no filter")));
    }
    match holder.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(Problem::bad(format!("`{key}` must be an array"))),
    }
}

fn word(holder: &Value, key: &str) -> Result<Option<String>, Problem> {
    match holder.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.to_ascii_lowercase())),
        Some(_) => Err(Problem::bad(format!("`{key}` must be a text"))),
    }
}

fn atom(predicate: &Value) -> Result<Node, Problem> {
    let kind = match word(predicate, "type")?.as_deref() {
        None | Some("dimension") => Kind::Dimension,
        Some("metric") => Kind::Metric,
        Some("property") => Kind::Property,
        Some(other) => {
            return Err(Problem::value(format!("`{other}` is no type of a predicate")));
        }
    };
    let key = match kind {
        Kind::Dimension | Kind::Attribute => "dimension",
        Kind::Metric => "metric",
        Kind::Property => "property",
    };
    let name = word(predicate, key)?.ok_or_else(|| Problem::bad(format!("a predicate has no `{key}`")))?;
    let test = match word(predicate, "operator")?.as_deref() {
        None | Some("matches") => matches(predicate)?,
        Some("exists") => Test::Exists,
        Some("notexists") => Test::NotExists,
        Some(other) => return Err(Problem::value(format!("`{other}` is no operator"))),
    };
    Ok(Node::Atom(Atom { kind, name, test }))
}

fn matches(predicate: &Value) -> Result<Test, Problem> {
    match (predicate.get("value"), predicate.get("range")) {
        (Some(Value::String(text)), None | Some(Value::Null)) => Ok(Test::Equals(text.clone())),
        (None | Some(Value::Null), Some(range @ Value::Object(_))) => {
            let bound = |key: &str| range.get(key).and_then(Value::as_f64);
            let (gt, gte, lt, lte) = (bound("gt"), bound("gte"), bound("lt"), bound("lte"));
            if gt.or(gte).or(lt).or(lte).is_none() {
                return Err(Problem::constraint("a `range` needs one of `gt`, `gte`, `lt`, `lte`"));
            }
            Ok(Test::Range { gt, gte, lt, lte })
        }
        _ => Err(Problem::constraint("a predicate needs a `value` that is a text, or a `range`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn kinds_and_operators_have_defaults_and_no_case() {
        let body = json!({ "filter": { "type": "OR", "predicates": [{ "dimension": "QueueID", "value": "Q" }] } });
        let atom = Atom { kind: Kind::Dimension, name: "queueid".into(), test: Test::Equals("Q".into()) };
        assert_eq!(optional(&body, "filter").unwrap(), Some(Node::Any(vec![Node::Atom(atom)])));
    }

    #[test]
    fn what_is_no_filter_is_an_error() {
        for filter in [
            json!({}),
            json!({ "type": "and" }),
            json!({ "type": "and", "predicates": [] }),
            json!({ "type": "nand", "predicates": [{ "dimension": "queueId", "value": "q" }] }),
            json!({ "type": "and", "predicates": [{ "dimension": "queueId" }] }),
            json!({ "type": "and", "predicates": [{ "value": "q" }] }),
            json!({ "type": "and", "predicates": [{ "dimension": "queueId", "operator": "in", "value": "q" }] }),
            json!({ "type": "and", "clauses": [{ "type": "or", "predicates": [] }] }),
            json!({ "type": "and", "clauses": [{ "type": "or", "clauses": [] }] }),
            json!([]),
        ] {
            assert_eq!(optional(&json!({ "filter": filter }), "filter").unwrap_err().status, 400, "{filter}");
        }
    }
}
