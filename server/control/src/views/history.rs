//! What was said of app-envs lately, a verdict a cell: the strip of the grid.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    EnvId, ObjectKey, SourceId, Ts, Verdict,
    view::{CELL, CELLS},
};
use store::{EnvHead, Reader, StoreError, StoredSegment};

/// The worst verdict of every cell up to now. Cells begin at full steps of the clock, so that a strip moves only once
/// in a cell's time.
pub(super) async fn of(
    reader: &mut Reader,
    heads: &[EnvHead],
    now: Ts,
) -> Result<BTreeMap<EnvId, Vec<Option<Verdict>>>, StoreError> {
    let from = begin(now);
    let keys: Vec<ObjectKey> = heads.iter().map(|head| ObjectKey::env(&head.target.env_id)).collect();
    let mut gaps: BTreeMap<SourceId, Vec<(Ts, Ts)>> = BTreeMap::new();
    let sources: BTreeSet<&SourceId> =
        heads.iter().filter_map(|head| Some(&head.object.as_ref()?.source)).collect();
    for source in sources {
        let found = reader.recording_gaps(source, from, now).await?;
        gaps.insert(source.clone(), found.into_iter().map(|gap| (gap.from, gap.to)).collect());
    }
    let mut segments: BTreeMap<ObjectKey, Vec<StoredSegment>> = BTreeMap::new();
    for segment in reader.verdict_segments_of(&keys, from, now).await? {
        segments.entry(segment.object.clone()).or_default().push(segment);
    }
    let strips = heads.iter().zip(&keys).map(|(head, key)| {
        let unwatched = head.object.as_ref().and_then(|object| gaps.get(&object.source));
        let spans: Vec<_> = segments
            .get(key)
            .into_iter()
            .flatten()
            .filter_map(|segment| {
                Some((segment.from, segment.to.unwrap_or(now), Verdict::parse(&segment.status)?))
            })
            .collect();
        (head.target.env_id.clone(), strip(&spans, unwatched.map_or(&[], Vec::as_slice), now))
    });
    Ok(strips.collect())
}

/// Where the first cell begins.
fn begin(now: Ts) -> Ts {
    Ts(now.0 - now.0.rem_euclid(CELL.0) - CELL.0 * (CELLS - 1))
}

/// What held in each cell, where anybody watched.
fn strip(spans: &[(Ts, Ts, Verdict)], unwatched: &[(Ts, Ts)], now: Ts) -> Vec<Option<Verdict>> {
    let cell = |nth: i64| {
        let from = Ts(begin(now).0 + CELL.0 * nth);
        let to = (from + CELL).min(now);
        // What ends where a cell begins is not in it; a cell that begins just now has no length yet.
        let (first, last) = (to.min(Ts(from.0 + 1)), from.max(Ts(to.0 - 1)));
        let held = spans.iter().filter(|(begin, end, _)| *begin <= last && *end >= first);
        let seen = held.filter(|(begin, end, _)| {
            let (begin, end) = ((*begin).max(from), (*end).min(to));
            !unwatched.iter().any(|(gone, back)| *gone <= begin && *back >= end)
        });
        let mut seen = seen.map(|(.., verdict)| *verdict).peekable();
        seen.peek().is_some().then(|| Verdict::roll_up(seen))
    };
    (0..CELLS).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use model::{Span, fixtures::NOON};

    use super::*;

    #[test]
    fn a_cell_shows_the_worst_that_held_in_it_and_nothing_where_nobody_watched() {
        let ago = |minutes| NOON - Span::minutes(minutes);
        // NOON is a full hour: the last cell has just begun.
        let spans = [
            (ago(75), ago(45), Verdict::Converged),
            (ago(45), ago(41), Verdict::Stuck),
            (ago(41), NOON, Verdict::Converged),
        ];
        let strip = strip(&spans, &[(ago(32), ago(9))], NOON);
        let glyphs: Vec<_> = strip.iter().map(|cell| cell.map_or(" ", Verdict::glyph)).collect();
        assert_eq!(glyphs.concat(), "   ✓✓✓⧗✓  ✓✓");
    }
}
