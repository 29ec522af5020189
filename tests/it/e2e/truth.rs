//! What is due to somebody: visibility by the oracle, leg by leg, and answers by the sandbox's SQL over those legs.

use super::house::{
    AGGREGATES, DETAILS, EU, PLATFORM, QUEUE_OBSERVATIONS, US, USER_AGGREGATES, USER_OBSERVATIONS, now,
};
use crate::{
    laws::case::{Case, data_of},
    oracle::{
        data::{Directory, Leg},
        questions::Kind,
        semantics::{Data, Entitlement, Right},
    },
};
use bailiwick::sandbox::{LegId, LegRow, Sandbox};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

pub(super) fn path(kind: Kind) -> &'static str {
    match kind {
        Kind::Aggregates => AGGREGATES,
        Kind::Details => DETAILS,
        Kind::Platform => PLATFORM,
        Kind::QueueObservations => QUEUE_OBSERVATIONS,
        Kind::UserAggregates => USER_AGGREGATES,
        Kind::UserObservations => USER_OBSERVATIONS,
    }
}

type Known = BTreeMap<(String, Kind), Arc<Vec<LegId>>>;

/// The directory as the oracle reads it, and the legs of every region as the sandbox has them.
pub(super) struct Truth {
    pub(super) directory: Directory,
    legs: BTreeMap<&'static str, Vec<LegRow>>,
    /// What was found out before, by person and operation.
    seen: Mutex<Known>,
}

fn leg(row: &LegRow) -> Leg {
    Leg {
        queue: row.queue.clone(),
        agent: row.agent.clone(),
        start: row.start.as_second(),
        // whole seconds, never too early: a window ends on a whole second
        end: row.end.as_second() + i64::from(row.end.subsec_nanosecond() > 0),
        plain: BTreeMap::new(),
        handle: 0,
        tag: row.tagged.clone(),
        region: None,
    }
}

impl Truth {
    pub(super) fn of(sandbox: &Sandbox, directory: &Value) -> Self {
        let legs = [US, EU].map(|region| (region, sandbox.legs(region).unwrap())).into();
        Self { directory: Directory::read(&directory.to_string()), legs, seen: Mutex::default() }
    }

    pub(super) fn region(&self, person: &str) -> &'static str {
        if self.directory.region_of_person(person) == US { US } else { EU }
    }

    pub(super) fn case(person: &str, kind: Kind, body: &Value) -> Case {
        Case { person: person.to_owned(), kind, body: body.to_string(), now: now().as_second() }
    }

    /// Legs of interactions that somebody may see in answers of this kind.
    pub(super) fn visible(&self, person: &str, kind: Kind) -> Arc<Vec<LegId>> {
        let mut known = self.seen.lock().unwrap();
        let key = (person.to_owned(), kind);
        Arc::clone(known.entry(key).or_insert_with(|| Arc::new(self.find_visible(person, kind))))
    }

    fn find_visible(&self, person: &str, kind: Kind) -> Vec<LegId> {
        let scope = Self::case(person, kind, &Value::Null).scope(&self.directory);
        let legs = &self.legs[self.region(person)];
        let seen = legs.iter().filter(|row| self.sees(person, &scope, row));
        seen.map(|row| row.id).collect()
    }

    /// What somebody holds by these permissions alone.
    pub(super) fn scope_of_list(&self, person: &str, kind: Kind, permissions: &[&str]) -> Vec<Entitlement> {
        let permissions: Vec<String> = permissions.iter().map(|one| (*one).to_owned()).collect();
        let right = Right { permissions: &permissions, action: "view", data: data_of(kind), archived: false };
        self.directory.entitlements(person, &right, now().as_second())
    }

    pub(super) fn sees(&self, person: &str, scope: &[Entitlement], row: &LegRow) -> bool {
        self.directory.visible(person, scope, &row.conversation, &leg(row))
    }

    /// The divisions of the legs that somebody may see.
    pub(super) fn divisions(&self, person: &str) -> Vec<String> {
        let visible = self.visible(person, Kind::Aggregates);
        let rows = self.rows(person).iter().filter(|row| visible.contains(&row.id));
        let mut all: Vec<String> =
            rows.filter_map(|row| self.directory.division_of(&leg(row)).map(str::to_owned)).collect();
        all.sort();
        all.dedup();
        all
    }

    pub(super) fn rows(&self, person: &str) -> &[LegRow] {
        &self.legs[self.region(person)]
    }

    /// The answer that is due: the asked query over the visible world, by SQL.
    pub(super) fn answer(&self, sandbox: &Sandbox, person: &str, kind: Kind, asked: &Value) -> Value {
        let region = self.region(person);
        if data_of(kind) == Data::Interaction {
            sandbox.mark_visible(region, &self.visible(person, kind)).unwrap();
            return sandbox.evaluate_visible(region, path(kind), asked).unwrap();
        }
        // Every row stands for one queue or one user alone: what is visible of the answer is the answer of the visible.
        let case = Self::case(person, kind, asked);
        let scope = case.scope(&self.directory);
        let mut answer = sandbox.evaluate(region, path(kind), asked).unwrap();
        answer["results"].as_array_mut().unwrap().retain(|row| match row["group"]["queueId"].as_str() {
            Some(queue) => case.queue_inside(&self.directory, &scope, queue),
            None => {
                case.user_inside(&self.directory, &scope, row["group"]["userId"].as_str().unwrap_or_default(), false)
            }
        });
        answer
    }
}
