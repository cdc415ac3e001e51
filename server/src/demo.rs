//! Puts the demo world in place: real small apps, some of them broken on purpose, through the same commands
//! that people use. What exists already is left alone.

use std::{path::PathBuf, time::Duration};

use control::commands::{Apply, Submitted};
use local::{DemoApp, demo_world};
use model::{Actor, ObjectKey, Role, Seq, TraceId, Verdict};
use tokio::sync::watch;

use crate::state::AppState;

/// How long a first release may take to converge before the broken one follows all the same.
const PATIENCE: Duration = Duration::from_secs(20);

/// Applies every app of the demo world, side by side.
pub(crate) async fn populate(state: AppState, vt: PathBuf) {
    let apps = demo_world().into_iter().map(|app| one(state.clone(), vt.clone(), app));
    futures::future::join_all(apps).await;
}

async fn one(state: AppState, vt: PathBuf, app: DemoApp) {
    let (name, env) = app.title.split_once('/').unwrap_or((app.title, "prod"));
    let known = match state.store.read().await {
        Ok(mut reader) => reader.env_by_name(name, env).await.ok().flatten().is_some(),
        Err(_) => true,
    };
    if known {
        return;
    }
    if let Some(first) = &app.first {
        let Some(key) = apply(&state, &DemoApp::fill(first, &vt), "a release that works").await else {
            return;
        };
        let mut journal = state.store.watch();
        let _ = tokio::time::timeout(PATIENCE, converged(&state, &key, &mut journal)).await;
    }
    let why = if app.broken { "the next release, broken on purpose" } else { "the demo world" };
    apply(&state, &DemoApp::fill(&app.manifest, &vt), why).await;
}

async fn apply(state: &AppState, manifest: &str, reason: &str) -> Option<ObjectKey> {
    let spec = match local::manifest::parse(manifest) {
        Ok(spec) => spec,
        Err(details) => {
            tracing::error!(?details, "a demo app file was refused");
            return None;
        }
    };
    let title = format!("{}/{}", spec.app, spec.env);
    let applied = state
        .commands
        .apply(Apply {
            actor: Actor { name: "demo".to_owned(), role: Role::Operator },
            spec,
            files: std::collections::BTreeMap::new(),
            dry_run: false,
            reason: reason.to_owned(),
            wait: None,
            key: format!("demo-{:016x}", state.random()),
            trace_id: TraceId::mint(state.random()),
        })
        .await;
    match applied {
        Ok(Ok(applied)) => match applied.submitted {
            Some(Submitted::Accepted(receipt)) => Some(ObjectKey::env(&receipt.target.env_id)),
            other => {
                tracing::warn!(app = %title, ?other, "a demo app was not applied");
                None
            }
        },
        Ok(Err(refused)) => {
            tracing::warn!(app = %title, ?refused, "a demo app was refused");
            None
        }
        Err(error) => {
            tracing::error!(app = %title, error = %control::chain(&error), "a demo app could not be applied");
            None
        }
    }
}

async fn converged(state: &AppState, key: &ObjectKey, journal: &mut watch::Receiver<Seq>) {
    loop {
        journal.borrow_and_update();
        if let Ok(mut reader) = state.store.read().await
            && let Ok(Some(judgement)) = reader.judgement(key).await
            && judgement.verdict == Verdict::Converged
        {
            return;
        }
        if journal.changed().await.is_err() {
            return;
        }
    }
}
