//! Times that come again: five fields of a crontab, read in a time zone by name.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use jiff::{SignedDuration, Timestamp};

#[derive(Debug, Clone)]
pub struct Crontab {
    cron: Box<Cron>,
    zone: Tz,
}

/// How many of the coming times are looked at for [`Crontab::closest`].
const LOOKED_AT: usize = 200;

impl Crontab {
    /// `fields`: minute, hour, day of month, month, day of week, such as `0 7 * * MON-FRI`. `zone`: such as `Europe/Dublin`.
    /// A time that a clock jumps over comes when it has jumped; one that it shows twice comes once.
    pub fn read(fields: &str, zone: &str) -> Result<Self, String> {
        if fields.split_whitespace().count() != 5 {
            return Err("a crontab has five fields: minute, hour, day of month, month, day of week".to_owned());
        }
        let zone = zone.parse().map_err(|_| "the zone is none that is known, such as `Europe/Dublin`".to_owned())?;
        let cron = fields.parse::<Cron>().map_err(|error| error.to_string())?;
        Ok(Self { cron: Box::new(cron), zone })
    }

    /// The first time after `now`; `None`: there is none that anybody will see.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let now = DateTime::<Utc>::from_timestamp(now.as_second(), 0)?;
        let next = self.cron.find_next_occurrence(&now.with_timezone(&self.zone), false).ok()?;
        Timestamp::from_second(next.timestamp()).ok().filter(|next| next.as_second() > now.timestamp())
    }

    /// How close two of the coming times are to each other.
    pub fn closest(&self, now: Timestamp) -> Option<SignedDuration> {
        let mut coming = std::iter::successors(self.next(now), |last| self.next(*last)).take(LOOKED_AT).peekable();
        let mut closest = None;
        while let (Some(one), Some(other)) = (coming.next(), coming.peek()) {
            let apart = other.duration_since(one);
            closest = Some(closest.map_or(apart, |known: SignedDuration| known.min(apart)));
        }
        closest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_hour_of_the_day_moves_with_the_zone_and_its_summer() {
        let daily = Crontab::read("30 7 * * *", "Europe/Dublin").unwrap();
        assert_eq!(daily.next(at("2026-11-20T07:29:00Z")), Some(at("2026-11-20T07:30:00Z")));
        assert_eq!(daily.next(at("2026-11-20T07:30:00Z")), Some(at("2026-11-21T07:30:00Z")));
        assert_eq!(daily.next(at("2026-07-01T07:00:00Z")), Some(at("2026-07-02T06:30:00Z")));
        let weekly = Crontab::read("0 6 * * MON", "America/New_York").unwrap();
        assert_eq!(weekly.next(at("2026-11-20T10:00:00Z")), Some(at("2026-11-23T11:00:00Z")));
        // the day on which the clock jumps over half past one
        let night = Crontab::read("30 1 * * *", "Europe/Dublin").unwrap();
        assert_eq!(night.next(at("2027-03-27T12:00:00Z")), Some(at("2027-03-28T01:00:00Z")));
        assert_eq!(night.next(at("2027-03-28T01:00:00Z")), Some(at("2027-03-29T00:30:00Z")));
        // and the day on which it shows it twice
        assert_eq!(night.next(at("2027-10-30T12:00:00Z")), Some(at("2027-10-31T00:30:00Z")));
        assert_eq!(night.next(at("2027-10-31T00:30:00Z")), Some(at("2027-11-01T01:30:00Z")));
    }

    #[test]
    fn the_last_day_of_the_year_is_a_last_day() {
        let last = Crontab::read("0 18 L * *", "UTC").unwrap();
        assert_eq!(last.next(at("2026-12-05T00:00:00Z")), Some(at("2026-12-31T18:00:00Z")));
        assert_eq!(last.next(at("2026-12-31T18:00:00Z")), Some(at("2027-01-31T18:00:00Z")));
    }

    /// Zones change their clocks by half an hour too, and once by a day: time goes on in each of them.
    #[test]
    fn time_goes_on_in_every_zone() {
        let mut looked_at = 0;
        for zone in chrono_tz::TZ_VARIANTS {
            for fields in ["0 7 * * *", "30 1 * * *", "0,30 2 * * *", "0 * * * SUN", "0 7 4 4 *", "0 18 L * *"] {
                let crontab = Crontab::read(fields, zone.name()).unwrap();
                let mut now = at("2026-11-20T10:00:00Z");
                for _ in 0..60 {
                    let next = crontab.next(now).unwrap_or_else(|| panic!("{zone} {fields} {now}"));
                    assert!(next > now, "{zone} {fields} {now}");
                    now = next;
                    looked_at += 1;
                }
            }
        }
        assert!(looked_at > 100_000, "{looked_at}");
    }

    #[test]
    fn how_close_they_come_is_known_before_they_come() {
        let minutes = |fields: &str| {
            let closest = Crontab::read(fields, "UTC").unwrap().closest(at("2026-11-20T10:00:00Z"));
            closest.map(|apart| apart.as_mins())
        };
        assert_eq!(minutes("0 * * * *"), Some(60));
        assert_eq!(minutes("* 7 * * *"), Some(1));
        assert_eq!(minutes("0,50 * * * *"), Some(10));
        assert_eq!(minutes("0 0 30 2 *"), None);
    }

    #[test]
    fn what_is_no_crontab_is_told() {
        for (fields, zone) in [
            ("", "UTC"),
            ("0 7 * *", "UTC"),
            ("0 0 7 * * *", "UTC"),
            ("60 7 * * *", "UTC"),
            ("0 7 * * *", "Europe/Nowhere"),
            ("0 7 * * *", ""),
            ("0 7 * * *", "UTC UTC"),
            ("@daily", "UTC"),
            ("0 7 * * \u{0}", "UTC"),
            ("0 7 1-99999999999 * *", "UTC"),
            ("0 7 */0 * *", "UTC"),
        ] {
            let said = Crontab::read(fields, zone);
            assert!(
                said.as_ref().is_err_and(|why| !why.is_empty() && !why.contains('\n')),
                "{fields} {zone}: {said:?}"
            );
        }
    }
}
