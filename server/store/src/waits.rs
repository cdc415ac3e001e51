//! Waits: who watches what, until when.

use model::{EnvId, EnvRef, Ts, Wait, WaitId, WaitPhase};

use crate::{
    AuditEntry, IdempotencyKey, JournalKind, Reader, Store, StoreError, WaitInserted, audit, objects,
    pool::{Sql, exec, row, rows, with_list},
    submit::{self, Use},
    text::{clean, from_json, parse, scrub, to_json},
    write::Write,
};

#[derive(Debug, sqlx::FromRow)]
struct WaitRow {
    ext: String,
    object_key: i64,
    kind: String,
    object_ext: String,
    title: String,
    env_key: Option<i64>,
    app_ext: Option<String>,
    app: Option<String>,
    env_ext: Option<String>,
    env: Option<String>,
    until: String,
    receipt: Option<String>,
    generation: Option<i64>,
    owner: String,
    created_at: i64,
    deadline: i64,
    phase: String,
    phase_detail: Option<String>,
    ended_at: Option<i64>,
    items: String,
    blind_since: Option<i64>,
}

macro_rules! wait_columns {
    () => {
        "SELECT w.ext, w.object AS object_key, k.kind, k.ext AS object_ext, w.title, w.env AS env_key, \
         a.ext AS app_ext, a.name AS app, e.ext AS env_ext, e.name AS env, w.until, w.receipt, w.generation, w.owner, \
         w.created_at, w.deadline, w.phase, w.phase_detail, w.ended_at, w.items, w.blind_since FROM"
    };
}
macro_rules! wait_where {
    ($rest:literal) => {
        concat!(
            wait_columns!(),
            " waits w JOIN object_keys k ON k.id = w.object LEFT JOIN envs e ON e.id = w.env \
             LEFT JOIN apps a ON a.id = e.app ",
            $rest
        )
    };
}
const BY_LIST: Sql = with_list!(
    wait_columns!(),
    "CROSS JOIN waits w CROSS JOIN object_keys k LEFT JOIN envs e ON e.id = w.env LEFT JOIN apps a ON a.id = e.app \
     WHERE w.ext = j.value ->> 0 AND k.id = w.object"
);
pub(crate) const OPEN_IDS: &str = "SELECT ext FROM waits w WHERE phase = 'waiting'";
const ONE: &str = wait_where!("WHERE w.ext = $1");
const PAGE: &str = wait_where!(
    "WHERE ($2 = '' OR w.id < (SELECT p.id FROM waits p WHERE p.ext = $2)) ORDER BY w.id DESC LIMIT $1"
);
// The plus keeps the engine from walking every wait there ever was in the order of the key.
pub(crate) const OPEN: &str = wait_where!(
    "WHERE w.phase = 'waiting' AND ($2 = '' OR w.id < (SELECT p.id FROM waits p WHERE p.ext = $2)) \
     ORDER BY +w.id DESC LIMIT $1"
);
pub(crate) const OPEN_OF: &str = wait_where!(
    "WHERE w.phase = 'waiting' AND w.env = (SELECT id FROM envs WHERE ext = $2) ORDER BY w.id DESC LIMIT $1"
);
const ENV: &str = "SELECT id FROM envs WHERE ext = $1";
const INSERT: &str = "INSERT INTO waits (id, ext, object, title, env, until, receipt, generation, owner, created_at, \
    deadline, phase, phase_detail, ended_at, items, blind_since) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
const UPDATE: &str = "UPDATE waits SET title = $2, deadline = $3, phase = $4, phase_detail = $5, ended_at = $6, \
    items = $7, blind_since = $8 WHERE ext = $1";
// A wait that is about no generation, such as one for an object to go, is not replaced by a newer one.
const SUPERSEDE: &str = "UPDATE waits SET phase = 'superseded', phase_detail = $2, ended_at = $3 \
    WHERE env = $1 AND phase = 'waiting' AND generation IS NOT NULL RETURNING ext, object";

fn detail(phase: &WaitPhase) -> Option<String> {
    match phase {
        WaitPhase::Failed { reason } => Some(clean(reason).into_owned()),
        WaitPhase::Superseded { by } => by.as_ref().map(ToString::to_string),
        WaitPhase::Waiting | WaitPhase::Converged | WaitPhase::TimedOut | WaitPhase::Stopped => None,
    }
}

fn phase(op: &'static str, word: &str, detail: Option<String>) -> Result<WaitPhase, StoreError> {
    Ok(match word {
        "waiting" => WaitPhase::Waiting,
        "converged" => WaitPhase::Converged,
        "timed_out" => WaitPhase::TimedOut,
        "stopped" => WaitPhase::Stopped,
        "failed" => WaitPhase::Failed { reason: detail.unwrap_or_default() },
        "superseded" => {
            WaitPhase::Superseded { by: detail.map(|id| parse(op, "a receipt id", &id)).transpose()? }
        }
        _ => return Err(StoreError::damaged(op, "a wait's phase")),
    })
}

impl WaitRow {
    fn into_wait(self, op: &'static str) -> Result<Wait, StoreError> {
        let Self {
            ext,
            // Integer keys stay inside.
            object_key: _,
            env_key: _,
            kind,
            object_ext,
            title,
            app_ext,
            app,
            env_ext,
            env,
            until,
            receipt,
            generation,
            owner,
            created_at,
            deadline,
            phase: word,
            phase_detail,
            ended_at,
            items,
            blind_since,
        } = self;
        let target = match (app_ext, app, env_ext, env) {
            (Some(app_ext), Some(app), Some(env_ext), Some(env)) => {
                let (app_id, env_id) = (parse(op, "an app id", &app_ext)?, parse(op, "an env id", &env_ext)?);
                Some(EnvRef { app_id, app, env_id, env })
            }
            _ => None,
        };
        Ok(Wait {
            id: parse(op, "a wait id", &ext)?,
            object: objects::key(op, &kind, object_ext)?,
            title,
            target,
            until: from_json(op, "what a wait is for", &until)?,
            receipt: receipt.map(|id| parse(op, "a receipt id", &id)).transpose()?,
            generation,
            owner,
            created_at: Ts(created_at),
            deadline: Ts(deadline),
            phase: phase(op, &word, phase_detail)?,
            ended_at: ended_at.map(Ts),
            items: from_json(op, "the parts of a wait", &items)?,
            blind_since: blind_since.map(Ts),
        })
    }
}

/// Adds a wait to a transaction.
pub(crate) async fn insert(write: &mut Write, wait: &Wait) -> Result<(), StoreError> {
    let op = write.op();
    let Wait {
        id,
        object,
        title,
        target,
        until,
        receipt,
        generation,
        owner,
        created_at,
        deadline,
        phase,
        ended_at,
        items,
        blind_since,
    } = wait;
    let env = match target {
        Some(target) => {
            let found = row!(&mut write.tx, op, (i64,), ENV, target.env_id.as_str())?;
            Some(found.ok_or(StoreError::NotFound { op })?.0)
        }
        None => None,
    };
    let (object, key) = (write.key(object).await?, write.next_id());
    let (title, owner) = (clean(title).into_owned(), clean(owner).into_owned());
    let receipt = receipt.as_ref().map(ToString::to_string);
    exec!(
        &mut write.tx,
        op,
        INSERT,
        key,
        id.as_str(),
        object,
        &title,
        env,
        to_json(until),
        &receipt,
        generation,
        &owner,
        created_at.0,
        deadline.0,
        phase.as_str(),
        detail(phase),
        ended_at.map(|at| at.0),
        to_json(items),
        blind_since.map(|at| at.0)
    )?;
    write.journal(JournalKind::Wait, Some(object), env, Some(id.to_string()));
    Ok(())
}

/// Ends every open wait of an env that is about an older generation.
pub(crate) async fn supersede(write: &mut Write, env: i64, by: &model::ReceiptId) -> Result<(), StoreError> {
    let (op, now) = (write.op(), write.now.0);
    for (id, object) in rows!(&mut write.tx, op, (String, i64), SUPERSEDE, env, by.as_str(), now)? {
        write.journal(JournalKind::Wait, Some(object), Some(env), Some(id));
    }
    Ok(())
}

impl Store {
    /// Adds a wait and its audit row.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when its env does not exist.
    pub async fn wait_insert(
        &self,
        wait: &Wait,
        entry: AuditEntry,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<WaitInserted, StoreError> {
        const OP: &str = "add a wait";
        let mut write = self.write(OP).await?;
        match submit::use_key(&mut write, idempotency.as_ref(), wait.id.as_str()).await? {
            Use::First => {}
            Use::Reused => return Ok(WaitInserted::KeyReused),
            Use::Repeated(subject) => {
                return match row!(&mut write.tx, OP, WaitRow, ONE, &subject)? {
                    Some(row) => Ok(WaitInserted::Repeated(Box::new(row.into_wait(OP)?))),
                    // The key made something else.
                    None => Ok(WaitInserted::KeyReused),
                };
            }
        }
        insert(&mut write, wait).await?;
        audit::insert(&mut write, &entry).await?;
        write.commit().await?;
        Ok(WaitInserted::Created)
    }

    /// Stores how a wait stands: its title, deadline, phase, end, parts and blindness, and what the audit log says of
    /// it. A closed wait stays as it is, and one that is not any more what was read: who gives it more time must not
    /// lose that to whoever looked at it before. True when anything changed; only then the journal says so.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such wait.
    pub async fn wait_update(
        &self,
        read: &Wait,
        wait: &Wait,
        entry: Option<AuditEntry>,
    ) -> Result<bool, StoreError> {
        const OP: &str = "update a wait";
        let mut write = self.write(OP).await?;
        let row = row!(&mut write.tx, OP, WaitRow, ONE, wait.id.as_str())?
            .ok_or(StoreError::NotFound { op: OP })?;
        let (object, env) = (row.object_key, row.env_key);
        let known = row.into_wait(OP)?;
        let mut wait = wait.clone();
        scrub(&mut wait.title);
        if known != *read || known == wait || !known.phase.is_open() {
            return Ok(false);
        }
        let Wait { id, title, deadline, phase, ended_at, items, blind_since, .. } = &wait;
        exec!(
            &mut write.tx,
            OP,
            UPDATE,
            id.as_str(),
            title,
            deadline.0,
            phase.as_str(),
            detail(phase),
            ended_at.map(|at| at.0),
            to_json(items),
            blind_since.map(|at| at.0)
        )?;
        write.journal(JournalKind::Wait, Some(object), env, Some(id.to_string()));
        if let Some(entry) = entry {
            audit::insert(&mut write, &entry).await?;
        }
        write.commit().await?;
        Ok(true)
    }
}

impl Reader {
    /// One wait.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn wait(&mut self, id: &WaitId) -> Result<Option<Wait>, StoreError> {
        const OP: &str = "read a wait";
        row!(&mut self.tx, OP, WaitRow, ONE, id.as_str())?.map(|row| row.into_wait(OP)).transpose()
    }

    /// Open waits of an env, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn waits_open_of(&mut self, env: &EnvId, limit: u32) -> Result<Vec<Wait>, StoreError> {
        const OP: &str = "read the open waits of an env";
        let found = rows!(&mut self.tx, OP, WaitRow, OPEN_OF, i64::from(limit), env.as_str())?;
        found.into_iter().map(|row| row.into_wait(OP)).collect()
    }

    /// The ids of all open waits, in no order.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn waits_open_ids(&mut self) -> Result<Vec<WaitId>, StoreError> {
        const OP: &str = "list open waits";
        let found = rows!(&mut self.tx, OP, (String,), OPEN_IDS)?;
        found.into_iter().map(|(id,)| parse(OP, "a wait's id", &id)).collect()
    }

    /// These waits, in no order; unknown ones are left out.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn waits_by_id(&mut self, ids: &[WaitId]) -> Result<Vec<Wait>, StoreError> {
        const OP: &str = "read some waits";
        let list: Vec<[&str; 1]> = ids.iter().map(|id| [id.as_str()]).collect();
        let found = rows!(&mut self.tx, OP, WaitRow, BY_LIST, to_json(&list))?;
        found.into_iter().map(|row| row.into_wait(OP)).collect()
    }

    /// Waits, newest first, from behind this one on; none where it does not exist.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn waits_page(
        &mut self,
        open_only: bool,
        after: Option<&WaitId>,
        limit: u32,
    ) -> Result<Vec<Wait>, StoreError> {
        const OP: &str = "read a page of waits";
        let sql = if open_only { OPEN } else { PAGE };
        let after = after.map_or("", WaitId::as_str);
        let found = rows!(&mut self.tx, OP, WaitRow, sql, i64::from(limit), after)?;
        found.into_iter().map(|row| row.into_wait(OP)).collect()
    }
}
