//! Draws organisations, interactions and questions. Everything follows from one number, so a case can be drawn again.

mod asks;
mod organisation;
mod searches;
mod stock;

pub(crate) use asks::{Names, Words, interval, predicate, question, shaped};
pub(crate) use organisation::directory;
pub(crate) use searches::search;
pub(crate) use stock::{interactions, presences, waiting};

use super::data::Time;

/// A small deterministic source of numbers (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66)
    }
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.number() % limit.max(1) as u64) as usize
    }
    pub(crate) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
    /// `from..=to` different items.
    pub(crate) fn some<T: Clone>(&mut self, from: &[T], least: usize, most: usize) -> Vec<T> {
        let mut left = from.to_vec();
        let wanted = least + self.below(most - least + 1);
        let mut taken = Vec::new();
        while taken.len() < wanted && !left.is_empty() {
            let at = self.below(left.len());
            taken.push(left.swap_remove(at));
        }
        taken
    }
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let other = self.below(at + 1);
            items.swap(at, other);
        }
    }
}

/// Monday, midnight. All instants of a case are whole hours near it, so that boundaries are hit on purpose.
pub(crate) const MONDAY: Time = 1_794_787_200;
pub(crate) const HOUR: Time = 3_600;

fn moment(dice: &mut Dice) -> Time {
    MONDAY + HOUR * dice.below(72) as Time
}

pub(crate) fn now(dice: &mut Dice) -> Time {
    MONDAY + 24 * HOUR * 3 + HOUR * dice.below(6) as Time + *dice.pick(&[0, 0, 0, 1, -1])
}

/// What permission strings open each operation.
pub(crate) type Opened = Vec<Vec<String>>;

/// Ids that a careless program would mix up: prefixes of each other, twins but for case, quotes, spaces, very long ones.
fn ids(dice: &mut Dice, kind: &str, least: usize, most: usize) -> Vec<String> {
    let count = least + dice.below(most - least + 1);
    let base = format!("{kind}-{}", dice.below(9));
    let mut pool = vec![
        base.clone(),
        format!("{base}1"),
        format!("{base}11"),
        base.to_uppercase(),
        format!("{base} with spaces"),
        format!("{base}\"quoted\""),
        format!("{base}'; drop"),
        format!("{base}-żółw-日本"),
        format!("{base}\\back/slash"),
        format!("{base}-{}", "long".repeat(40)),
        format!("{base}%2c{{}}"),
        format!("{base}<&>"),
    ];
    dice.shuffle(&mut pool);
    let plain = (0..count).map(|at| format!("{kind}-plain-{at}"));
    if dice.percent(40) { pool.into_iter().chain(plain).take(count).collect() } else { plain.collect() }
}
