//! Whether a part of an interaction is the asker's: every leg that it speaks of has to be.

use super::{
    GuardPlan, Unguarded, gone,
    legs::{self, Cutter},
    sight::{self, Leg},
    unreadable,
};
use crate::{
    model::{
        answer::LegPath,
        entitlement::Action,
        part::{Element, SeenLeg, Sighting},
        refusal::{Code, Refusal},
    },
    query::{
        Question,
        json::{self, Limits, Value},
    },
};
use std::{collections::BTreeMap, sync::Arc};

impl GuardPlan {
    /// What is seen of the interactions of a question, by its first look.
    pub fn look(&self, question: &Question, unguarded: &Unguarded) -> Result<Arc<[Sighting]>, Refusal> {
        match (&question.operation.part, &question.operation.look) {
            (Some(part), _) => self.see(&part.named, &question.ids, unguarded).map(|seen| [seen].into()),
            (None, Some(look)) => self.see_each(look.part.as_ref(), unguarded),
            (None, None) => Err(unreadable("nothing was to be looked at".to_owned())),
        }
    }

    /// Looks at the interaction of which a part is asked for. `ids` are those of the question's path.
    fn see(&self, named: &[Element], ids: &[(Box<str>, String)], unguarded: &Unguarded) -> Result<Sighting, Refusal> {
        if unguarded.status != 200 {
            return Err(unreadable(format!("status {} is no interaction", unguarded.status)));
        }
        let limits = Limits::answer(self.operation.answer.max_bytes);
        let row = json::parse_object(&unguarded.body, &limits)
            .map_err(|error| unreadable(format!("not the JSON of an interaction: {error}")))?;
        let path = self.operation.answer.leg.as_ref().ok_or_else(|| unreadable("a look without legs".to_owned()))?;
        let id = legs::id(self, &row).filter(|id| self.ids.contains(*id));
        let id = id.ok_or_else(|| gone("what came back is not what was asked for"))?;
        let mut look = Look { path, cutter: Cutter::new(self, path, Some(id)), legs: Vec::new(), foreign: false };
        let whole = look.is_whole(&row, 0, &mut Vec::new());
        // who sees nothing of it learns nothing of it
        let whole = whole.ok_or_else(|| gone("no leg of it is visible"))?;
        let value = |element: &Element| ids.iter().find(|(name, _)| *name == element.param).map(|(_, id)| id.as_str());
        let wanted: Option<Vec<(&Element, &str)>> = named.iter().map(|one| Some((one, value(one)?))).collect();
        let wanted = wanted.ok_or_else(|| unreadable("the path does not name what the rule does".to_owned()))?;
        if wanted.is_empty() {
            if !whole {
                return Err(mixed());
            }
            look.collect(&row, 0, &mut Vec::new());
        } else {
            let found = look.find(&row, 0, &wanted, whole, &mut Vec::new())?;
            if found == 0 {
                return Err(gone("nothing of that id is visible in the interaction"));
            }
            // one id at several places is one part of the interaction
            if look.foreign {
                return Err(mixed());
            }
        }
        if look.legs.is_empty() {
            return Err(gone("no leg of it is visible"));
        }
        let named = wanted.iter().map(|(_, id)| (*id).into()).collect();
        Ok(Sighting { interaction: id.into(), named, legs: look.legs })
    }
}

impl GuardPlan {
    /// Actions that may be done with every leg that was seen.
    pub(super) fn opened_by(&self, seen: &[Sighting]) -> Vec<Action> {
        let open = self.scope.openings.iter().filter(|opening| {
            let covered = |seen: &Sighting, one: &SeenLeg| {
                let conversation = Some(&*seen.interaction);
                let (queue, user) = (one.queue.as_deref(), one.user.as_deref());
                let leg = Leg { conversation, queue, user, start: one.start, end: one.end };
                sight::opens(self, opening.action, &opening.entitlements, &leg)
            };
            let whole = |seen: &Sighting| !seen.legs.is_empty() && seen.legs.iter().all(|leg| covered(seen, leg));
            !seen.is_empty() && seen.iter().all(whole)
        });
        open.map(|opening| opening.action).collect()
    }
}

pub(super) struct Look<'a> {
    pub(super) path: &'a LegPath,
    pub(super) cutter: Cutter<'a>,
    pub(super) legs: Vec<SeenLeg>,
    /// An element that was looked for is somebody else's.
    pub(super) foreign: bool,
}

impl<'a> Look<'a> {
    /// Whether all of an element is visible; `None` when nothing of it is.
    pub(super) fn is_whole(&mut self, element: &'a Value, level: usize, above: &mut Vec<&'a Value>) -> Option<bool> {
        let seen = self.cutter.sees(element, level, above)?;
        Some(seen.whole)
    }

    /// Walks down to the elements that are `wanted`, and collects their legs. `whole`: the interaction is visible to its end.
    fn find(
        &mut self,
        element: &'a Value,
        level: usize,
        wanted: &[(&Element, &str)],
        whole: bool,
        above: &mut Vec<&'a Value>,
    ) -> Result<usize, Refusal> {
        let Some(array) = self.path.arrays.get(level) else { return Ok(0) };
        let Some(Value::Array(items)) = element.get(array) else { return Ok(0) };
        let mut found = 0;
        above.push(element);
        for item in items {
            let (here, rest) = match wanted.split_first() {
                Some(((element, id), rest)) if element.array == level => {
                    if item.get(&element.field).and_then(Value::as_str) != Some(*id) {
                        continue;
                    }
                    (true, rest)
                }
                _ => (false, wanted),
            };
            if here && rest.is_empty() {
                found += self.take(item, level + 1, whole, above)?;
            } else {
                found += self.find(item, level + 1, rest, whole, above)?;
            }
        }
        above.pop();
        Ok(found)
    }

    /// One element that the part is of. What belongs to nobody, such as the customer's side, speaks of the whole interaction.
    fn take(
        &mut self,
        item: &'a Value,
        level: usize,
        whole: bool,
        above: &mut Vec<&'a Value>,
    ) -> Result<usize, Refusal> {
        match self.is_whole(item, level, above) {
            Some(true) => self.collect(item, level, above),
            Some(false) => return Err(mixed()),
            None if self.cutter.is_nobodys(item, level, above) => {
                if !whole {
                    return Err(mixed());
                }
                if let Some(root) = above.first().copied() {
                    self.collect(root, 0, &mut Vec::new());
                }
            }
            // somebody else's is not there
            None => {
                self.foreign = true;
                return Ok(0);
            }
        }
        Ok(1)
    }

    /// Every leg below an element that has an owner.
    pub(super) fn collect(&mut self, element: &'a Value, level: usize, above: &mut Vec<&'a Value>) {
        let Some(array) = self.path.arrays.get(level) else {
            let conversation = None;
            let leg = legs::read(self.path, conversation, element, above).filter(|leg| !leg.is_unowned());
            self.legs.extend(leg.map(|leg| SeenLeg {
                queue: leg.queue.map(Into::into),
                user: leg.user.map(Into::into),
                start: leg.start,
                end: leg.end,
            }));
            return;
        };
        let Some(Value::Array(items)) = element.get(array) else { return };
        above.push(element);
        for item in items {
            self.collect(item, level + 1, above);
        }
        above.pop();
    }
}

/// Some of it is the asker's, and some is not.
pub(super) fn mixed() -> Refusal {
    Refusal::new(
        Code::InteractionMixed,
        "other people's parts of this interaction stand in what you ask for, and it cannot be cut to yours; ask for the \
         interaction itself, or somebody who may see all of it",
    )
}

/// It is a part of further interactions, at whose legs nobody looked.
pub(super) fn of_others() -> Refusal {
    Refusal::new(
        Code::InteractionMixed,
        "what you ask for is a part of other interactions too, which may be other people's; ask somebody who may see all \
         of them",
    )
}

/// Whether a part, such as a recording, is of further interactions, which nobody looked at.
pub(super) fn reaches_further(answer: &Value, interaction: &str) -> bool {
    match answer {
        Value::Object(members) => members.iter().any(|(name, value)| {
            let name = name.to_ascii_lowercase();
            let lists = name.ends_with("conversationids") || name.ends_with("interactionids");
            let alone = match value {
                Value::Null => true,
                Value::Array(ids) => ids.iter().all(|id| id.as_str() == Some(interaction)),
                _ => false,
            };
            lists && !alone || reaches_further(value, interaction)
        }),
        Value::Array(items) => items.iter().any(|item| reaches_further(item, interaction)),
        _ => false,
    }
}

/// Whether a part speaks of another interaction than the one that was looked at.
pub(super) fn speaks_of_another(answer: &Value, interaction: &str) -> bool {
    speaks_of(answer, &|id| id != interaction)
}

/// Whether each object that holds one of these links says of which interaction the file is.
pub(super) fn says_whose(answer: &Value, links: &BTreeMap<Box<str>, Action>) -> bool {
    match answer {
        Value::Object(members) => {
            let is_link = |name: &str| links.keys().any(|at| at.rsplit('.').next() == Some(name));
            let links_here = members.iter().any(|(name, value)| is_link(name) && !value.is_null());
            let said = answer.get("conversationId").is_some_and(|id| id.as_str().is_some());
            (said || !links_here) && members.iter().all(|(_, value)| says_whose(value, links))
        }
        Value::Array(items) => items.iter().all(|item| says_whose(item, links)),
        _ => true,
    }
}

/// Whether something in it names an interaction that is one of the `others`, or names one oddly.
pub(super) fn speaks_of(answer: &Value, others: &dyn Fn(&str) -> bool) -> bool {
    match answer {
        Value::Object(members) => members.iter().any(|(name, value)| {
            let is = |word: &str| name.eq_ignore_ascii_case(word);
            let id = match value {
                // `conversation: { id }`
                Value::Object(_) if is("conversation") || is("interaction") => value.get("id"),
                _ if is("conversationId") || is("interactionId") => Some(value),
                _ => None,
            };
            let other = id.is_some_and(|id| !id.is_null() && id.as_str().is_none_or(others));
            other || speaks_of(value, others)
        }),
        Value::Array(items) => items.iter().any(|item| speaks_of(item, others)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_further_interactions_is_noticed() {
        let reaches = |text: &str| reaches_further(&json::parse(text.as_bytes(), &Limits::default()).unwrap(), "c-1");
        for own in [
            "{}",
            r#"{"associatedConversationIds":["c-1"]}"#,
            r#"[{"a":{"conversationIds":null}}]"#,
            r#"{"ids":["c-2"]}"#,
        ] {
            assert!(!reaches(own), "{own}");
        }
        for further in [
            r#"{"associatedConversationIds":["c-1","c-2"]}"#,
            r#"{"ASSOCIATEDCONVERSATIONIDS":["c-2"]}"#,
            r#"[{"a":{"conversationIds":"c-1"}}]"#,
            r#"{"interactionIds":[{"id":"c-1"}]}"#,
        ] {
            assert!(reaches(further), "{further}");
        }
    }

    #[test]
    fn an_answer_that_names_another_interaction_is_noticed_wherever_it_does() {
        let speaks = |text: &str| {
            let answer = json::parse(text.as_bytes(), &Limits::default()).unwrap();
            speaks_of_another(&answer, "c-1")
        };
        for own in [
            "{}",
            r#"{"conversationId":"c-1"}"#,
            r#"{"conversationId":null}"#,
            r#"{"conversation":{"id":"c-1"}}"#,
            r#"{"conversation":{"selfUri":"/x"}}"#,
            r#"[{"interactionId":"c-1","id":"c-2"}]"#,
        ] {
            assert!(!speaks(own), "{own}");
        }
        for other in [
            r#"{"conversationId":"c-2"}"#,
            r#"{"CONVERSATIONID":"c-2"}"#,
            r#"{"conversationId":1}"#,
            r#"{"conversationId":{"id":"c-1"}}"#,
            r#"{"conversation":{"id":"c-2"}}"#,
            r#"{"a":[{"conversation":{"id":"c-1"}},{"interaction":{"id":"c-2"}}]}"#,
            r#"[{"x":{"interactionId":"c-2"}}]"#,
        ] {
            assert!(speaks(other), "{other}");
        }
    }
}
