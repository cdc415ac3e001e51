//! Receipts: what a write answered, and the legal moves of its phase.

use model::{Checked, EnvId, EnvRef, Receipt, ReceiptId, ReceiptPhase, Ts, Verb};

use crate::{
    AuditEntry, JournalKind, KeyUse, Reader, Store, StoreError, audit,
    pool::{Sql, Tx, exec, row, rows, with_list},
    text::{clean, from_json, parse, to_json},
    write::Write,
};

#[derive(Debug, sqlx::FromRow)]
pub(crate) struct ReceiptRow {
    ext: String,
    env_key: i64,
    app_ext: String,
    app: String,
    env_ext: String,
    env: String,
    verb: String,
    generation: i64,
    phase: String,
    phase_detail: Option<String>,
    phase_at: i64,
    accepted_at: i64,
    actor: String,
    reason: String,
    trace_id: String,
    wait: Option<String>,
    checked_by: Option<String>,
    checked_at: Option<i64>,
    plan: String,
}

macro_rules! receipt_columns {
    () => {
        "SELECT r.ext, r.env AS env_key, a.ext AS app_ext, a.name AS app, e.ext AS env_ext, e.name AS env, r.verb, \
         r.generation, r.phase, r.phase_detail, r.phase_at, r.accepted_at, r.actor, r.reason, r.trace_id, r.wait, \
         r.checked_by, r.checked_at, r.plan FROM"
    };
}
macro_rules! receipt_where {
    ($rest:literal) => {
        concat!(
            receipt_columns!(),
            " receipts r JOIN envs e ON e.id = r.env JOIN apps a ON a.id = e.app ",
            $rest
        )
    };
}
const BY_LIST: Sql = with_list!(
    receipt_columns!(),
    "CROSS JOIN receipts r CROSS JOIN envs e CROSS JOIN apps a \
     WHERE r.ext = j.value ->> 0 AND e.id = r.env AND a.id = e.app"
);
const ONE: &str = receipt_where!("WHERE r.ext = $1");
const ALL: &str = receipt_where!("ORDER BY r.id DESC LIMIT $1");
// The plus keeps the engine from walking every receipt there ever was in the order of the key.
pub(crate) const OPEN: &str =
    receipt_where!("WHERE r.phase IN ('accepted', 'applying') ORDER BY +r.id DESC LIMIT $1");
pub(crate) const OPEN_IDS: &str = "SELECT ext FROM receipts r WHERE phase IN ('accepted', 'applying')";
const OF_ENV: &str = receipt_where!("WHERE e.ext = $2 ORDER BY r.generation DESC LIMIT $1");
const OPEN_OF_ENV: &str = receipt_where!(
    "WHERE e.ext = $1 AND r.phase IN ('accepted', 'applying') ORDER BY r.generation DESC LIMIT 1"
);
const PAGE: &str = receipt_where!(
    "WHERE ($2 = '' OR e.ext = $2) AND ($3 = '' OR r.id < (SELECT p.id FROM receipts p WHERE p.ext = $3)) \
     ORDER BY r.id DESC LIMIT $1"
);
const KEY: &str = "SELECT request_hash, subject FROM idempotency_keys WHERE actor = $1 AND key = $2";
const INSERT: &str = "INSERT INTO receipts (id, ext, env, verb, generation, phase, phase_detail, phase_at, accepted_at, \
    actor, reason, trace_id, wait, checked_by, checked_at, plan) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
const MOVE: &str = "UPDATE receipts SET phase = $2, phase_detail = $3, phase_at = $4 WHERE ext = $1";
const CHECK: &str = "UPDATE receipts SET checked_by = $2, checked_at = $3 WHERE ext = $1";
const SUPERSEDE: &str = "UPDATE receipts SET phase = 'superseded', phase_detail = $2, phase_at = $3 \
    WHERE env = $1 AND phase IN ('accepted', 'applying') RETURNING ext";

/// The reason or the successor that belongs to a phase.
fn detail(phase: &ReceiptPhase) -> Option<String> {
    match phase {
        ReceiptPhase::Failed { reason } => Some(clean(reason).into_owned()),
        ReceiptPhase::Superseded { by } => Some(by.to_string()),
        ReceiptPhase::Accepted
        | ReceiptPhase::Applying
        | ReceiptPhase::Converged
        | ReceiptPhase::TimedOut => None,
    }
}

fn phase(op: &'static str, word: &str, detail: Option<String>) -> Result<ReceiptPhase, StoreError> {
    match (word, detail) {
        ("accepted", _) => Ok(ReceiptPhase::Accepted),
        ("applying", _) => Ok(ReceiptPhase::Applying),
        ("converged", _) => Ok(ReceiptPhase::Converged),
        ("timed_out", _) => Ok(ReceiptPhase::TimedOut),
        ("failed", reason) => Ok(ReceiptPhase::Failed { reason: reason.unwrap_or_default() }),
        ("superseded", Some(by)) => Ok(ReceiptPhase::Superseded { by: parse(op, "a receipt id", &by)? }),
        _ => Err(StoreError::damaged(op, "a receipt's phase")),
    }
}

impl ReceiptRow {
    pub(crate) fn into_receipt(self, op: &'static str) -> Result<Receipt, StoreError> {
        let Self {
            ext,
            // The integer key stays inside.
            env_key: _,
            app_ext,
            app,
            env_ext,
            env,
            verb,
            generation,
            phase: word,
            phase_detail,
            phase_at,
            accepted_at,
            actor,
            reason,
            trace_id,
            wait,
            checked_by,
            checked_at,
            plan,
        } = self;
        let (app_id, env_id) = (parse(op, "an app id", &app_ext)?, parse(op, "an env id", &env_ext)?);
        Ok(Receipt {
            id: parse(op, "a receipt id", &ext)?,
            verb: Verb::parse(&verb).ok_or_else(|| StoreError::damaged(op, "a verb"))?,
            target: EnvRef { app_id, app, env_id, env },
            generation,
            phase: phase(op, &word, phase_detail)?,
            phase_at: Ts(phase_at),
            accepted_at: Ts(accepted_at),
            actor,
            reason,
            trace_id: parse(op, "a trace id", &trace_id)?,
            wait: wait.map(|id| parse(op, "a wait id", &id)).transpose()?,
            checked: checked_by.zip(checked_at).map(|(by, at)| Checked { by, at: Ts(at) }),
            plan: from_json(op, "a plan", &plan)?,
        })
    }
}

/// The receipt as it stands in this transaction.
pub(crate) async fn find(write: &mut Write, id: &str) -> Result<Option<ReceiptRow>, StoreError> {
    row!(&mut write.tx, write.op(), ReceiptRow, ONE, id)
}

/// Adds a receipt to a transaction; its texts are cleaned in place.
pub(crate) async fn insert(write: &mut Write, env: i64, receipt: &mut Receipt) -> Result<(), StoreError> {
    crate::text::scrub(&mut receipt.reason);
    crate::text::scrub(&mut receipt.actor);
    let Receipt {
        id,
        verb,
        // The env's own row has it.
        target: _,
        generation,
        phase,
        phase_at,
        accepted_at,
        actor,
        reason,
        trace_id,
        wait,
        checked,
        plan,
    } = &*receipt;
    let (key, op) = (write.next_id(), write.op());
    let (checked_by, checked_at) = (checked.as_ref().map(|c| c.by.clone()), checked.as_ref().map(|c| c.at.0));
    let wait = wait.as_ref().map(ToString::to_string);
    exec!(
        &mut write.tx,
        op,
        INSERT,
        key,
        id.as_str(),
        env,
        verb.as_str(),
        generation,
        phase.as_str(),
        detail(phase),
        phase_at.0,
        accepted_at.0,
        actor,
        reason,
        trace_id.as_str(),
        &wait,
        &checked_by,
        checked_at,
        to_json(plan)
    )?;
    write.journal(JournalKind::Receipt, None, Some(env), Some(id.to_string()));
    Ok(())
}

/// Receipts of a JSON list of ids.
pub(crate) async fn by_list(tx: &mut Tx, op: &'static str, list: String) -> Result<Vec<Receipt>, StoreError> {
    rows!(tx, op, ReceiptRow, BY_LIST, list)?.into_iter().map(|row| row.into_receipt(op)).collect()
}

/// Closes every open receipt of an env in favour of a newer one.
pub(crate) async fn supersede(write: &mut Write, env: i64, by: &ReceiptId) -> Result<(), StoreError> {
    let (op, now) = (write.op(), write.now.0);
    for (id,) in rows!(&mut write.tx, op, (String,), SUPERSEDE, env, by.as_str(), now)? {
        write.journal(JournalKind::Receipt, None, Some(env), Some(id));
    }
    Ok(())
}

impl Store {
    /// Moves receipts to other phases, all in one transaction. Says how many moved: one that is gone, or may not move
    /// there, for example because it is closed, is passed over.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer; then none has moved.
    pub async fn receipts_move(&self, moves: &[(ReceiptId, ReceiptPhase)]) -> Result<u32, StoreError> {
        const OP: &str = "move receipts";
        if moves.is_empty() {
            return Ok(0);
        }
        let mut write = self.write(OP).await?;
        let (now, mut moved) = (write.now.0, 0);
        for (id, next) in moves {
            let Some(row) = find(&mut write, id.as_str()).await? else { continue };
            if !phase(OP, &row.phase, row.phase_detail)?.may_become(next) {
                continue;
            }
            exec!(&mut write.tx, OP, MOVE, id.as_str(), next.as_str(), detail(next), now)?;
            write.journal(JournalKind::Receipt, None, Some(row.env_key), Some(id.to_string()));
            moved += 1;
        }
        write.commit().await?;
        Ok(moved)
    }

    /// Notes that a person verified the result; a later word replaces an earlier one. Answers the receipt.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such receipt.
    pub async fn receipt_check(
        &self,
        id: &ReceiptId,
        checked: Checked,
        entry: AuditEntry,
    ) -> Result<Receipt, StoreError> {
        const OP: &str = "note that a receipt was checked";
        let mut write = self.write(OP).await?;
        let row = find(&mut write, id.as_str()).await?.ok_or(StoreError::NotFound { op: OP })?;
        let env = row.env_key;
        let mut receipt = row.into_receipt(OP)?;
        let Checked { by, at } = checked;
        let by = clean(&by).into_owned();
        exec!(&mut write.tx, OP, CHECK, id.as_str(), &by, at.0)?;
        write.journal(JournalKind::Receipt, None, Some(env), Some(id.to_string()));
        audit::insert(&mut write, &entry).await?;
        write.commit().await?;
        receipt.checked = Some(Checked { by, at });
        Ok(receipt)
    }
}

impl Reader {
    /// One receipt.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn receipt(&mut self, id: &ReceiptId) -> Result<Option<Receipt>, StoreError> {
        const OP: &str = "read a receipt";
        row!(&mut self.tx, OP, ReceiptRow, ONE, id.as_str())?.map(|row| row.into_receipt(OP)).transpose()
    }

    /// Receipts, newest first; of one env or of all.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn receipts(&mut self, env: Option<&EnvId>, limit: u32) -> Result<Vec<Receipt>, StoreError> {
        const OP: &str = "read receipts";
        let limit = i64::from(limit);
        let found = match env {
            Some(env) => rows!(&mut self.tx, OP, ReceiptRow, OF_ENV, limit, env.as_str())?,
            None => rows!(&mut self.tx, OP, ReceiptRow, ALL, limit)?,
        };
        found.into_iter().map(|row| row.into_receipt(OP)).collect()
    }

    /// The open receipt of an env. There is one at most: a newer one supersedes it.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn receipt_open(&mut self, env: &EnvId) -> Result<Option<Receipt>, StoreError> {
        const OP: &str = "read the open receipt of an env";
        let found = row!(&mut self.tx, OP, ReceiptRow, OPEN_OF_ENV, env.as_str())?;
        found.map(|row| row.into_receipt(OP)).transpose()
    }

    /// Open receipts of all envs, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn receipts_open(&mut self, limit: u32) -> Result<Vec<Receipt>, StoreError> {
        const OP: &str = "read open receipts";
        let found = rows!(&mut self.tx, OP, ReceiptRow, OPEN, i64::from(limit))?;
        found.into_iter().map(|row| row.into_receipt(OP)).collect()
    }

    /// The ids of all open receipts, in no order.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn receipts_open_ids(&mut self) -> Result<Vec<ReceiptId>, StoreError> {
        const OP: &str = "list open receipts";
        let found = rows!(&mut self.tx, OP, (String,), OPEN_IDS)?;
        found.into_iter().map(|(id,)| parse(OP, "a receipt's id", &id)).collect()
    }

    /// Receipts, newest first, from behind this one on; none where it does not exist.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn receipts_page(
        &mut self,
        env: Option<&EnvId>,
        after: Option<&ReceiptId>,
        limit: u32,
    ) -> Result<Vec<Receipt>, StoreError> {
        const OP: &str = "read a page of receipts";
        let (env, after) = (env.map_or("", EnvId::as_str), after.map_or("", ReceiptId::as_str));
        let found = rows!(&mut self.tx, OP, ReceiptRow, PAGE, i64::from(limit), env, after)?;
        found.into_iter().map(|row| row.into_receipt(OP)).collect()
    }

    /// The receipt that the first use of an idempotency key made.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn receipt_by_key(&mut self, actor: &str, key: &str) -> Result<Option<KeyUse>, StoreError> {
        const OP: &str = "look up an idempotency key";
        let (actor, key) = (clean(actor).into_owned(), clean(key).into_owned());
        let found = row!(&mut self.tx, OP, (String, String), KEY, &actor, &key)?;
        let Some((request_hash, subject)) = found else { return Ok(None) };
        let receipt = row!(&mut self.tx, OP, ReceiptRow, ONE, &subject)?;
        receipt.map(|row| Ok(KeyUse { request_hash, receipt: row.into_receipt(OP)? })).transpose()
    }
}
