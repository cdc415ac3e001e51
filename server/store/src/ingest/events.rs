//! Events on their way in: each one once.

use std::collections::BTreeSet;

use model::{NewEvent, Seq};
use serde::Serialize;

use crate::{
    JournalKind, StoreError,
    events::fold,
    pool::{Sql, bulk_insert, exec, rows, with_list},
    text::{clean, to_json},
    write::Write,
};

#[derive(Serialize)]
struct NewRow {
    seq: i64,
    at: i64,
    recorded_at: i64,
    source: i64,
    controller: String,
    object: i64,
    app: Option<String>,
    env: Option<String>,
    action: String,
    outcome: &'static str,
    reason: String,
    message: String,
    attempt: Option<u32>,
    trace_id: Option<String>,
    dedupe: Option<String>,
    folded: Option<String>,
}

const INSERT: Sql = bulk_insert!("events" (seq: bigint, at: bigint, recorded_at: bigint, source: bigint, controller: text,
    object: bigint, app: text, env: text, action: text, outcome: text, reason: text, message: text, attempt: bigint,
    trace_id: text, dedupe: text, folded: text) "");
const KNOWN: Sql = with_list!(
    "SELECT e.source, e.dedupe FROM",
    "CROSS JOIN events e WHERE e.source = CAST(j.value ->> 0 AS BIGINT) AND e.dedupe = j.value ->> 1 \
     AND e.dedupe IS NOT NULL"
);

/// What is said about an object may rest on its events: new ones have to be looked at.
const TOUCH: &str = "UPDATE objects SET unjudged = 1 WHERE unjudged = 0 AND gone_at IS NULL \
    AND id IN (SELECT object FROM events WHERE seq >= $1)";

/// Events of one transaction.
#[derive(Default)]
pub(super) struct Events {
    rows: Vec<NewRow>,
    known: BTreeSet<(i64, String)>,
}

impl Events {
    /// Loads which of these (source, dedupe key) are recorded already.
    pub(super) async fn load(
        &mut self,
        write: &mut Write,
        asked: &[(i64, String)],
    ) -> Result<(), StoreError> {
        if !asked.is_empty() {
            self.known.extend(rows!(&mut write.tx, write.op(), (i64, String), KNOWN, to_json(asked))?);
        }
        Ok(())
    }

    /// Takes an event; `None` when it is recorded already.
    pub(super) async fn put(
        &mut self,
        write: &mut Write,
        event: NewEvent,
        source: i64,
        object: i64,
    ) -> Result<Option<Seq>, StoreError> {
        let NewEvent {
            at,
            // Whoever hands it in is the one who reports it.
            source: _,
            controller,
            object: key,
            app,
            env,
            action,
            outcome,
            reason,
            message,
            attempt,
            trace_id,
            dedupe,
        } = event;
        let dedupe = dedupe.map(own);
        if dedupe.as_ref().is_some_and(|dedupe| !self.known.insert((source, dedupe.clone()))) {
            return Ok(None);
        }
        let (app, env) = (app.map(own), env.map(own));
        let env_key = write.env_of(app.as_deref(), env.as_deref()).await?;
        let seq = write.journal(JournalKind::Event, Some(object), env_key, None);
        let (action, reason, message) = (own(action), own(reason), own(message));
        self.rows.push(NewRow {
            seq: seq.0,
            at: at.0,
            recorded_at: write.now.0,
            source,
            controller: own(controller),
            object,
            app,
            env,
            outcome: outcome.as_str(),
            folded: fold([&message, &reason, &action, key.id()]),
            action,
            reason,
            message,
            attempt,
            trace_id: trace_id.map(|id| id.to_string()),
            dedupe,
        });
        Ok(Some(seq))
    }

    /// Writes all of them.
    pub(super) async fn flush(self, write: &mut Write) -> Result<(), StoreError> {
        if let Some(first) = self.rows.first().map(|row| row.seq) {
            exec!(&mut write.tx, write.op(), INSERT, to_json(&self.rows))?;
            exec!(&mut write.tx, write.op(), TOUCH, first)?;
        }
        Ok(())
    }
}

/// The text as it can be stored.
pub(super) fn own(text: String) -> String {
    match clean(&text) {
        std::borrow::Cow::Borrowed(_) => text,
        std::borrow::Cow::Owned(better) => better,
    }
}
