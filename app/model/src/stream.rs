//! The list of events on a page: what folds into what, how fast they come, and which things flap.
//!
//! Pure and bounded. Counts are exact as long as a row is listed: an event that folds is counted in its row, and
//! only whole rows leave at the end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Event, Outcome, Seq, Span, Ts,
    view::{EventGroup, says_the_same},
};

/// How many rows a page keeps.
pub const MAX_ROWS: usize = 300;
/// More than so many events a second are shown as groups only.
pub const RATE_LIMIT: u32 = 20;
/// What the rate is measured over.
const WINDOW_S: i64 = 10;
/// So many changes of outcome within [`FLAP_WINDOW`] are called flapping.
const FLAP_AT: u32 = 4;
const FLAP_WINDOW: Span = Span::minutes(10);

/// Rows, newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EventList {
    /// What is listed; single events are groups of one.
    pub groups: Vec<EventGroup>,
    /// Whether equal neighbours stay apart.
    pub ungrouped: bool,
    /// Events that arrived since the page was made.
    #[serde(skip)]
    pub arrived: u32,
    /// Failed ones among them.
    #[serde(skip)]
    pub failed: u32,
    /// How many were recorded in which second, oldest first.
    #[serde(skip)]
    seconds: Vec<(i64, u32)>,
    /// Whether more come than anybody can read.
    #[serde(skip)]
    storm: bool,
}

impl EventList {
    /// The list that a page starts from.
    #[must_use]
    pub fn new(groups: Vec<EventGroup>, ungrouped: bool) -> Self {
        Self { groups, ungrouped, ..Self::default() }
    }

    /// Puts one more event on top. While more come than anybody can read, it joins the row that says the same
    /// wherever that row is; otherwise only a neighbour, and only where folding is wanted.
    pub fn push(&mut self, event: Event) {
        self.arrived += 1;
        self.failed += u32::from(event.outcome == Outcome::Failed);
        let second = event.recorded_at.0.div_euclid(1_000_000);
        match self.seconds.last_mut() {
            Some(last) if last.0 >= second => last.1 += 1,
            _ => self.seconds.push((second, 1)),
        }
        self.seconds.retain(|(other, _)| *other > second - WINDOW_S);
        let storm = self.rate(event.recorded_at) > RATE_LIMIT;
        if storm && !self.storm {
            self.collapse();
        }
        self.storm = storm;
        let reach = match (storm, self.ungrouped) {
            (true, _) => self.groups.len(),
            (false, true) => 0,
            (false, false) => 1,
        };
        let same = self.groups.iter().take(reach).position(|group| says_the_same(&group.event, &event));
        let group = match same.map(|i| self.groups.remove(i)) {
            Some(group) => EventGroup { n: group.n + 1, first_at: group.first_at.min(event.at), event },
            None => EventGroup { n: 1, first_at: event.at, event },
        };
        self.groups.insert(0, group);
        self.groups.truncate(MAX_ROWS);
    }

    /// Folds every row into the newest one that says the same.
    fn collapse(&mut self) {
        let mut kept: Vec<EventGroup> = Vec::new();
        for group in std::mem::take(&mut self.groups) {
            match kept.iter_mut().find(|newer| says_the_same(&newer.event, &group.event)) {
                Some(newer) => {
                    newer.n += group.n;
                    newer.first_at = newer.first_at.min(group.first_at);
                }
                None => kept.push(group),
            }
        }
        self.groups = kept;
    }

    /// Events a second over the last ten seconds, rounded up.
    #[must_use]
    pub fn rate(&self, now: Ts) -> u32 {
        let second = now.0.div_euclid(1_000_000);
        let recent = self.seconds.iter().filter(|(other, _)| *other > second - WINDOW_S);
        recent.map(|(_, n)| n).sum::<u32>().div_ceil(10)
    }

    /// Rows whose action on an object alternates between success and failure: how often within the last ten
    /// minutes of that action. The newest row of such an action is named.
    #[must_use]
    pub fn flapping(&self) -> BTreeMap<Seq, u32> {
        struct Seen {
            newest: Seq,
            since: Ts,
            last: Outcome,
            changes: u32,
        }
        let mut seen: BTreeMap<(&crate::ObjectKey, &str), Seen> = BTreeMap::new();
        let decided = |group: &&EventGroup| matches!(group.event.outcome, Outcome::Done | Outcome::Failed);
        for group in self.groups.iter().filter(decided) {
            let event = &group.event;
            let new =
                Seen { newest: event.seq, since: event.at - FLAP_WINDOW, last: event.outcome, changes: 0 };
            let seen = seen.entry((&event.object, &event.action)).or_insert(new);
            if event.outcome != seen.last && event.at >= seen.since {
                seen.changes += 1;
                seen.last = event.outcome;
            }
        }
        let flaps = seen.into_values().filter(|seen| seen.changes >= FLAP_AT);
        flaps.map(|seen| (seen.newest, seen.changes)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{self, NOON};

    fn event(seq: i64, object: &str, outcome: Outcome, at: Ts) -> Event {
        let object = fixtures::object("instance", object).key;
        Event { object, outcome, at, recorded_at: at, ..fixtures::event(seq) }
    }

    #[test]
    fn neighbours_fold_and_a_storm_folds_everything_with_exact_counts() {
        let mut list = EventList::default();
        for seq in 1..=4 {
            let object = if seq < 4 { "a" } else { "b" };
            list.push(event(seq, object, Outcome::Failed, NOON + Span::seconds(seq * 60)));
        }
        assert_eq!(list.groups.iter().map(|group| group.n).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(list.groups[1].first_at, NOON + Span::minutes(1));
        // Four objects in turn, two hundred a second.
        let mut storm = EventList { ungrouped: true, ..EventList::default() };
        for seq in 0..2_000_i64 {
            let object = ["a", "b", "c", "d"][usize::try_from(seq % 4).expect("small")];
            storm.push(event(seq, object, Outcome::Failed, NOON + Span::millis(seq * 5)));
        }
        assert_eq!(storm.groups.iter().map(|group| group.n).sum::<u32>(), 2_000);
        assert_eq!(storm.groups.len(), 4);
        assert_eq!((storm.arrived, storm.failed), (2_000, 2_000));
        assert_eq!(storm.rate(NOON + Span::seconds(9)), 200);
        assert_eq!(storm.rate(NOON + Span::minutes(1)), 0);
    }

    #[test]
    fn an_action_that_fails_and_works_in_turn_flaps() {
        let mut list = EventList::default();
        for seq in 1..=5 {
            let outcome = if seq % 2 == 0 { Outcome::Done } else { Outcome::Failed };
            list.push(event(seq, "a", outcome, NOON + Span::seconds(seq * 30)));
        }
        assert_eq!(list.flapping(), BTreeMap::from([(Seq(5), 4)]));
        list.groups.remove(1);
        assert!(list.flapping().is_empty(), "{:?}", list.flapping());
    }

    #[test]
    fn a_clock_that_steps_back_counts_what_it_brings() {
        let mut list = EventList::default();
        list.push(event(1, "a", Outcome::Done, NOON));
        list.push(event(2, "a", Outcome::Done, NOON - Span::minutes(5)));
        assert_eq!(list.groups[0].n, 2);
        assert_eq!(list.rate(NOON), 1);
    }
}
