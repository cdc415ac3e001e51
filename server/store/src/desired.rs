//! Desired state: apps, envs and releases. Commands are written by `submit.rs`.

use model::{
    AppId, EnvId, EnvRecord, EnvRef, ObjectKind, Release, ReleaseId, RunState, Seq, Ts, Verb, plan::Intent,
};

use crate::{
    JournalKind, Reader, ReleaseMark, Store, StoreError,
    ingest::gone_objects,
    pool::{exec, row, rows},
    text::{clean, from_json, parse},
};

/// An env with its app, as stored.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct EnvRow {
    pub(crate) id: i64,
    app_ext: String,
    app: String,
    ext: String,
    name: String,
    pub(crate) generation: i64,
    release_ext: Option<String>,
    scale: String,
    run: String,
    restarts: i64,
    changed_at: i64,
    changed_by: String,
    changed_by_verb: Option<String>,
}

#[derive(Debug, sqlx::FromRow)]
struct ReleaseRow {
    ext: String,
    number: i64,
    app_ext: String,
    app: String,
    env_ext: String,
    env: String,
    spec: String,
    files: String,
    created_at: i64,
    created_by: String,
    converged_at: Option<i64>,
    held_until: Option<i64>,
}

macro_rules! env_where {
    ($rest:literal) => {
        concat!(
            "SELECT e.id, a.ext AS app_ext, a.name AS app, e.ext, e.name, e.generation, e.release_ext, e.scale, e.run, \
             e.restarts, e.changed_at, e.changed_by, e.changed_by_verb FROM envs e JOIN apps a ON a.id = e.app \
             WHERE e.forgotten_at IS NULL ",
            $rest
        )
    };
}
pub(crate) const ENV: &str = env_where!("AND e.ext = $1");
const ENV_BY_NAME: &str = env_where!("AND a.name = $1 AND e.name = $2");
const ENVS: &str = env_where!("ORDER BY a.name, e.name");
/// The journal leads: what is new there is little, however many envs there are.
pub(crate) const ENVS_MOVED: &str = "SELECT DISTINCT e.ext FROM journal j CROSS JOIN envs e \
    WHERE j.seq > $1 AND j.kind = 'env' AND e.id = j.env";
const APP_BY_NAME: &str = "SELECT ext FROM apps WHERE name = $1";

macro_rules! release_where {
    ($rest:literal) => {
        concat!(
            "SELECT r.ext, r.number, a.ext AS app_ext, a.name AS app, e.ext AS env_ext, e.name AS env, r.spec, r.files, \
             r.created_at, r.created_by, r.converged_at, r.held_until FROM releases r JOIN envs e ON e.id = r.env \
             JOIN apps a ON a.id = e.app WHERE ",
            $rest
        )
    };
}
const RELEASE: &str = release_where!("r.ext = $1");
const RELEASES: &str = release_where!("e.ext = $1 ORDER BY r.number DESC");

// A release that holds again starts to hold now.
const CONVERGED: &str = "UPDATE releases SET converged_at = $2, held_until = NULL \
    WHERE ext = $1 AND (converged_at IS NULL OR held_until IS NOT NULL) RETURNING env";
const HELD: &str = "UPDATE releases SET held_until = $2 \
    WHERE ext = $1 AND converged_at IS NOT NULL AND held_until IS NULL RETURNING env";
const FORGET: &str = "UPDATE envs SET forgotten_at = $2 WHERE id = $1";
const ENVS_OF_APP: &str =
    "SELECT count(*) FROM envs e JOIN apps a ON a.id = e.app WHERE a.name = $1 AND e.forgotten_at IS NULL";

impl EnvRow {
    pub(crate) fn target(&self, op: &'static str) -> Result<EnvRef, StoreError> {
        Ok(EnvRef {
            app_id: parse(op, "an app id", &self.app_ext)?,
            app: self.app.clone(),
            env_id: parse(op, "an env id", &self.ext)?,
            env: self.name.clone(),
        })
    }

    fn into_record(self, op: &'static str) -> Result<EnvRecord, StoreError> {
        let target = self.target(op)?;
        let Self {
            // The integer key stays inside; ids and names are in `target`.
            id: _,
            app_ext: _,
            app: _,
            ext: _,
            name: _,
            generation,
            release_ext,
            scale,
            run,
            restarts,
            changed_at,
            changed_by,
            changed_by_verb,
        } = self;
        let damaged = |what| StoreError::damaged(op, what);
        let verb = |text: String| Verb::parse(&text).ok_or_else(|| damaged("a verb"));
        Ok(EnvRecord {
            target,
            generation,
            intent: Intent {
                release: release_ext.map(|id| parse(op, "a release id", &id)).transpose()?,
                scale: from_json(op, "a scale", &scale)?,
                run: RunState::parse(&run).ok_or_else(|| damaged("a run state"))?,
                restarts,
            },
            changed_at: Ts(changed_at),
            changed_by,
            changed_by_verb: changed_by_verb.map(verb).transpose()?,
        })
    }
}

impl ReleaseRow {
    fn into_release(self, op: &'static str) -> Result<Release, StoreError> {
        let Self {
            ext,
            number,
            app_ext,
            app,
            env_ext,
            env,
            spec,
            files,
            created_at,
            created_by,
            converged_at,
            held_until,
        } = self;
        let (app_id, env_id) = (parse(op, "an app id", &app_ext)?, parse(op, "an env id", &env_ext)?);
        Ok(Release {
            id: parse(op, "a release id", &ext)?,
            number,
            target: EnvRef { app_id, app, env_id, env },
            spec: from_json(op, "a spec", &spec)?,
            files: from_json(op, "pinned files", &files)?,
            created_at: Ts(created_at),
            created_by,
            converged_at: converged_at.map(Ts),
            held_until: held_until.map(Ts),
        })
    }
}

impl Store {
    /// Forgets a deleted env: it and its releases and instances are gone, and its name is free again. False when
    /// it is forgotten already.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the env is not to be deleted.
    pub async fn env_forget(&self, env: &EnvId) -> Result<bool, StoreError> {
        const OP: &str = "forget an env";
        let mut write = self.write(OP).await?;
        let Some(row) = row!(&mut write.tx, OP, EnvRow, ENV, env.as_str())? else { return Ok(false) };
        if row.run != RunState::Deleted.as_str() {
            return Err(StoreError::refused(OP, "its desired state is not deleted"));
        }
        let kinds = [ObjectKind::ENV, ObjectKind::RELEASE, ObjectKind::INSTANCE];
        gone_objects(&mut write, &row.app, Some(&row.name), &kinds).await?;
        let now = write.now.0;
        exec!(&mut write.tx, OP, FORGET, row.id, now)?;
        write.journal(JournalKind::Env, None, Some(row.id), Some(env.to_string()));
        let n_left = row!(&mut write.tx, OP, (i64,), ENVS_OF_APP, &row.app)?.map_or(0, |(n,)| n);
        if n_left == 0 {
            gone_objects(&mut write, &row.app, None, &[ObjectKind::APP]).await?;
        }
        write.commit().await?;
        Ok(true)
    }

    /// Notes of releases that they began to hold, or ended; answers which of the notes were news. Who holds already,
    /// does not hold, or is not known, is passed over.
    ///
    /// # Errors
    /// [`StoreError`] when nothing could be written.
    pub async fn releases_mark(
        &self,
        marks: &[(ReleaseId, ReleaseMark)],
    ) -> Result<Vec<ReleaseId>, StoreError> {
        const OP: &str = "note since and until when releases held";
        if marks.is_empty() {
            return Ok(vec![]);
        }
        let mut write = self.write(OP).await?;
        let mut news = vec![];
        for (id, mark) in marks {
            let (sql, at) = match mark {
                ReleaseMark::Converged(at) => (CONVERGED, at),
                ReleaseMark::HeldUntil(at) => (HELD, at),
            };
            let Some((env,)) = row!(&mut write.tx, OP, (i64,), sql, id.as_str(), at.0)? else { continue };
            write.journal(JournalKind::Release, None, Some(env), Some(id.to_string()));
            news.push(id.clone());
        }
        if !news.is_empty() {
            write.commit().await?;
        }
        Ok(news)
    }
}

impl Reader {
    /// One env; `None` also when it is forgotten.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn env(&mut self, id: &EnvId) -> Result<Option<EnvRecord>, StoreError> {
        const OP: &str = "read an env";
        row!(&mut self.tx, OP, EnvRow, ENV, id.as_str())?.map(|row| row.into_record(OP)).transpose()
    }

    /// One env, by the names of its app and its own.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn env_by_name(&mut self, app: &str, env: &str) -> Result<Option<EnvRecord>, StoreError> {
        const OP: &str = "read an env by its name";
        let (app, env) = (clean(app).into_owned(), clean(env).into_owned());
        row!(&mut self.tx, OP, EnvRow, ENV_BY_NAME, &app, &env)?.map(|row| row.into_record(OP)).transpose()
    }

    /// Every env that is not forgotten, by the names of app and env.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn envs(&mut self) -> Result<Vec<EnvRecord>, StoreError> {
        const OP: &str = "read the envs";
        rows!(&mut self.tx, OP, EnvRow, ENVS)?.into_iter().map(|row| row.into_record(OP)).collect()
    }

    /// The envs whose desired state has changed, or which were forgotten, since this row of the journal.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn envs_moved(&mut self, after: Seq) -> Result<Vec<EnvId>, StoreError> {
        const OP: &str = "find the envs that have moved";
        let found = rows!(&mut self.tx, OP, (String,), ENVS_MOVED, after.0)?;
        found.into_iter().map(|(id,)| parse(OP, "an env id", &id)).collect()
    }

    /// The id of an app. An app keeps its id when its last env is forgotten.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn app_by_name(&mut self, app: &str) -> Result<Option<AppId>, StoreError> {
        const OP: &str = "read an app";
        let app = clean(app).into_owned();
        row!(&mut self.tx, OP, (String,), APP_BY_NAME, &app)?
            .map(|(id,)| parse(OP, "an app id", &id))
            .transpose()
    }

    /// One release, also of a forgotten env.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn release(&mut self, id: &ReleaseId) -> Result<Option<Release>, StoreError> {
        const OP: &str = "read a release";
        row!(&mut self.tx, OP, ReleaseRow, RELEASE, id.as_str())?.map(|row| row.into_release(OP)).transpose()
    }

    /// All releases of an env, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn releases(&mut self, env: &EnvId) -> Result<Vec<Release>, StoreError> {
        const OP: &str = "read the releases of an env";
        rows!(&mut self.tx, OP, ReleaseRow, RELEASES, env.as_str())?
            .into_iter()
            .map(|row| row.into_release(OP))
            .collect()
    }
}
