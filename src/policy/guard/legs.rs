//! Rows that show their legs: foreign legs are cut or stay without their owner, parts that belong to nobody follow masked, and
//! an interaction without a visible leg does not exist.

use super::{
    GuardPlan, foreign,
    sight::{self, Leg},
};
use crate::{
    model::{
        answer::{LegPath, Up},
        body::Access,
        org::DivisionIx,
    },
    query::json::Value,
};
use std::collections::BTreeSet;

/// The row without what is not the asker's; `None` when nothing of it is.
pub(super) fn judge(plan: &GuardPlan, row: &Value) -> Option<Value> {
    let path = plan.operation.answer.leg.as_ref()?;
    row.as_object()?;
    let conversation = id(plan, row).map(str::to_owned);
    let mut cutter = Cutter { shows: true, ..Cutter::new(plan, path, conversation.as_deref()) };
    let cut = cutter.element(row, 0, &mut Vec::new())?;
    cut.lifted.as_ref()?;
    let divisions = cutter.divisions;
    let mut row = cut.value;
    if let Some(at) = key(plan, Access::Division) {
        keep_divisions(plan, &mut row, at, &divisions);
    }
    Some(row)
}

fn key(plan: &GuardPlan, access: Access) -> Option<&[Box<str>]> {
    plan.operation.answer.keys.iter().find(|key| key.access == access).map(|key| &*key.at)
}

/// The id of an interaction.
pub(super) fn id<'v>(plan: &GuardPlan, row: &'v Value) -> Option<&'v str> {
    key(plan, Access::Conversation).and_then(|at| row.at(at)).and_then(Value::as_str)
}

/// Whether the interaction was asked for by its id, and came once, where ids were asked for.
pub(super) fn is_asked(plan: &GuardPlan, row: &Value, seen: &mut BTreeSet<String>) -> bool {
    let id = id(plan, row);
    plan.ids.is_empty() || id.is_some_and(|id| plan.ids.contains(id) && seen.insert(id.to_owned()))
}

/// Whether an interaction without a visible leg could lawfully be in an answer. What is sent asks for a visible leg; only
/// ids, and a window that no filter can say, bring others.
pub(super) fn is_explained(plan: &GuardPlan, row: &Value) -> bool {
    let in_another_time = || plan.windowless.as_ref().is_some_and(|wider| judge(wider, row).is_some());
    matches!(row, Value::Object(_)) && (!plan.ids.is_empty() || in_another_time())
}

/// Tags of divisions in which the asker sees no leg would speak of hidden legs.
fn keep_divisions(plan: &GuardPlan, row: &mut Value, at: &[Box<str>], divisions: &BTreeSet<DivisionIx>) {
    if let Some(Value::Array(tags)) = row.at_mut(at) {
        tags.retain(|tag| {
            tag.as_str()
                .and_then(|id| plan.org.index.divisions.get(id))
                .is_some_and(|division| divisions.contains(division))
        });
    }
}

/// A leg as the answer shows it; `None` when it has an owner and does not say which.
pub(super) fn read<'v>(
    path: &LegPath,
    conversation: Option<&'v str>,
    element: &'v Value,
    above: &[&'v Value],
) -> Option<Leg<'v>> {
    let at = |up: &Up| -> Option<&'v Value> {
        let holder = if up.up == 0 { element } else { above.get(above.len().checked_sub(up.up)?)? };
        named(holder, &up.at)
    };
    // A list or a number where an id is due says that it has an owner, and not which: nobody's.
    if [&path.queue, &path.user].into_iter().flatten().filter_map(at).any(|value| value.as_str().is_none()) {
        return None;
    }
    let find = |up: &Up| at(up).and_then(Value::as_str);
    Some(Leg {
        conversation,
        queue: path.queue.as_ref().and_then(find),
        user: path.user.as_ref().and_then(find),
        start: find(&path.start).and_then(|text| text.parse().ok()),
        end: find(&path.end).and_then(|text| text.parse().ok()),
    })
}

/// What stands at a path; where an object on the way does not go on, something that is no id. `None`: nothing says anything.
fn named<'v>(holder: &'v Value, at: &[Box<str>]) -> Option<&'v Value> {
    let (first, rest) = at.split_first()?;
    let first = holder.get(first).filter(|value| !value.is_null())?;
    Some(first.at(rest).unwrap_or(&Value::Null))
}

/// What is seen of an element some of which is somebody's and visible.
pub(super) struct Sees {
    /// Nothing below it was taken out.
    pub whole: bool,
}

pub(super) struct Cutter<'a> {
    plan: &'a GuardPlan,
    path: &'a LegPath,
    conversation: Option<&'a str>,
    divisions: BTreeSet<DivisionIx>,
    /// For an answer: what is not visible may stay without its owner. Who only looks sees what is visible and nothing else.
    shows: bool,
}

/// An element that stays.
struct Cut<'p> {
    value: Value,
    /// Something below it was taken out.
    lost: bool,
    /// Mask classes lifted for every visible leg below it; `None`: no leg below it belongs to anybody.
    lifted: Option<BTreeSet<&'p str>>,
}

impl<'p> Cut<'p> {
    /// Fields of an element stand for all the legs below it: a mask is lifted where it is for each of them.
    fn new(plan: &GuardPlan, mut value: Value, lost: bool, lifted: Option<BTreeSet<&'p str>>) -> Self {
        super::fields::mask(plan, &mut value, lifted.as_ref().unwrap_or(&BTreeSet::new()));
        Self { value, lost, lifted }
    }
}

fn in_both<'p>(all: Option<BTreeSet<&'p str>>, more: Option<BTreeSet<&'p str>>) -> Option<BTreeSet<&'p str>> {
    match (all, more) {
        (Some(all), Some(more)) => Some(&all & &more),
        (all, more) => all.or(more),
    }
}

impl<'p> Cutter<'p> {
    pub(super) fn new(plan: &'p GuardPlan, path: &'p LegPath, conversation: Option<&'p str>) -> Self {
        Self { plan, path, conversation, divisions: BTreeSet::new(), shows: false }
    }

    /// `None` when no leg below the element is somebody's and visible.
    pub(super) fn sees<'v>(&mut self, element: &'v Value, level: usize, above: &mut Vec<&'v Value>) -> Option<Sees> {
        let cut = self.element(element, level, above)?;
        cut.lifted.is_some().then_some(Sees { whole: !cut.lost })
    }

    /// Whether no leg below the element is anybody's.
    pub(super) fn is_nobodys<'v>(&mut self, element: &'v Value, level: usize, above: &mut Vec<&'v Value>) -> bool {
        self.element(element, level, above).is_some_and(|cut| cut.lifted.is_none() && !cut.lost)
    }

    /// Judges an element at a level; `above` holds the objects around it, outermost first.
    fn element<'v>(&mut self, element: &'v Value, level: usize, above: &mut Vec<&'v Value>) -> Option<Cut<'p>> {
        let Value::Object(members) = element else {
            return None;
        };
        let Some(array) = self.path.arrays.get(level) else {
            return self.leg(element, above);
        };
        let mut out = Vec::with_capacity(members.len());
        let (mut below, mut kept, mut lost, mut lifted) = (0usize, 0usize, false, None);
        above.push(element);
        for (name, value) in members {
            match value {
                Value::Array(items) if name == array => {
                    below = items.len();
                    let mut stays = Vec::with_capacity(items.len());
                    for item in items {
                        if let Some(part) = self.element(item, level + 1, above) {
                            lost |= part.lost;
                            lifted = in_both(lifted, part.lifted);
                            kept += 1;
                            stays.push(part.value);
                        } else {
                            lost = true;
                            stays.extend(self.shadow(item, level + 1, above));
                        }
                    }
                    out.push((name.clone(), Value::Array(stays)));
                }
                _ if name == array => {}
                value => out.push((name.clone(), value.clone())),
            }
        }
        above.pop();
        // Without a visible leg below it, whoever an element names is somebody else.
        let foreign = lifted.is_none() && self.names_owner(element, level);
        if level > 0 && (foreign || kept == 0 && below > 0) {
            return None;
        }
        if lost {
            // Sums over legs would count the hidden ones.
            out.retain(|(name, _)| **name != *"metrics");
        }
        Some(Cut::new(self.plan, Value::Object(out), lost, lifted))
    }

    /// What is not visible, without its owner. Below somebody who is named it would be his, so there it is cut.
    fn shadow(&self, element: &Value, level: usize, above: &[&Value]) -> Option<Value> {
        let is_somebodys = || above.iter().enumerate().any(|(level, holder)| self.names_owner(holder, level));
        (self.shows && !is_somebodys()).then(|| foreign::shadow(self.plan, self.path, element, level))?
    }

    fn leg(&mut self, element: &Value, above: &[&Value]) -> Option<Cut<'p>> {
        let leg = read(self.path, self.conversation, element, above)?;
        let mut lifted = None;
        if !leg.is_unowned() {
            let seen = sight::look(self.plan, &leg)?;
            self.divisions.insert(seen.division);
            lifted = Some(seen.lifted);
        }
        Some(Cut::new(self.plan, element.clone(), false, lifted))
    }

    /// Whether the element itself says whose it is (a participant with an agent).
    fn names_owner(&self, element: &Value, level: usize) -> bool {
        let height = self.path.arrays.len() - level;
        [&self.path.queue, &self.path.user]
            .into_iter()
            .flatten()
            .any(|up| up.up == height && named(element, &up.at).is_some())
    }
}
