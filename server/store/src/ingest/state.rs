//! One object in the middle of a transaction. Pure: what a report does to state, version and segments.

use std::collections::BTreeMap;

use model::{Condition, Object, ObservedObject, SourceId, Ts};

use crate::{
    segments::SegmentRow,
    text::{clean, scrub},
};

/// An object as it stands now, and the segments that belong to it.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) id: i64,
    /// `None` for an object that nobody reported before.
    pub(super) object: Option<Object>,
    pub(super) seq: i64,
    pub(super) n_versions: i64,
    /// Open segments by condition.
    pub(super) open: BTreeMap<String, SegmentRow>,
    /// Whether the object has to be written.
    pub(super) changed: bool,
}

/// A report about this instant, which became this row of the journal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) at: Ts,
    pub(super) seq: i64,
}

/// What a report says the object is now; `None` when that is nothing new.
pub(super) fn next(
    known: Option<&Object>,
    seen: ObservedObject,
    source: &SourceId,
    at: Ts,
) -> Option<Object> {
    let ObservedObject {
        key,
        mut name,
        app,
        env,
        generation,
        observed_generation,
        desired,
        current,
        refs,
        conditions,
    } = seen;
    scrub(&mut name);
    let known_conditions = known.map_or(&[][..], |known| &known.conditions);
    let next = Object {
        key,
        name,
        app: app.map(|app| clean(&app).into_owned()),
        env: env.map(|env| clean(&env).into_owned()),
        source: source.clone(),
        generation,
        observed_generation,
        desired,
        current,
        refs,
        conditions: with_since(known_conditions, conditions, at),
        created_at: known.map_or(at, |known| known.created_at),
        updated_at: at,
        gone_at: None,
    };
    let same = known.is_some_and(|known| Object { updated_at: known.updated_at, ..next.clone() } == *known);
    (!same).then_some(next)
}

/// Conditions keep their `since` while their status does; a type that is there twice counts once.
fn with_since(known: &[Condition], seen: Vec<Condition>, at: Ts) -> Vec<Condition> {
    let mut kept: Vec<Condition> = Vec::with_capacity(seen.len());
    for mut condition in seen {
        for text in [&mut condition.ty, &mut condition.reason, &mut condition.message] {
            scrub(text);
        }
        // Nothing begins after it was reported.
        condition.since = condition.since.min(at);
        if let Some(before) =
            known.iter().find(|before| before.ty == condition.ty && before.status == condition.status)
        {
            condition.since = before.since;
        }
        match kept.iter_mut().find(|other| other.ty == condition.ty) {
            Some(other) => *other = condition,
            None => kept.push(condition),
        }
    }
    kept
}

impl State {
    /// Takes over what was reported. Answers the segments to write, closed ones and new ones; new ones still
    /// lack their id, which is 0.
    pub(super) fn become_(&mut self, next: Object, moment: Moment) -> Vec<SegmentRow> {
        let mut written = vec![];
        let reported: Vec<&str> = next.conditions.iter().map(|condition| condition.ty.as_str()).collect();
        let silent: Vec<String> =
            self.open.keys().filter(|ty| !reported.contains(&ty.as_str())).cloned().collect();
        for ty in silent {
            written.extend(self.close(&ty, moment.at, moment.seq));
        }
        for condition in &next.conditions {
            written.extend(self.follow(condition, moment));
        }
        self.seq = moment.seq;
        self.object = Some(next);
        self.changed = true;
        written
    }

    /// The object is gone: nothing holds any more.
    pub(super) fn go(&mut self, moment: Moment) -> Vec<SegmentRow> {
        let lanes: Vec<String> = self.open.keys().cloned().collect();
        let written = lanes.iter().filter_map(|ty| self.close(ty, moment.at, moment.seq)).collect();
        if let Some(object) = &mut self.object {
            object.gone_at = Some(moment.at);
            object.updated_at = moment.at;
        }
        self.seq = moment.seq;
        self.changed = true;
        written
    }

    fn close(&mut self, ty: &str, at: Ts, seq: i64) -> Option<SegmentRow> {
        let mut segment = self.open.remove(ty)?;
        segment.to_at = Some(at.0.max(segment.from_at));
        segment.to_seq = Some(seq);
        Some(segment)
    }

    fn follow(&mut self, condition: &Condition, Moment { at, seq }: Moment) -> Vec<SegmentRow> {
        let Condition { ty, status, reason, message, observed_generation, since } = condition;
        let mut written = vec![];
        let mut from = since.0;
        match self.open.get_mut(ty) {
            Some(open) if open.status == status.as_str() => {
                let news =
                    (&open.reason, &open.message, open.generation) != (reason, message, *observed_generation);
                if news {
                    open.reason.clone_from(reason);
                    open.message.clone_from(message);
                    open.generation = *observed_generation;
                    written.push(open.clone());
                }
                return written;
            }
            Some(open) => {
                // It flipped between its own beginning and now; the source says when.
                from = since.0.clamp(open.from_at, at.0.max(open.from_at));
                written.extend(self.close(ty, Ts(from), seq));
            }
            None => {}
        }
        let segment = SegmentRow {
            id: 0,
            object: self.id,
            ty: ty.clone(),
            status: status.as_str().to_owned(),
            reason: reason.clone(),
            message: message.clone(),
            generation: *observed_generation,
            from_at: from,
            to_at: None,
            from_seq: seq,
            to_seq: None,
        };
        written.push(segment);
        written
    }
}

#[cfg(test)]
mod tests {
    use model::{ConditionStatus as S, Span, fixtures};

    use super::*;

    fn seen(conditions: Vec<Condition>) -> ObservedObject {
        let Object { key, name, app, env, generation, observed_generation, desired, current, refs, .. } =
            fixtures::object("instance", "ins_1");
        ObservedObject {
            key,
            name,
            app,
            env,
            generation,
            observed_generation,
            desired,
            current,
            refs,
            conditions,
        }
    }

    fn state(object: Object) -> State {
        let mut state = State { id: 7, ..State::default() };
        for mut segment in state.become_(object, Moment { at: fixtures::NOON, seq: 1 }) {
            segment.id = 100;
            state.open.insert(segment.ty.clone(), segment);
        }
        state
    }

    #[test]
    fn the_same_report_again_is_nothing_new() {
        let ready = fixtures::condition("Ready", S::True, "Up");
        let source = fixtures::source();
        let first = next(None, seen(vec![ready.clone()]), &source, fixtures::NOON).expect("new");
        let later = fixtures::NOON + Span::seconds(5);
        let again = Condition { since: later, ..ready };
        assert_eq!(next(Some(&first), seen(vec![again]), &source, later), None);
    }

    #[test]
    fn a_new_reason_stays_in_its_segment_and_a_flip_ends_it() {
        let ready = fixtures::condition("Ready", S::True, "Up");
        let source = fixtures::source();
        let first = next(None, seen(vec![ready.clone()]), &source, fixtures::NOON).expect("new");
        let mut state = state(first.clone());
        let later = fixtures::NOON + Span::seconds(5);
        let reason = Condition { reason: "StillUp".into(), since: later, ..ready.clone() };
        let second = next(Some(&first), seen(vec![reason]), &source, later).expect("news");
        assert_eq!(second.conditions[0].since, fixtures::NOON);
        let written = state.become_(second.clone(), Moment { at: later, seq: 2 });
        assert_eq!((written.len(), written[0].id, written[0].reason.as_str()), (1, 100, "StillUp"));
        let flip = Condition { status: S::False, since: later - Span::seconds(1), ..ready };
        let third = next(Some(&second), seen(vec![flip]), &source, later).expect("news");
        let written = state.become_(third, Moment { at: later, seq: 3 });
        let [old, new] = &written[..] else { panic!("{written:?}") };
        assert_eq!(old.to_at, Some((later - Span::seconds(1)).0));
        assert_eq!((new.from_at, new.to_at, new.id), ((later - Span::seconds(1)).0, None, 0));
    }

    #[test]
    fn a_condition_that_is_not_reported_any_more_ends() {
        let first = next(
            None,
            seen(vec![fixtures::condition("Ready", S::True, "")]),
            &fixtures::source(),
            fixtures::NOON,
        );
        let mut state = state(first.expect("new"));
        let later = fixtures::NOON + Span::seconds(5);
        let bare = next(state.object.as_ref(), seen(vec![]), &fixtures::source(), later).expect("news");
        let written = state.become_(bare, Moment { at: later, seq: 2 });
        assert_eq!(written.len(), 1);
        assert_eq!(written[0].to_at, Some(later.0));
        assert!(state.open.is_empty());
    }
}
