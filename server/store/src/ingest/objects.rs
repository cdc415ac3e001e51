//! Objects on their way in: loading what is known of them, and writing what became of them.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use model::{Object, ObjectKey, ObjectKind, Ts};
use serde::Serialize;

use super::{
    Sources,
    state::{Moment, State},
};
use crate::{
    JournalKind, StoreError,
    objects::{BY_KEYS, ObjectRow, key_list, object_from},
    pool::{Sql, bulk_insert, exec, rows, with_list},
    segments::{OPEN, PUT, SegmentRow},
    text::to_json,
    versions,
    write::Write,
};

#[derive(Serialize)]
struct NewObject<'a> {
    id: i64,
    kind: &'a str,
    name: &'a str,
    app: Option<&'a str>,
    env: Option<&'a str>,
    source: i64,
    generation: i64,
    observed_generation: Option<i64>,
    desired: String,
    current: String,
    refs: String,
    conditions: String,
    created_at: i64,
    updated_at: i64,
    gone_at: Option<i64>,
    seq: i64,
    n_versions: i64,
    unjudged: i64,
}

#[derive(Serialize)]
struct Version {
    object: i64,
    seq: i64,
    recorded_at: i64,
    is_full: i64,
    doc: String,
}

#[derive(Serialize)]
struct NewRef {
    target: i64,
    origin: i64,
}

const OBJECTS: Sql = bulk_insert!("objects" (id: bigint, kind: text, name: text, app: text, env: text, source: bigint,
    generation: bigint, observed_generation: bigint, desired: text, current: text, refs: text, conditions: text,
    created_at: bigint, updated_at: bigint, gone_at: bigint, seq: bigint, n_versions: bigint, unjudged: bigint)
    "ON CONFLICT (id) DO UPDATE SET name = excluded.name, app = excluded.app, env = excluded.env, \
     source = excluded.source, generation = excluded.generation, observed_generation = excluded.observed_generation, \
     desired = excluded.desired, current = excluded.current, refs = excluded.refs, conditions = excluded.conditions, \
     updated_at = excluded.updated_at, gone_at = excluded.gone_at, seq = excluded.seq, \
     n_versions = excluded.n_versions, unjudged = 1");
const VERSIONS: Sql = bulk_insert!("object_versions" (object: bigint, seq: bigint, recorded_at: bigint, is_full: bigint, doc: text) "");
const REFS: Sql =
    bulk_insert!("object_refs" (target: bigint, origin: bigint) "ON CONFLICT (target, origin) DO NOTHING");
const REFS_CLEAR: Sql = Sql {
    sqlite: "DELETE FROM object_refs WHERE origin IN (SELECT value ->> 0 FROM json_each($1))",
    postgres: "DELETE FROM object_refs WHERE origin IN (SELECT CAST(j.value ->> 0 AS BIGINT) \
               FROM jsonb_array_elements($1::jsonb) AS j(value))",
};
/// The same by name only: most of a large set is still there.
const HELD_KEYS: &str = "SELECT k.ext FROM objects o CROSS JOIN object_keys k WHERE o.source = $1 AND o.kind = $2 \
    AND o.gone_at IS NULL AND k.id = o.id";
/// What a source has of a kind and has not lost.
const HELD: &str =
    concat!(object_from!(), "WHERE o.source = $1 AND o.kind = $2 AND o.gone_at IS NULL ORDER BY o.id");
const OF_ENV: Sql = with_list!(
    concat!("SELECT ", crate::objects::object_columns!(), " FROM"),
    "CROSS JOIN objects o CROSS JOIN object_keys k CROSS JOIN sources s WHERE o.app = $2 AND ($3 = '' OR o.env = $3) \
     AND o.kind = j.value ->> 0 AND o.gone_at IS NULL AND k.id = o.id AND s.id = o.source ORDER BY o.id"
);

/// Objects of one transaction, and what has to be written about them.
#[derive(Debug, Default)]
pub(super) struct Objects {
    states: BTreeMap<ObjectKey, State>,
    segments: BTreeMap<i64, SegmentRow>,
    versions: Vec<(i64, i64, bool, String)>,
}

impl Objects {
    /// Loads what is known of these objects; `ids` has a key for each.
    pub(super) async fn load(
        &mut self,
        write: &mut Write,
        keys: &[&ObjectKey],
        ids: &BTreeMap<ObjectKey, i64>,
    ) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let found = rows!(&mut write.tx, write.op(), ObjectRow, BY_KEYS, key_list(keys.iter().copied()))?;
        self.take(write, found).await?;
        for key in keys {
            let id =
                ids.get(*key).copied().ok_or_else(|| StoreError::damaged(write.op(), "an object's key"))?;
            self.states.entry((*key).clone()).or_insert_with(|| State { id, ..State::default() });
        }
        Ok(())
    }

    /// Loads everything that a source holds of a kind; answers the keys.
    pub(super) async fn load_held(
        &mut self,
        write: &mut Write,
        source: i64,
        kind: &str,
    ) -> Result<Vec<ObjectKey>, StoreError> {
        let found = rows!(&mut write.tx, write.op(), ObjectRow, HELD, source, kind)?;
        self.take(write, found).await
    }

    /// Loads what a source holds of a kind beyond this list; answers the keys.
    pub(super) async fn load_unlisted(
        &mut self,
        write: &mut Write,
        source: i64,
        kind: &ObjectKind,
        listed: &BTreeSet<ObjectKey>,
    ) -> Result<Vec<ObjectKey>, StoreError> {
        let op = write.op();
        let held = rows!(&mut write.tx, op, (String,), HELD_KEYS, source, kind.as_str())?;
        let mut unlisted = vec![];
        for (ext,) in held {
            let key = crate::objects::key(op, kind.as_str(), ext)?;
            if !listed.contains(&key) {
                unlisted.push(key);
            }
        }
        if !unlisted.is_empty() {
            let found = rows!(&mut write.tx, op, ObjectRow, BY_KEYS, key_list(unlisted.iter()))?;
            self.take(write, found).await?;
        }
        Ok(unlisted)
    }

    /// Keeps rows and the open segments that belong to them. What is known here already is newer than the row.
    async fn take(&mut self, write: &mut Write, found: Vec<ObjectRow>) -> Result<Vec<ObjectKey>, StoreError> {
        let op = write.op();
        let (mut keys, mut new) = (vec![], BTreeMap::new());
        for row in found {
            let (id, seq, n_versions) = (row.id, row.seq, row.n_versions);
            let object = row.into_object(op)?;
            keys.push(object.key.clone());
            if let Entry::Vacant(place) = self.states.entry(object.key.clone()) {
                new.insert(id, object.key.clone());
                place.insert(State { id, seq, n_versions, object: Some(object), ..State::default() });
            }
        }
        if !new.is_empty() {
            let list: Vec<[i64; 1]> = new.keys().map(|id| [*id]).collect();
            for segment in rows!(&mut write.tx, op, SegmentRow, OPEN, to_json(&list))? {
                if let Some(state) = new.get(&segment.object).and_then(|key| self.states.get_mut(key)) {
                    state.open.insert(segment.ty.clone(), segment);
                }
            }
        }
        Ok(keys)
    }

    /// What is known of an object.
    pub(super) fn known(&self, key: &ObjectKey) -> Option<&Object> {
        self.states.get(key).and_then(|state| state.object.as_ref())
    }

    /// Takes over a new state.
    pub(super) async fn put(&mut self, write: &mut Write, next: Object) -> Result<(), StoreError> {
        let env = write.env_of(next.app.as_deref(), next.env.as_deref()).await?;
        let Some(state) = self.states.get_mut(&next.key) else { return Ok(()) };
        let seq = write.journal(JournalKind::Object, Some(state.id), env, None).0;
        let (is_full, doc) = versions::encode(state.n_versions, state.object.as_ref(), &next);
        let at = next.updated_at;
        let written = state.become_(next, Moment { at, seq });
        self.versions.push((state.id, seq, is_full, doc));
        state.n_versions += 1;
        keep(write, state, written, &mut self.segments);
        Ok(())
    }

    /// Notes that an object is gone. False when it is already, or never was.
    pub(super) async fn go(
        &mut self,
        write: &mut Write,
        key: &ObjectKey,
        at: Ts,
    ) -> Result<bool, StoreError> {
        let Some(state) = self.states.get_mut(key) else { return Ok(false) };
        let Some(before) = state.object.clone().filter(|object| object.gone_at.is_none()) else {
            return Ok(false);
        };
        let env = write.env_of(before.app.as_deref(), before.env.as_deref()).await?;
        let seq = write.journal(JournalKind::Gone, Some(state.id), env, None).0;
        let written = state.go(Moment { at, seq });
        if let Some(now) = &state.object {
            let (is_full, doc) = versions::encode(state.n_versions, Some(&before), now);
            self.versions.push((state.id, seq, is_full, doc));
            state.n_versions += 1;
        }
        keep(write, state, written, &mut self.segments);
        Ok(true)
    }

    /// Writes everything that changed.
    pub(super) async fn flush(mut self, write: &mut Write, sources: &Sources) -> Result<(), StoreError> {
        let op = write.op();
        let changed: Vec<(i64, &Object, &State)> = self
            .states
            .values()
            .filter(|state| state.changed)
            .filter_map(|state| state.object.as_ref().map(|object| (state.id, object, state)))
            .collect();
        if changed.is_empty() {
            return Ok(());
        }
        let mut targets = BTreeSet::new();
        for (_, object, _) in &changed {
            targets.extend(object.refs.iter().map(|r| &r.to));
        }
        let targets = write.keys(&targets).await?;
        let (mut rows, mut refs, mut origins) = (vec![], vec![], vec![]);
        for (id, object, state) in &changed {
            let source = sources.get(object.source.as_str()).ok_or(StoreError::NotFound { op })?.id;
            rows.push(new_object(*id, object, state, source));
            origins.push([*id]);
            refs.extend(object.refs.iter().map(|r| NewRef { target: targets[&r.to], origin: *id }));
        }
        exec!(&mut write.tx, op, OBJECTS, to_json(&rows))?;
        exec!(&mut write.tx, op, REFS_CLEAR, to_json(&origins))?;
        if !refs.is_empty() {
            exec!(&mut write.tx, op, REFS, to_json(&refs))?;
        }
        let recorded_at = write.now.0;
        let versions = std::mem::take(&mut self.versions).into_iter();
        let versions: Vec<Version> = versions
            .map(|(object, seq, full, doc)| Version {
                object,
                seq,
                recorded_at,
                is_full: i64::from(full),
                doc,
            })
            .collect();
        exec!(&mut write.tx, op, VERSIONS, to_json(&versions))?;
        // Closed ones first: only one segment of a lane may be open at a time.
        let (closed, open): (Vec<_>, Vec<_>) =
            self.segments.values().partition(|segment| segment.to_at.is_some());
        for segments in [closed, open] {
            if !segments.is_empty() {
                exec!(&mut write.tx, op, PUT, to_json(&segments))?;
            }
        }
        Ok(())
    }
}

/// Gives new segments their key and remembers all of them for the flush.
fn keep(
    write: &mut Write,
    state: &mut State,
    written: Vec<SegmentRow>,
    segments: &mut BTreeMap<i64, SegmentRow>,
) {
    for mut segment in written {
        if segment.id == 0 {
            segment.id = write.next_id();
            state.open.insert(segment.ty.clone(), segment.clone());
        }
        segments.insert(segment.id, segment);
    }
}

fn new_object<'a>(id: i64, object: &'a Object, state: &State, source: i64) -> NewObject<'a> {
    let Object {
        key,
        name,
        app,
        env,
        // Given as its integer key.
        source: _,
        generation,
        observed_generation,
        desired,
        current,
        refs,
        conditions,
        created_at,
        updated_at,
        gone_at,
    } = object;
    NewObject {
        id,
        kind: key.kind().as_str(),
        name,
        app: app.as_deref(),
        env: env.as_deref(),
        source,
        generation: *generation,
        observed_generation: *observed_generation,
        desired: to_json(desired),
        current: to_json(current),
        refs: to_json(refs),
        conditions: to_json(conditions),
        created_at: created_at.0,
        updated_at: updated_at.0,
        gone_at: gone_at.map(|at| at.0),
        seq: state.seq,
        n_versions: state.n_versions,
        unjudged: 1,
    }
}

/// Marks what is left of an app (in one env, or in all) as gone, of these kinds.
pub(crate) async fn gone_objects(
    write: &mut Write,
    app: &str,
    env: Option<&str>,
    kinds: &[&str],
) -> Result<(), StoreError> {
    let (op, now) = (write.op(), write.now);
    let list: Vec<[&str; 1]> = kinds.iter().map(|kind| [*kind]).collect();
    let mut objects = Objects::default();
    let found = rows!(&mut write.tx, op, ObjectRow, OF_ENV, to_json(&list), app, env.unwrap_or(""))?;
    for key in objects.take(write, found).await? {
        objects.go(write, &key, now).await?;
    }
    let sources = super::sources(write).await?;
    objects.flush(write, &sources).await
}
