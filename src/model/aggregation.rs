//! Buckets and numbers that a question asks for under names of its own: what a body may say of them, and what it said.

/// What aggregations of a body may speak of. Everything is an allow-list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AggregationModel {
    /// Fields by whose values buckets are made, fields of time among them.
    pub groups: Vec<Box<str>>,
    /// Those of them that hold instants: their buckets are spans of time.
    pub times: Vec<Box<str>>,
    /// Fields that are counted, summed and averaged.
    pub measures: Vec<Box<str>>,
    /// Largest number of names at one level.
    pub max: usize,
}

/// One aggregation that was asked for, under the name that the asker chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregation {
    pub name: Box<str>,
    pub gives: Gives,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gives {
    /// A bucket for each value of this field, or for each span of time in it.
    Buckets { field: Box<str>, spans: bool, inner: Vec<Aggregation> },
    /// A number. Of no document it is zero, or nothing.
    Number { field: Box<str>, zero: bool },
}

impl Aggregation {
    /// The fields by which it makes buckets, from outside in.
    pub fn groups(&self) -> Vec<&str> {
        match &self.gives {
            Gives::Buckets { field, inner, .. } => {
                std::iter::once(&**field).chain(inner.iter().flat_map(Self::groups)).collect()
            }
            Gives::Number { .. } => Vec::new(),
        }
    }

    /// The fields of which it gives numbers, at any depth.
    pub fn measures(&self) -> Vec<&str> {
        match &self.gives {
            Gives::Buckets { inner, .. } => inner.iter().flat_map(Self::measures).collect(),
            Gives::Number { field, .. } => vec![field],
        }
    }
}
