//! The drawing: one SVG for all lanes, names beside it, patterns from the page's own definitions.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{
    Lane, Marker, Segment, SegmentStatus, Tone, Ts,
    timeline::{MarkerKind, Timeline},
};

use super::{flap_words, hundredths, percent, place};
use crate::{
    parts::links::own_path,
    ui::text::{clamp, outside, visible},
};

/// Height of a lane in pixels; the names beside the drawing have the same.
const LANE: i64 = 28;
/// Narrower than this, in ten-thousandths, a segment is folded into a block with its neighbours.
const MIN_WIDTH: i64 = 30;

/// Markers closer than this, in ten-thousandths, are drawn as one.
const CLUSTER: i64 = 200;

/// A stretch that is drawn as one bar.
enum Block<'a> {
    One(&'a Segment),
    /// Several that are too short, from the first to the last.
    Flap(&'a [Segment]),
}

pub(super) fn lanes(timeline: &Timeline, selected: Option<&str>, base: &str) -> AnyView {
    let names: Vec<_> = timeline
        .lanes
        .iter()
        .map(|lane| {
            view! { <li>{outside(&lane.condition)}" "<small>{outside(&lane.name)}</small></li> }
        })
        .collect();
    let rows: Vec<_> = timeline
        .lanes
        .iter()
        .zip(1_i64..)
        .map(|(lane, row)| lane_row(lane, row * LANE, timeline, selected, base))
        .collect();
    let height = (i64::try_from(timeline.lanes.len()).unwrap_or(i64::MAX / LANE) + 1) * LANE;
    let markers: Vec<_> =
        clusters(timeline).into_iter().filter_map(|markers| mark(&markers, timeline, height)).collect();
    view! {
        <div class="lanes">
            <ul class="lane-names">
                <li class="muted">"changes"</li>
                {names}
            </ul>
            <svg class="lane-bars" width="100%" height=height role="group" aria-label="Condition lanes">
                {patterns()}
                {markers}
                {rows}
            </svg>
        </div>
    }
    .erased()
}

/// Patterns are fills of a second rectangle on top of the coloured one: they survive print and forced colours.
fn patterns() -> AnyView {
    view! {
        <defs>
            <pattern id="tl-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                <path class="ink" d="M0 0v6"></path>
            </pattern>
            <pattern id="tl-bars" width="4" height="4" patternUnits="userSpaceOnUse">
                <path class="ink" d="M0 1h4"></path>
            </pattern>
            <pattern id="tl-dots" width="6" height="6" patternUnits="userSpaceOnUse">
                <circle class="ink-dot" cx="2" cy="2" r="1"></circle>
            </pattern>
            <pattern id="tl-chevrons" width="8" height="8" patternUnits="userSpaceOnUse">
                <path class="ink" d="M1 0l3 4-3 4"></path>
            </pattern>
        </defs>
    }
    .erased()
}

/// Markers that would lie on top of each other, oldest first.
fn clusters(timeline: &Timeline) -> Vec<Vec<&Marker>> {
    // They come in order of time, from either end.
    let mut markers: Vec<&Marker> = timeline.markers.iter().collect();
    if markers.first().map(|marker| marker.at) > markers.last().map(|marker| marker.at) {
        markers.reverse();
    }
    let x = |marker: &Marker| place(marker.at, timeline.from, timeline.to);
    let mut clusters: Vec<Vec<&Marker>> = Vec::new();
    for marker in markers {
        match clusters.last_mut() {
            Some(cluster) if cluster.first().is_some_and(|first| x(marker) - x(first) < CLUSTER) => {
                cluster.push(marker);
            }
            _ => clusters.push(vec![marker]),
        }
    }
    clusters
}

/// One change, or several as the newest of them and their number.
fn mark(markers: &[&Marker], timeline: &Timeline, height: i64) -> Option<AnyView> {
    let marker = markers.last()?;
    let x = percent(marker.at, timeline.from, timeline.to);
    let words = |marker: &&Marker| {
        let (title, actor) = (visible(&clamp(&marker.title, 80)), visible(&clamp(&marker.actor, 40)));
        format!("{} {title} by {actor}", marker.at.clock())
    };
    let title = markers.iter().map(words).collect::<Vec<_>>().join("; ");
    let number = (markers.len() > 1).then(|| markers.len().to_string());
    let strong = markers.iter().any(|m| matches!(m.kind, MarkerKind::Deploy | MarkerKind::Rollback));
    Some(view! {
        <g><a class="mark" class:strong=strong href=own_path(&marker.href).unwrap_or_default() aria-label=title.clone()>
            <title>{title.clone()}</title>
            <line x1=x.clone() x2=x.clone() y1="22" y2=height></line>
            <text x=x y="18" text-anchor="middle">{marker.kind.glyph()}{number}</text>
        </a></g>
    }
    .erased())
}

/// Folds neighbours that are too short to be seen; nothing is left out silently.
fn blocks(lane: &Lane, from: Ts, to: Ts) -> Vec<Block<'_>> {
    let width = |s: &Segment| place(s.to.unwrap_or(to), from, to) - place(s.from, from, to);
    let in_range = |s: &&Segment| s.to.is_none_or(|end| end > from) && s.from < to;
    let first = lane.segments.iter().position(|s| in_range(&s)).unwrap_or(0);
    let count = lane.segments.iter().skip(first).take_while(in_range).count();
    let mut rest = &lane.segments[first..first + count];
    let mut blocks = Vec::new();
    while let Some(segment) = rest.first() {
        let short = rest
            .iter()
            .take_while(|s| width(s) < MIN_WIDTH && s.status != SegmentStatus::NotRecorded)
            .count();
        if short > 1 {
            blocks.push(Block::Flap(&rest[..short]));
            rest = &rest[short..];
        } else {
            blocks.push(Block::One(segment));
            rest = &rest[1..];
        }
    }
    blocks
}

fn lane_row(lane: &Lane, y: i64, timeline: &Timeline, selected: Option<&str>, base: &str) -> AnyView {
    let middle = y + LANE / 2;
    // Words about silence come last, on top of the bars.
    let (silences, bars): (Vec<_>, Vec<_>) = blocks(lane, timeline.from, timeline.to)
        .into_iter()
        .partition(|block| matches!(block, Block::One(s) if s.status == SegmentStatus::NotRecorded));
    let blocks: Vec<_> = bars
        .into_iter()
        .chain(silences)
        .map(|block| match block {
            Block::One(segment) => one(segment, lane, middle, timeline, selected, base),
            Block::Flap(segments) => flap(segments, lane, middle, timeline, base),
        })
        .collect();
    view! {
        <g class="lane">
            <line class="baseline" x1="0" x2="100%" y1=middle y2=middle></line>
            {blocks}
        </g>
    }
    .erased()
}

/// Height and pattern by meaning.
const fn look(tone: Tone) -> (i64, Option<&'static str>) {
    match tone {
        Tone::Good => (6, None),
        Tone::Progress => (14, Some("url(#tl-chevrons)")),
        Tone::Late => (20, Some("url(#tl-bars)")),
        Tone::Impaired => (20, Some("url(#tl-dots)")),
        Tone::Bad => (20, None),
        Tone::Unknown => (14, Some("url(#tl-hatch)")),
        Tone::None => (0, None),
    }
}

fn bar(from: Ts, to: Ts, tone: Tone, middle: i64, timeline: &Timeline) -> AnyView {
    let start = place(from, timeline.from, timeline.to);
    let width = (place(to, timeline.from, timeline.to) - start).max(8);
    let (height, pattern) = look(tone);
    let (x, width, y) = (hundredths(start), hundredths(width), middle - height / 2);
    let overlay = pattern.map(|pattern| {
        view! { <rect class="pattern" x=x.clone() y=y width=width.clone() height=height fill=pattern></rect> }
    });
    view! {
        <rect class="hit" x=x.clone() y=middle - LANE / 2 width=width.clone() height=LANE></rect>
        <rect class="bar" x=x.clone() y=y width=width.clone() height=height></rect>
        {overlay}
    }
    .erased()
}

fn one(
    segment: &Segment,
    lane: &Lane,
    middle: i64,
    timeline: &Timeline,
    selected: Option<&str>,
    base: &str,
) -> AnyView {
    let end = segment.to.unwrap_or(timeline.to);
    let x = percent(segment.from.max(timeline.from), timeline.from, timeline.to);
    if segment.status == SegmentStatus::NotRecorded {
        let words = format!("no recording {}–{}", segment.from.clock(), end.clock());
        let (from, to) =
            (place(segment.from, timeline.from, timeline.to), place(end, timeline.from, timeline.to));
        let x2 = hundredths(to);
        let centre = hundredths(i64::midpoint(from, to));
        // As many words as fit; the title and the table always have all of them.
        let shown = match to - from {
            2500.. => words.clone(),
            1000.. => "no recording".to_owned(),
            _ => String::new(),
        };
        return view! {
            <g class="silence">
                <title>{words.clone()}</title>
                <line x1=x x2=x2 y1=middle y2=middle></line>
                <text x=centre y=middle - 4 text-anchor="middle">{shown}</text>
            </g>
        }
        .erased();
    }
    let title = format!(
        "{} {} {}, {}, from {}",
        visible(&clamp(&lane.name, 40)),
        visible(&clamp(&lane.condition, 40)),
        segment.status.word(),
        visible(&clamp(if segment.reason.is_empty() { "no reason" } else { &segment.reason }, 60)),
        segment.from.clock()
    );
    let glyph = match segment.tone {
        Tone::Bad => "×",
        Tone::Unknown => "?",
        _ => "",
    };
    let wide = place(end, timeline.from, timeline.to) - place(segment.from, timeline.from, timeline.to) > 200;
    let glyph = (!glyph.is_empty() && wide)
        .then(|| view! { <text class="bar-glyph" x=x y=middle + 4 dx="4">{glyph}</text> });
    let href = format!("{base}?sel={}#segment", segment.id);
    let chosen = selected == Some(segment.id.as_str());
    view! {
        <g><a class="seg" class:chosen=chosen data-tone=segment.tone.as_str() href=href aria-label=title.clone()>
            <title>{title.clone()}</title>
            {bar(segment.from, end, segment.tone, middle, timeline)}
            {glyph}
        </a></g>
    }
    .erased()
}

fn flap(segments: &[Segment], lane: &Lane, middle: i64, timeline: &Timeline, base: &str) -> AnyView {
    let (Some(first), Some(last)) = (segments.first(), segments.last()) else {
        return ().erased();
    };
    let end = last.to.unwrap_or(timeline.to);
    // The worst tone decides the pattern: a short bad moment must not look good.
    let worst =
        segments.iter().map(|s| s.tone).filter(|tone| *tone != Tone::None).max_by_key(|tone| look(*tone).0);
    let tone = worst.unwrap_or(Tone::Unknown);
    let title = format!(
        "{} {}: {} in {}",
        visible(&clamp(&lane.name, 40)),
        visible(&clamp(&lane.condition, 40)),
        flap_words(segments.len()),
        (end - first.from).exact()
    );
    let href = format!("{base}?sel={}#segment", last.id);
    view! {
        <g><a class="seg flap" data-tone=tone.as_str() href=href aria-label=title.clone()>
            <title>{title.clone()}</title>
            {bar(first.from, end, tone, middle, timeline)}
        </a></g>
    }
    .erased()
}
