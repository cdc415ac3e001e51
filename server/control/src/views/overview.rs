//! The overview: app-envs with their verdicts, the worst first. Counts, order and windows come from the store, so
//! that ten thousand cost what fifty do.

use std::collections::BTreeMap;

use model::{
    EnvRecord, Freshness, Judgement, Object, ReceiptId, SourceId, Span, Ts, Verdict,
    view::{Counts, Group, GroupPage, Overview, OverviewRow, SourceState},
};
use serde_json::Value;
use store::{EnvHead, HeadObject, Reader, StoreError};

use super::{history, timeline};

/// Rows of one page of a group.
const PAGE: u32 = 100;
/// Changes that the strip shows at most.
const CHANGES: u32 = 60;

/// Rows that a group begins with. A quiet group with more than that is a number and a link.
const fn begin(group: Group) -> u32 {
    match group {
        Group::Attention => 50,
        Group::Motion | Group::Quiet => 20,
    }
}

/// Loads the overview: the begin of every group, or one page of one.
///
/// # Errors
/// [`StoreError`] where the store does not answer.
pub async fn load(reader: &mut Reader, only: Option<(Group, u32)>, now: Ts) -> Result<Overview, StoreError> {
    let sources = reader.sources().await?;
    let envs = reader.env_counts().await?;
    let counts = counts(&envs);
    let only = only.map(|(group, page)| {
        let pages = group.count(&counts).div_ceil(PAGE).max(1);
        (group, GroupPage { group: Some(group), page: page.clamp(1, pages), pages })
    });
    let mut heads = vec![];
    for group in Group::ALL {
        let (skip, limit) = match only {
            Some((shown, GroupPage { page, .. })) if shown == group => ((page - 1) * PAGE, PAGE),
            Some(_) => continue,
            None if group == Group::Quiet && group.count(&counts) > begin(group) => continue,
            None => (0, begin(group)),
        };
        let (from, to) = group.verdicts();
        heads.extend(reader.env_heads(from, to, skip, limit).await?);
    }
    of(reader, heads, &envs, only.map(|(_, page)| page), sources, now).await
}

/// Loads a page of every app-env by name, with the history of each: a place that means something stays where it is.
///
/// # Errors
/// [`StoreError`] where the store does not answer.
pub async fn grid(reader: &mut Reader, page: u32, now: Ts) -> Result<Overview, StoreError> {
    let sources = reader.sources().await?;
    let envs = reader.env_counts().await?;
    let pages = envs.values().sum::<u32>().div_ceil(PAGE).max(1);
    let page = page.clamp(1, pages);
    let heads = reader.env_heads_by_name((page - 1) * PAGE, PAGE).await?;
    let mut histories = history::of(reader, &heads, now).await?;
    let only = Some(GroupPage { group: None, page, pages });
    let mut view = of(reader, heads, &envs, only, sources, now).await?;
    for row in &mut view.rows {
        row.history = histories.remove(&row.target.env_id).unwrap_or_default();
    }
    Ok(view)
}

async fn of(
    reader: &mut Reader,
    heads: Vec<EnvHead>,
    envs: &BTreeMap<Verdict, u32>,
    only: Option<GroupPage>,
    sources: Vec<SourceState>,
    now: Ts,
) -> Result<Overview, StoreError> {
    let newest: Vec<ReceiptId> = heads.iter().filter_map(|head| head.receipt.clone()).collect();
    let newest = reader.receipts_by_id(&newest).await?;
    let newest: BTreeMap<_, _> = newest.iter().map(|r| (&r.id, timeline::marker(r))).collect();
    let rows = heads
        .into_iter()
        .map(|head| OverviewRow {
            desired: said(head.object.as_ref(), |object| &object.desired),
            current: said(head.object.as_ref(), |object| &object.current),
            last_change: head.receipt.as_ref().and_then(|id| newest.get(id)).cloned(),
            stale_since: head
                .object
                .as_ref()
                .and_then(|o| silent_since(&sources, &o.source, o.updated_at, now)),
            judgement: judged(&head),
            history: vec![],
            target: head.target,
        })
        .collect();
    let receipts = reader.receipts(None, CHANGES).await?;
    let named =
        |receipt: &model::Receipt| model::Marker { title: receipt.title(), ..timeline::marker(receipt) };
    let mut changes: Vec<_> = receipts.iter().map(named).collect();
    changes.retain(|marker| now - marker.at <= Span::minutes(120));
    changes.sort_by_key(|marker| marker.at);
    let verdict = Verdict::roll_up(envs.keys().copied());
    let counts = counts(envs);
    Ok(Overview { sentence: sentence(&counts, &sources, now), verdict, counts, only, rows, sources, changes })
}

fn judged(head: &EnvHead) -> Judgement {
    head.judgement.clone().unwrap_or_else(|| unknown(head.changed_at))
}

/// An env that nobody has judged yet: we do not know.
#[must_use]
pub fn not_judged(env: &EnvRecord) -> Judgement {
    unknown(env.changed_at)
}

fn unknown(since: Ts) -> Judgement {
    Judgement {
        verdict: Verdict::Unknown,
        since,
        sentence: "it has not been looked at yet".to_owned(),
        because: vec![],
    }
}

/// Where the source of an object fell silent.
#[must_use]
pub fn stale_since(sources: &[SourceState], object: &Object, now: Ts) -> Option<Ts> {
    silent_since(sources, &object.source, object.updated_at, now)
}

fn silent_since(sources: &[SourceState], source: &SourceId, updated_at: Ts, now: Ts) -> Option<Ts> {
    let source = sources.iter().find(|known| &known.id == source)?;
    match Freshness::of_source(source.last_seen_at, source.interval, now) {
        Freshness::Stale { since } => Some(since.unwrap_or(updated_at)),
        _ => None,
    }
}

/// `r-2 ×4`.
fn said(object: Option<&HeadObject>, fields: fn(&HeadObject) -> &model::Fields) -> String {
    let Some(object) = object else { return "not reported".to_owned() };
    let text = |name: &str| fields(object).get(name).and_then(Value::as_str);
    let instances = fields(object).get("instances").and_then(Value::as_i64);
    match (text("release"), instances) {
        (Some(release), Some(n)) if !release.contains('×') && n > 0 => format!("{release} ×{n}"),
        (Some(release), _) => release.to_owned(),
        _ => "not reported".to_owned(),
    }
}

fn counts(envs: &BTreeMap<Verdict, u32>) -> Counts {
    let mut counts = Counts::default();
    for (verdict, n) in envs {
        counts.total += n;
        match verdict {
            Verdict::Unknown => {
                counts.unknown += n;
                counts.attention += n;
            }
            Verdict::Failed | Verdict::Stuck | Verdict::Degraded => counts.attention += n,
            Verdict::Converging => counts.converging += n,
            Verdict::Converged => counts.converged += n,
            Verdict::Waiting | Verdict::Idle => counts.idle += n,
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
