//! Filters as trees, and values as what they are.

use super::*;

#[test]
fn the_algebra_counts_and_flattens() {
    let atom = |name: &str| Filter::Atom(Atom { term: Term::Other, text: name.into() });
    let (a, b, c) = (|| atom("a"), || atom("b"), || atom("c"));
    let nested = Filter::and(vec![Filter::and(vec![b(), a()]), Filter::or(vec![c(), Filter::or(vec![a(), c()])]), a()]);
    assert_eq!((nested.depth(), nested.predicates(), nested.atoms().len()), (3, 6, 6));
    let canonical = nested.canonical();
    assert_eq!(canonical, Filter::and(vec![a(), b(), Filter::or(vec![a(), c()])]));
    assert_eq!((canonical.depth(), canonical.predicates()), (2, 4));
    assert_eq!((a().depth(), a().predicates()), (0, 1));
    assert!(
        genesys::fits(&canonical) && !genesys::fits(&Filter::and(vec![Filter::or(vec![Filter::and(vec![a(), b()])])]))
    );
    assert_eq!(Filter::or(vec![Filter::and(vec![a()])]).canonical(), a());
    // an empty group inside a group of its kind stays: it is not nothing
    let empty = Filter::or(vec![Filter::or(vec![]), a()]);
    assert_eq!(empty.canonical(), Filter::Group(Join::Or, vec![a(), Filter::or(vec![])]));
    let texts: Vec<_> =
        Filter::and(vec![a(), Filter::or(vec![b(), c()])]).atoms().iter().map(|atom| atom.text.clone()).collect();
    assert_eq!(texts, ["a".into(), "b".into(), "c".into()]);
    let values = |term: Term| Atom { term, text: "".into() }.values().map(|(access, values)| (access, values.len()));
    assert_eq!(values(Term::In(Access::User, vec!["u".into()])), Some((Access::User, 1)));
    assert_eq!(values(Term::NotIn(Access::Queue, vec!["q".into()])), Some((Access::Queue, 1)));
    assert_eq!(
        (values(Term::Missing(Access::Queue)), values(Term::Present(Access::Queue)), values(Term::Other)),
        (None, None, None)
    );
}

#[test]
fn a_value_is_given_as_what_it_is_only() {
    let all = ["null", "true", "false", "1", "1.5", "\"x\"", "[0]", "{\"a\":0}"].map(value);
    let bools: Vec<_> = all.iter().filter_map(Value::as_bool).collect();
    let whole: Vec<_> = all.iter().filter_map(Value::as_i64).collect();
    let numbers: Vec<_> = all.iter().filter_map(Value::as_f64).map(|number| number.to_string()).collect();
    let texts: Vec<_> = all.iter().filter_map(Value::as_str).collect();
    assert_eq!((bools, whole, numbers, texts), (vec![true, false], vec![1], vec!["1".into(), "1.5".into()], vec!["x"]));
    assert_eq!(all.iter().filter_map(Value::as_array).map(<[Value]>::len).collect::<Vec<_>>(), [1]);
    assert_eq!(all.iter().filter_map(Value::as_object).map(<[(Box<str>, Value)]>::len).collect::<Vec<_>>(), [1]);
    let kinds = ["null", "a boolean", "a boolean", "a number", "a number", "a string", "an array", "an object"];
    assert_eq!(all.each_ref().map(Value::kind), kinds);
    assert_eq!(all.iter().filter(|value| value.is_null()).count(), 1);
}
