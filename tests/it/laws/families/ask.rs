//! Draws questions of any family from its row of the model table: what the body may hold, what may be grouped by, what
//! each dimension means.

use super::Family;
use crate::oracle::generate::{self, Dice, Names, interval, predicate, shaped};
use bailiwick::model::{
    body::{Access, Dialect, Dimension, Field, FieldKind, FilterModel, Path},
    contract::TimeAt,
};
use serde_json::{Map, Value, json};

/// Ids that nobody has, and that a careless program would read as something else.
pub(super) const HOSTILE: [&str; 7] =
    ["invented", "*", "q-1' or 1=1 --", "%2e%2e", "${user.queueIds}", "null", "\"}]},{"];

/// What a plain dimension holds in the drawn data.
pub(crate) fn plain_values<'m>(filter: &'m FilterModel, dimension: &str) -> Vec<&'m str> {
    match filter.words.get(dimension) {
        Some(words) => words.iter().take(2).map(|word| &**word).collect(),
        None => vec!["v0", "v1"],
    }
}

/// What one draw is made from.
#[derive(Clone, Copy)]
pub(crate) struct Draw<'a> {
    pub(crate) family: &'a Family,
    pub(crate) names: &'a Names,
    /// Metrics that the upstream counts; empty: all that the model knows.
    pub(crate) metrics: &'a [String],
    /// What a plain dimension holds.
    pub(crate) values: fn(&FilterModel, &str) -> Vec<String>,
}

impl Draw<'_> {
    pub(crate) fn question(&self, dice: &mut Dice) -> Value {
        let model = self.family.model();
        if model.dialect == Dialect::Platform {
            let words = generate::Words::from([("metrics", vec![])]);
            return generate::question(dice, crate::oracle::questions::Kind::Platform, self.names, &words);
        }
        Value::Object(self.object(dice, &model.fields, &Path::new()))
    }

    fn object(&self, dice: &mut Dice, fields: &[Field], above: &Path) -> Map<String, Value> {
        let mut members = Map::new();
        for field in fields {
            let mut at = above.clone();
            at.push(field.name.clone());
            let chance = match &field.kind {
                FieldKind::Filter(_) => 85,
                FieldKind::Filters(_) if self.family.scoped(&at) => 65,
                FieldKind::List { .. } => 75,
                FieldKind::Filters(_) | FieldKind::Object(_) => 20,
                FieldKind::Int { .. } => 60,
                _ => 15,
            };
            if field.required || dice.percent(chance) {
                members.insert(field.name.to_string(), self.value(dice, &field.kind, &at));
            }
        }
        members
    }

    fn value(&self, dice: &mut Dice, kind: &FieldKind, at: &Path) -> Value {
        let operation = &self.family.operation;
        match kind {
            FieldKind::Sort { .. } | FieldKind::Aggregations(_) => panic!("searches have laws of their own"),
            FieldKind::Text { .. } => json!("drawn"),
            FieldKind::Bool => json!(dice.percent(50)),
            FieldKind::Int { min, max } => {
                let near = [*min, min + 1, min + 2, 25, 100];
                json!((*dice.pick(&near)).clamp(*min, *max))
            }
            FieldKind::Enum { words, .. } => json!(**dice.pick(words)),
            FieldKind::Duration => json!(*dice.pick(&["PT30M", "PT1H", "P1D"])),
            FieldKind::TimeZone => json!(*dice.pick(&["Europe/London", "UTC", "America/New_York"])),
            FieldKind::Interval => {
                let time = operation.contract.time.as_ref();
                assert!(
                    time.is_some_and(|time| matches!(&time.at, TimeAt::Interval(known) if known == at)),
                    "{}: an interval that the rule does not know",
                    operation.id
                );
                json!(interval(dice))
            }
            FieldKind::Instant => panic!("{}: nobody draws instants for this dialect", operation.id),
            FieldKind::Id(_) | FieldKind::Part => panic!("{}: nobody draws the id at {at:?}", operation.id),
            FieldKind::List { of, min, max } => self.list(dice, of, (*min, *max), at),
            FieldKind::Object(fields) => Value::Object(self.object(dice, fields, at)),
            FieldKind::Filter(model) => self.filter(dice, model),
            FieldKind::Filters(model) => {
                let entries: Vec<Value> = (0..=dice.below(2)).map(|_| self.filter(dice, model)).collect();
                json!(entries)
            }
        }
    }

    fn list(&self, dice: &mut Dice, of: &FieldKind, (min, max): (usize, usize), at: &Path) -> Value {
        let groups = self.family.operation.group_by.as_ref().filter(|known| known.at == *at);
        let of_metrics = at.last().is_some_and(|name| &**name == "metrics");
        let (words, as_metric) = match (groups, of) {
            (Some(groups), _) if !dice.percent(3) => (groups.allow.clone(), false),
            (_, FieldKind::Enum { words, .. }) => (words.clone(), false),
            (_, FieldKind::Object(fields)) => {
                let known = fields.iter().find(|field| field.required && &*field.name == "metric");
                let words = known.and_then(|field| field.kind.words());
                (words.unwrap_or_else(|| panic!("nobody draws items of {at:?}")).to_vec(), true)
            }
            _ => panic!("{}: nobody draws items of {at:?}", self.family.operation.id),
        };
        let counted =
            |word: &&str| !of_metrics || self.metrics.is_empty() || self.metrics.iter().any(|one| one == word);
        let words: Vec<&str> = words.iter().map(|word| &**word).filter(counted).collect();
        // Often by what rows are told apart by.
        let mut words = dice.some(&words, min.max(1), max.min(3));
        if groups.is_some() && max > 1 && dice.percent(60) {
            let access = *dice.pick(&["queueId", "userId"]);
            if !words.contains(&access) && groups.is_some_and(|known| known.allow.iter().any(|word| &**word == access))
            {
                words[0] = access;
            }
        }
        words.into_iter().map(|word| if as_metric { json!({ "metric": word }) } else { json!(word) }).collect()
    }

    fn filter(&self, dice: &mut Dice, model: &FilterModel) -> Value {
        let of = |kind: fn(&Dimension) -> bool| -> Vec<(&str, Dimension)> {
            let known = model.dimensions.iter().filter(|(_, dimension)| kind(dimension));
            known.map(|(name, dimension)| (&**name, *dimension)).collect()
        };
        let owners = of(|one| matches!(one, Dimension::Access(Access::Queue | Access::User)));
        let others = of(|one| matches!(one, Dimension::Access(Access::Division | Access::Conversation)));
        let plain = of(|one| *one == Dimension::Plain);
        let closed = of(|one| match one {
            Dimension::Hidden | Dimension::Masked => true,
            Dimension::Access(Access::Queue | Access::User | Access::Division | Access::Conversation) => false,
            Dimension::Access(_) => true,
            Dimension::Plain => false,
        });
        // What is closed to everybody refuses the whole question, so that it stands in few of them; a division makes most
        // shapes too much to say.
        let (odd, division) = (dice.percent(2), dice.percent(12));
        shaped(dice, &|dice| {
            let drawn = dice.below(100);
            if drawn < 6 && !model.metrics.is_empty() {
                let bound = *dice.pick(&["gt", "gte", "lt", "lte"]);
                return json!({ "type": "metric", "metric": **dice.pick(&model.metrics), "range": { bound: dice.below(4) } });
            }
            let list = match drawn {
                _ if odd && drawn < 40 && !closed.is_empty() => &closed,
                0..20 if division && !others.is_empty() => &others,
                0..80 if !owners.is_empty() => &owners,
                _ if !plain.is_empty() => &plain,
                _ if !owners.is_empty() => &owners,
                _ => &others,
            };
            let (name, dimension) = *dice.pick(list);
            let value = self.atom(dice, model, name, dimension);
            predicate(dice, name, value)
        })
    }

    fn atom(&self, dice: &mut Dice, model: &FilterModel, name: &str, dimension: Dimension) -> Option<String> {
        let may_be_missing = !matches!(dimension, Dimension::Access(Access::Division | Access::Conversation));
        if may_be_missing && dice.percent(10) {
            return None;
        }
        let names = self.names;
        Some(match dimension {
            Dimension::Access(Access::Queue | Access::User) if dice.percent(1) => (*dice.pick(&HOSTILE)).to_owned(),
            Dimension::Access(Access::Queue) => Names::one(dice, &names.queues, &names.all_queues),
            Dimension::Access(Access::User) => Names::one(dice, &names.users, &names.all_users),
            Dimension::Access(Access::Division) => Names::one(dice, &names.divisions, &names.all_divisions),
            Dimension::Access(Access::Conversation) => format!("c-{}", dice.below(40)),
            Dimension::Access(_) | Dimension::Hidden | Dimension::Masked => "invented".to_owned(),
            Dimension::Plain => dice.pick(&(self.values)(model, name)).clone(),
        })
    }
}
