//! Times that come again: five fields of a crontab, read in a time zone by name.

use jiff::{SignedDuration, Timestamp};

#[derive(Debug, Clone)]
pub struct Crontab(cronexpr::Crontab);

/// How many of the coming times are looked at for [`Crontab::closest`].
const LOOKED_AT: usize = 200;

impl Crontab {
    /// `fields`: minute, hour, day of month, month, day of week, such as `0 7 * * MON-FRI`. `zone`: such as `Europe/Dublin`.
    pub fn read(fields: &str, zone: &str) -> Result<Self, String> {
        // the library takes a zone behind the fields: neither may say what is the other's
        if fields.split_whitespace().count() != 5 || zone.split_whitespace().count() != 1 {
            return Err("a crontab has five fields: minute, hour, day of month, month, day of week".to_owned());
        }
        cronexpr::parse_crontab(&format!("{fields} {zone}")).map(Self).map_err(|error| {
            // the library draws the place below the text; one line is enough here
            let said = error.to_string();
            said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("cannot be read").to_owned()
        })
    }

    /// The first time after `now`; `None`: there is none that anybody will see.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        self.0.find_next(now).ok().map(|next| next.timestamp())
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
            ("0 7 * * * UTC", "UTC"),
            ("0 7 * *", "* UTC"),
            ("60 7 * * *", "UTC"),
            ("0 7 * * *", "Europe/Nowhere"),
            ("0 7 * * *", ""),
            ("0 7 * * *", "UTC UTC"),
            ("@daily", "UTC"),
        ] {
            let said = Crontab::read(fields, zone);
            assert!(
                said.as_ref().is_err_and(|why| !why.is_empty() && !why.contains('\n')),
                "{fields} {zone}: {said:?}"
            );
        }
    }
}
