//! How many events when, and how many of them failed: every bar is a link to its range.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{ViewState, view::Bar, view_state::When};

use crate::{parts::timeline::percent, ui::text::plural};

/// Height of the drawing in pixels.
const HEIGHT: i64 = 48;

/// Bars over time. The failed part has a pattern, so that it is seen without its colour.
pub fn histogram(bars: &[Bar], state: &ViewState) -> Option<AnyView> {
    let (first, last) = (bars.first()?, bars.last()?);
    let highest = bars.iter().map(|bar| bar.n).max()?.max(1);
    let (from, to) = (first.from, last.to);
    let step = (first.to - first.from).exact();
    let drawn: Vec<_> = bars
        .iter()
        .map(|bar| {
            let height = |n: i64| if n == 0 { 0 } else { (n * (HEIGHT - 4) / highest).max(2) };
            let (all, failed) = (height(bar.n), height(bar.failed));
            let words = format!(
                "{}–{}: {}, {} failed",
                bar.from.clock(),
                bar.to.clock(),
                plural(bar.n, "event"),
                bar.failed
            );
            let href = state.within(Some(When::At(bar.from)), Some(When::At(bar.to))).link("/events");
            let x = percent(bar.from, from, to);
            let width = percent(from + (bar.to - bar.from), from, to);
            view! {
                <g><a class="bin" href=href tabindex="-1" aria-label=words.clone()>
                    <title>{words.clone()}</title>
                    <rect class="hit" x=x.clone() y="0" width=width.clone() height=HEIGHT></rect>
                    <rect class="bin-all" x=x.clone() y=HEIGHT - all width=width.clone() height=all></rect>
                    <rect class="bin-failed" x=x.clone() y=HEIGHT - failed width=width.clone() height=failed></rect>
                    <rect x=x y=HEIGHT - failed width=width height=failed fill="url(#bin-hatch)"></rect>
                </a></g>
            }
        })
        .collect();
    let sum = format!("up to {} in {step}, failed ones hatched", plural(highest, "event"));
    Some(
        view! {
            <figure class="histogram">
                <svg width="100%" height=HEIGHT role="group" aria-label="Events over time; every bar leads to its range">
                    <defs>
                        <pattern id="bin-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                            <path class="ink" d="M0 0v6"></path>
                        </pattern>
                    </defs>
                    {drawn}
                </svg>
                <figcaption class="muted">
                    <time datetime=from.to_string()>{from.clock()}</time>
                    <span>{sum}</span>
                    <time datetime=to.to_string()>{to.clock()}</time>
                </figcaption>
            </figure>
        }
        .erased(),
    )
}
