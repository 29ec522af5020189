//! Legs of others that a rule lets stay without their owner: their place, words about their kind, and for the agent a name
//! that means nothing outside this one answer. They are shown, and nothing else: no filter, order, total or tag of a division
//! has ever spoken of them.

use super::GuardPlan;
use crate::{
    base::hash::sha256_hex,
    model::answer::{LegPath, Up},
    query::json::Value,
};

/// What the pseudonyms of one answer are made with. Whoever does not hold it can tell neither whom one stands for nor whether
/// two answers speak of the same person.
#[derive(Clone)]
pub(super) struct Salt([u8; 32]);

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt(..)")
    }
}

/// How many hex digits tell the agents of one answer apart.
const DIGITS: usize = 16;

impl Salt {
    fn pseudonym(&self, id: &str) -> Value {
        let mut name = sha256_hex(&[&self.0, id.as_bytes()].concat());
        name.truncate(DIGITS);
        Value::text(format!("agent-{name}"))
    }
}

impl GuardPlan {
    /// Without a salt legs of others are cut, whatever the rule says.
    #[must_use]
    pub fn salted(mut self, salt: [u8; 32]) -> Self {
        self.salt = Some(Salt(salt));
        self
    }
}

/// What stays of an element below which nothing is visible; `None`: nothing.
pub(super) fn shadow(plan: &GuardPlan, path: &LegPath, element: &Value, level: usize) -> Option<Value> {
    let (keep, salt) = (&plan.operation.answer.foreign, plan.salt.as_ref()?);
    let arrays = path.arrays.get(..level)?;
    let name = plan.operation.answer.rows.iter().chain(arrays).map(|name| &**name).collect::<Vec<_>>().join(".");
    let listed = keep.levels.get(&*name)?;
    let below = path.arrays.get(level);
    let user = path.user.as_ref().filter(|up| up.up == path.arrays.len().saturating_sub(level));
    let mut out = Vec::new();
    for (name, value) in element.as_object()? {
        let shown = match value {
            _ if user.is_some_and(|user| user.at.first() == Some(name)) => user.and_then(|up| agent(salt, element, up)),
            _ if !listed.contains(name) => None,
            Value::Array(items) if below == Some(name) => {
                Some(Value::Array(items.iter().filter_map(|item| shadow(plan, path, item, level + 1)).collect()))
            }
            Value::Text(word) if is_word(word) => Some(value.clone()),
            _ => None,
        };
        out.extend(shown.map(|shown| (name.clone(), shown)));
    }
    Some(Value::Object(out))
}

/// The agent's pseudonym, where the answer shows his id.
fn agent(salt: &Salt, element: &Value, user: &Up) -> Option<Value> {
    let name = salt.pseudonym(element.at(&user.at)?.as_str()?);
    let (_, below) = user.at.split_first()?;
    Some(below.iter().rev().fold(name, |inner, key| Value::Object(vec![(key.clone(), inner)])))
}

/// A word of the upstream's own, such as `agent` or `voice`: nothing that could name or count anything.
fn is_word(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'))
}
