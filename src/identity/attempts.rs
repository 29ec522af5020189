//! How often somebody failed to say who he is, by where he comes from.
//!
//! Beyond the limit nobody is asked on behalf of that place, no secret is compared, and what fails is told to wait. A token
//! that is good without asking anybody passes all the same: many people may share one address.

use jiff::{SignedDuration, Timestamp};
use lru::LruCache;
use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
};

const WITHIN: SignedDuration = SignedDuration::from_mins(1);
/// Places that are remembered; of more, the one that failed longest ago is forgotten.
const PLACES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(65_535);

#[derive(Debug)]
pub(super) struct Attempts {
    most: u32,
    /// When a minute began, and how many failed in it.
    failed: Mutex<LruCache<IpAddr, (Timestamp, u32)>>,
}

impl Attempts {
    /// `most`: failures of one place within a minute.
    pub(super) fn new(most: u32) -> Self {
        Self { most, failed: Mutex::new(LruCache::new(PLACES)) }
    }

    /// Seconds that this place has to wait, when too much failed from there.
    pub(super) fn wait(&self, from: IpAddr, now: Timestamp) -> Option<i64> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, many) = *failed.get(&place(from))?;
        let left = WITHIN.checked_sub(now.duration_since(began))?;
        (many >= self.most && left.is_positive()).then(|| left.as_secs().max(1))
    }

    pub(super) fn failed(&self, from: IpAddr, now: Timestamp) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let known = failed.get_or_insert_mut(place(from), || (now, 0));
        if now.duration_since(known.0) >= WITHIN {
            *known = (now, 0);
        }
        known.1 = known.1.saturating_add(1);
    }
}

/// An address; of the newer kind the network, of which one holder has as many addresses as he likes.
fn place(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(ip) => {
            let [one, two, three, four, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(one, two, three, four, 0, 0, 0, 0))
        }
        ip @ IpAddr::V4(_) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_failed_often_waits_until_its_minute_is_over() {
        let attempts = Attempts::new(3);
        let at = |second| Timestamp::from_second(second).unwrap();
        let from = |text: &str| text.parse::<IpAddr>().unwrap();
        for second in 0..3 {
            assert_eq!(attempts.wait(from("192.0.2.1"), at(second)), None);
            attempts.failed(from("192.0.2.1"), at(second));
        }
        assert_eq!(attempts.wait(from("192.0.2.1"), at(3)), Some(57));
        assert_eq!(attempts.wait(from("::ffff:192.0.2.1"), at(3)), Some(57));
        assert_eq!(attempts.wait(from("192.0.2.2"), at(3)), None);
        assert_eq!(attempts.wait(from("192.0.2.1"), at(60)), None);
        attempts.failed(from("192.0.2.1"), at(60));
        assert_eq!(attempts.wait(from("192.0.2.1"), at(61)), None, "a new minute");
        for last in 1..=3 {
            attempts.failed(from(&format!("2001:db8::{last}")), at(0));
        }
        assert!(attempts.wait(from("2001:db8::ffff"), at(1)).is_some());
        assert!(attempts.wait(from("2001:db8:0:1::1"), at(1)).is_none());
    }

    #[test]
    fn places_are_forgotten_beyond_a_bound() {
        let attempts = Attempts::new(1);
        let from = |number: u32| IpAddr::V4(number.into());
        for number in 0..70_000 {
            attempts.failed(from(number), Timestamp::UNIX_EPOCH);
        }
        assert_eq!(attempts.failed.lock().unwrap().len(), PLACES.get());
        assert_eq!(attempts.wait(from(0), Timestamp::UNIX_EPOCH), None);
        assert!(attempts.wait(from(69_999), Timestamp::UNIX_EPOCH).is_some());
    }
}
