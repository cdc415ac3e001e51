//! Instants, spans and how both are said.
//!
//! [`Ts`] is microseconds since the Unix epoch, everywhere: in rows, on the wire as RFC 3339, in tests.
//! The words follow `ux.md` 3.4: `now`, `12 s`, `4 min`, `2 h 05 min`, `3 d`.

use std::{fmt, ops, str::FromStr};

use crate::as_text::as_text;
use chrono::DateTime;

/// An instant, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ts(pub i64);

/// A length of time in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub i64);

/// A text that is neither an instant nor a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not RFC 3339.
    #[error("expected a time like 2026-02-18T12:00:00Z")]
    Instant,
    /// Not a duration.
    #[error("expected a duration like 90s, 30m or 1h30m")]
    Duration,
}

impl Ts {
    /// The calendar date, `2026-02-18`.
    #[must_use]
    pub fn date(self) -> String {
        let Parts { year, month, day, .. } = self.parts();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// The time of day to the second, `12:44:31Z`.
    #[must_use]
    pub fn clock(self) -> String {
        let Parts { hour, minute, second, .. } = self.parts();
        format!("{hour:02}:{minute:02}:{second:02}Z")
    }

    /// The time of day to the millisecond, `12:44:31.204Z`.
    #[must_use]
    pub fn clock_ms(self) -> String {
        let Parts { hour, minute, second, micros, .. } = self.parts();
        format!("{hour:02}:{minute:02}:{second:02}.{:03}Z", micros / 1000)
    }

    /// By arithmetic alone, because a page prints hundreds of them: `civil_from_days` of
    /// <https://howardhinnant.github.io/date_algorithms.html>, for the proleptic Gregorian calendar.
    fn parts(self) -> Parts {
        let (seconds, micros) = (self.0.div_euclid(1_000_000), self.0.rem_euclid(1_000_000));
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Years of this begin in March, so that the day of a leap year comes last.
        let (era, of_era) = ((days + 719_468).div_euclid(146_097), (days + 719_468).rem_euclid(146_097));
        let years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * years + years / 4 - years / 100);
        let months = (5 * of_year + 2) / 153;
        let month = if months < 10 { months + 3 } else { months - 9 };
        Parts {
            year: era * 400 + years + i64::from(month <= 2),
            month,
            day: of_year - (153 * months + 2) / 5 + 1,
            hour: of_day / 3_600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            micros,
        }
    }
}

/// An instant as people read it, in UTC.
struct Parts {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
}

/// Writes a number into all of these places; what does not fit is lost.
fn digits(places: &mut [u8], mut n: i64) {
    for place in places.iter_mut().rev() {
        *place = b"0123456789"[usize::try_from(n % 10).unwrap_or_default()];
        n /= 10;
    }
}

impl fmt::Display for Ts {
    /// RFC 3339 in UTC with microseconds, and without a fraction where there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { year, month, day, hour, minute, second, micros } = self.parts();
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        for (at, to, n) in [(5, 7, month), (8, 10, day), (11, 13, hour), (14, 16, minute), (17, 19, second)] {
            digits(&mut text[at..to], n);
        }
        digits(&mut text[20..26], micros);
        let begin = if (0..=9999).contains(&year) {
            digits(&mut text[..4], year);
            0
        } else {
            write!(f, "{year:04}")?;
            4
        };
        let end = if micros == 0 {
            text[19] = b'Z';
            20
        } else {
            text.len()
        };
        f.write_str(std::str::from_utf8(&text[begin..end]).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Ts {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let t = DateTime::parse_from_rfc3339(text).map_err(|_| TimeError::Instant)?;
        let ts = Self(t.timestamp_micros());
        // An offset and a leap second can push the ends of RFC 3339 out of what can be printed again.
        let printable = (0..=9999).contains(&ts.parts().year);
        printable.then_some(ts).ok_or(TimeError::Instant)
    }
}

impl ops::Sub for Ts {
    type Output = Span;
    fn sub(self, other: Ts) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl ops::Add<Span> for Ts {
    type Output = Ts;
    fn add(self, span: Span) -> Ts {
        Ts(self.0.saturating_add(span.0))
    }
}

impl ops::Sub<Span> for Ts {
    type Output = Ts;
    fn sub(self, span: Span) -> Ts {
        Ts(self.0.saturating_sub(span.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// A span of whole seconds.
    #[must_use]
    pub const fn seconds(n: i64) -> Self {
        Self(n.saturating_mul(1_000_000))
    }

    /// A span of milliseconds.
    #[must_use]
    pub const fn millis(n: i64) -> Self {
        Self(n.saturating_mul(1_000))
    }

    /// A span of minutes.
    #[must_use]
    pub const fn minutes(n: i64) -> Self {
        Self::seconds(n.saturating_mul(60))
    }

    /// Whole seconds, rounded towards zero.
    #[must_use]
    pub const fn as_seconds(self) -> i64 {
        self.0 / 1_000_000
    }

    /// Whole milliseconds, rounded towards zero.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0 / 1_000
    }

    /// The same span for the standard library; negative becomes zero.
    #[must_use]
    pub fn std(self) -> std::time::Duration {
        std::time::Duration::from_micros(u64::try_from(self.0).unwrap_or(0))
    }

    /// How long ago or for how long: `now`, `12 s`, `4 min`, `2 h 05 min`, `3 d`.
    #[must_use]
    pub fn words(self) -> String {
        match self.as_seconds().max(0) {
            0 => "now".to_owned(),
            s @ 1..60 => format!("{s} s"),
            s @ 60..3600 => format!("{} min", s / 60),
            s @ 3600..86_400 => format!("{} h {:02} min", s / 3600, s / 60 % 60),
            s => format!("{} d", s / 86_400),
        }
    }

    /// A finished duration, exact to the second: `12 s`, `2 min 03 s`, `1 h 02 min`.
    #[must_use]
    pub fn exact(self) -> String {
        match self.as_seconds().max(0) {
            s @ 0..60 => format!("{s} s"),
            s @ 60..3600 => format!("{} min {:02} s", s / 60, s % 60),
            s => format!("{} h {:02} min", s / 3600, s / 60 % 60),
        }
    }

    /// A running clock: `1:12`, `1:02:03`.
    #[must_use]
    pub fn running(self) -> String {
        match self.as_seconds().max(0) {
            s @ 0..3600 => format!("{}:{:02}", s / 60, s % 60),
            s => format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60),
        }
    }
}

impl fmt::Display for Span {
    /// The form that [`FromStr`] reads: `500ms`, `90s`, `30m`, `1h30m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.as_millis();
        if ms % 1000 != 0 {
            return write!(f, "{ms}ms");
        }
        let s = ms / 1000;
        match (s / 3600, s / 60 % 60, s % 60) {
            (0, 0, s) => write!(f, "{s}s"),
            (0, m, 0) => write!(f, "{m}m"),
            (h, 0, 0) => write!(f, "{h}h"),
            (h, m, 0) => write!(f, "{h}h{m}m"),
            _ => write!(f, "{s}s"),
        }
    }
}

impl FromStr for Span {
    type Err = TimeError;
    /// Reads `250ms`, `90s`, `30m`, `2h`, `1d`, `1h30m`. A bare number is refused: it has no unit.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let mut total = 0_i64;
        let mut rest = text;
        if rest.is_empty() || rest.len() > 20 {
            return Err(TimeError::Duration);
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number: i64 = rest[..digits].parse().map_err(|_| TimeError::Duration)?;
            rest = &rest[digits..];
            let letters = rest.bytes().take_while(u8::is_ascii_lowercase).count();
            let unit = match &rest[..letters] {
                "ms" => 1_000,
                "s" => 1_000_000,
                "m" => 60_000_000,
                "h" => 3_600_000_000,
                "d" => 86_400_000_000,
                _ => return Err(TimeError::Duration),
            };
            rest = &rest[letters..];
            total = number.checked_mul(unit).and_then(|n| total.checked_add(n)).ok_or(TimeError::Duration)?;
        }
        Ok(Self(total))
    }
}

as_text!(
    Ts,
    format(Some(utoipa::openapi::SchemaFormat::Custom("date-time".to_owned()))),
    examples(["2026-02-18T12:00:00Z"])
);
as_text!(
    Span,
    // Not the format `duration`: that is `PT1H30M`.
    pattern(Some("^-?([0-9]+(us|ms|s|m|h|d))+$")),
    examples(["1h30m"])
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_print_and_parse_as_rfc_3339() {
        for text in ["2026-02-18T12:00:00Z", "2026-02-18T12:00:00.000001Z", "1970-01-01T00:00:00Z"] {
            assert_eq!(text.parse::<Ts>().expect(text).to_string(), text);
        }
        assert_eq!("2026-02-18T13:00:00+01:00".parse::<Ts>(), "2026-02-18T12:00:00Z".parse());
        assert!("yesterday".parse::<Ts>().is_err());
    }

    proptest::proptest! {
        #[test]
        fn instants_print_as_the_library_prints_them(us in -62_167_219_200_000_000_i64..253_402_300_800_000_000) {
            let whole = us - us.rem_euclid(1_000_000);
            for (us, form) in [(us | 1, chrono::SecondsFormat::Micros), (whole, chrono::SecondsFormat::Secs)] {
                let theirs = DateTime::from_timestamp_micros(us).unwrap().to_rfc3339_opts(form, true);
                proptest::prop_assert_eq!(Ts(us).to_string(), theirs);
            }
        }
    }

    #[test]
    fn days_at_the_ends_of_months_and_years_are_right_and_no_instant_is_too_far() {
        for text in [
            "2024-02-29T00:00:00Z",
            "2100-02-28T23:59:59Z",
            "1999-12-31T23:59:59.999999Z",
            "2000-03-01T00:00:00Z",
        ] {
            assert_eq!(text.parse::<Ts>().expect(text).to_string(), text);
        }
        assert_eq!(Ts(i64::MAX).to_string(), "294247-01-10T04:00:54.775807Z");
        assert_eq!(Ts(i64::MIN).to_string(), "-290308-12-21T19:59:05.224192Z");
    }

    #[test]
    fn ages_are_said_in_the_words_of_the_console() {
        let cases = [(0, "now"), (12, "12 s"), (240, "4 min"), (7500, "2 h 05 min"), (259_200, "3 d")];
        for (seconds, words) in cases {
            assert_eq!(Span::seconds(seconds).words(), words);
        }
        assert_eq!(Span::seconds(72).running(), "1:12");
        assert_eq!(Span::seconds(123).exact(), "2 min 03 s");
    }

    #[test]
    fn durations_parse_and_print() {
        for text in ["90s", "30m", "2h", "1h30m", "250ms"] {
            let span: Span = text.parse().expect(text);
            assert_eq!(span.to_string().parse(), Ok(span));
        }
        for text in ["", "10", "m", "1x", "-5s", "99999999999999999d", "1h 30m"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
