//! Rows that show whose they are by keys: groups of an aggregate, entities of a list.

use super::{
    GuardPlan,
    sight::{self, Leg},
};
use crate::{
    model::{
        answer::Shape,
        body::{Access, Dimension, ObjectOrd},
        contract::Data,
        org::{DivisionIx, QueueIx, QueueState, UserIx},
    },
    policy::{masks, outsourcers},
    query::json::Value,
};
use std::collections::{BTreeMap, BTreeSet};

/// What stands in a group for one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said<'a> {
    Nothing,
    Id(&'a str),
    /// A list, a number, or two keys that differ: nobody's.
    Odd,
}

/// What a group's key says about one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key<T> {
    /// The answer is not grouped by it.
    Whole,
    /// Grouped by it, and this group has none.
    Missing,
    Is(T),
    Stranger,
}

/// Whether groups may be told apart by this key: one that was asked for (a group under another may be anybody's), and by
/// what the operation lets the asker group by, or where it lists nothing by what its filters know. What carries access is
/// a key that is judged.
pub(super) fn may_tell_apart(plan: &GuardPlan, key: &str) -> bool {
    let contract = &plan.operation.contract;
    let Some(model) = &contract.body else {
        return false;
    };
    let (bpo, mut listed) = (plan.org.is_bpo(plan.scope.holder), contract.words.iter().filter(|words| words.groups));
    let source = plan.operation.answer.source.as_deref().unwrap_or_default();
    let judged = || {
        let mut inside = plan.operation.answer.keys.iter().filter_map(|known| known.at.strip_prefix(source));
        inside.any(|at| matches!(at, [name] if **name == *key))
    };
    let asked = plan.columns.as_ref().is_none_or(|columns| columns.iter().any(|column| **column == *key));
    let mut kinds = model.dimensions(key).peekable();
    (asked || judged())
        && kinds.peek().is_some()
        && listed.all(|words| words.allows(key, bpo))
        && kinds.all(|kind| match kind {
            Dimension::Hidden => false,
            Dimension::Access(_) => judged(),
            Dimension::Plain | Dimension::Masked => !masks::hides(&plan.org, &plan.scope, contract, key, kind),
        })
}

/// How many keys are remembered; models know fewer.
const KEYS: usize = 256;

/// The keys of the groups of one answer, each judged once.
#[derive(Debug, Default)]
pub(super) struct Keys(BTreeMap<Box<str>, bool>);

impl Keys {
    fn may_pass(&mut self, plan: &GuardPlan, key: &str) -> bool {
        if let Some(known) = self.0.get(key) {
            return *known;
        }
        let passes = may_tell_apart(plan, key);
        // An upstream that makes up names without end shall not fill the memory with them.
        if self.0.len() < KEYS {
            self.0.insert(key.into(), passes);
        }
        passes
    }
}

/// A group stays when some visible leg may stand in it, and nothing splits it that the asker may not group by.
pub(super) fn group(plan: &GuardPlan, mut row: Value, keys: &mut Keys) -> Option<Value> {
    if plan.operation.answer.shape == Shape::Rows {
        keep_numbers(&mut row);
    }
    let group = row.get("group");
    if let Some(group) = group {
        let is_plain = |value: &Value| !matches!(value, Value::Object(_) | Value::Array(_));
        if !group.as_object()?.iter().all(|(key, value)| is_plain(value) && keys.may_pass(plan, key)) {
            return None;
        }
    }
    let find = |access: Access| (plan.grouped.contains(&access), said(plan, group, access));
    let org = &plan.org;
    let queue: Key<QueueIx> = key(find(Access::Queue), |id| org.index.queues.get(id).copied());
    let queue = bound(plan, group, queue);
    let user: Key<UserIx> = key(find(Access::User), |id| org.index.users.get(id).copied());
    let division: Key<DivisionIx> = key(find(Access::Division), |id| org.index.divisions.get(id).copied());
    let region_fits = match find(Access::Region).1 {
        Said::Nothing => true,
        Said::Id(id) => *org.region(plan.scope.region).id == *id,
        Said::Odd => false,
    };
    let object = plan.operation.contract.data.object().map_or(Key::Whole, |kind| {
        key(find(Access::Object(kind)), |id| plan.extent.objects.contains_key(id).then_some(()))
    });
    let object_fits = matches!(object, Key::Whole | Key::Is(()));
    (region_fits && object_fits && is_possible(plan, queue, user, division)).then_some(row)
}

/// A bucket stays when some visible leg may stand in it: each value that leads to it, with its field.
pub(super) fn is_bucket(plan: &GuardPlan, values: &[(&str, Access, &Value)]) -> bool {
    let org = &plan.org;
    let (mut queue, mut user, mut division) = (Key::Whole, Key::Whole, Key::Whole);
    for (field, access, value) in values {
        let id = value.as_str();
        let found = |ix: Option<QueueIx>| ix.map_or(Key::Stranger, Key::Is);
        match access {
            Access::Queue => queue = queue.and(found(id.and_then(|id| org.index.queues.get(id).copied()))),
            Access::Attribute => {
                let attribute = plan.operation.body().and_then(|body| body.attribute(field));
                queue = queue.and(found(attribute.zip(id).and_then(|(name, id)| org.bound_queue(name, id))));
            }
            Access::User => {
                user = user.and(id.and_then(|id| org.index.users.get(id).copied()).map_or(Key::Stranger, Key::Is));
            }
            Access::Division => {
                let known = id.and_then(|id| org.index.divisions.get(id).copied());
                division = division.and(known.map_or(Key::Stranger, Key::Is));
            }
            Access::Region if id == Some(&*org.region(plan.scope.region).id) => {}
            Access::Region
            | Access::Conversation
            | Access::Group
            | Access::Object(_)
            | Access::Job
            | Access::Unowned => return false,
        }
    }
    is_possible(plan, queue, user, division)
}

impl<T: Copy + PartialEq> Key<T> {
    /// A document has one value: two that differ are nobody's.
    fn and(self, other: Self) -> Self {
        match self {
            Self::Whole => other,
            same if same == other => same,
            _ => Self::Stranger,
        }
    }
}

/// What the keys of a row say of one kind of owner. Several may hold one thing (`agentId` and `userId`): all that stand
/// there must say the same.
pub(super) fn said<'v>(plan: &GuardPlan, holder: Option<&'v Value>, access: Access) -> Said<'v> {
    let keys = plan.operation.answer.keys.iter().filter(|key| key.access == access);
    let mut values = keys.filter_map(|key| holder?.at(&key.at)).filter(|value| !value.is_null());
    match values.next() {
        None => Said::Nothing,
        Some(first) if values.any(|other| other != first) => Said::Odd,
        Some(first) => first.as_str().map_or(Said::Odd, Said::Id),
    }
}

/// Whose each row of one owner is.
pub(super) fn owner(plan: &GuardPlan) -> Access {
    let names = |access: Access| plan.operation.answer.keys.iter().any(|key| key.access == access);
    match plan.operation.contract.data {
        Data::User if names(Access::Group) && !names(Access::User) => Access::Group,
        Data::User => Access::User,
        Data::Division => Access::Division,
        Data::Team => Access::Object(ObjectOrd::Team),
        Data::Queue | Data::Interaction | Data::Flow | Data::Case | Data::Metadata => Access::Queue,
    }
}

/// A row of one owner stays when it names him, and he is one of the scope. One that names nobody is nobody's.
pub(super) fn owned(plan: &GuardPlan, mut row: Value) -> Option<Value> {
    let owner = owner(plan);
    if owner == Access::Group {
        let group = id(said(plan, Some(&row), owner)).and_then(|id| plan.org.index.groups.get(id));
        return group.filter(|group| plan.extent.shows_group(&plan.org, **group)).map(|_| row);
    }
    if let Access::Object(_) = owner {
        let object = id(said(plan, Some(&row), owner));
        return object.is_some_and(|object| is_placed(plan, &row, object)).then_some(row);
    }
    let find = |access: Access| {
        let is_key = access == owner || plan.operation.answer.keys.iter().any(|key| key.access == access);
        (is_key, said(plan, Some(&row), access))
    };
    let org = &plan.org;
    let queue: Key<QueueIx> = key(find(Access::Queue), |id| org.index.queues.get(id).copied());
    let user: Key<UserIx> = key(find(Access::User), |id| org.index.users.get(id).copied());
    let division: Key<DivisionIx> = key(find(Access::Division), |id| org.index.divisions.get(id).copied());
    if !is_possible(plan, queue, user, division) {
        return None;
    }
    let leg = Leg { queue: id(find(Access::Queue).1), user: id(find(Access::User).1), ..Leg::default() };
    let lifted = sight::look(plan, &leg).map(|seen| seen.lifted).unwrap_or_default();
    super::fields::mask(plan, &mut row, &lifted);
    Some(row)
}

/// Whether an object is one of the scope, and of no other division than the directory says.
fn is_placed(plan: &GuardPlan, row: &Value, object: &str) -> bool {
    let Some(division) = plan.extent.objects.get(object) else { return false };
    match said(plan, Some(row), Access::Division) {
        Said::Nothing => true,
        Said::Id(id) => plan.org.index.divisions.get(id) == Some(division),
        Said::Odd => false,
    }
}

fn id(said: Said<'_>) -> Option<&str> {
    if let Said::Id(id) = said { Some(id) } else { None }
}

/// Values that stand for queues name the queue, beside an id or alone; all that stand there must say the same one.
fn bound(plan: &GuardPlan, group: Option<&Value>, mut queue: Key<QueueIx>) -> Key<QueueIx> {
    let bound = |name: &str, value: &Value| {
        let attribute = plan.operation.body()?.attribute(name)?;
        plan.org.bound_queue(attribute, value.as_str()?)
    };
    for key in plan.operation.answer.keys.iter().filter(|key| key.access == Access::Attribute) {
        let [name] = &*key.at else { return Key::Stranger };
        let Some(value) = group.and_then(|group| group.at(&key.at)).filter(|value| !value.is_null()) else { continue };
        queue = match (bound(name, value), queue) {
            (Some(here), Key::Whole | Key::Missing) => Key::Is(here),
            (Some(here), Key::Is(known)) if here == known => queue,
            _ => return Key::Stranger,
        };
    }
    queue
}

/// An outsourcer's row of a report that is about the organisation's own people; in a list of queues, one that is no more.
pub(super) fn is_left_out(plan: &GuardPlan, row: &Value) -> bool {
    is_dead(plan, row) || is_of_an_outsourcer(plan, row)
}

/// No list shows a queue that was archived or deleted, unless the rule counts these.
fn is_dead(plan: &GuardPlan, row: &Value) -> bool {
    let lists = plan.operation.scan.is_some() && plan.operation.contract.data == Data::Queue;
    let queue = id(said(plan, Some(row), Access::Queue)).and_then(|id| plan.org.index.queues.get(id));
    lists && !plan.operation.archived && queue.is_some_and(|ix| plan.org.queue(*ix).state != QueueState::Active)
}

fn is_of_an_outsourcer(plan: &GuardPlan, row: &Value) -> bool {
    let own = matches!(plan.operation.answer.shape, Shape::Entities | Shape::Owned | Shape::Documents);
    let inside = if own { Some(row) } else { row.get("group") };
    plan.operation
        .answer
        .keys
        .iter()
        .filter(|key| key.access == Access::User)
        .filter_map(|key| inside?.at(&key.at)?.as_str())
        .any(|user| outsourcers::leaves_out(&plan.org, &plan.operation, user))
}

/// What is counted and summed is a number; anything else in its place could name somebody.
fn keep_numbers(row: &mut Value) {
    if let Some(Value::Object(values)) = row.at_mut(&["values"]) {
        values.retain(|(_, value)| matches!(value, Value::Number(_) | Value::Null));
    }
}

fn key<T>((grouped, said): (bool, Said<'_>), find: impl Fn(&str) -> Option<T>) -> Key<T> {
    match (grouped, said) {
        (_, Said::Id(id)) => find(id).map_or(Key::Stranger, Key::Is),
        (_, Said::Odd) => Key::Stranger,
        (true, Said::Nothing) => Key::Missing,
        (false, Said::Nothing) => Key::Whole,
    }
}

fn is_possible(plan: &GuardPlan, queue: Key<QueueIx>, user: Key<UserIx>, division: Key<DivisionIx>) -> bool {
    let extent = &plan.extent;
    let division_fits = match division {
        Key::Whole => true,
        Key::Is(division) => plan.divisions.contains(&division),
        Key::Missing | Key::Stranger => false,
    };
    if !division_fits {
        return false;
    }
    match plan.operation.contract.data {
        Data::User | Data::Team => {
            return match user {
                Key::Whole => true,
                Key::Is(user) => extent.lone.contains(&user),
                Key::Missing | Key::Stranger => false,
            };
        }
        // whose queue or whose work it was is nothing that such a row may say
        Data::Flow | Data::Case => return queue == Key::Whole && user == Key::Whole,
        Data::Division => return matches!(division, Key::Is(_)),
        Data::Interaction | Data::Queue | Data::Metadata => {}
    }
    let among = |set: &crate::model::set::Set<QueueIx>| match queue {
        Key::Whole => !set.is_empty(),
        Key::Is(queue) => set.contains(&queue),
        Key::Missing | Key::Stranger => false,
    };
    let by = |set: &crate::model::set::Set<UserIx>| match user {
        Key::Whole => !set.is_empty(),
        Key::Is(user) => set.contains(&user),
        Key::Missing | Key::Stranger => false,
    };
    among(&extent.all)
        || extent.boxes.iter().any(|(queues, users)| among(queues) && by(users))
        || (matches!(queue, Key::Whole | Key::Missing) && by(&extent.lone))
}

/// Whether the owner of a row is one of the scope by the directory, whatever else the row says of him.
pub(super) fn is_named(plan: &GuardPlan, row: &Value) -> bool {
    let user = id(said(plan, Some(row), Access::User)).and_then(|id| plan.org.index.users.get(id));
    owner(plan) == Access::User && user.is_some_and(|user| plan.extent.lone.contains(user))
}

/// An entity stays when it was asked for by id, once, and its division is one of the scope.
pub(super) fn entity(plan: &GuardPlan, row: Value, seen: &mut BTreeSet<String>) -> Option<Value> {
    let (named_by, mut lifted) = (plan.named_by(), None);
    for key in &plan.operation.answer.keys {
        let value = match row.at(&key.at) {
            None | Some(Value::Null) => None,
            // A list or a number where an id is due is nobody's.
            Some(value) => Some(value.as_str()?),
        };
        if Some(key.access) == named_by && lifted.is_none() {
            let id = value?;
            if !plan.ids.contains(id) || !seen.insert(id.to_owned()) {
                return None;
            }
            if matches!(key.access, Access::Object(_)) && !is_placed(plan, &row, id) {
                return None;
            }
            let leg = match key.access {
                Access::Queue => Leg { queue: Some(id), ..Leg::default() },
                Access::User => Leg { user: Some(id), ..Leg::default() },
                _ => Leg::default(),
            };
            lifted = Some(sight::look(plan, &leg).map(|seen| seen.lifted).unwrap_or_default());
        } else if key.access == Access::Division
            && !matches!(named_by, Some(Access::Object(_)))
            && let Some(id) = value
        {
            let division = plan.org.index.divisions.get(id)?;
            if !plan.divisions.contains(division) {
                return None;
            }
        }
    }
    let (lifted, mut row) = (lifted?, row);
    super::fields::mask(plan, &mut row, &lifted);
    Some(row)
}
