//! Everything that is known about one object when a rule looks at it: itself, its events, its dependencies.

use model::{Condition, Event, Freshness, Judgement, Object, Outcome, Span, Ts};

/// From when on something counts as wrong. Printed with every verdict that they lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A gap without progress for longer than this is stuck.
    pub stuck_after: Span,
    /// The same step failing this often in a row is stuck, however little time has passed.
    pub same_failures: u32,
    /// Readiness that flips this often within [`Limits::flap_window`] is flapping.
    pub flips: u32,
    /// The window of `flips`.
    pub flap_window: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self { stuck_after: Span::minutes(1), same_failures: 3, flips: 4, flap_window: Span::minutes(10) }
    }
}

/// One object with its surroundings.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The object.
    pub object: Object,
    /// What was last said about it.
    pub judgement: Option<Judgement>,
    /// Its newest events, newest first.
    pub events: Vec<Event>,
    /// What it depends on, as far as it matters for the current spec.
    pub children: Vec<Scene>,
    /// How fresh its source is.
    pub freshness: Freshness,
}

/// The same step failing again and again.
#[derive(Debug, Clone, Copy)]
pub struct Failures<'a> {
    /// The newest failure.
    pub last: &'a Event,
    /// How many in a row, without a success of that controller in between.
    pub n: u32,
    /// When the first of them happened.
    pub since: Ts,
}

impl Scene {
    /// The run of equal failures that its newest result belongs to. Events that only say "started" do not
    /// end a run; a success of the same controller does.
    #[must_use]
    pub fn failures(&self) -> Option<Failures<'_>> {
        let mut results = self.events.iter().filter(|event| event.outcome != Outcome::Started);
        let last = results.find(|event| event.outcome != Outcome::Info)?;
        if last.outcome != Outcome::Failed {
            return None;
        }
        let mut n = 1;
        let mut since = last.at;
        for event in results.filter(|event| event.controller == last.controller) {
            match event.outcome {
                Outcome::Failed if event.action == last.action && event.reason == last.reason => {
                    n += 1;
                    since = event.at;
                }
                Outcome::Info => {}
                _ => break,
            }
        }
        // A controller that counts its attempts knows better than the events that we happened to load.
        Some(Failures { last, n: last.attempt.unwrap_or(n).max(n), since })
    }

    /// Whether the current state is not what is desired.
    #[must_use]
    pub fn has_gap(&self) -> bool {
        let object = &self.object;
        self.is_unobserved()
            || object.condition("Ready").is_some_and(|ready| !ready.is_true())
            || object.condition("Reconciling").is_some_and(Condition::is_true)
    }

    /// Whether its controller has not yet seen what is desired. One that never names a generation is asked for its
    /// readiness, then for the desired values themselves; where nothing is desired there is nothing to see.
    fn is_unobserved(&self) -> bool {
        let object = &self.object;
        match object.observed_generation {
            Some(observed) => observed != object.generation,
            None if object.condition("Ready").is_some() => false,
            None => object.desired.iter().any(|(field, value)| object.current.get(field) != Some(value)),
        }
    }

    /// Since when there is a gap.
    #[must_use]
    pub fn gap_since(&self) -> Ts {
        let object = &self.object;
        let ready = object.condition("Ready").filter(|ready| !ready.is_true());
        let moving = object.condition("Reconciling").filter(|moving| moving.is_true());
        let since = ready.into_iter().chain(moving).map(|condition| condition.since);
        since.min().unwrap_or(object.updated_at).max(self.changed_at())
    }

    /// When the desired state last changed, as far as the source says so.
    #[must_use]
    pub fn changed_at(&self) -> Ts {
        self.instant("changed_at").unwrap_or(self.object.created_at)
    }

    /// When something last came closer to what is desired.
    #[must_use]
    pub fn progress_at(&self) -> Ts {
        self.instant("progress_at").unwrap_or_default().max(self.gap_since())
    }

    /// From when on a gap without progress is stuck.
    #[must_use]
    pub fn stuck_at(&self, limits: &Limits) -> Ts {
        self.progress_at() + limits.stuck_after
    }

    /// The object and everything that it depends on.
    #[must_use]
    pub fn all(&self) -> Vec<&Scene> {
        let mut all = vec![self];
        all.extend(self.children.iter().flat_map(Scene::all));
        all
    }

    /// What the object's own controller says about its readiness; never empty.
    #[must_use]
    pub fn own_words(&self) -> String {
        let object = &self.object;
        match object.condition("Ready") {
            Some(ready)
                if ready.is_about_older(object.generation)
                    || object.observed_generation < Some(object.generation) =>
            {
                format!("generation {} is not observed yet", object.generation)
            }
            Some(ready) => words_of(ready, 200),
            None => "not reported".to_owned(),
        }
    }

    fn instant(&self, field: &str) -> Option<Ts> {
        self.object.current_text(field).and_then(|text| text.parse().ok())
    }

    /// How often readiness flipped since this instant, counted from its events.
    #[must_use]
    pub fn flips_since(&self, from: Ts) -> u32 {
        let flips = self.flips().filter(|begun| *begun >= from).count();
        u32::try_from(flips).unwrap_or(u32::MAX)
    }

    /// Until when its recorded flips count as flapping; time alone ends that.
    #[must_use]
    pub fn flapping_until(&self, limits: &Limits) -> Option<Ts> {
        let enough = usize::try_from(limits.flips).ok()?.checked_sub(1)?;
        self.flips().nth(enough).map(|begun| begun + limits.flap_window + Span(1))
    }

    /// Its flips, newest first, each by the instant of the older one of its two results.
    fn flips(&self) -> impl Iterator<Item = Ts> {
        let decided = |event: &&Event| matches!(event.outcome, Outcome::Done | Outcome::Failed);
        let results = || self.events.iter().filter(decided);
        results()
            .zip(results().skip(1))
            .filter(|(new, old)| new.outcome != old.outcome)
            .map(|(_, old)| old.at)
    }
}

/// What a condition says, in words; never empty.
#[must_use]
pub fn words_of(condition: &Condition, max: usize) -> String {
    let said = [&condition.message, &condition.reason].map(|text| phrase(text, max));
    said.into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_else(|| format!("{} is {}", phrase(&condition.ty, 60), condition.status.as_str()))
}

/// Text from outside, made fit for a sentence: one line, no control characters, nothing that turns the
/// direction of writing around, at most `max` characters.
#[must_use]
pub fn phrase(text: &str, max: usize) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() || turns(c) { ' ' } else { c }).collect();
    let words: Vec<&str> = clean.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= max {
        return line;
    }
    let mut short: String = line.chars().take(max.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// Characters that reorder what is shown after them, so that a hostile name could rewrite our own words.
const fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
