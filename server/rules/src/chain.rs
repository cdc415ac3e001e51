//! The chain: from the viewed object to the deepest failing dependency, every link with its evidence.

use std::cmp::Reverse;

use model::{Condition, Evidence, EvidenceKind, Link, Verdict, verdict::Attention};

use crate::{
    Limits,
    scene::{Scene, phrase},
};

/// Follows the dependency that needs most attention, until one has none that does.
///
/// Empty when the object itself is fine.
#[must_use]
pub fn of(scene: &Scene, limits: &Limits) -> Vec<Link> {
    let mut links = Vec::new();
    let mut here = Some(scene);
    while let Some(scene) = here {
        let fine = verdict_of(scene).attention() == Attention::Quiet;
        if fine && !scene.has_gap() {
            break;
        }
        links.push(link(scene, limits));
        here = worst_child(scene);
    }
    links
}

/// The dependency that explains the gap: the worst verdict, then the most attempts, then the oldest.
///
/// Attempts count by their power of two: of siblings that fail in step now one is ahead and now another, and whoever
/// reads the page, or presses what it offers next, needs it to speak of the same one.
#[must_use]
pub fn worst_child(scene: &Scene) -> Option<&Scene> {
    scene
        .children
        .iter()
        .filter(|child| child.has_gap() || verdict_of(child).attention() != Attention::Quiet)
        .min_by_key(|child| {
            let attempts = child.failures().map_or(0, |failures| failures.n);
            (verdict_of(child), Reverse(attempts.checked_ilog2()), child.object.created_at, &child.object.key)
        })
}

fn verdict_of(scene: &Scene) -> Verdict {
    scene.judgement.as_ref().map_or(Verdict::Converging, |judgement| judgement.verdict)
}

fn link(scene: &Scene, limits: &Limits) -> Link {
    let failures = scene.failures();
    let text = match &failures {
        Some(failures) => phrase(&failures.last.message, 200),
        None => scene.own_words(),
    };
    Link {
        object: scene.object.key.clone(),
        name: phrase(&scene.object.name, 100),
        verdict: verdict_of(scene),
        text,
        since: scene.gap_since(),
        attempt: failures.map(|failures| failures.n).filter(|n| *n > 1),
        evidence: evidence(scene, limits),
    }
}

/// The strongest evidence about this one object: its failing event, else what its `Ready` condition says
/// about the current spec. What it said about an older one proves nothing.
#[must_use]
pub fn evidence(scene: &Scene, limits: &Limits) -> Option<Evidence> {
    if let Some(failures) = scene.failures() {
        let event = failures.last;
        let times = match failures.n {
            1 => String::new(),
            n if n >= limits.same_failures => format!(" ×{n}"),
            n => format!(", attempt {n}"),
        };
        return Some(Evidence {
            kind: EvidenceKind::Direct,
            text: phrase(&format!("{} failed{times}: {}", event.action, event.message), 300),
            at: event.at,
            by: phrase(&event.controller, 60),
            href: event.path(),
            event: Some(event.id()),
        });
    }
    let current = |ready: &&Condition| !ready.is_true() && !ready.is_about_older(scene.object.generation);
    let ready = scene.object.condition("Ready").filter(current)?;
    Some(Evidence {
        kind: EvidenceKind::Direct,
        text: phrase(&format!("Ready={} {}: {}", ready.status.as_str(), ready.reason, ready.message), 300),
        at: ready.since,
        by: "Ready".to_owned(),
        href: format!("{}#conditions", scene.object.path()),
        event: None,
    })
}
