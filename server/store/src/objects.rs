//! Objects: their rows, and reading the newest state of them.

use model::{Object, ObjectKey, SourceId, Ts};

use crate::{
    ObjectFilter, Reader, StoreError,
    pool::{Sql, row, rows, with_list},
    text::{clean, from_json, parse, to_json},
};

/// An object and its identity, as stored.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct ObjectRow {
    pub(crate) id: i64,
    pub(crate) seq: i64,
    pub(crate) n_versions: i64,
    kind: String,
    ext: String,
    name: String,
    app: Option<String>,
    env: Option<String>,
    source: String,
    generation: i64,
    observed_generation: Option<i64>,
    desired: String,
    current: String,
    refs: String,
    conditions: String,
    created_at: i64,
    updated_at: i64,
    gone_at: Option<i64>,
}

/// The columns of an [`ObjectRow`], from `objects o`, `object_keys k` and `sources s`.
macro_rules! object_columns {
    () => {
        "o.id, o.seq, o.n_versions, k.kind, k.ext, o.name, o.app, o.env, s.ext AS source, o.generation, \
         o.observed_generation, o.desired, o.current, o.refs, o.conditions, o.created_at, o.updated_at, o.gone_at"
    };
}
macro_rules! object_from {
    () => {
        concat!(
            "SELECT ",
            crate::objects::object_columns!(),
            " FROM objects o JOIN object_keys k ON k.id = o.id JOIN sources s ON s.id = o.source "
        )
    };
}
pub(crate) use {object_columns, object_from};

pub(crate) const BY_KEYS: Sql = with_list!(
    concat!("SELECT ", object_columns!(), " FROM"),
    "CROSS JOIN object_keys k CROSS JOIN objects o CROSS JOIN sources s \
     WHERE k.kind = j.value ->> 0 AND k.ext = j.value ->> 1 AND o.id = k.id AND s.id = o.source ORDER BY k.kind, k.ext"
);
const BY_KEY: &str = concat!(object_from!(), "WHERE k.kind = $1 AND k.ext = $2");
const ANY: &str =
    concat!(object_from!(), "WHERE ($1 = 1 OR o.gone_at IS NULL) ORDER BY k.kind, k.ext LIMIT $2");
pub(crate) const OF_SOURCE: &str = "SELECT k.kind, k.ext FROM objects o JOIN object_keys k ON k.id = o.id \
    WHERE o.source = (SELECT id FROM sources WHERE ext = $1) AND o.gone_at IS NULL";
const BY_KIND: &str = concat!(
    object_from!(),
    "WHERE o.kind = $3 AND ($1 = 1 OR o.gone_at IS NULL) ORDER BY k.kind, k.ext LIMIT $2"
);
const BY_ENV: &str = concat!(
    object_from!(),
    "WHERE o.app = $3 AND ($4 = '' OR o.env = $4) AND ($5 = '' OR o.kind = $5) AND ($1 = 1 OR o.gone_at IS NULL) \
     ORDER BY k.kind, k.ext LIMIT $2"
);
const BY_ENV_NAME: &str = concat!(
    object_from!(),
    "WHERE o.env = $3 AND ($4 = '' OR o.kind = $4) AND ($1 = 1 OR o.gone_at IS NULL) ORDER BY k.kind, k.ext LIMIT $2"
);
const PAGE: &str = concat!(
    object_from!(),
    "WHERE (k.kind, k.ext) > ($3, $4) AND ($5 = '' OR o.kind = $5) AND ($6 = '' OR o.app = $6) \
     AND ($7 = '' OR o.env = $7) AND ($1 = 1 OR o.gone_at IS NULL) ORDER BY k.kind, k.ext LIMIT $2"
);
const RELATED: &str = concat!(
    "SELECT ",
    object_columns!(),
    " FROM object_keys t JOIN object_refs r ON r.target = t.id JOIN objects o ON o.id = r.origin \
     JOIN object_keys k ON k.id = o.id JOIN sources s ON s.id = o.source \
     WHERE t.kind = $1 AND t.ext = $2 AND o.gone_at IS NULL ORDER BY k.kind, k.ext"
);

/// A key on its way out.
pub(crate) fn key(op: &'static str, kind: &str, ext: String) -> Result<ObjectKey, StoreError> {
    ObjectKey::new(parse(op, "an object's kind", kind)?, ext)
        .map_err(|_| StoreError::damaged(op, "an object's id"))
}

/// Keys as one parameter.
pub(crate) fn key_list<'k>(keys: impl IntoIterator<Item = &'k ObjectKey>) -> String {
    let list: Vec<[std::borrow::Cow<'_, str>; 2]> =
        keys.into_iter().map(|key| [key.kind().as_str().into(), clean(key.id())]).collect();
    to_json(&list)
}

impl ObjectRow {
    pub(crate) fn into_object(self, op: &'static str) -> Result<Object, StoreError> {
        let Self {
            // Integer keys and counters stay inside.
            id: _,
            seq: _,
            n_versions: _,
            kind,
            ext,
            name,
            app,
            env,
            source,
            generation,
            observed_generation,
            desired,
            current,
            refs,
            conditions,
            created_at,
            updated_at,
            gone_at,
        } = self;
        Ok(Object {
            key: key(op, &kind, ext)?,
            name,
            app,
            env,
            source: parse(op, "a source id", &source)?,
            generation,
            observed_generation,
            desired: from_json(op, "a desired state", &desired)?,
            current: from_json(op, "a current state", &current)?,
            refs: from_json(op, "relations", &refs)?,
            conditions: from_json(op, "conditions", &conditions)?,
            created_at: Ts(created_at),
            updated_at: Ts(updated_at),
            gone_at: gone_at.map(Ts),
        })
    }
}

const OP: &str = "read objects";

fn objects(rows: Vec<ObjectRow>) -> Result<Vec<Object>, StoreError> {
    rows.into_iter().map(|row| row.into_object(OP)).collect()
}

impl Reader {
    /// The newest state of one object, also when it is gone.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn object(&mut self, key: &ObjectKey) -> Result<Option<Object>, StoreError> {
        let found =
            row!(&mut self.tx, OP, ObjectRow, BY_KEY, key.kind().as_str(), clean(key.id()).into_owned())?;
        found.map(|row| row.into_object(OP)).transpose()
    }

    /// The newest states of these objects; unknown ones are left out.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn objects_by_keys(&mut self, keys: &[ObjectKey]) -> Result<Vec<Object>, StoreError> {
        objects(rows!(&mut self.tx, OP, ObjectRow, BY_KEYS, key_list(keys))?)
    }

    /// The newest states of all objects that are wanted, by kind and id.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn objects(&mut self, filter: &ObjectFilter) -> Result<Vec<Object>, StoreError> {
        let ObjectFilter { kind, app, env, include_gone, limit } = filter;
        let (gone, limit) = (i64::from(*include_gone), limit.map_or(i64::MAX, i64::from));
        let kind = kind.as_ref().map_or("", |kind| kind.as_str());
        let text = |text: &Option<String>| text.as_deref().map(|text| clean(text).into_owned());
        let found = match (text(app), text(env)) {
            (Some(app), env) => rows!(
                &mut self.tx,
                OP,
                ObjectRow,
                BY_ENV,
                gone,
                limit,
                &app,
                env.as_deref().unwrap_or(""),
                kind
            )?,
            (None, Some(env)) => rows!(&mut self.tx, OP, ObjectRow, BY_ENV_NAME, gone, limit, &env, kind)?,
            (None, None) if kind.is_empty() => rows!(&mut self.tx, OP, ObjectRow, ANY, gone, limit)?,
            (None, None) => rows!(&mut self.tx, OP, ObjectRow, BY_KIND, gone, limit, kind)?,
        };
        objects(found)
    }

    /// The same from behind this one on.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn objects_after(
        &mut self,
        filter: &ObjectFilter,
        after: &ObjectKey,
    ) -> Result<Vec<Object>, StoreError> {
        let ObjectFilter { kind, app, env, include_gone, limit } = filter;
        let (gone, limit) = (i64::from(*include_gone), limit.map_or(i64::MAX, i64::from));
        let kind = kind.as_ref().map_or("", |kind| kind.as_str());
        let text = |text: &Option<String>| clean(text.as_deref().unwrap_or("")).into_owned();
        let (app, env) = (text(app), text(env));
        let (last_kind, last_id) = (after.kind().as_str(), clean(after.id()).into_owned());
        let found =
            rows!(&mut self.tx, OP, ObjectRow, PAGE, gone, limit, last_kind, &last_id, kind, &app, &env)?;
        objects(found)
    }

    /// The keys of all objects of a source that are not gone.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn objects_of_source(&mut self, source: &SourceId) -> Result<Vec<ObjectKey>, StoreError> {
        const OP: &str = "read the objects of a source";
        let found = rows!(&mut self.tx, OP, (String, String), OF_SOURCE, source.as_str())?;
        found.into_iter().map(|(kind, ext)| key(OP, &kind, ext)).collect()
    }

    /// Objects that are not gone and have a ref that points at `key`.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn objects_related_to(&mut self, key: &ObjectKey) -> Result<Vec<Object>, StoreError> {
        objects(rows!(
            &mut self.tx,
            OP,
            ObjectRow,
            RELATED,
            key.kind().as_str(),
            clean(key.id()).into_owned()
        )?)
    }
}
