//! Sources: who reports, up to when, and when nobody did.

use std::collections::BTreeMap;

use model::{SourceId, Span, Ts, Verdict, observation::SourceInfo, source::Named, view::SourceState};

use crate::{
    GapReason, JournalKind, Reader, RecordingGap, SourceFacts, Store, StoreError,
    objects::key,
    pool::{exec, row, rows},
    text::{clean, parse},
};

#[derive(sqlx::FromRow)]
struct SourceRow {
    ext: String,
    name: String,
    kind: String,
    interval_us: i64,
    last_seen_at: Option<i64>,
    error: Option<String>,
}

const FIRST_OF_KIND: &str = "SELECT ext FROM sources WHERE kind = $1 ORDER BY registered_at, id LIMIT 1";
const ALL: &str = "SELECT ext, name, kind, interval_us, last_seen_at, error FROM sources ORDER BY name, ext";
const ONE: &str = "SELECT ext, name, kind, interval_us, last_seen_at, error FROM sources WHERE ext = $1";
const KNOWN: &str = "SELECT id, name, kind, interval_us FROM sources WHERE ext = $1";
const INSERT: &str =
    "INSERT INTO sources (id, ext, name, kind, interval_us, registered_at) VALUES ($1, $2, $3, $4, $5, $6)";
const UPDATE: &str = "UPDATE sources SET name = $2, kind = $3, interval_us = $4 WHERE id = $1";
const SET_ERROR: &str =
    "UPDATE sources SET error = $2 WHERE ext = $1 AND coalesce(error, '') <> coalesce($2, '')";
const GAPS: &str = "SELECT g.from_at, g.to_at, g.reason FROM recording_gaps g JOIN sources s ON s.id = g.source \
    WHERE s.ext = $1 AND g.to_at > $2 AND g.from_at < $3 ORDER BY g.from_at";

const FACTS: &str = "SELECT ext, registered_at FROM sources";
const OWNED: &str = "SELECT s.ext, o.kind, count(*) FROM sources s JOIN objects o ON o.source = s.id \
    WHERE o.gone_at IS NULL GROUP BY s.ext, o.kind";
// The newest events decide: looking for the last event of a source that has long been silent would read them all.
const LAGS: &str = "SELECT s.ext, e.at, e.recorded_at FROM \
    (SELECT seq, source, at, recorded_at FROM events ORDER BY seq DESC LIMIT 500) e \
    JOIN sources s ON s.id = e.source ORDER BY e.seq";
const ENVS: &str = "SELECT k.kind, k.ext, o.name, v.verdict FROM sources s JOIN objects o ON o.source = s.id \
    JOIN object_keys k ON k.id = o.id LEFT JOIN verdicts v ON v.object = o.id \
    WHERE s.ext = $1 AND o.kind = 'env' AND o.gone_at IS NULL ORDER BY o.name, k.ext LIMIT $2";

impl SourceRow {
    fn into_state(self, op: &'static str) -> Result<SourceState, StoreError> {
        let Self { ext, name, kind, interval_us, last_seen_at, error } = self;
        Ok(SourceState {
            id: parse(op, "a source id", &ext)?,
            name,
            kind,
            interval: Span(interval_us),
            last_seen_at: last_seen_at.map(Ts),
            error,
        })
    }
}

impl Store {
    /// Makes a source known, or renews how it introduces itself. Its watermark stays.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another source has the name, [`StoreError`] when nothing could be written.
    pub async fn source_register(&self, info: &SourceInfo) -> Result<(), StoreError> {
        const OP: &str = "register a source";
        let SourceInfo { id, name, kind, interval } = info;
        let (name, kind) = (clean(name).into_owned(), clean(kind).into_owned());
        let mut write = self.write(OP).await?;
        match row!(&mut write.tx, OP, (i64, String, String, i64), KNOWN, id.as_str())? {
            Some((_, n, k, us)) if (&n, &k, us) == (&name, &kind, interval.0) => return Ok(()),
            Some((key, ..)) => exec!(&mut write.tx, OP, UPDATE, key, &name, &kind, interval.0)?,
            None => {
                let (key, now) = (write.next_id(), write.now.0);
                exec!(&mut write.tx, OP, INSERT, key, id.as_str(), &name, &kind, interval.0, now)?
            }
        };
        write.journal(JournalKind::Source, None, None, Some(id.to_string()));
        write.commit().await
    }

    /// Notes what is wrong with a source, or that nothing is. True when that is news.
    ///
    /// # Errors
    /// [`StoreError`] when nothing could be written.
    pub async fn source_error(&self, id: &SourceId, error: Option<&str>) -> Result<bool, StoreError> {
        const OP: &str = "note the error of a source";
        let error = error.map(|error| clean(error).into_owned());
        let mut write = self.write(OP).await?;
        if exec!(&mut write.tx, OP, SET_ERROR, id.as_str(), &error)? == 0 {
            return Ok(false);
        }
        write.journal(JournalKind::Source, None, None, Some(id.to_string()));
        write.commit().await?;
        Ok(true)
    }
}

impl Reader {
    /// One source.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn source(&mut self, id: &SourceId) -> Result<Option<SourceState>, StoreError> {
        const OP: &str = "read a source";
        row!(&mut self.tx, OP, SourceRow, ONE, id.as_str())?.map(|row| row.into_state(OP)).transpose()
    }

    /// The source of this kind that was registered first.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn source_of_kind(&mut self, kind: &str) -> Result<Option<SourceId>, StoreError> {
        const OP: &str = "find the source of a kind";
        let found = row!(&mut self.tx, OP, (String,), FIRST_OF_KIND, kind)?;
        found.map(|(ext,)| parse(OP, "a source id", &ext)).transpose()
    }

    /// Every source that was ever registered, by name.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn sources(&mut self) -> Result<Vec<SourceState>, StoreError> {
        const OP: &str = "read the sources";
        rows!(&mut self.tx, OP, SourceRow, ALL)?.into_iter().map(|row| row.into_state(OP)).collect()
    }

    /// Stretches of this range that nobody watched, in order of time.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn recording_gaps(
        &mut self,
        source: &SourceId,
        from: Ts,
        to: Ts,
    ) -> Result<Vec<RecordingGap>, StoreError> {
        const OP: &str = "read when nothing was recorded";
        rows!(&mut self.tx, OP, (i64, i64, String), GAPS, source.as_str(), from.0, to.0)?
            .into_iter()
            .map(|(from, to, reason)| {
                let reason =
                    GapReason::parse(&reason).ok_or_else(|| StoreError::damaged(OP, "a gap's reason"))?;
                Ok(RecordingGap { source: source.clone(), from: Ts(from), to: Ts(to), reason })
            })
            .collect()
    }

    /// What each source owns now, and how late its newest recent event was.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn source_facts(&mut self) -> Result<BTreeMap<SourceId, SourceFacts>, StoreError> {
        const OP: &str = "read what sources own";
        let mut facts = BTreeMap::new();
        for (ext, registered_at) in rows!(&mut self.tx, OP, (String, i64), FACTS)? {
            let id: SourceId = parse(OP, "a source id", &ext)?;
            let fact = SourceFacts { registered_at: Ts(registered_at), objects: BTreeMap::new(), lag: None };
            facts.insert(id, fact);
        }
        for (ext, kind, n) in rows!(&mut self.tx, OP, (String, String, i64), OWNED)? {
            if let Some(fact) = facts.get_mut(&parse(OP, "a source id", &ext)?) {
                fact.objects.insert(kind, n);
            }
        }
        // Oldest first: the newest one stays.
        for (ext, at, recorded_at) in rows!(&mut self.tx, OP, (String, i64, i64), LAGS)? {
            if let Some(fact) = facts.get_mut(&parse(OP, "a source id", &ext)?) {
                fact.lag = Some(Ts(recorded_at) - Ts(at));
            }
        }
        Ok(facts)
    }

    /// App-envs that only this source reports, by name.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn source_envs(&mut self, id: &SourceId, limit: u32) -> Result<Vec<Named>, StoreError> {
        const OP: &str = "read the envs of a source";
        let found = rows!(
            &mut self.tx,
            OP,
            (String, String, String, Option<String>),
            ENVS,
            id.as_str(),
            i64::from(limit)
        )?;
        let named = |(kind, ext, name, verdict): (String, String, String, Option<String>)| {
            let verdict = verdict.and_then(|verdict| Verdict::parse(&verdict));
            Ok(Named { key: key(OP, &kind, ext)?, name, verdict })
        };
        found.into_iter().map(named).collect()
    }
}
