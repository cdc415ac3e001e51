//! The app/env page: desired against current, why, what changed, what can be done.

use std::collections::BTreeMap;

use model::{
    EnvId, EnvRecord, EventFilter, InstanceState, Object, ObjectKey, ObjectKind, ReceiptId, Release,
    RunState, Seq, Ts, Verb, Verdict,
    verdict::Attention,
    view::{ActionState, EnvView, InstanceRow, ReleaseRow},
};
use rules::{Limits, command::rollback_target, gap};
use store::{Reader, StoreError};

use super::{overview, scene, timeline};

/// Which range and which selection a page asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// Begin; absent is the default range.
    pub from: Option<Ts>,
    /// End; absent is now.
    pub to: Option<Ts>,
}

/// Loads an env's page; `None` where there is no such env.
///
/// # Errors
/// [`StoreError`] where the store does not answer.
pub async fn load(
    reader: &mut Reader,
    id: &EnvId,
    range: Range,
    limits: &Limits,
    now: Ts,
) -> Result<Option<EnvView>, StoreError> {
    let Some(env) = reader.env(id).await? else { return Ok(None) };
    let key = ObjectKey::env(id);
    let releases = reader.releases(id).await?;
    let receipts = reader.receipts(Some(id), 50).await?;
    let scene = scene::load(reader, &key, now).await?;
    let instances = scene::of_env(reader, &env.target.app, &env.target.env, ObjectKind::instance()).await?;
    let verdicts = reader.judgements(&instances.iter().map(|i| i.key.clone()).collect::<Vec<_>>()).await?;
    let judgement = scene
        .as_ref()
        .and_then(|scene| scene.judgement.clone())
        .unwrap_or_else(|| overview::not_judged(&env));
    let trouble = (judgement.verdict.attention() != Attention::Quiet).then_some(judgement.since);
    let from = range.from.unwrap_or_else(|| {
        timeline::default_from(trouble, env.changed_at, releases_since(&releases, now), now)
    });
    let to = range.to.unwrap_or(now).max(from);
    let mut objects: Vec<&Object> = scene.iter().map(|scene| &scene.object).collect();
    let troubled =
        |i: &&Object| verdicts.get(&i.key).is_none_or(|j| j.verdict.attention() != Attention::Quiet);
    objects.extend(instances.iter().filter(troubled).take(4));
    let changes = timeline::markers(&receipts);
    let timeline = timeline::of(reader, &objects, changes.clone(), from, to).await?;
    let filter = EventFilter {
        app: vec![env.target.app.clone()],
        env: vec![env.target.env.clone()],
        ..EventFilter::default()
    };
    let events = reader.events(&filter, None, 20).await?;
    let waits = reader.waits_open_of(id, 200).await?;
    let sources = reader.sources().await?;
    let rows = instance_rows(&env, &releases, &instances, &verdicts);
    let running = running(&rows);
    Ok(Some(EnvView {
        gap: match &scene {
            Some(scene) => gap::of(scene, limits, now),
            None => not_reported(&env),
        },
        releases: release_rows(&env, &releases, &running),
        actions: actions(&env, &releases),
        // Every pass of the rollout reconciler moves its source's watermark, whether or not anything changed.
        last_reconcile_at: scene.as_ref().and_then(|scene| {
            sources
                .iter()
                .find(|source| source.id == scene.object.source)
                .and_then(|source| source.last_seen_at)
        }),
        last_reconcile_error: scene
            .as_ref()
            .and_then(|scene| scene.failures().map(|f| f.last.message.clone())),
        stale_since: scene.as_ref().and_then(|scene| overview::stale_since(&sources, &scene.object, now)),
        receipts: shown_receipts(receipts),
        target: env.target,
        instances: rows,
        judgement,
        changes,
        events,
        timeline,
        waits,
    }))
}

fn releases_since(releases: &[Release], now: Ts) -> Ts {
    releases.iter().map(|release| release.created_at).min().unwrap_or(now)
}

/// Open ones, and the newest closed one.
fn shown_receipts(receipts: Vec<model::Receipt>) -> Vec<model::Receipt> {
    let mut closed = 0;
    let mut keep = receipts;
    keep.retain(|receipt| {
        closed += usize::from(!receipt.phase.is_open());
        receipt.phase.is_open() || closed <= 1
    });
    keep
}

fn not_reported(env: &EnvRecord) -> model::Gap {
    model::Gap {
        generation: env.generation,
        observed_generation: None,
        rows: vec![],
        chain: vec![],
        evidence: vec![],
        looked_at: Some("No controller has reported about this env yet.".to_owned()),
        limit: None,
        next: None,
    }
}

fn instance_rows(
    env: &EnvRecord,
    releases: &[Release],
    instances: &[Object],
    verdicts: &BTreeMap<ObjectKey, model::Judgement>,
) -> Vec<InstanceRow> {
    let mut rows: Vec<InstanceRow> = instances
        .iter()
        .map(|object| {
            let judgement = verdicts.get(&object.key);
            InstanceRow {
                object: Some(object.key.clone()),
                name: object.name.clone(),
                process: object.current_text("process").unwrap_or_default().to_owned(),
                release: object.current_text("release").unwrap_or_default().to_owned(),
                verdict: judgement.map_or(Verdict::Converging, |judgement| judgement.verdict),
                state: object.current_text("state").unwrap_or("not reported").to_owned(),
                starts: u32::try_from(object.current_number("starts").unwrap_or(0)).unwrap_or(0),
                text: judgement.map(|judgement| judgement.sentence.clone()).unwrap_or_default(),
            }
        })
        .collect();
    rows.sort_by(|a, b| (&a.process, &a.release, &a.name).cmp(&(&b.process, &b.release, &b.name)));
    let release = env.intent.release.as_ref().and_then(|id| releases.iter().find(|r| &r.id == id));
    if let Some(release) = release {
        for process in release.spec.processes.keys() {
            let wanted = rules::rollout::wanted(&env.intent, release, process) as usize;
            let present = rows
                .iter()
                .filter(|row| &row.process == process && row.state != InstanceState::Stopping.as_str())
                .count();
            rows.extend((present..wanted).map(|_| InstanceRow {
                object: None,
                name: format!("{process} wanted"),
                process: process.clone(),
                release: release.name(),
                verdict: Verdict::Converging,
                state: "wanted".to_owned(),
                starts: 0,
                text: "wanted, and does not exist".to_owned(),
            }));
        }
    }
    rows
}

/// Instances by release number.
#[must_use]
pub fn running(rows: &[InstanceRow]) -> BTreeMap<i64, u32> {
    let mut running = BTreeMap::new();
    for row in rows.iter().filter(|row| row.object.is_some() && row.state != "stopping") {
        if let Some(number) = row.release.strip_prefix("r-").and_then(|number| number.parse().ok()) {
            *running.entry(number).or_default() += 1;
        }
    }
    running
}

/// Rows of the release table, newest first.
#[must_use]
pub fn release_rows(env: &EnvRecord, releases: &[Release], running: &BTreeMap<i64, u32>) -> Vec<ReleaseRow> {
    let current = env.intent.release.as_ref().and_then(|id| releases.iter().find(|r| &r.id == id));
    let mut rows: Vec<ReleaseRow> = releases
        .iter()
        .map(|release| {
            let desired = Some(&release.id) == env.intent.release.as_ref();
            let earlier = current.is_some_and(|current| release.number < current.number);
            let verb = if earlier { Verb::Rollback } else { Verb::Deploy };
            ReleaseRow {
                running: running.get(&release.number).copied().unwrap_or(0),
                action: (!desired).then(|| action(env, verb, Some(release))),
                release: release.clone(),
                desired,
            }
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.release.number));
    rows
}

/// What can be done now, whoever asks; pages add what the viewer's role forbids.
fn actions(env: &EnvRecord, releases: &[Release]) -> Vec<ActionState> {
    let target = rollback_target(env, releases);
    let mut rollback = action(env, Verb::Rollback, target);
    if target.is_none() {
        rollback.disabled = Some("no other release has ever converged".to_owned());
    }
    let mut list = vec![rollback];
    for verb in [Verb::Restart, Verb::Scale, Verb::Stop, Verb::Delete] {
        let mut state = action(env, verb, None);
        let stopped = env.intent.run != RunState::Running;
        state.disabled = match verb {
            _ if env.intent.run == RunState::Deleted => Some("the app is being deleted".to_owned()),
            Verb::Restart | Verb::Scale if env.intent.release.is_none() => {
                Some("nothing is released yet".to_owned())
            }
            Verb::Stop if stopped => Some("it is stopped already".to_owned()),
            _ => None,
        };
        list.push(state);
    }
    list
}

fn action(env: &EnvRecord, verb: Verb, release: Option<&Release>) -> ActionState {
    let to = release.map(|release| format!(" to {}", release.name())).unwrap_or_default();
    // A plan with a form of its own to fill in is a page; every other one opens over the env's page.
    let href = match (verb, release) {
        (Verb::Scale | Verb::Delete, _) => {
            format!("/actions/{}/plan?env={}", verb.as_str(), env.target.env_id)
        }
        (_, Some(release)) => format!("{}?open={}:{}", env.target.path(), verb.as_str(), release.id),
        (_, None) => format!("{}?open={}", env.target.path(), verb.as_str()),
    };
    ActionState { verb, label: format!("{}{to}…", verb.label()), href, disabled: None }
}

/// The open receipt of an env, if one is being carried out.
///
/// # Errors
/// [`StoreError`] where the store does not answer.
pub async fn open_receipt(reader: &mut Reader, id: &EnvId) -> Result<Option<ReceiptId>, StoreError> {
    Ok(reader.receipt_open(id).await?.map(|receipt| receipt.id))
}

/// Where a page's data ends in the journal.
#[must_use]
pub fn as_of(reader: &Reader) -> Seq {
    reader.as_of()
}
