//! Compiles filters to SQL.

use super::{
    attribute,
    dimension::{Column, Level, dimension},
    filter::{Atom, Kind, Node, Test},
    interval::instant,
    metric::{Measure, metric},
    problem::Problem,
    sql::Sql,
    traits::Traits,
};
use rusqlite::types::Value;

/// Through which tables the data is seen, and with which traits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lens {
    pub(super) traits: Traits,
    /// `legs`, or `seen` for the visible world.
    pub(super) legs: &'static str,
    /// Filters are read and forgotten.
    pub(super) blind: bool,
    /// Found evaluations come so many at a time, however many a page were asked for.
    pub(super) short_pages: Option<u64>,
    /// And each page begins with the last row of the page before.
    pub(super) shifted_pages: bool,
    /// Details as a job finds them: whatever overlaps the interval, all at once.
    pub(super) job: bool,
}

impl Lens {
    pub(super) fn whole(traits: Traits) -> Self {
        Self { traits, legs: "legs", blind: false, short_pages: None, shifted_pages: false, job: false }
    }

    /// The world of the marked legs only. Divisions are those of the legs.
    pub(super) fn visible() -> Self {
        Self {
            traits: Traits { division_of_leg: true, ..Traits::default() },
            legs: "seen",
            blind: false,
            short_pages: None,
            shifted_pages: false,
            job: false,
        }
    }

    pub(super) fn is_visible_world(self) -> bool {
        self.legs == "seen"
    }

    /// The condition of an optional filter, on one row of `level`.
    pub(super) fn condition(self, level: Level, filter: Option<&Node>) -> Result<Sql, Problem> {
        let compiled = filter.map_or_else(|| Ok(Sql::always()), |node| self.node(level, node))?;
        Ok(if self.blind { Sql::always() } else { compiled })
    }

    fn node(self, level: Level, node: &Node) -> Result<Sql, Problem> {
        match node {
            Node::Atom(atom) => self.atom(level, atom),
            Node::All(nodes) => {
                Ok(Sql::all(nodes.iter().map(|node| self.node(level, node)).collect::<Result<_, _>>()?))
            }
            Node::Any(nodes) => self.any(level, nodes),
        }
    }

    /// Values of one dimension become one list.
    fn any(self, level: Level, nodes: &[Node]) -> Result<Sql, Problem> {
        let mut lists: Vec<(&str, Vec<String>)> = Vec::new();
        let mut parts = Vec::new();
        for node in nodes {
            match node {
                Node::Atom(Atom { kind: Kind::Dimension, name, test: Test::Equals(value) }) => {
                    match lists.iter_mut().find(|(listed, _)| listed == name) {
                        Some((_, values)) => values.push(value.clone()),
                        None => lists.push((name, vec![value.clone()])),
                    }
                }
                other => parts.push(self.node(level, other)?),
            }
        }
        for (name, values) in lists {
            parts.push(self.one_of(level, column(level, name)?, &values)?);
        }
        Ok(Sql::any(parts))
    }

    fn atom(self, level: Level, atom: &Atom) -> Result<Sql, Problem> {
        match atom.kind {
            Kind::Property => Ok(Sql::never()),
            Kind::Metric => self.metric(level, atom),
            Kind::Attribute => attribute::test(&atom.name, &atom.test),
            Kind::Dimension => {
                let column = column(level, &atom.name)?;
                match &atom.test {
                    Test::Equals(value) => self.one_of(level, column, std::slice::from_ref(value)),
                    Test::Exists => Ok(self.exists(level, column)),
                    Test::NotExists => Ok(self.exists(level, column).around("NOT (", ")")),
                    range @ Test::Range { .. } => match column {
                        Column::Number(expression) | Column::Instant(expression) => Ok(in_range(expression, range)),
                        _ => Err(Problem::constraint(format!("`{}` takes no range", atom.name))),
                    },
                }
            }
        }
    }

    pub(super) fn one_of(self, level: Level, column: Column, values: &[String]) -> Result<Sql, Problem> {
        Ok(match column {
            Column::Empty => Sql::never(),
            Column::Text(expression) => Sql::one_of(expression, values),
            Column::Enum(expression) => {
                let lower: Vec<_> = values.iter().map(|value| value.to_ascii_lowercase()).collect();
                Sql::one_of(&format!("lower({expression})"), &lower)
            }
            Column::Division | Column::CaseDivision => {
                let (before, expression, after) = self.division(level, column);
                Sql::one_of(expression, values).around(before, after)
            }
            Column::Instant(expression) => {
                let instants = values.iter().map(|text| instant(text).ok_or_else(|| Problem::date(text)));
                let equal = |at| Sql::with(format!("{expression} = ?"), vec![Value::Integer(at)]);
                Sql::any(instants.map(|at| at.map(equal)).collect::<Result<_, _>>()?)
            }
            Column::Number(expression) => {
                let number =
                    |text: &String| text.parse::<f64>().map_err(|_| Problem::value(format!("`{text}` is no number")));
                let equal = |value| Sql::with(format!("{expression} = ?"), vec![Value::Real(value)]);
                Sql::any(values.iter().map(|text| number(text).map(equal)).collect::<Result<_, _>>()?)
            }
        })
    }

    pub(super) fn exists(self, level: Level, column: Column) -> Sql {
        match column {
            Column::Empty => Sql::never(),
            Column::Text(expression)
            | Column::Enum(expression)
            | Column::Instant(expression)
            | Column::Number(expression) => Sql::text(format!("{expression} IS NOT NULL")),
            Column::Division | Column::CaseDivision => {
                let (before, expression, after) = self.division(level, column);
                Sql::text(format!("{expression} IS NOT NULL")).around(before, after)
            }
        }
    }

    /// What stands before, at and after a division's value.
    fn division(self, level: Level, column: Column) -> (&'static str, &'static str, &'static str) {
        match level {
            _ if column == Column::CaseDivision && self.traits.division_of_case => ("(", "k.division", ")"),
            _ if column == Column::CaseDivision => {
                ("EXISTS (SELECT 1 FROM tags d WHERE d.conversation = l.conversation AND ", "d.division", ")")
            }
            Level::Conversation if self.is_visible_world() => {
                ("EXISTS (SELECT 1 FROM seen d WHERE d.conversation = c.n AND ", "d.division", ")")
            }
            Level::Conversation => ("EXISTS (SELECT 1 FROM tags d WHERE d.conversation = c.n AND ", "d.division", ")"),
            _ if self.traits.division_of_leg => ("(", "l.division", ")"),
            _ => ("EXISTS (SELECT 1 FROM tags d WHERE d.conversation = l.conversation AND ", "d.division", ")"),
        }
    }

    /// Metrics of a whole conversation count all of its legs; those of a segment are its own.
    fn metric(self, level: Level, atom: &Atom) -> Result<Sql, Problem> {
        let unknown = || Problem::value(format!("`{}` is no metric here", atom.name));
        let table = self.legs;
        let expression = match (level, atom.name.as_str()) {
            (Level::Conversation, "tconversationduration") => "(c.end - c.start)".to_owned(),
            (Level::Segment, "tsegmentduration") => "(l.end - l.start)".to_owned(),
            (Level::Conversation, name) => match metric(name).ok_or_else(unknown)?.measure {
                Measure::Count(column) | Measure::Time(column) => {
                    format!("(SELECT sum({column}) FROM {table} l WHERE l.conversation = c.n)")
                }
                Measure::Conversations => "1".to_owned(),
                Measure::Empty => return Ok(Sql::never()),
            },
            (Level::Evaluation, "ototalscore") => "e.score".to_owned(),
            (Level::Survey, "osurveytotalscore") => "s.score".to_owned(),
            _ => return Err(unknown()),
        };
        Ok(match &atom.test {
            Test::Exists => Sql::text(format!("{expression} IS NOT NULL")),
            Test::NotExists => Sql::text(format!("{expression} IS NULL")),
            Test::Equals(text) => {
                let value = text.parse::<f64>().map_err(|_| Problem::value(format!("`{text}` is no number")))?;
                Sql::with(format!("{expression} = ?"), vec![Value::Real(value)])
            }
            range @ Test::Range { .. } => in_range(&expression, range),
        })
    }
}

fn column(level: Level, name: &str) -> Result<Column, Problem> {
    let found = dimension(level, name).map(|(_, column)| column);
    found.ok_or_else(|| Problem::value(format!("`{name}` is no dimension here")))
}

fn in_range(expression: &str, range: &Test) -> Sql {
    let Test::Range { gt, gte, lt, lte } = range else {
        return Sql::never();
    };
    let bounds = [(gt, ">"), (gte, ">="), (lt, "<"), (lte, "<=")];
    let bound = |(value, sign): (&Option<f64>, &str)| {
        value.map(|value| Sql::with(format!("{expression} {sign} ?"), vec![Value::Real(value)]))
    };
    Sql::all(bounds.into_iter().filter_map(bound).collect())
}
