//! One door to the dialects: whoever narrows a question says what is meant, and the dialect of its body says how.

use super::{
    criteria,
    filter::{Atom, Filter},
    genesys,
    json::Value,
    marks, opensearch, platform,
    reading::{ReadError, Reading},
};
use crate::model::body::{Access, Dialect};

pub(super) fn read(reading: &Reading<'_>, value: &Value) -> Result<Filter, ReadError> {
    match reading.dialect {
        Dialect::Genesys => genesys::read(reading, value),
        Dialect::Platform => platform::read(reading, value),
        Dialect::OpenSearch => opensearch::read(reading, value),
        Dialect::Criteria => criteria::read(reading, value),
        Dialect::Marks => marks::read(reading, value),
    }
}

/// Writes a canonical filter that [`fits`].
pub fn write(dialect: Dialect, filter: &Filter, out: &mut Vec<u8>) {
    match dialect {
        Dialect::Genesys => genesys::write(filter, out),
        Dialect::Platform => platform::write(filter, out),
        Dialect::OpenSearch => opensearch::write(filter, out),
        Dialect::Criteria | Dialect::Marks => criteria::write(filter, out),
    }
}

/// Whether a canonical filter can be said at all.
pub fn fits(dialect: Dialect, filter: &Filter) -> bool {
    match dialect {
        Dialect::Genesys => genesys::fits(filter),
        Dialect::Platform => true,
        Dialect::OpenSearch => opensearch::fits(filter),
        Dialect::Criteria | Dialect::Marks => criteria::fits(filter),
    }
}

/// "This dimension is one of these."
pub fn one_of(dialect: Dialect, access: Access, dimension: &str, values: Vec<Box<str>>) -> Filter {
    match dialect {
        Dialect::Genesys => Filter::or(genesys::atoms_in(access, dimension, values.into_iter())).canonical(),
        Dialect::Platform => platform::atom_in(access, dimension, values),
        Dialect::OpenSearch => opensearch::atom_in(access, dimension, values),
        Dialect::Criteria => criteria::atom_in(access, dimension, values),
        Dialect::Marks => marks::atom_in(access, dimension, values),
    }
}

/// "The queue is one of these", by the values that stand for them.
pub fn bound(dialect: Dialect, dimension: &str, bound: Vec<(Box<str>, Box<str>)>) -> Filter {
    match dialect {
        Dialect::Genesys => Filter::or(genesys::atoms_bound(dimension, bound)).canonical(),
        Dialect::Platform => platform::atom_bound(dimension, bound),
        Dialect::OpenSearch => opensearch::atom_bound(dimension, bound),
        // nothing of people or groups stands for a queue, and nothing is what matches then
        Dialect::Criteria | Dialect::Marks => Filter::or(Vec::new()),
    }
}

/// "The leg lacks this dimension."
pub fn missing(dialect: Dialect, access: Access, dimension: &str) -> Filter {
    match dialect {
        Dialect::Genesys => genesys::atom_missing(access, dimension),
        Dialect::Platform => platform::atom_missing(access, dimension),
        Dialect::OpenSearch => opensearch::atom_missing(access, dimension),
        // people and groups have ids
        Dialect::Criteria | Dialect::Marks => Filter::or(Vec::new()),
    }
}

/// The dimension of an atom that compares values.
pub fn dimension_of(dialect: Dialect, atom: &Atom) -> Option<String> {
    match dialect {
        Dialect::Genesys | Dialect::Platform => {
            let rest = atom.text.strip_prefix(r#"{"dimension":""#)?;
            rest.split_once('"').map(|(name, _)| name.to_owned())
        }
        Dialect::OpenSearch => opensearch::dimension_of(atom),
        Dialect::Criteria => criteria::dimension_of(atom),
        Dialect::Marks => marks::dimension_of(atom),
    }
}
