//! Bounds on text from outside before it is drawn and sent: one event of a megabyte must not make a page of it.

use model::{
    Event, Evidence, Gap, Judgement, Object,
    timeline::Timeline,
    view::{EnvView, EventsView, InstanceRow, ObjectView, Overview},
};

use crate::ui::text::tame;

pub(super) fn event(event: &mut Event) {
    tame(&mut event.message);
    tame(&mut event.reason);
    tame(&mut event.action);
    tame(&mut event.controller);
}

fn evidence(evidence: &mut Evidence) {
    tame(&mut evidence.text);
}

fn gap(gap: &mut Gap) {
    for row in &mut gap.rows {
        tame(&mut row.desired);
        row.current.iter_mut().for_each(tame);
        row.why.iter_mut().for_each(evidence);
    }
    for link in &mut gap.chain {
        tame(&mut link.text);
        link.evidence.iter_mut().for_each(evidence);
    }
    gap.evidence.iter_mut().for_each(evidence);
}

fn judgement(judgement: &mut Judgement) {
    tame(&mut judgement.sentence);
    for because in &mut judgement.because {
        tame(&mut because.text);
        because.evidence.iter_mut().for_each(evidence);
    }
}

fn timeline(timeline: &mut Timeline) {
    for segment in timeline.lanes.iter_mut().flat_map(|lane| &mut lane.segments) {
        tame(&mut segment.message);
        tame(&mut segment.reason);
    }
}

fn instance(row: &mut InstanceRow) {
    tame(&mut row.text);
}

fn object(object: &mut Object) {
    for condition in &mut object.conditions {
        tame(&mut condition.message);
        tame(&mut condition.reason);
    }
    for value in object.desired.values_mut().chain(object.current.values_mut()) {
        if let serde_json::Value::String(text) = value {
            tame(text);
        }
    }
}

pub(super) fn overview(view: &mut Overview) {
    tame(&mut view.sentence);
    view.rows.iter_mut().for_each(|row| judgement(&mut row.judgement));
}

pub(super) fn env(view: &mut EnvView) {
    judgement(&mut view.judgement);
    gap(&mut view.gap);
    timeline(&mut view.timeline);
    view.instances.iter_mut().for_each(instance);
    view.events.iter_mut().for_each(event);
    view.last_reconcile_error.iter_mut().for_each(tame);
}

pub(super) fn object_view(view: &mut ObjectView) {
    judgement(&mut view.judgement);
    gap(&mut view.gap);
    timeline(&mut view.timeline);
    object(&mut view.object);
    view.events.iter_mut().for_each(event);
    for line in view.logs.iter_mut().flatten() {
        tame(&mut line.line);
    }
}

pub(super) fn events(view: &mut EventsView) {
    view.groups.iter_mut().for_each(|group| event(&mut group.event));
    view.selected.iter_mut().for_each(event);
}
