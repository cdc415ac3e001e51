//! Events on their way in: each one once.

use std::collections::BTreeSet;

use model::{NewEvent, Seq};

use crate::{
    JournalKind, StoreError,
    bulk::{self, Cell, Table, bulk_table},
    events::fold,
    pool::{Sql, exec, rows, with_list},
    text::{clean, to_json},
    write::Write,
};

const EVENTS: Table = bulk_table!("events"(
    seq,
    at,
    recorded_at,
    source,
    controller,
    object,
    kind,
    app,
    env,
    action,
    outcome,
    reason,
    message,
    attempt,
    trace_id,
    dedupe,
    folded
));
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
    first: Option<i64>,
    rows: Vec<[Cell; 17]>,
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
        let folded = fold([&message, &reason, &action, key.id()]);
        self.first.get_or_insert(seq.0);
        self.rows.push([
            seq.0.into(),
            at.0.into(),
            write.now.0.into(),
            source.into(),
            own(controller).into(),
            object.into(),
            key.kind().to_string().into(),
            app.into(),
            env.into(),
            action.into(),
            outcome.as_str().into(),
            reason.into(),
            message.into(),
            attempt.map(i64::from).into(),
            trace_id.map(|id| id.to_string()).into(),
            dedupe.into(),
            folded.into(),
        ]);
        Ok(Some(seq))
    }

    /// Writes all of them.
    pub(super) async fn flush(self, write: &mut Write) -> Result<(), StoreError> {
        if let Some(first) = self.first {
            let op = write.op();
            bulk::insert(&mut write.tx, op, &EVENTS, self.rows).await?;
            exec!(&mut write.tx, op, TOUCH, first)?;
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
