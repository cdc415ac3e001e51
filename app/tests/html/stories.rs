//! One story in the states that pages have to survive: `checkout/prod`, whose release r-2 exits at once.

use std::collections::BTreeMap;

use app::api::{Chrome, EnvPage, OverviewPage, Page, Viewer};
use model::{
    Because, ConditionStatus, Evidence, EvidenceKind, FieldState, Gap, GapRow, InstanceId, Judgement, Lane,
    Link, Marker, MarkerKind, NextStep, ObjectKey, Outcome, ReceiptPhase, Role, Segment, SegmentStatus, Seq,
    Span, Tone, Ts, Verb, Verdict,
    fixtures::{NOON, condition, env_ref, event, object, release, source},
    timeline::Timeline,
    view::{
        ActionState, Bar, Counts, EnvView, EventGroup, EventsView, FacetCount, InstanceRow, LogLine,
        ObjectView, Overview, OverviewRow, Related, ReleaseRow, Silence, SourceState,
    },
};

use crate::writes::receipt;

pub(crate) fn now() -> Ts {
    NOON
}

pub(crate) fn ago(minutes: i64) -> Ts {
    NOON - Span::minutes(minutes)
}

pub(crate) fn page<T>(data: T) -> Page<T> {
    Page {
        data,
        as_of: Seq(40),
        now: NOON,
        store_id: "store".into(),
        build_id: "build".into(),
        viewer: Viewer { name: "mira".into(), role: Role::Operator, signed_in: true, ends_at: None },
        chrome: Chrome { open_waits: 2, open_receipts: 1, silent_sources: 0 },
        unknown_keys: vec![],
    }
}

fn sentence(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Stuck => {
            "checkout/prod wants r-2 ×4, none of it runs: instance i-1 exited with code 1, attempt 14"
        }
        Verdict::Converging => "checkout/prod moves to r-2: 3 of 4 instances run",
        Verdict::Converged => "checkout/prod runs r-2 ×4 as desired",
        _ => "checkout/prod has not been reported",
    }
}

fn judgement(verdict: Verdict) -> Judgement {
    let because = Because {
        rule: "stuck.same-step-failed".into(),
        text: "StartInstance failed 14 times".into(),
        evidence: vec![],
    };
    Judgement { verdict, since: ago(11), sentence: sentence(verdict).into(), because: vec![because] }
}

fn instance() -> ObjectKey {
    ObjectKey::instance(&InstanceId::mint(1))
}

fn evidence() -> Evidence {
    Evidence {
        kind: EvidenceKind::Direct,
        text: "exited with code 1".into(),
        at: ago(1),
        by: "instance".into(),
        href: "/events?sel=ev_20#ev_20".into(),
        event: Some("ev_20".parse().expect("valid")),
    }
}

fn row(field: &str, desired: &str, current: Option<&str>, state: FieldState) -> GapRow {
    let why = matches!(state, FieldState::Differs | FieldState::Moving).then(evidence);
    GapRow { field: field.into(), desired: desired.into(), current: current.map(Into::into), state, why }
}

fn gap(verdict: Verdict) -> Gap {
    let (instances, chain) = match verdict {
        Verdict::Converged => (row("instances", "4", Some("4"), FieldState::Equal), vec![]),
        Verdict::Converging => {
            (row("instances", "4", Some("3 running · 1 starting"), FieldState::Moving), vec![])
        }
        _ => {
            let link = Link {
                object: instance(),
                name: "i-1".into(),
                verdict: Verdict::Stuck,
                text: "exited with code 1".into(),
                since: ago(11),
                attempt: Some(14),
                evidence: Some(evidence()),
            };
            (row("instances", "4", Some("0 running · 4 restarting"), FieldState::Differs), vec![link])
        }
    };
    let release = row("release", "r-2", Some("r-2"), FieldState::Equal);
    let unknown = row("endpoints", "2 ready", None, FieldState::UnknownCurrent);
    let mut rows = vec![instances];
    if verdict == Verdict::Stuck {
        rows.push(unknown);
    }
    rows.push(release);
    Gap {
        generation: 2,
        observed_generation: Some(2),
        rows,
        chain,
        evidence: vec![evidence()],
        looked_at: None,
        limit: Some("no progress for longer than 10 s (limit)".into()),
        next: Some(NextStep {
            label: "Roll back to r-1…".into(),
            href: format!("{}?open=rollback", env_ref().path()),
            command: Some("vt rollback checkout prod".into()),
        }),
    }
}

fn marker(minutes: i64, kind: MarkerKind, title: &str) -> Marker {
    Marker { at: ago(minutes), kind, title: title.into(), actor: "ci".into(), href: "/receipts/rc_1".into() }
}

fn segment(n: u32, from: i64, to: Option<i64>, status: SegmentStatus, tone: Tone) -> Segment {
    Segment {
        id: format!("seg_{n}"),
        from: ago(from),
        to: to.map(ago),
        status,
        tone,
        reason: if tone == Tone::Bad { "InstancesNotReady".into() } else { String::new() },
        message: String::new(),
        generation: Some(2),
    }
}

fn timeline() -> Timeline {
    let lane = Lane {
        object: ObjectKey::env(&env_ref().env_id),
        name: "checkout/prod".into(),
        condition: "Ready".into(),
        segments: vec![
            segment(1, 60, Some(20), SegmentStatus::True, Tone::Good),
            segment(2, 20, Some(15), SegmentStatus::NotRecorded, Tone::None),
            segment(3, 15, None, SegmentStatus::False, Tone::Bad),
        ],
    };
    Timeline {
        from: ago(60),
        to: NOON,
        recorded_since: ago(600),
        lanes: vec![lane],
        markers: vec![marker(11, MarkerKind::Deploy, "deploy r-2")],
    }
}

pub(crate) fn action(disabled: Option<&str>) -> ActionState {
    ActionState {
        verb: Verb::Rollback,
        label: "Roll back to r-1…".into(),
        href: format!("{}?open=rollback", env_ref().path()),
        disabled: disabled.map(Into::into),
    }
}

fn instances(verdict: Verdict) -> Vec<InstanceRow> {
    let one = |name: &str, verdict, state: &str, text: &str| InstanceRow {
        object: Some(instance()),
        name: name.into(),
        process: "web".into(),
        release: "r-2".into(),
        verdict,
        state: state.into(),
        starts: 14,
        text: text.into(),
    };
    let ghost = InstanceRow { object: None, starts: 0, ..one("wanted", Verdict::Idle, "wanted", "") };
    match verdict {
        Verdict::Converged => vec![one("i-1", Verdict::Converged, "running", "")],
        _ => vec![one("i-1", verdict, "restarting", "exit code 1, attempt 14"), ghost],
    }
}

pub(crate) fn env_page(verdict: Verdict) -> Page<EnvPage> {
    let mut newest = event(20);
    newest.outcome = Outcome::Failed;
    newest.reason = "Exited".into();
    newest.message = "exited with code 1".into();
    let row = |number: i64, desired: bool| ReleaseRow {
        release: release(number),
        desired,
        running: 0,
        action: (!desired).then(|| action(None)),
    };
    let receipts =
        if verdict == Verdict::Converging { vec![receipt(ReceiptPhase::Applying)] } else { vec![] };
    let view = EnvView {
        target: env_ref(),
        judgement: judgement(verdict),
        gap: gap(verdict),
        instances: instances(verdict),
        releases: vec![row(2, true), row(1, false)],
        changes: vec![marker(11, MarkerKind::Deploy, "deploy r-2")],
        events: vec![newest],
        timeline: timeline(),
        actions: vec![
            action(None),
            ActionState {
                verb: Verb::Delete,
                label: "Delete…".into(),
                ..action(Some("needs the role admin"))
            },
        ],
        receipts,
        waits: vec![],
        last_reconcile_at: Some(ago(0)),
        last_reconcile_error: None,
        stale_since: None,
    };
    page(EnvPage { view, open: None })
}

pub(crate) fn overview_page(verdict: Verdict) -> Page<OverviewPage> {
    let quiet = OverviewRow {
        target: model::EnvRef { app: "web".into(), env_id: model::EnvId::mint(2), ..env_ref() },
        judgement: judgement(Verdict::Converged),
        desired: "r-1 ×2".into(),
        current: "r-1 ×2".into(),
        last_change: None,
        stale_since: None,
        history: vec![],
    };
    let bad = OverviewRow {
        target: env_ref(),
        judgement: judgement(verdict),
        desired: "r-2 ×4".into(),
        current: "–".into(),
        last_change: Some(marker(11, MarkerKind::Deploy, "deploy r-2")),
        stale_since: None,
        history: vec![],
    };
    let attention = u32::from(verdict == Verdict::Stuck);
    let view = Overview {
        rows: vec![bad, quiet],
        only: None,
        verdict,
        counts: Counts { total: 2, attention, unknown: 0, converging: 0, converged: 1, idle: 0 },
        sources: vec![SourceState {
            id: source(),
            name: "this machine".into(),
            kind: "local".into(),
            interval: Span::seconds(1),
            last_seen_at: Some(NOON),
            error: None,
        }],
        changes: vec![marker(11, MarkerKind::Deploy, "deploy r-2")],
        sentence: "1 of 2 app-envs needs attention · 1 converged".into(),
    };
    page(OverviewPage { view, peek: None })
}

pub(crate) fn object_page() -> Page<ObjectView> {
    let mut one = object("instance", "ins_1");
    one.conditions = vec![
        condition("Ready", ConditionStatus::False, "Exited"),
        condition("Reconciling", ConditionStatus::True, "Retrying"),
        condition("Degraded", ConditionStatus::Unknown, ""),
    ];
    one.desired.insert("release".into(), "r-2".into());
    one.current.insert("release".into(), "r-1".into());
    one.current.insert("state".into(), "restarting".into());
    let key = one.key.clone();
    page(ObjectView {
        object: one,
        target: Some(env_ref()),
        judgement: judgement(Verdict::Stuck),
        gap: gap(Verdict::Stuck),
        related: vec![Related {
            rel: "part_of".into(),
            object: ObjectKey::env(&env_ref().env_id),
            name: "checkout/prod".into(),
            verdict: Some(Verdict::Stuck),
        }],
        events: vec![event(20)],
        timeline: timeline(),
        logs: Some(vec![LogLine {
            id: 1,
            at: ago(1),
            object: key,
            stream: "stderr".into(),
            line: "panicked".into(),
        }]),
        stale_since: None,
        observed_by: None,
    })
}

pub(crate) fn events_page() -> Page<EventsView> {
    let mut failed = event(20);
    failed.outcome = Outcome::Failed;
    failed.reason = "Exited".into();
    failed.message = "exited with code 1".into();
    failed.attempt = Some(14);
    let groups = vec![
        EventGroup { event: failed.clone(), n: 14, first_at: failed.at - Span::seconds(390) },
        EventGroup { event: event(3), n: 1, first_at: event(3).at },
    ];
    page(EventsView {
        groups,
        total: 15,
        failed: 14,
        facets: BTreeMap::from([(
            "controller".to_owned(),
            vec![FacetCount { value: "instance".into(), n: 15 }],
        )]),
        older: Some(Seq(3)),
        selected: Some(failed),
        last_at: Some(ago(3)),
        recorded_since: ago(600),
        bars: vec![Bar { from: ago(20), to: ago(19), n: 15, failed: 14 }],
        silences: vec![Silence {
            source: "local".into(),
            from: event(3).at + Span::seconds(1),
            to: event(3).at + Span::seconds(3),
            reason: "the server was down".into(),
        }],
    })
}
