//! The audit log: who did what, in the order of the journal.

use model::{Actor, Role, Seq, Ts, audit::AuditFilter};

use crate::{
    AuditEntry, AuditRow, JournalKind, Reader, Store, StoreError,
    pool::{exec, row, rows},
    text::{clean, parse},
    write::Write,
};

const OP: &str = "read the audit log";

#[derive(sqlx::FromRow)]
struct Stored {
    seq: i64,
    recorded_at: i64,
    at: i64,
    actor: String,
    role: String,
    action: String,
    target: String,
    env: Option<String>,
    reason: String,
    outcome: String,
    receipt: Option<String>,
    trace_id: String,
}

const INSERT: &str = "INSERT INTO audit (seq, recorded_at, at, actor, role, action, target, env, reason, outcome, \
    receipt, trace_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
macro_rules! filtered {
    () => {
        " FROM audit WHERE seq < $1 AND ($3 = '' OR actor = $3) AND ($4 = '' OR action = $4) \
          AND ($5 = '' OR target = $5) AND ($6 = '' OR substr(outcome, 1, length($6)) = $6)"
    };
}
const BEFORE: &str = concat!(
    "SELECT seq, recorded_at, at, actor, role, action, target, env, reason, outcome, receipt, trace_id",
    filtered!(),
    " ORDER BY seq DESC LIMIT $2"
);
const COUNT: &str = concat!("SELECT count(*) FROM (SELECT 1", filtered!(), " LIMIT $2) counted");
const ENV: &str = "SELECT id FROM envs WHERE ext = $1";

/// Adds an audit row to a transaction.
pub(crate) async fn insert(write: &mut Write, entry: &AuditEntry) -> Result<Seq, StoreError> {
    let AuditEntry { at, actor, action, target, env, reason, outcome, receipt, trace_id } = entry;
    let op = write.op();
    let env = env.as_ref().map(|env| env.to_string());
    let env_key = match &env {
        Some(env) => row!(&mut write.tx, op, (i64,), ENV, env)?.map(|(id,)| id),
        None => None,
    };
    let seq = write.journal(JournalKind::Audit, None, env_key, receipt.as_ref().map(ToString::to_string));
    let (recorded_at, receipt) = (write.now.0, receipt.as_ref().map(ToString::to_string));
    let [name, action, target, reason, outcome] =
        [&actor.name, action, target, reason, outcome].map(|text| clean(text).into_owned());
    exec!(
        &mut write.tx,
        op,
        INSERT,
        seq.0,
        recorded_at,
        at.0,
        &name,
        actor.role.as_str(),
        &action,
        &target,
        &env,
        &reason,
        &outcome,
        &receipt,
        trace_id.as_str()
    )?;
    Ok(seq)
}

impl Stored {
    fn into_row(self, op: &'static str) -> Result<AuditRow, StoreError> {
        let Self {
            seq,
            recorded_at,
            at,
            actor,
            role,
            action,
            target,
            env,
            reason,
            outcome,
            receipt,
            trace_id,
        } = self;
        let role = Role::parse(&role).ok_or_else(|| StoreError::damaged(op, "a role"))?;
        let entry = AuditEntry {
            at: Ts(at),
            actor: Actor { name: actor, role },
            action,
            target,
            env: env.map(|env| parse(op, "an env id", &env)).transpose()?,
            reason,
            outcome,
            receipt: receipt.map(|id| parse(op, "a receipt id", &id)).transpose()?,
            trace_id: parse(op, "a trace id", &trace_id)?,
        };
        Ok(AuditRow { seq: Seq(seq), recorded_at: Ts(recorded_at), entry })
    }
}

impl Store {
    /// Writes one row of the audit log.
    ///
    /// # Errors
    /// [`StoreError`] when nothing could be written.
    pub async fn audit_insert(&self, entry: AuditEntry) -> Result<Seq, StoreError> {
        let mut write = self.write("write the audit log").await?;
        let seq = insert(&mut write, &entry).await?;
        write.commit().await?;
        Ok(seq)
    }
}

impl Reader {
    /// The rows of the audit log that are wanted, newest first, before this row.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn audit(
        &mut self,
        filter: &AuditFilter,
        before: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let before = before.map_or(i64::MAX, |before| before.0);
        let [actor, verb, target, result] = filter.fields().map(|(_, value)| clean(value).into_owned());
        let limit = i64::from(limit);
        let found = rows!(&mut self.tx, OP, Stored, BEFORE, before, limit, &actor, &verb, &target, &result)?;
        found.into_iter().map(|row| row.into_row(OP)).collect()
    }

    /// How many rows of the audit log are wanted, counted up to a limit.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn audit_count(&mut self, filter: &AuditFilter, limit: u32) -> Result<i64, StoreError> {
        let [actor, verb, target, result] = filter.fields().map(|(_, value)| clean(value).into_owned());
        let limit = i64::from(limit);
        let n = row!(&mut self.tx, OP, (i64,), COUNT, i64::MAX, limit, &actor, &verb, &target, &result)?;
        Ok(n.map_or(0, |(n,)| n))
    }
}
