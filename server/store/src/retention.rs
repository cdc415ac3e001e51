//! Forgetting what is old: in small steps, by ranges of keys, so that nobody waits long for the writer.

use model::Ts;

use crate::{
    Cutoffs, Deleted, Store, StoreError,
    pool::{exec, row, rows},
    write::Write,
};

const OP: &str = "delete what is old";

// Recorded times never go backwards with the key, so the first young row ends the range.
const EVENTS_END: &str = "SELECT max(x.seq) FROM (SELECT seq, recorded_at FROM events ORDER BY seq LIMIT $2) x WHERE x.recorded_at < $1";
const EVENTS: &str = "DELETE FROM events WHERE seq <= $1";
const JOURNAL_END: &str = "SELECT max(x.seq) FROM (SELECT seq, recorded_at FROM journal ORDER BY seq LIMIT $2) x WHERE x.recorded_at < $1";
const JOURNAL: &str = "DELETE FROM journal WHERE seq <= $1";
const SINCE: &str = "UPDATE meta SET recorded_since = $1 WHERE recorded_since < $1";
const LOGS: &str =
    "DELETE FROM log_lines WHERE id IN (SELECT id FROM log_lines WHERE at < $1 ORDER BY at LIMIT $2)";
const LOGS_FULL: &str = "SELECT object, count(*) FROM log_lines GROUP BY object HAVING count(*) > $1";
const LOGS_OVER: &str =
    "DELETE FROM log_lines WHERE id IN (SELECT id FROM log_lines WHERE object = $1 ORDER BY id LIMIT $2)";
// What a kept difference builds on stays.
const VERSIONS: &str = "DELETE FROM object_versions WHERE (object, seq) IN (SELECT v.object, v.seq FROM object_versions v \
    WHERE v.recorded_at < $1 AND v.seq < (SELECT max(f.seq) FROM object_versions f \
    WHERE f.object = v.object AND f.is_full = 1 AND f.recorded_at <= $1) ORDER BY v.recorded_at LIMIT $2)";
const CONDITIONS: &str = "DELETE FROM condition_segments WHERE id IN \
    (SELECT id FROM condition_segments WHERE to_at < $1 ORDER BY to_at LIMIT $2)";
const VERDICTS: &str = "DELETE FROM verdict_segments WHERE id IN \
    (SELECT id FROM verdict_segments WHERE to_at < $1 ORDER BY to_at LIMIT $2)";
const GAPS: &str = "DELETE FROM recording_gaps WHERE to_at < $1";
const KEYS: &str = "DELETE FROM idempotency_keys WHERE used_at < $1";
const SESSIONS: &str = "DELETE FROM sessions WHERE expires_at < $1";
const LINKS: &str = "DELETE FROM sign_in_links WHERE expires_at < $1";

impl Store {
    /// Deletes at most [`Cutoffs::limit`] rows of each kind. A caller goes on until nothing was deleted.
    ///
    /// # Errors
    /// [`StoreError`] when nothing could be deleted.
    pub async fn retention(&self, cutoffs: &Cutoffs) -> Result<Deleted, StoreError> {
        let Cutoffs { events, logs, log_lines_per_object, versions, segments, idempotency, sessions, limit } =
            cutoffs;
        let limit = i64::from((*limit).max(1));
        let mut write = self.write(OP).await?;
        let tx = &mut write;
        let mut deleted = Deleted::default();
        if let Some(at) = versions {
            deleted.versions = exec!(&mut tx.tx, OP, VERSIONS, at.0, limit)?;
        }
        if let Some(at) = events {
            (deleted.events, deleted.journal) = old_events(tx, *at, limit).await?;
        }
        if let Some(at) = logs {
            deleted.logs += exec!(&mut tx.tx, OP, LOGS, at.0, limit)?;
        }
        if let Some(n) = log_lines_per_object {
            deleted.logs += surplus_logs(tx, i64::from(*n), limit).await?;
        }
        if let Some(at) = segments {
            deleted.segments = exec!(&mut tx.tx, OP, CONDITIONS, at.0, limit)?
                + exec!(&mut tx.tx, OP, VERDICTS, at.0, limit)?
                + exec!(&mut tx.tx, OP, GAPS, at.0)?;
        }
        if let Some(at) = idempotency {
            deleted.small += exec!(&mut tx.tx, OP, KEYS, at.0)?;
        }
        if let Some(at) = sessions {
            deleted.small += exec!(&mut tx.tx, OP, SESSIONS, at.0)? + exec!(&mut tx.tx, OP, LINKS, at.0)?;
        }
        write.commit().await?;
        Ok(deleted)
    }
}

async fn old_events(write: &mut Write, at: Ts, limit: i64) -> Result<(u64, u64), StoreError> {
    let (mut n_events, mut n_rows) = (0, 0);
    if let Some((Some(end),)) = row!(&mut write.tx, OP, (Option<i64>,), EVENTS_END, at.0, limit)? {
        n_events = exec!(&mut write.tx, OP, EVENTS, end)?;
    }
    if let Some((Some(end),)) = row!(&mut write.tx, OP, (Option<i64>,), JOURNAL_END, at.0, limit)? {
        n_rows = exec!(&mut write.tx, OP, JOURNAL, end)?;
    }
    exec!(&mut write.tx, OP, SINCE, at.0)?;
    Ok((n_events, n_rows))
}

async fn surplus_logs(write: &mut Write, keep: i64, limit: i64) -> Result<u64, StoreError> {
    let mut n_deleted = 0;
    for (object, n) in rows!(&mut write.tx, OP, (i64, i64), LOGS_FULL, keep)? {
        n_deleted += exec!(&mut write.tx, OP, LOGS_OVER, object, (n - keep).min(limit))?;
    }
    Ok(n_deleted)
}
