//! How much we know: six states that never look like a verdict (`ux.md` 0.3).

use serde::{Deserialize, Serialize};

use crate::{Span, Ts};

/// How fresh what we show is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Freshness {
    /// A heartbeat within 15 s.
    Live,
    /// The last heartbeat is 15 to 45 s old.
    Delayed {
        /// Its age.
        age: Span,
    },
    /// No heartbeat for more than 45 s.
    Disconnected {
        /// When we last knew.
        since: Ts,
    },
    /// One source is silent for more than three of its intervals, while we are connected.
    Stale {
        /// When it last spoke; `None` when it never did.
        since: Option<Ts>,
    },
    /// The user paused updates.
    Paused {
        /// How much is newer than what is shown.
        newer: u32,
    },
    /// A past instant is shown.
    AsOf {
        /// Which one.
        at: Ts,
    },
}

/// Up to this age of the last heartbeat a page is live.
pub const LIVE_WITHIN: Span = Span::seconds(15);
/// Up to this age it is delayed; after it, disconnected.
pub const DELAYED_WITHIN: Span = Span::seconds(45);

impl Freshness {
    /// Freshness of a page, from the time of its last heartbeat.
    #[must_use]
    pub fn of_heartbeat(last: Ts, now: Ts) -> Self {
        let age = now - last;
        if age < LIVE_WITHIN {
            Self::Live
        } else if age <= DELAYED_WITHIN {
            Self::Delayed { age }
        } else {
            Self::Disconnected { since: last }
        }
    }

    /// Freshness of what one source reports, from its watermark.
    #[must_use]
    pub fn of_source(last_seen: Option<Ts>, interval: Span, now: Ts) -> Self {
        match last_seen {
            Some(seen) if now - seen <= Span(interval.0.saturating_mul(3)) => Self::Live,
            since => Self::Stale { since },
        }
    }

    /// Whether what is shown may be acted on.
    #[must_use]
    pub const fn allows_action(self) -> bool {
        matches!(self, Self::Live | Self::Delayed { .. } | Self::Paused { .. })
    }

    /// The words beside the dot.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Live => "Live".to_owned(),
            Self::Delayed { age } => format!("Delayed {}", age.words()),
            Self::Disconnected { since } => format!("Disconnected since {}", since.clock()),
            Self::Stale { since: Some(since) } => format!("as of {}", since.clock()),
            Self::Stale { since: None } => "never reported".to_owned(),
            Self::Paused { newer: 0 } => "Paused".to_owned(),
            Self::Paused { newer } => format!("Paused · {newer} newer"),
            Self::AsOf { at } => format!("as of {at}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_ages_from_live_to_delayed_to_disconnected() {
        let t = Ts(0);
        assert_eq!(Freshness::of_heartbeat(t, Ts(14_999_999)), Freshness::Live);
        assert_eq!(
            Freshness::of_heartbeat(t, t + Span::seconds(34)),
            Freshness::Delayed { age: Span::seconds(34) }
        );
        assert_eq!(Freshness::of_heartbeat(t, t + Span::seconds(46)), Freshness::Disconnected { since: t });
    }

    #[test]
    fn a_source_is_stale_after_three_silent_intervals_and_when_it_never_spoke() {
        let interval = Span::seconds(5);
        let seen = Ts(0);
        assert_eq!(Freshness::of_source(Some(seen), interval, seen + Span::seconds(15)), Freshness::Live);
        assert!(matches!(
            Freshness::of_source(Some(seen), interval, seen + Span::seconds(16)),
            Freshness::Stale { since: Some(_) }
        ));
        assert_eq!(Freshness::of_source(None, interval, seen), Freshness::Stale { since: None });
    }
}
