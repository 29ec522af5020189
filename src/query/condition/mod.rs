//! Conditions of rules: which forms of `JSONPath` may stand in one, what a body can hold for them to find, and whether
//! one holds for a question.
//!
//! A condition may only subtract, so its worst fault is to find nothing: the question would pass. Every form whose
//! meaning is in doubt is therefore refused at load: regular expressions, filters inside filters (which the evaluator
//! gets wrong), and comparisons that RFC 9535 calls true for a missing member. Nothing is parsed at a request.

mod facts;
mod shape;

pub use facts::Facts;
pub use shape::Kind;

use jsonpath_rust::parser::{
    model::{
        Comparable, Comparison, Filter, FilterAtom, FnArg, JpQuery, Literal, Segment, Selector, SingularQuery,
        SingularQuerySegment, Test, TestFunction,
    },
    parse_json_path,
};

/// Longest text of a condition: the parser may look at a text several times over.
const LONGEST: usize = 500;

/// Reads a condition in `JSONPath`. The error says what stands in the way, and what to write instead.
pub fn parse(text: &str) -> Result<JpQuery, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes: write several refusals"));
    }
    let query = parse_json_path(text).map_err(|_| "it is no path of RFC 9535".to_owned())?;
    let mut subset = Subset { descents: 0 };
    subset.segments(&query.segments, Within::Body)?;
    Ok(query)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Body,
    Filter,
}

/// What was met on the way through one condition.
struct Subset {
    descents: usize,
}

type Checked = Result<(), String>;

impl Subset {
    fn segments(&mut self, segments: &[Segment], within: Within) -> Checked {
        segments.iter().try_for_each(|segment| match segment {
            Segment::Selector(selector) => self.selector(selector, within),
            Segment::Selectors(selectors) => selectors.iter().try_for_each(|one| self.selector(one, within)),
            Segment::Descendant(inner) => {
                self.descents += 1;
                match &**inner {
                    Segment::Selector(selector) if self.descents == 1 => self.selector(selector, within),
                    Segment::Selector(_) => {
                        Err("`..` may stand once: more would cost more than the body is long".into())
                    }
                    _ => Err("`..` takes one selector: write one refusal for each".into()),
                }
            }
        })
    }

    fn selector(&mut self, selector: &Selector, within: Within) -> Checked {
        match selector {
            Selector::Filter(_) if within == Within::Filter => {
                Err("a filter inside a filter is not evaluated reliably: write the path down to the inner items, and filter these".into())
            }
            Selector::Filter(filter) => self.filter(filter, &[]),
            Selector::Name(_) | Selector::Wildcard | Selector::Index(_) | Selector::Slice(..) => Ok(()),
        }
    }

    /// `present`: members that stand beside this part as "is there" in the same *and*.
    fn filter(&mut self, filter: &Filter, present: &[Vec<SingularQuerySegment>]) -> Checked {
        match filter {
            Filter::Or(branches) => branches.iter().try_for_each(|branch| self.filter(branch, present)),
            Filter::And(parts) => {
                let mut present = present.to_vec();
                present.extend(parts.iter().filter_map(asks_presence));
                parts.iter().try_for_each(|part| self.filter(part, &present))
            }
            Filter::Atom(FilterAtom::Filter { not: true, .. }) => {
                Err("`!` before brackets is true for a missing member: turn the comparisons round instead".into())
            }
            Filter::Atom(FilterAtom::Filter { expr, not: false }) => self.filter(expr, present),
            Filter::Atom(FilterAtom::Test { expr, .. }) => match &**expr {
                Test::Function(function) => Err(unusable(function)),
                other => self.query(other),
            },
            Filter::Atom(FilterAtom::Comparison(comparison)) => self.comparison(comparison, present),
        }
    }

    fn query(&mut self, test: &Test) -> Checked {
        match test {
            Test::RelQuery(segments) => self.segments(segments, Within::Filter),
            Test::AbsQuery(query) if singular(&query.segments).is_some() => Ok(()),
            Test::AbsQuery(_) => {
                Err("`$` inside a filter names one member only: a search from the root would run for each item".into())
            }
            Test::Function(function) => Err(unusable(function)),
        }
    }

    fn comparison(&mut self, comparison: &Comparison, present: &[Vec<SingularQuerySegment>]) -> Checked {
        let (left, right) = comparison.vals();
        match (left, right) {
            (Comparable::Literal(_), Comparable::Literal(_)) => {
                Err("it compares two literals: that is always or never true".into())
            }
            (Comparable::Function(function), Comparable::Literal(literal)) => {
                self.function(function, Sign::of(comparison), literal)
            }
            (Comparable::Literal(literal), Comparable::Function(function)) => {
                self.function(function, Sign::of(comparison).turned(), literal)
            }
            (Comparable::Function(function), _) | (_, Comparable::Function(function)) => match function {
                TestFunction::Length(_) | TestFunction::Count(_) => {
                    Err("a function is compared with a whole number".into())
                }
                other => Err(unusable(other)),
            },
            (Comparable::SingularQuery(left), Comparable::SingularQuery(right)) => {
                let missing = [left, right].map(|side| may_be_missing(side, present));
                match Sign::of(comparison) {
                    Sign::Less | Sign::Greater => Ok(()),
                    Sign::NotEqual if missing.contains(&true) => Err(ask_presence()),
                    _ if missing == [true, true] => Err(ask_presence()),
                    _ => Ok(()),
                }
            }
            (Comparable::SingularQuery(query), Comparable::Literal(literal))
            | (Comparable::Literal(literal), Comparable::SingularQuery(query)) => {
                if matches!(literal, Literal::Float(_)) {
                    return Err("numbers of a condition are whole: fractions are compared too roughly".into());
                }
                match Sign::of(comparison) {
                    Sign::NotEqual if may_be_missing(query, present) => Err(ask_presence()),
                    Sign::Equal | Sign::NotEqual => Ok(()),
                    _ if matches!(literal, Literal::Bool(_) | Literal::Null) => {
                        Err("only numbers and texts have an order".into())
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    /// `length` and `count` of nothing have no number in the evaluator: only what is false for zero is the same.
    fn function(&mut self, function: &TestFunction, sign: Sign, literal: &Literal) -> Checked {
        let (argument, from_zero) = match function {
            TestFunction::Length(argument) => (&**argument, false),
            TestFunction::Count(argument) => (argument, true),
            other => return Err(unusable(other)),
        };
        let Literal::Int(number) = literal else {
            return Err("a function is compared with a whole number".into());
        };
        let FnArg::Test(test) = argument else {
            return Err("a function takes a path that begins with `@` or `$`".into());
        };
        match &**test {
            Test::RelQuery(segments) if from_zero || singular(segments).is_some() => self.query(test)?,
            Test::AbsQuery(query) if singular(&query.segments).is_some() => {}
            _ => return Err("`length` takes the path of one member".into()),
        }
        if sign == Sign::NotEqual || (from_zero && sign.holds(0, *number)) {
            return Err("it is true where there is nothing: write `>`, `>=` or `==` with a number above zero, or `!@` for nothing".into());
        }
        Ok(())
    }
}

fn unusable(function: &TestFunction) -> String {
    match function {
        TestFunction::Match(..) | TestFunction::Search(..) => {
            "regular expressions are not evaluated in conditions: compare with whole words".into()
        }
        TestFunction::Length(_) | TestFunction::Count(_) => "a function is compared with a whole number".into(),
        TestFunction::Value(_) => "`value` is not governed here: write the path of one member".into(),
        TestFunction::Custom(name, _) => format!("`{name}` is no function of RFC 9535"),
    }
}

fn ask_presence() -> String {
    "a missing member makes it true: ask first whether the member is there, such as `@.a && @.a != 'x'`".into()
}

/// The one member that these segments name.
fn singular(segments: &[Segment]) -> Option<Vec<SingularQuerySegment>> {
    let one = |segment: &Segment| match segment {
        Segment::Selector(Selector::Name(name)) => Some(SingularQuerySegment::Name(name.clone())),
        Segment::Selector(Selector::Index(index)) => Some(SingularQuerySegment::Index(*index)),
        _ => None,
    };
    segments.iter().map(one).collect()
}

fn asks_presence(part: &Filter) -> Option<Vec<SingularQuerySegment>> {
    let Filter::Atom(FilterAtom::Test { expr, not: false }) = part else {
        return None;
    };
    if let Test::RelQuery(segments) = &**expr { singular(segments) } else { None }
}

fn may_be_missing(query: &SingularQuery, present: &[Vec<SingularQuerySegment>]) -> bool {
    match query {
        SingularQuery::Current(segments) => !segments.is_empty() && !present.contains(segments),
        SingularQuery::Root(segments) => !segments.is_empty(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Sign {
    fn of(comparison: &Comparison) -> Self {
        match comparison {
            Comparison::Eq(..) => Self::Equal,
            Comparison::Ne(..) => Self::NotEqual,
            Comparison::Lt(..) => Self::Less,
            Comparison::Lte(..) => Self::LessOrEqual,
            Comparison::Gt(..) => Self::Greater,
            Comparison::Gte(..) => Self::GreaterOrEqual,
        }
    }

    /// The same comparison with its sides changed.
    fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}
