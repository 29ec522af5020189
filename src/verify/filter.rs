//! What a filter says about queue and agent; everything else it says is opaque.

use super::{
    Unproved, criteria, genesys,
    json::Json,
    marks, opensearch, platform,
    scope::{Named, Scope},
    words::Vocabulary,
};
use crate::model::{
    body::{Access, Dialect, Dimension, FilterModel, Level, ObjectOrd},
    contract::Data,
    org::{DivisionIx, GroupIx, QueueIx, UserIx},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Queue(QueueIx),
    User(UserIx),
    /// The row is of this flow or team.
    Object(ObjectOrd, Box<str>),
    /// The row is of this division.
    Division(DivisionIx),
    /// The row is this group.
    Group(GroupIx),
    /// The leg has no queue.
    NoQueue,
    /// Says nothing about whose leg it is.
    Opaque,
}

/// One filter as it was read.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) at: String,
    pub(super) node: Node,
    pub(super) places: Places,
}

/// Where the items of a root stand, for those who read a certificate: so many under each key, in this order.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(Vec<(&'static str, usize)>);

impl Places {
    pub(super) fn then(mut self, key: &'static str, items: usize) -> Self {
        self.0.push((key, items));
        self
    }
}

impl Entry {
    /// Where the item of the root with this number stands.
    pub(super) fn place(&self, item: Option<usize>) -> String {
        let Some(mut item) = item else { return self.at.clone() };
        for (key, items) in &self.places.0 {
            if item < *items {
                return format!("{}.{key}[{item}]", self.at);
            }
            item -= items;
        }
        self.at.clone()
    }
}

/// What reading a filter rests on.
pub(super) struct Reading<'a> {
    pub(super) scope: &'a Scope<'a>,
    pub(super) words: &'a Vocabulary<'a>,
    pub(super) model: &'a FilterModel,
    pub(super) dialect: Dialect,
    /// What the rows of the body are about.
    pub(super) data: Data,
}

/// How a predicate compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    /// The value is one of these.
    OneOf,
    /// The value is none of these: never a proof.
    NoneOf,
    Present,
    Absent,
    /// A range or an order.
    Range,
}

impl Reading<'_> {
    pub(super) fn filter(&self, value: &Json<'_>, at: String) -> Result<Entry, Unproved> {
        let (node, places) = match self.dialect {
            Dialect::Genesys => genesys::read(self, value, &at)?,
            Dialect::Platform => platform::read(self, value, &at, platform::DEEPEST)?,
            Dialect::OpenSearch => opensearch::read(self, value, &at, opensearch::DEEPEST)?,
            Dialect::Criteria => criteria::read(self, value, &at)?,
            Dialect::Marks => marks::read(self, value, &at)?,
        };
        Ok(Entry { at, node, places })
    }

    /// Whether values of this dimension are judged.
    pub(super) fn is_access(&self, name: &str) -> bool {
        matches!(self.model.dimensions.get(name), Some(Dimension::Access(_)))
    }

    /// One predicate on a dimension, each of its values judged.
    pub(super) fn dimension(&self, name: &str, test: Test, values: &[&str], at: &str) -> Result<Node, Unproved> {
        let known =
            self.model.dimensions.get(name).ok_or_else(|| Unproved::at(at, "not a dimension of this filter"))?;
        let access = match known {
            Dimension::Hidden => return Err(Unproved::at(at, "a hidden dimension")),
            Dimension::Plain | Dimension::Masked if self.words.hides(name, *known) => {
                return Err(Unproved::at(at, "a masked dimension"));
            }
            Dimension::Plain | Dimension::Masked => return Ok(Node::Opaque),
            Dimension::Access(access) => *access,
        };
        if let Some(attribute) = self.model.attributes.get(name).filter(|_| access == Access::Attribute) {
            return self.bound(attribute, test, values, at);
        }
        if test == Test::Range {
            return Err(Unproved::at(at, "a range of ids"));
        }
        if self.model.level == Level::Interaction && matches!(access, Access::Queue | Access::User) {
            return Err(Unproved::at(at, "would ask whether the interaction has such a leg, visible or not"));
        }
        if self.data == Data::Flow && access == Access::Division {
            return Err(Unproved::at(
                at,
                "the tags of a run are those of its interaction, whose legs may be anybody's",
            ));
        }
        let mut atoms = Vec::with_capacity(values.len());
        for value in values {
            atoms.push(match self.scope.named(access, value, at)? {
                Named::Queue(queue) => Node::Queue(queue),
                Named::User(user) => Node::User(user),
                Named::Division(division) => Node::Division(division),
                Named::Object(kind) => Node::Object(kind, (*value).into()),
                Named::Group(group) => Node::Group(group),
                Named::Other => Node::Opaque,
            });
        }
        Ok(match test {
            _ if !self.carries(access, name) => Node::Opaque,
            Test::OneOf => Node::Or(atoms),
            Test::Absent if access == Access::Queue => Node::NoQueue,
            _ => Node::Opaque,
        })
    }

    /// A value of an attribute is the one queue that has it, and is judged as that queue. That a leg has none proves
    /// nothing: its queue may have none.
    fn bound(&self, attribute: &str, test: Test, values: &[&str], at: &str) -> Result<Node, Unproved> {
        if test == Test::Range || self.model.level == Level::Interaction {
            return Err(Unproved::at(at, "a test of an attribute that says nothing of one leg"));
        }
        let mut atoms = Vec::with_capacity(values.len());
        for value in values {
            atoms.push(Node::Queue(self.scope.bound(attribute, value, at)?));
        }
        Ok(if test == Test::OneOf { Node::Or(atoms) } else { Node::Opaque })
    }

    /// The names that say whose leg it is: this reader's own list. Other dimensions hold queue or user ids too
    /// (who was asked for, who scored), and prove nothing.
    fn carries(&self, access: Access, name: &str) -> bool {
        match (self.dialect, access) {
            (_, Access::Queue) => name == "queueId",
            (Dialect::Genesys | Dialect::OpenSearch, Access::User) => name == "userId",
            (Dialect::Genesys, Access::Division) => name == "divisionId",
            (Dialect::Genesys, Access::Object(ObjectOrd::Flow)) => name == "flowId",
            (Dialect::Genesys, Access::Object(ObjectOrd::Team)) => name == "teamId",
            (Dialect::Platform, Access::User) => name == "userId" || name == "agentId",
            (Dialect::Criteria, Access::User | Access::Group) => name == "id",
            _ => false,
        }
    }
}

/// The members of an object, none of them but these.
pub(super) fn members<'v, 'a>(
    value: &'v Json<'a>,
    known: &[&str],
    at: &str,
) -> Result<&'v [(std::borrow::Cow<'a, str>, Json<'a>)], Unproved> {
    let Json::Object(members) = value else {
        return Err(Unproved::at(at, "not an object"));
    };
    match members.iter().find(|(key, _)| !known.contains(&&**key)) {
        Some(_) => Err(Unproved::at(at, "an unknown member")),
        None => Ok(members),
    }
}

/// The items of an array that is not empty; a missing one has none.
pub(super) fn items<'v, 'a>(value: &'v Json<'a>, key: &str, at: &str) -> Result<&'v [Json<'a>], Unproved> {
    match value.get(key) {
        None => Ok(&[]),
        Some(Json::Array(items)) => Ok(items),
        Some(_) => Err(Unproved::at(at, format!("`{key}` is not an array"))),
    }
}
