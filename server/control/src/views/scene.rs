//! Loads what the rules look at: an object, its events and what it depends on.

use model::{EventFilter, Freshness, Object, ObjectKey, ObjectKind, Ts};
use rules::Scene;
use store::{ObjectFilter, Reader, StoreError};

/// How many of an object's events a rule sees.
const EVENTS: u32 = 40;
/// How many dependencies of one object a rule sees.
const CHILDREN: usize = 200;

/// The scene of one object; `None` where nothing of that key was ever recorded.
///
/// # Errors
/// [`StoreError`] where the store does not answer.
pub async fn load(reader: &mut Reader, key: &ObjectKey, now: Ts) -> Result<Option<Scene>, StoreError> {
    let Some(object) = reader.object(key).await? else { return Ok(None) };
    let mut root = one(reader, object, now).await?;
    // At most app › env › release › instance: walked level by level, so that no recursion has to be boxed.
    for child in dependencies(reader, &root.object).await? {
        let mut child = one(reader, child, now).await?;
        for grandchild in dependencies(reader, &child.object).await? {
            let mut grandchild = one(reader, grandchild, now).await?;
            for leaf in dependencies(reader, &grandchild.object).await? {
                grandchild.children.push(one(reader, leaf, now).await?);
            }
            child.children.push(grandchild);
        }
        root.children.push(child);
    }
    Ok(Some(root))
}

async fn one(reader: &mut Reader, object: Object, now: Ts) -> Result<Scene, StoreError> {
    let filter = EventFilter { object: vec![object.key.clone()], ..EventFilter::default() };
    let source = reader.source(&object.source).await?;
    // Events may name an object before its own source does; what others say about it is shown, and judges nothing.
    let mut events = reader.events(&filter, None, EVENTS).await?;
    events.retain(|event| event.source == object.source);
    Ok(Scene {
        judgement: reader.judgement(&object.key).await?,
        events,
        freshness: source.map_or(Freshness::Stale { since: None }, |source| {
            Freshness::of_source(source.last_seen_at, source.interval, now)
        }),
        children: vec![],
        object,
    })
}

/// What an object depends on now: an env on the release it wants, a release on its instances, an app on its envs.
/// For other kinds it is what the source calls `depends_on`.
async fn dependencies(reader: &mut Reader, object: &Object) -> Result<Vec<Object>, StoreError> {
    if object.gone_at.is_some() {
        return Ok(vec![]);
    }
    let parts =
        |kind: &'static str| move |part: &Object| part.key.kind().as_str() == kind && part.gone_at.is_none();
    let mut found: Vec<Object> = match object.key.kind().as_str() {
        ObjectKind::APP => {
            let all = reader.objects_related_to(&object.key).await?;
            all.into_iter().filter(parts(ObjectKind::ENV)).collect()
        }
        ObjectKind::RELEASE => {
            let all = reader.objects_related_to(&object.key).await?;
            all.into_iter().filter(parts(ObjectKind::INSTANCE)).collect()
        }
        ObjectKind::ENV => named(reader, object, "wants").await?,
        _ => named(reader, object, "depends_on").await?,
    };
    found.sort_by(|a, b| a.key.cmp(&b.key));
    found.truncate(CHILDREN);
    Ok(found)
}

async fn named(reader: &mut Reader, object: &Object, rel: &str) -> Result<Vec<Object>, StoreError> {
    let mut found = Vec::new();
    for key in object.related(rel) {
        found.extend(reader.object(key).await?.filter(|object| object.gone_at.is_none()));
    }
    Ok(found)
}

/// All objects of one kind in an env that exist now.
///
/// # Errors
/// [`StoreError`] where the store does not answer.
pub async fn of_env(
    reader: &mut Reader,
    app: &str,
    env: &str,
    kind: ObjectKind,
) -> Result<Vec<Object>, StoreError> {
    let filter = ObjectFilter {
        kind: Some(kind),
        app: Some(app.to_owned()),
        env: Some(env.to_owned()),
        ..ObjectFilter::default()
    };
    reader.objects(&filter).await
}
