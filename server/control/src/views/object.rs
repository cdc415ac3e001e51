//! The object page: the ground truth of one thing.

use model::{
    EventFilter, Object, ObjectKey, ObjectKind, Ts, Verdict,
    observation::OBSERVED,
    verdict::Attention,
    view::{ObjectView, Related},
};
use rules::{Limits, gap};
use store::{LogFilter, Reader, StoreError};

use super::{env::Range, overview, scene, timeline};

/// Loads an object's page; `None` where nothing of that key was ever recorded.
///
/// # Errors
/// [`StoreError`] where the store does not answer.
pub async fn load(
    reader: &mut Reader,
    key: &ObjectKey,
    range: Range,
    limits: &Limits,
    now: Ts,
) -> Result<Option<ObjectView>, StoreError> {
    let Some(scene) = scene::load(reader, key, now).await? else { return Ok(None) };
    let object = &scene.object;
    let target = match (&object.app, &object.env) {
        (Some(app), Some(env)) => reader.env_by_name(app, env).await?.map(|env| env.target),
        _ => None,
    };
    let judgement = scene.judgement.clone().unwrap_or_else(|| model::Judgement {
        verdict: Verdict::Unknown,
        since: object.created_at,
        sentence: "it has not been looked at yet".to_owned(),
        because: vec![],
    });
    let trouble = (judgement.verdict.attention() != Attention::Quiet).then_some(judgement.since);
    let from = range
        .from
        .unwrap_or_else(|| timeline::default_from(trouble, scene.changed_at(), object.created_at, now));
    let to = range.to.unwrap_or(now).max(from);
    let markers = match &target {
        Some(target) => timeline::markers(&reader.receipts(Some(&target.env_id), 50).await?),
        None => vec![],
    };
    let timeline = timeline::of(reader, &[object], markers, from, to).await?;
    let filter = EventFilter { object: vec![key.clone()], ..EventFilter::default() };
    let sources = reader.sources().await?;
    let logs = match object.key.kind().as_str() {
        ObjectKind::INSTANCE => {
            let filter = LogFilter { object: Some(key.clone()), limit: 200, ..LogFilter::default() };
            Some(reader.logs(&filter).await?)
        }
        _ => {
            let lines = reader
                .logs(&LogFilter { object: Some(key.clone()), limit: 200, ..LogFilter::default() })
                .await?;
            (!lines.is_empty()).then_some(lines)
        }
    };
    Ok(Some(ObjectView {
        gap: gap::of(&scene, limits, now),
        related: related(reader, object).await?,
        events: reader.events(&filter, None, 50).await?,
        stale_since: overview::stale_since(&sources, object, now),
        observed_by: sources
            .iter()
            .find(|source| source.id == object.source && source.kind == OBSERVED)
            .map(|source| source.name.clone()),
        object: scene.object,
        target,
        judgement,
        timeline,
        logs,
    }))
}

async fn related(reader: &mut Reader, object: &Object) -> Result<Vec<Related>, StoreError> {
    let mut keys: Vec<(String, ObjectKey)> = Vec::new();
    keys.extend(object.refs.iter().map(|r| (r.rel.clone(), r.to.clone())));
    let mut names = std::collections::BTreeMap::new();
    for other in reader.objects_related_to(&object.key).await? {
        if other.gone_at.is_none() {
            names.insert(other.key.clone(), other.name.clone());
            keys.push((other.key.kind().to_string(), other.key));
        }
    }
    keys.truncate(100);
    let all: Vec<ObjectKey> = keys.iter().map(|(_, key)| key.clone()).collect();
    let judgements = reader.judgements(&all).await?;
    let mut related = Vec::with_capacity(keys.len());
    for (rel, key) in keys {
        let name = match names.get(&key) {
            Some(name) => name.clone(),
            None => reader.object(&key).await?.map_or_else(|| key.id().to_owned(), |object| object.name),
        };
        let verdict = judgements.get(&key).map(|judgement| judgement.verdict);
        related.push(Related { rel, object: key, name, verdict });
    }
    Ok(related)
}
