//! Condition lanes from recorded segments, with honest gaps.
//!
//! A segment ends at the last time we know that it held; time that nobody watched is drawn as not recorded.

use model::{
    Lane, Marker, MarkerKind, Object, Receipt, Segment, SegmentStatus, Span, Tone, Ts, condition::STANDARD,
    timeline::Timeline,
};
use store::{GapReason, Reader, StoreError, StoredSegment, VERDICT_LANE};

/// The most lanes that one timeline shows.
const LANES: usize = 12;

/// The lanes of these objects over a range, worst first.
///
/// # Errors
/// [`StoreError`] where the store does not answer.
pub async fn of(
    reader: &mut Reader,
    objects: &[&Object],
    markers: Vec<Marker>,
    from: Ts,
    to: Ts,
) -> Result<Timeline, StoreError> {
    let recorded_since = reader.recorded_since().await?;
    let mut lanes = Vec::new();
    for object in objects {
        let gaps = reader.recording_gaps(&object.source, from, to).await?;
        let gaps: Vec<(Ts, Ts, String)> =
            gaps.into_iter().map(|gap| (gap.from, gap.to, words(gap.reason).to_owned())).collect();
        let segments = reader.segments(&object.key, from, to).await?;
        let mut types: Vec<String> = segments.iter().map(|segment| segment.condition.clone()).collect();
        types.retain(|ty| ty != VERDICT_LANE);
        types.sort_by_key(|ty| (STANDARD.iter().position(|known| known == ty).unwrap_or(99), ty.clone()));
        types.dedup();
        for ty in types {
            let mine = segments.iter().filter(|segment| segment.condition == ty);
            lanes.push(Lane {
                object: object.key.clone(),
                name: object.name.clone(),
                segments: lane(mine, &gaps, from, to),
                condition: ty,
            });
        }
    }
    // The order of objects stays; only lanes that were never anything but good give way.
    if lanes.len() > LANES {
        lanes.sort_by_key(|lane| lane.segments.iter().all(|segment| segment.tone == Tone::Good));
        lanes.truncate(LANES);
    }
    let markers = markers.into_iter().filter(|marker| marker.at >= from && marker.at <= to).collect();
    Ok(Timeline { from, to, recorded_since, lanes, markers })
}

pub(super) const fn words(reason: GapReason) -> &'static str {
    match reason {
        GapReason::Silent => "the source was silent",
        GapReason::ServerDown => "the server was down",
    }
}

fn lane<'a>(
    segments: impl Iterator<Item = &'a StoredSegment>,
    gaps: &[(Ts, Ts, String)],
    from: Ts,
    to: Ts,
) -> Vec<Segment> {
    let mut lane: Vec<Segment> = segments
        .map(|segment| {
            let status = match segment.status.as_str() {
                "True" => SegmentStatus::True,
                "False" => SegmentStatus::False,
                _ => SegmentStatus::Unknown,
            };
            let length = segment.to.unwrap_or(to) - segment.from;
            let late = length > rules::Limits::default().stuck_after;
            Segment {
                id: format!("seg_{}", segment.id),
                from: segment.from.max(from),
                to: segment.to,
                status,
                tone: Tone::of(&segment.condition, status, late),
                reason: segment.reason.clone(),
                message: segment.message.clone(),
                generation: segment.generation,
            }
        })
        .collect();
    lane.extend(gaps.iter().map(|(gap_from, gap_to, reason)| Segment {
        id: format!("gap_{}", gap_from.0),
        from: (*gap_from).max(from),
        to: Some(*gap_to),
        status: SegmentStatus::NotRecorded,
        tone: Tone::None,
        reason: "NotRecorded".to_owned(),
        message: reason.clone(),
        generation: None,
    }));
    lane.sort_by_key(|segment| segment.from);
    lane
}

/// Changes of an env as markers, newest first.
#[must_use]
pub fn markers(receipts: &[Receipt]) -> Vec<Marker> {
    let mut markers: Vec<Marker> = receipts.iter().map(marker).collect();
    markers.sort_by_key(|marker| std::cmp::Reverse(marker.at));
    markers
}

/// One receipt as a marker.
#[must_use]
pub fn marker(receipt: &Receipt) -> Marker {
    let what = receipt.plan.will_change.first().map(|change| format!(" {}", change.to)).unwrap_or_default();
    Marker {
        at: receipt.accepted_at,
        kind: MarkerKind::of(receipt.verb),
        title: format!("{}{what}", receipt.verb.as_str()),
        actor: receipt.actor.clone(),
        href: receipt.path(),
    }
}

/// From ten minutes before the change that came before the trouble; without trouble, the last hour. Never a
/// range that hides the start.
#[must_use]
pub fn default_from(trouble_since: Option<Ts>, changed_at: Ts, created_at: Ts, now: Ts) -> Ts {
    let begin = match trouble_since {
        Some(since) => since.min(changed_at) - Span::minutes(10),
        None => now - Span::minutes(60),
    };
    begin.max(created_at - Span::seconds(10)).min(now - Span::seconds(60))
}
