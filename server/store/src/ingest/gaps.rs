//! Recording gaps: time that nobody watched is cut out of timelines, never filled.

use model::{SourceId, Ts};

use super::Known;
use crate::{GapReason, JournalKind, StoreError, pool::exec, write::Write};

/// A silence that was longer than two of the source's intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    from: Ts,
    to: Ts,
    reason: GapReason,
}

const INSERT: &str = "INSERT INTO recording_gaps (source, from_at, to_at, reason) VALUES ($1, $2, $3, $4) \
    ON CONFLICT (source, from_at) DO UPDATE SET to_at = excluded.to_at, reason = excluded.reason";
// A segment ends where we last knew that it held; what still holds after the gap is a segment of its own.
const CLOSE: &str = "UPDATE condition_segments SET to_at = CASE WHEN from_at > $2 THEN from_at ELSE $2 END, to_seq = $3 \
    WHERE to_at IS NULL AND object IN (SELECT id FROM objects WHERE source = $1 AND gone_at IS NULL)";
const REOPEN: &str = "INSERT INTO condition_segments (id, object, ty, status, reason, message, generation, from_at, from_seq) \
    SELECT $2 + row_number() OVER (ORDER BY c.id), c.object, c.ty, c.status, c.reason, c.message, c.generation, $3, $4 \
    FROM condition_segments c WHERE c.to_seq = $4 AND c.object IN (SELECT id FROM objects WHERE source = $1)";
const CLOSE_VERDICTS: &str = "UPDATE verdict_segments SET to_at = CASE WHEN from_at > $2 THEN from_at ELSE $2 END, \
    to_seq = $3 WHERE to_at IS NULL AND object IN (SELECT id FROM objects WHERE source = $1 AND gone_at IS NULL)";
const REOPEN_VERDICTS: &str = "INSERT INTO verdict_segments (id, object, verdict, sentence, generation, from_at, from_seq) \
    SELECT $2 + row_number() OVER (ORDER BY c.id), c.object, c.verdict, c.sentence, c.generation, $3, $4 \
    FROM verdict_segments c WHERE c.to_seq = $4 AND c.object IN (SELECT id FROM objects WHERE source = $1)";

/// Whether a batch ends a silence that counts.
pub(super) fn find(source: &Known, at: Ts, opened_at: Ts) -> Option<Gap> {
    let from = source.last_seen?;
    let reason = if from < opened_at { GapReason::ServerDown } else { GapReason::Silent };
    let limit = source.interval.saturating_mul(2);
    ((at - from).0 > limit).then_some(Gap { from, to: at, reason })
}

/// Stores a gap and cuts the timelines of everything that its source reports.
pub(super) async fn record(
    write: &mut Write,
    source: &Known,
    id: &SourceId,
    gap: Gap,
) -> Result<(), StoreError> {
    let (op, Gap { from, to, reason }) = (write.op(), gap);
    let seq = write.journal(JournalKind::Source, None, None, Some(id.to_string())).0;
    exec!(&mut write.tx, op, INSERT, source.id, from.0, to.0, reason.as_str())?;
    let n = exec!(&mut write.tx, op, CLOSE, source.id, from.0, seq)?;
    let before = write.next_ids(n);
    exec!(&mut write.tx, op, REOPEN, source.id, before, to.0, seq)?;
    // While only the source was silent we went on judging it, and what we said then stands.
    if reason == GapReason::ServerDown {
        let n = exec!(&mut write.tx, op, CLOSE_VERDICTS, source.id, from.0, seq)?;
        let before = write.next_ids(n);
        exec!(&mut write.tx, op, REOPEN_VERDICTS, source.id, before, to.0, seq)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_silence_of_more_than_two_intervals_is_a_gap() {
        let source = |last_seen| Known { id: 1, observed: false, interval: 5, last_seen, moved: false };
        let find = |last_seen, at, opened| find(&source(last_seen), Ts(at), Ts(opened)).map(|gap| gap.reason);
        assert_eq!(find(None, 1_000, 0), None);
        assert_eq!(find(Some(Ts(100)), 110, 0), None);
        assert_eq!(find(Some(Ts(100)), 111, 0), Some(GapReason::Silent));
        assert_eq!(find(Some(Ts(100)), 111, 105), Some(GapReason::ServerDown));
        assert_eq!(find(Some(Ts(100)), 50, 0), None);
    }
}
