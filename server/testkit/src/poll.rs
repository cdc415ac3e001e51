//! Waiting for a value, with a bound and the last thing that was seen.

use std::{fmt::Debug, future::Future, panic::Location, time::Duration};

use tokio::time::Instant;

/// Between two looks.
const STEP: Duration = Duration::from_millis(20);

/// Looks until `look` answers `Ok`; what it answers as `Err` is what is told when the time is up.
///
/// # Panics
/// When the time is up.
#[track_caller]
pub fn until<T, S: Debug, F: Future<Output = Result<T, S>>>(
    what: &str,
    bound: Duration,
    mut look: impl FnMut() -> F,
) -> impl Future<Output = T> {
    let (asked_at, what) = (Location::caller(), what.to_owned());
    async move {
        let deadline = Instant::now() + bound;
        loop {
            let status = match tokio::time::timeout_at(deadline + STEP, look()).await {
                Ok(Ok(value)) => return value,
                Ok(Err(status)) => format!("{status:#?}"),
                Err(_) => "the last look did not come back".to_owned(),
            };
            assert!(
                Instant::now() < deadline,
                "{asked_at}: waited {bound:?} for {what}; last seen: {status}"
            );
            tokio::time::sleep(STEP).await;
        }
    }
}
