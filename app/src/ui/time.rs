//! Times as people read them: absolute in lists, relative for "how long", always with the exact instant.
//!
//! Relative texts are computed from a given now. In the browser the live island rewrites the text of
//! every `time[data-rel]` on the page with the server's clock; [`words`] is what both use.

use leptos::prelude::*;
use model::{Span, Ts};

/// What a relative time says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rel {
    /// `11 min`.
    For,
    /// `11 min ago`.
    Ago,
    /// `1:12`, a running clock.
    Clock,
    /// `48 s`, until then.
    Until,
}

impl Rel {
    /// The value of `data-rel`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::For => "for",
            Self::Ago => "ago",
            Self::Clock => "clock",
            Self::Until => "until",
        }
    }

    /// Reads the value of `data-rel`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::For, Self::Ago, Self::Clock, Self::Until].into_iter().find(|rel| rel.as_str() == text)
    }
}

/// After this long a relative time says nothing any more; the date does.
const SEVEN_DAYS: Span = Span::seconds(7 * 86_400);

/// The text of a relative time.
#[must_use]
pub fn words(rel: Rel, at: Ts, now: Ts) -> String {
    let age = now - at;
    match rel {
        Rel::For => age.words(),
        Rel::Ago if age > SEVEN_DAYS => format!("{} {}", at.date(), at.clock()),
        Rel::Ago => match age.words() {
            text if text == "now" => text,
            text => format!("{text} ago"),
        },
        Rel::Clock => age.running(),
        Rel::Until => (at - now).words(),
    }
}

fn exact(at: Ts) -> String {
    let clock = at.clock_ms();
    format!("{} {} UTC", at.date(), clock.trim_end_matches('Z'))
}

/// A relative time that ticks in the browser.
pub fn relative(rel: Rel, at: Ts, now: Ts) -> impl IntoView {
    let text = words(rel, at, now);
    view! { <time datetime=at.to_string() data-rel=rel.as_str() title=exact(at)>{text}</time> }
}

/// `11 min ago`, ticking.
pub fn ago(at: Ts, now: Ts) -> impl IntoView {
    relative(Rel::Ago, at, now)
}

/// `12:44:31Z`, with the date where it is not today.
pub fn clock(at: Ts, now: Ts) -> impl IntoView {
    let text = if at.date() == now.date() { at.clock() } else { format!("{} {}", at.date(), at.clock()) };
    view! { <time datetime=at.to_string() title=exact(at)>{text}</time> }
}

/// `12:44:31.204Z`, for the detail of one thing.
pub fn precise(at: Ts) -> impl IntoView {
    let text = format!("{} {}", at.date(), at.clock_ms());
    view! { <time datetime=at.to_string()>{text}</time> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_times_say_how_long_and_old_ones_say_when() {
        let at: Ts = "2026-02-18T12:00:00Z".parse().expect("valid");
        assert_eq!(words(Rel::Ago, at, at), "now");
        assert_eq!(words(Rel::Ago, at, at + Span::minutes(11)), "11 min ago");
        assert_eq!(words(Rel::For, at, at + Span::minutes(11)), "11 min");
        assert_eq!(words(Rel::Clock, at, at + Span::seconds(72)), "1:12");
        assert_eq!(words(Rel::Until, at + Span::seconds(48), at), "48 s");
        assert_eq!(words(Rel::Ago, at, at + Span::minutes(60 * 24 * 8)), "2026-02-18 12:00:00Z");
        for rel in [Rel::For, Rel::Ago, Rel::Clock, Rel::Until] {
            assert_eq!(Rel::parse(rel.as_str()), Some(rel));
        }
    }
}
