//! The overview: every app-env with its verdict, the worst first.

use std::collections::BTreeMap;

use model::{
    EnvRecord, Freshness, Judgement, Object, ObjectKey, Span, Ts, Verdict,
    view::{Counts, Overview, OverviewRow, SourceState},
};
use serde_json::Value;
use store::{Reader, StoreError};

use super::timeline;

/// Loads the overview.
///
/// # Errors
/// [`StoreError`] where the store does not answer.
pub async fn load(reader: &mut Reader, now: Ts) -> Result<Overview, StoreError> {
    let sources = reader.sources().await?;
    let receipts = reader.receipts(None, false, 200).await?;
    let mut newest = BTreeMap::new();
    for receipt in &receipts {
        newest.entry(receipt.target.env_id.clone()).or_insert_with(|| timeline::marker(receipt));
    }
    let envs = reader.envs().await?;
    let keys: Vec<ObjectKey> = envs.iter().map(|env| ObjectKey::env(&env.target.env_id)).collect();
    let judgements = reader.judgements(&keys).await?;
    let mut rows = Vec::with_capacity(envs.len());
    for (env, key) in envs.into_iter().zip(keys) {
        let object = reader.object(&key).await?;
        let judgement = judgements.get(&key).cloned().unwrap_or_else(|| not_judged(&env));
        rows.push(OverviewRow {
            desired: said(object.as_ref(), |object| &object.desired),
            current: said(object.as_ref(), |object| &object.current),
            last_change: newest.remove(&env.target.env_id),
            stale_since: object.as_ref().and_then(|object| stale_since(&sources, object, now)),
            target: env.target,
            judgement,
        });
    }
    rows.sort_by(|a, b| {
        let key = |row: &OverviewRow| (row.judgement.verdict, row.judgement.since, row.target.title());
        key(a).cmp(&key(b))
    });
    let counts = counts(&rows);
    let named =
        |receipt: &model::Receipt| model::Marker { title: receipt.title(), ..timeline::marker(receipt) };
    let mut changes: Vec<_> = receipts.iter().map(named).collect();
    changes.retain(|marker| now - marker.at <= Span::minutes(120));
    changes.sort_by_key(|marker| marker.at);
    Ok(Overview { sentence: sentence(&counts, &sources, now), counts, rows, sources, changes })
}

/// An env that nobody has judged yet: we do not know.
#[must_use]
pub fn not_judged(env: &EnvRecord) -> Judgement {
    Judgement {
        verdict: Verdict::Unknown,
        since: env.changed_at,
        sentence: "it has not been looked at yet".to_owned(),
        because: vec![],
    }
}

/// Where the source of an object fell silent.
#[must_use]
pub fn stale_since(sources: &[SourceState], object: &Object, now: Ts) -> Option<Ts> {
    let source = sources.iter().find(|source| source.id == object.source)?;
    match Freshness::of_source(source.last_seen_at, source.interval, now) {
        Freshness::Stale { since } => Some(since.unwrap_or(object.updated_at)),
        _ => None,
    }
}

/// `r-2 ×4`.
fn said(object: Option<&Object>, fields: fn(&Object) -> &model::Fields) -> String {
    let Some(object) = object else { return "not reported".to_owned() };
    let text = |name: &str| fields(object).get(name).and_then(Value::as_str);
    let instances = fields(object).get("instances").and_then(Value::as_i64);
    match (text("release"), instances) {
        (Some(release), Some(n)) if !release.contains('×') && n > 0 => format!("{release} ×{n}"),
        (Some(release), _) => release.to_owned(),
        _ => "not reported".to_owned(),
    }
}

fn counts(rows: &[OverviewRow]) -> Counts {
    let mut counts = Counts::default();
    for row in rows {
        counts.total += 1;
        match row.judgement.verdict {
            Verdict::Unknown => {
                counts.unknown += 1;
                counts.attention += 1;
            }
            Verdict::Failed | Verdict::Stuck | Verdict::Degraded => counts.attention += 1,
            Verdict::Converging => counts.converging += 1,
            Verdict::Converged => counts.converged += 1,
            Verdict::Waiting | Verdict::Idle => counts.idle += 1,
        }
    }
    counts
}

fn sentence(counts: &Counts, sources: &[SourceState], now: Ts) -> String {
    if counts.total == 0 {
        return "Nothing is declared here.".to_owned();
    }
    let silent = sources
        .iter()
        .filter(|source| {
            matches!(Freshness::of_source(source.last_seen_at, source.interval, now), Freshness::Stale { .. })
        })
        .count();
    let plural = |n: u32| if n == 1 { "app-env" } else { "app-envs" };
    let mut text = match counts.attention {
        0 => format!("Nothing needs attention: {} {}", counts.total, plural(counts.total)),
        n => {
            let verb = if n == 1 { "needs" } else { "need" };
            let mut text = format!("{n} of {} {} {verb} attention", counts.total, plural(counts.total));
            match counts.unknown {
                0 => {}
                1 => text.push_str(" (1 of them unknown)"),
                k => text.push_str(&format!(" ({k} of them unknown)")),
            }
            text
        }
    };
    for (n, word) in
        [(counts.converging, "converging"), (counts.converged, "converged"), (counts.idle, "idle")]
    {
        if n > 0 {
            text.push_str(&format!(" · {n} {word}"));
        }
    }
    if silent > 0 {
        text.push_str(&format!(" · {} of {} sources reporting", sources.len() - silent, sources.len()));
    }
    text
}
