//! Attributes of queues as dimensions of legs: a leg has the value of its queue, and none where it has no queue or the
//! queue has no value.

use super::{
    dimension::{Level, dimension},
    filter::{Atom, Kind, Node, Test},
    problem::Problem,
    sql::Sql,
    store::Store,
};
use rusqlite::types::Value;

/// The value of a leg `l`, or NULL. The name is bound: a directory may call an attribute anything.
pub(super) fn value(name: &str) -> Sql {
    let one = "(SELECT a.value FROM attributes a WHERE a.queue = l.queue AND a.name = ?)";
    Sql::with(one, vec![Value::Text(name.to_owned())])
}

/// Whether the value of a leg `l` meets a condition on `a.value`. Never NULL, so that it can be negated.
pub(super) fn has(name: &str, condition: &Sql) -> Sql {
    let mut sql = Sql::with(
        "EXISTS (SELECT 1 FROM attributes a WHERE a.queue = l.queue AND a.name = ? AND ",
        vec![Value::Text(name.to_owned())],
    );
    sql.push(condition);
    sql.push_text(")");
    sql
}

/// A test of the two-level dialect.
pub(super) fn test(name: &str, test: &Test) -> Result<Sql, Problem> {
    match test {
        Test::Equals(value) => Ok(has(name, &Sql::one_of("a.value", std::slice::from_ref(value)))),
        Test::Exists => Ok(has(name, &Sql::always())),
        Test::NotExists => Ok(has(name, &Sql::always()).around("NOT (", ")")),
        Test::Range { .. } => Err(Problem::constraint(format!("`{name}` takes no range"))),
    }
}

/// The same filter with attributes named as the organisation spells them. What the upstream has of its own goes first.
pub(super) fn recognise(store: &Store, level: Level, node: Node) -> Node {
    let all = |nodes: Vec<Node>| nodes.into_iter().map(|node| recognise(store, level, node)).collect();
    match node {
        Node::All(nodes) => Node::All(all(nodes)),
        Node::Any(nodes) => Node::Any(all(nodes)),
        Node::Atom(atom) if atom.kind == Kind::Dimension && dimension(level, &atom.name).is_none() => {
            let known = store.organisation.attribute(&atom.name, str::eq_ignore_ascii_case).map(str::to_owned);
            Node::Atom(match known {
                Some(name) => Atom { kind: Kind::Attribute, name, ..atom },
                None => atom,
            })
        }
        atom @ Node::Atom(_) => atom,
    }
}
