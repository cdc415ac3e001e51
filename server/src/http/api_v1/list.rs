//! One page of a list. The answer is the list itself; where it goes on, `Link` says the address of the next page.

use axum::response::{IntoResponse, Response};
use model::{Seq, TraceId};
use serde::{Deserialize, Serialize};

use super::{At, reads::Cursor};
use crate::http::error::Problem;

/// The most that one page has.
pub(super) const MOST: u32 = 1000;

/// Which part of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// At most so many, up to 1000.
    limit: Option<u32>,
    /// Continue behind this one, as `Link` says it.
    after: Option<String>,
}

/// A page of a list, the position it was read at, and where the next one begins.
pub(super) struct Listed<T> {
    seq: Seq,
    items: Vec<T>,
    next: Option<String>,
}

impl<T> Listed<T> {
    /// A page of what was read one longer than `limit`, so that it is known whether there is more.
    pub(super) fn of(seq: Seq, mut items: Vec<T>, limit: u32, cursor: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        Self { seq, next: items.last().filter(|_| more).map(cursor), items }
    }

    /// The same for a list that was read whole. Its items are in the order in which they are answered.
    ///
    /// # Errors
    /// Where `after` names none of them.
    pub(super) fn part(
        (seq, mut items): (Seq, Vec<T>),
        part: &Part,
        cursor: impl Fn(&T) -> String,
        trace: &TraceId,
    ) -> Result<Self, Problem> {
        if let Some(after) = &part.after {
            let place = items.iter().position(|item| cursor(item) == *after);
            let place = place.ok_or_else(|| no_place(trace))?;
            items.drain(..=place);
        }
        Ok(Self::of(seq, items, part.limit.unwrap_or(MOST).clamp(1, MOST), cursor))
    }
}

/// A cursor of another list, or of something that is not there any more.
pub(super) fn no_place(trace: &TraceId) -> Problem {
    Problem::invalid("after", "names nothing in this list; begin again without it", trace)
}

impl<T: Serialize> IntoResponse for Listed<T> {
    fn into_response(self) -> Response {
        let mut response = At(self.seq, self.items).into_response();
        if let Some(next) = self.next {
            response.extensions_mut().insert(Cursor(next));
        }
        response
    }
}
