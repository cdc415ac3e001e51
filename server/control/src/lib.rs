//! What drives desired state towards current state, and what commands write.
//!
//! # How a reconciler is written here
//!
//! 1. It is woken by a signal *and* by a timer. A lost signal costs one period, never correctness.
//! 2. A pass takes **no input**, even where the caller knows what changed: one code path, not two of which the
//!    rare one rots. It reads what the store says now.
//! 3. A pass is idempotent. Running it twice does nothing the second time; a test says so.
//! 4. It does not retry inside. The next wake-up is the retry.
//! 5. It returns a typed status with counts and `errors`: partial success is data. Nothing is logged and
//!    returned at once.
//! 6. It may run at the same time in another process. Compare-and-set in the store decides, not luck.
//!
//! A click never reaches a platform from here: commands write an intent row; the rollout reconciler carries it
//! out through an [`sources::Actuator`]. The crate knows no HTTP, no markup and no platform.

pub mod activator;
pub mod clock;
pub mod commands;
pub mod driver;
pub mod fanout;
pub mod ingest;
pub mod reconcilers;
pub mod views;

pub use activator::Activator;
pub use clock::{Clock, Random};
pub use commands::Commands;
pub use driver::{Driver, Reconciler, TaskStatus};

/// An error and its causes on one line, for logs.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
