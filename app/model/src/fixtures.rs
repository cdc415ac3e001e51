//! Builders for tests: everything valid, nothing interesting, so that a test names only what matters to it.

use std::collections::BTreeMap;

use crate::{
    AppId, AppSpec, Condition, ConditionStatus, EnvId, EnvRecord, EnvRef, Event, Object, ObjectKey,
    ObjectKind, Outcome, Release, ReleaseId, RunState, Seq, SourceId, Ts,
    plan::Intent,
    spec::{Health, ProcessSpec, Restart, Rollout},
    time::Span,
};

/// Noon on a day like any other.
pub const NOON: Ts = Ts(1_771_416_000_000_000);

/// The source of all fixtures.
#[must_use]
pub fn source() -> SourceId {
    SourceId::mint(1)
}

/// `checkout/prod`.
#[must_use]
pub fn env_ref() -> EnvRef {
    EnvRef { app_id: AppId::mint(1), app: "checkout".into(), env_id: EnvId::mint(1), env: "prod".into() }
}

/// An event with this sequence, about an instance of `checkout/prod`.
#[must_use]
pub fn event(seq: i64) -> Event {
    Event {
        seq: Seq(seq),
        at: NOON + Span::seconds(seq),
        recorded_at: NOON + Span::seconds(seq),
        source: source(),
        controller: "instance".into(),
        object: object("instance", "ins_1").key,
        app: Some("checkout".into()),
        env: Some("prod".into()),
        action: "StartInstance".into(),
        outcome: Outcome::Done,
        reason: String::new(),
        message: String::new(),
        attempt: None,
        trace_id: None,
    }
}

/// An object of `checkout/prod` without conditions.
#[must_use]
pub fn object(kind: &str, id: &str) -> Object {
    let kind: ObjectKind = kind.parse().expect("fixtures use valid kinds");
    Object {
        key: ObjectKey::new(kind, id).expect("fixtures use valid ids"),
        name: id.to_owned(),
        app: Some("checkout".into()),
        env: Some("prod".into()),
        source: source(),
        generation: 1,
        observed_generation: Some(1),
        desired: BTreeMap::new(),
        current: BTreeMap::new(),
        refs: vec![],
        conditions: vec![],
        created_at: NOON,
        updated_at: NOON,
        gone_at: None,
    }
}

/// A condition about generation 1, since noon.
#[must_use]
pub fn condition(ty: &str, status: ConditionStatus, reason: &str) -> Condition {
    Condition {
        ty: ty.to_owned(),
        status,
        reason: reason.to_owned(),
        message: String::new(),
        observed_generation: Some(1),
        since: NOON,
    }
}

/// A spec with one process `web` of so many instances.
#[must_use]
pub fn spec(instances: u32) -> AppSpec {
    let web = ProcessSpec {
        command: vec!["bin/checkout".into()],
        workdir: None,
        env: BTreeMap::new(),
        instances,
        port: Some(8080),
        health: Health {
            http: None,
            tcp: true,
            interval: Span::millis(100),
            timeout: Span::millis(100),
            failures: 3,
        },
        restart: Restart { from: Span::millis(50), to: Span::millis(500) },
        stop_grace: Span::seconds(1),
    };
    AppSpec {
        app: "checkout".into(),
        env: "prod".into(),
        artefact: vec![],
        processes: BTreeMap::from([("web".to_owned(), web)]),
        config: vec![],
        rollout: Rollout::default(),
    }
}

/// Release `number` of `checkout/prod`.
#[must_use]
pub fn release(number: i64) -> Release {
    Release {
        id: ReleaseId::mint(number.unsigned_abs()),
        number,
        target: env_ref(),
        spec: spec(4),
        files: BTreeMap::new(),
        created_at: NOON,
        created_by: "ci".into(),
        converged_at: None,
        held_until: None,
    }
}

/// `checkout/prod` at this generation, wanting this release.
#[must_use]
pub fn env_record(generation: i64, release: &Release) -> EnvRecord {
    EnvRecord {
        target: env_ref(),
        generation,
        intent: Intent {
            release: Some(release.id.clone()),
            scale: BTreeMap::new(),
            run: RunState::Running,
            restarts: 0,
        },
        changed_at: NOON,
        changed_by: "ci".into(),
        changed_by_verb: Some(crate::Verb::Deploy),
    }
}
