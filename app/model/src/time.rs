//! Instants, spans and how both are said.
//!
//! [`Ts`] is microseconds since the Unix epoch, everywhere: in rows, on the wire as RFC 3339, in tests.
//! The words follow `ux.md` 3.4: `now`, `12 s`, `4 min`, `2 h 05 min`, `3 d`.

use std::{fmt, ops, str::FromStr};

use crate::as_text::as_text;
use chrono::{DateTime, Datelike, Timelike};

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
        let (y, m, d, ..) = self.parts();
        format!("{y:04}-{m:02}-{d:02}")
    }

    /// The time of day to the second, `12:44:31Z`.
    #[must_use]
    pub fn clock(self) -> String {
        let (_, _, _, h, m, s, _) = self.parts();
        format!("{h:02}:{m:02}:{s:02}Z")
    }

    /// The time of day to the millisecond, `12:44:31.204Z`.
    #[must_use]
    pub fn clock_ms(self) -> String {
        let (_, _, _, h, m, s, us) = self.parts();
        format!("{h:02}:{m:02}:{s:02}.{:03}Z", us / 1000)
    }

    fn parts(self) -> (i32, u32, u32, u32, u32, u32, u32) {
        let t = DateTime::from_timestamp_micros(self.0).unwrap_or_default();
        (t.year(), t.month(), t.day(), t.hour(), t.minute(), t.second(), t.timestamp_subsec_micros())
    }
}

impl fmt::Display for Ts {
    /// RFC 3339 in UTC with microseconds, and without a fraction where there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (y, mo, d, h, m, s, us) = self.parts();
        write!(f, "{y:04}-{mo:02}-{d:02}T{h:02}:{m:02}:{s:02}")?;
        if us != 0 {
            write!(f, ".{us:06}")?;
        }
        f.write_str("Z")
    }
}

impl FromStr for Ts {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let t = DateTime::parse_from_rfc3339(text).map_err(|_| TimeError::Instant)?;
        let ts = Self(t.timestamp_micros());
        // An offset and a leap second can push the ends of RFC 3339 out of what can be printed again.
        let printable = (0..=9999).contains(&ts.parts().0);
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
