//! Times in the reader's language and time zone.

use super::HOUR;
use crate::texts::Texts;
use chrono::{DateTime, Datelike, Locale, NaiveDate, TimeZone};
use chrono_tz::Tz;
use domain::{
    billing::Month,
    time::{self, Timestamp},
    user::Language,
};

const MINUTE: i64 = 60;

/// A moment as a page shows it: words for people, the exact time, and the form for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// A phrase such as “Last used 3 minutes ago”.
    pub words: String,
    /// The date and time, to the minute, with the name of the zone.
    pub exact: String,
    /// RFC 3339, for `datetime`.
    pub machine: String,
}

/// What is needed to format a time: the reader's language and time zone, and the current time.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    t: Texts,
    zone: Tz,
    now: Timestamp,
}

impl Calendar {
    /// Creates a calendar with the texts `t`, in the zone with this IANA name; UTC if it does not exist.
    pub fn new(t: Texts, zone: &str, now: Timestamp) -> Self {
        Self { t, zone: zone.parse().unwrap_or(Tz::UTC), now }
    }

    /// Returns the current time of this calendar.
    pub const fn now(self) -> Timestamp {
        self.now
    }

    /// Formats a time with a phrase built from its words.
    pub fn moment(self, at: Timestamp, phrase: impl FnOnce(String) -> String) -> Moment {
        let machine = at.utc().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let exact = format!("{} ({})", self.exact(at), self.local(at).format("%Z"));
        Moment { words: phrase(self.when(at)), exact, machine }
    }

    /// Formats only the day, such as the day on which a token expires.
    pub fn on_day(self, at: Timestamp, phrase: impl FnOnce(String) -> String) -> Moment {
        Moment { words: phrase(self.t.time_on_day(self.day(at))), ..self.moment(at, |when| when) }
    }

    /// Formats the day for a column of days.
    pub fn date(self, at: Timestamp) -> Moment {
        Moment { words: self.day(at), ..self.moment(at, |when| when) }
    }

    /// Formats how long ago it was, or the day, short enough for a column: “3 minutes ago”, “yesterday”, “2 October”.
    pub fn brief(self, at: Timestamp) -> Moment {
        let (today, day) = (self.local(self.now).date_naive(), self.local(at).date_naive());
        match (today - day).num_days() {
            ..1 => self.moment(at, |when| when),
            1 if self.now.since(at) >= HOUR => {
                Moment { words: self.t.time_yesterday().into(), ..self.moment(at, |when| when) }
            }
            60.. => self.date(at),
            _ => self.moment(at, |when| when),
        }
    }

    /// Formats the date and time.
    pub fn full(self, at: Timestamp) -> Moment {
        Moment { words: self.exact(at), ..self.moment(at, |when| when) }
    }

    /// Formats how long ago it was if that is short, otherwise the day: “3 minutes ago”, “yesterday at 02:00”, “41 days
    /// ago”, “on 2 October”.
    pub fn when(self, at: Timestamp) -> String {
        let ago = self.now.since(at);
        let (today, day) = (self.local(self.now).date_naive(), self.local(at).date_naive());
        match ago {
            ..MINUTE => self.t.time_now().into(),
            MINUTE..HOUR => self.t.time_minutes_ago(ago / MINUTE),
            _ if day == today => self.t.time_hours_ago(ago / HOUR),
            _ if today.pred_opt() == Some(day) => self.t.time_yesterday_at(self.clock_time(at)),
            _ => match (today - day).num_days() {
                days @ ..60 => self.t.time_days_ago(days),
                _ => self.t.time_on_day(self.day(at)),
            },
        }
    }

    /// Formats the day and the time of day: “25 November 2026 at 14:03”.
    pub fn exact(self, at: Timestamp) -> String {
        let day = self.in_words(at, "%B %Y");
        self.t.time_on_day_at(day, self.clock_time(at))
    }

    /// Formats a time in milliseconds since 1970, to the second, with its day unless that is today: “12:03:04”, “22
    /// November at 12:03:04”.
    pub fn to_the_second(self, milliseconds: i64) -> Moment {
        let (at, moment) = (seconds_of(milliseconds), self.full_to_the_second(milliseconds));
        let is_today = self.local(at).date_naive() == self.local(self.now).date_naive();
        let time = self.local(at).format("%H:%M:%S").to_string();
        Moment { words: if is_today { time } else { self.t.revocations_day_at(self.day(at), time) }, ..moment }
    }

    /// Formats the same always with its day: “22 November 2026 at 12:03:04”.
    pub fn full_to_the_second(self, milliseconds: i64) -> Moment {
        let (at, machine) = (seconds_of(milliseconds), time::rfc3339_milliseconds(milliseconds));
        let (day, time) = (self.in_words(at, "%B %Y"), self.local(at).format("%H:%M:%S").to_string());
        Moment { words: self.t.time_on_day_at(day, time), exact: machine.clone(), machine }
    }

    /// Formats the time of day as the language writes it.
    pub fn clock_time(self, at: Timestamp) -> String {
        self.local(at).format("%H:%M").to_string()
    }

    /// Returns the beginning of a day in the reader's zone.
    pub fn start_of(self, day: NaiveDate) -> Timestamp {
        // If the clocks go forward at midnight, the day begins an hour later.
        let hours = (0..24).filter_map(|hour| day.and_hms_opt(hour, 0, 0));
        let first = hours.filter_map(|time| self.zone.from_local_datetime(&time).earliest()).next();
        first.map_or(self.now, |first| Timestamp::from_seconds(first.timestamp()))
    }

    /// Formats the day, with the year if it is not the current one.
    pub fn day(self, at: Timestamp) -> String {
        let this_year = self.local(at).year() == self.local(self.now).year();
        self.in_words(at, if this_year { "%B" } else { "%B %Y" })
    }

    /// Formats a day of the calendar, wherever it is read: “2 October 2026”.
    pub fn on_date(self, day: NaiveDate) -> String {
        let noon = Timestamp::from_seconds(day.and_hms_opt(12, 0, 0).unwrap_or_default().and_utc().timestamp());
        Self { zone: Tz::UTC, ..self }.in_words(noon, "%B %Y")
    }

    fn in_words(self, at: Timestamp, month: &str) -> String {
        let local = self.local(at);
        let (locale, first) = match self.t.0 {
            Language::En => (Locale::en_GB, "1"),
            Language::Fr => (Locale::fr_FR, "1er"),
        };
        let day = if local.day() == 1 { first.to_owned() } else { local.day().to_string() };
        format!("{day} {}", local.format_localized(month, locale))
    }

    fn local(self, at: Timestamp) -> DateTime<Tz> {
        at.utc().with_timezone(&self.zone)
    }
}

fn seconds_of(milliseconds: i64) -> Timestamp {
    Timestamp::from_seconds(milliseconds.div_euclid(1000))
}

impl Texts {
    /// Formats a calendar month: “November 2026”.
    pub fn month(self, month: Month) -> String {
        let locale = match self.0 {
            Language::En => Locale::en_GB,
            Language::Fr => Locale::fr_FR,
        };
        month.first_day().format_localized("%B %Y", locale).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::time::DAY;

    const ENGLISH: Texts = Texts(Language::En);
    const FRENCH: Texts = Texts(Language::Fr);
    /// 2026-11-21 12:00:00 UTC, a Saturday.
    const NOW: Timestamp = Timestamp::from_seconds(1_795_262_400);

    fn when(t: Texts, seconds: i64) -> String {
        Calendar::new(t, "UTC", NOW).when(NOW.plus(seconds))
    }

    #[test]
    fn near_times_are_relative_and_distant_ones_are_days() {
        let english = [5, -59, -60, -3 * HOUR, -13 * HOUR, -41 * DAY, -80 * DAY].map(|seconds| when(ENGLISH, seconds));
        let expected = [
            "just now",
            "just now",
            "1 minute ago",
            "3 hours ago",
            "yesterday at 23:00",
            "41 days ago",
            "on 2 September",
        ];
        assert_eq!(english, expected);
        assert_eq!(when(FRENCH, -81 * DAY), "le 1er septembre");
        assert_eq!(when(FRENCH, -400 * DAY), "le 17 octobre 2025");
    }

    #[test]
    fn a_column_has_shorter_texts() {
        let brief = |t, seconds: i64| Calendar::new(t, "UTC", NOW).brief(NOW.plus(seconds)).words;
        let words = [-5, -3 * HOUR, -13 * HOUR, -41 * DAY, -80 * DAY].map(|seconds| brief(ENGLISH, seconds));
        assert_eq!(words, ["just now", "3 hours ago", "yesterday", "41 days ago", "2 September"]);
        assert_eq!(brief(FRENCH, -80 * DAY), "2 septembre");
        let after_midnight = Calendar::new(ENGLISH, "UTC", NOW.plus(12 * HOUR + 600));
        assert_eq!(after_midnight.brief(NOW.plus(12 * HOUR - 60)).words, "11 minutes ago");
    }

    #[test]
    fn days_are_in_the_time_zone_of_the_user() {
        let at = Timestamp::from_seconds(NOW.seconds() + 13 * HOUR);
        assert_eq!(Calendar::new(ENGLISH, "UTC", NOW).exact(at), "22 November 2026 at 01:00");
        assert_eq!(Calendar::new(FRENCH, "America/Montreal", NOW).exact(at), "21 novembre 2026 à 20:00");
        let moment = Calendar::new(ENGLISH, "no such zone", NOW).on_day(at, |day| format!("Expires {day}"));
        assert_eq!(moment.words, "Expires on 22 November");
        assert_eq!(
            (moment.exact.as_str(), moment.machine.as_str()),
            ("22 November 2026 at 01:00 (UTC)", "2026-11-22T01:00:00Z")
        );
    }

    #[test]
    fn a_day_begins_in_the_time_zone_of_the_user() {
        let start = |zone, (year, month, day)| {
            let day = NaiveDate::from_ymd_opt(year, month, day).unwrap();
            Calendar::new(ENGLISH, zone, NOW).start_of(day).rfc3339()
        };
        assert_eq!(start("UTC", (2026, 11, 21)), "2026-11-21T00:00:00Z");
        assert_eq!(start("Europe/Paris", (2026, 7, 1)), "2026-06-30T22:00:00Z");
        // At midnight of this day the clocks of Lebanon went forward.
        assert_eq!(start("Asia/Beirut", (2026, 3, 29)), "2026-03-28T22:00:00Z");
    }
}
