//! Desired, current and why: the gap panel's data (`ux.md` 2.1).

use model::{
    Evidence, EvidenceKind, FieldState, Gap, GapRow, Link, NextStep, ObjectKey, ObjectKind, Span, Ts,
    Verdict, ViewState, view_state::Facet,
};
use serde_json::Value;

use crate::{Limits, Scene, chain, scene::phrase};

/// Computes the gap of one object.
#[must_use]
pub fn of(scene: &Scene, limits: &Limits, now: Ts) -> Gap {
    let chain = chain::of(scene, limits);
    let evidence = why(scene, &chain, limits, now);
    let verdict = scene.judgement.as_ref().map(|judgement| judgement.verdict);
    let mut rows = rows(scene, evidence.first(), verdict);
    rows.sort_by_key(|row| row.state);
    let closed = !scene.has_gap();
    Gap {
        generation: scene.object.generation,
        observed_generation: scene.object.observed_generation,
        looked_at: (evidence.is_empty() && !closed).then(|| looked_at(scene)),
        limit: (verdict == Some(Verdict::Stuck)).then(|| limit(scene, limits, now)),
        next: next(scene, &chain, verdict),
        rows,
        chain,
        evidence,
    }
}

fn rows(scene: &Scene, why: Option<&Evidence>, verdict: Option<Verdict>) -> Vec<GapRow> {
    let object = &scene.object;
    let known = verdict != Some(Verdict::Unknown) && object.observed_generation.is_some();
    let compare = |(field, desired): (&String, &Value)| {
        let current = object.current.get(field).filter(|_| known);
        let state = match current {
            None => FieldState::UnknownCurrent,
            Some(current) if current == desired => FieldState::Equal,
            Some(_) if verdict == Some(Verdict::Converging) => FieldState::Moving,
            Some(_) => FieldState::Differs,
        };
        let differs = matches!(state, FieldState::Differs | FieldState::Moving);
        GapRow {
            field: phrase(field, 100),
            desired: said(desired),
            current: current.map(|current| match (desired.as_i64(), current.as_i64()) {
                (Some(want), Some(is)) if want != is => format!("{is} ({:+})", is - want),
                _ => said(current),
            }),
            state,
            why: why.filter(|_| differs).cloned(),
        }
    };
    object.desired.iter().map(compare).collect()
}

/// A value as people write it.
fn said(value: &Value) -> String {
    match value {
        Value::String(text) => phrase(text, 500),
        Value::Null => "nothing".to_owned(),
        other => phrase(&other.to_string(), 500),
    }
}

/// The eight rules behind "why", in order; up to three pieces of evidence.
fn why(scene: &Scene, chain: &[Link], limits: &Limits, now: Ts) -> Vec<Evidence> {
    if !scene.has_gap() && chain.is_empty() {
        return vec![];
    }
    let mut found: Vec<Evidence> = Vec::new();
    let mut add = |evidence: Option<Evidence>| {
        // The same place may be said twice, by two conditions of one object; one voice counts once.
        let same = |new: &Evidence| found.iter().any(|old| old.href == new.href && old.by == new.by);
        if let Some(evidence) = evidence.filter(|new| !same(new)) {
            found.push(evidence);
        }
    };
    // 1, 2, 3: the deepest failing dependency with direct evidence; its repeated failure, or what it says.
    for link in chain.iter().rev() {
        add(link.evidence.clone());
    }
    add(degraded(scene)); // 4
    add(oscillation(scene, limits, now)); // 5
    add(denied(scene)); // 6
    add(nothing_happened(scene, now)); // 7
    found.truncate(3);
    found // 8: empty; the panel then says what was looked at
}

fn degraded(scene: &Scene) -> Option<Evidence> {
    let generation = scene.object.generation;
    let current = |c: &&model::Condition| c.is_true() && !c.is_about_older(generation);
    let condition = scene.object.condition("Degraded").filter(current)?;
    Some(Evidence {
        kind: EvidenceKind::Direct,
        text: phrase(&format!("Degraded {}: {}", condition.reason, condition.message), 300),
        at: condition.since,
        by: "Degraded".to_owned(),
        href: format!("{}#conditions", scene.object.path()),
        event: None,
    })
}

fn oscillation(scene: &Scene, limits: &Limits, now: Ts) -> Option<Evidence> {
    let flips = scene.flips_since(now - limits.flap_window);
    (flips >= limits.flips).then(|| Evidence {
        kind: EvidenceKind::Inferred,
        text: format!("ready ↔ not ready {flips}× in {}", limits.flap_window.words()),
        at: scene.events.first().map_or(now, |event| event.at),
        by: "rule: oscillation".to_owned(),
        href: ViewState { ungrouped: true, ..about(&scene.object.key) }.link("/events"),
        event: None,
    })
}

fn denied(scene: &Scene) -> Option<Evidence> {
    const WORDS: [&str; 6] = ["Quota", "Forbidden", "Denied", "Unauthorized", "Permission", "Exceeded"];
    let all = scene.all();
    let event = all.iter().flat_map(|scene| &scene.events).find(|event| {
        event.outcome == model::Outcome::Failed && WORDS.iter().any(|word| event.reason.contains(word))
    })?;
    Some(Evidence {
        kind: EvidenceKind::Direct,
        text: phrase(&format!("{}: {}", event.reason, event.message), 300),
        at: event.at,
        by: phrase(&event.controller, 60),
        href: event.path(),
        event: Some(event.id()),
    })
}

fn nothing_happened(scene: &Scene, now: Ts) -> Option<Evidence> {
    let changed = scene.changed_at();
    // The change itself is recorded too: by people, who are no controllers.
    let touches = |event: &model::Event| event.at >= changed && event.controller != "user";
    let quiet = !scene.all().iter().any(|scene| scene.events.iter().any(touches));
    (scene.has_gap() && quiet && now - changed > Span::seconds(10)).then(|| Evidence {
        kind: EvidenceKind::Inferred,
        text: format!("no controller has touched this since {}", changed.clock()),
        at: changed,
        by: "rule: nothing happened".to_owned(),
        href: about(&scene.object.key).link("/events"),
        event: None,
    })
}

fn about(object: &ObjectKey) -> ViewState {
    ViewState::default().with(Facet::Object, &object.to_string(), false)
}

fn looked_at(scene: &Scene) -> String {
    let all = scene.all();
    let events: usize = all.iter().map(|scene| scene.events.len()).sum();
    format!(
        "We have no evidence. Looked at: {events} events, {} conditions and {} dependencies of {}.",
        scene.object.conditions.len(),
        all.len() - 1,
        phrase(&scene.object.name, 100),
    )
}

fn limit(scene: &Scene, limits: &Limits, now: Ts) -> String {
    if now >= scene.stuck_at(limits) {
        return format!("no progress for longer than {} (limit)", limits.stuck_after.words());
    }
    format!("the same step failed {} times or more in a row (limit {0})", limits.same_failures)
}

/// Exactly one next step. What can be acted on comes before what can be looked at.
fn next(scene: &Scene, chain: &[Link], verdict: Option<Verdict>) -> Option<NextStep> {
    let last = chain.last()?;
    if verdict == Some(Verdict::Converging) {
        return Some(NextStep {
            label: format!("See what {} does", last.name),
            href: about(&last.object).link("/events"),
            command: Some(format!("vt events query --object {}", word(&last.object.to_string()))),
        });
    }
    let kind = last.object.kind().as_str();
    let logs = kind == ObjectKind::INSTANCE && last.object != scene.object.key;
    Some(match logs {
        true => NextStep {
            label: format!("Read what {} printed", last.name),
            href: format!("{}#logs", model::object::object_path(&last.object)),
            command: Some(format!("vt logs query --instance {}", word(last.object.id()))),
        },
        false => NextStep {
            label: format!("See the events of {}", last.name),
            href: about(&last.object).link("/events"),
            command: Some(format!("vt events query --object {}", word(&last.object.to_string()))),
        },
    })
}

/// One word of a shell command: people paste it, and other systems chose the id.
fn word(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-.:/@".contains(&b);
    match text.bytes().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}
