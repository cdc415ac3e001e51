//! What Vantage concludes from what is recorded.
//!
//! Three questions, each a pure function over plain data:
//!
//! - [`verdict::judge`]: what is said about an object;
//! - [`gap::of`]: what is desired, what is current, why they differ;
//! - [`command::plan`] and [`rollout::steps`]: what a command would do, and what carries it out.
//!
//! The crate knows `model` and nothing else: no I/O, no clock, no randomness. `now` is an argument, so that a
//! verdict that arises from time alone can be tested without waiting.

pub mod chain;
pub mod command;
pub mod gap;
pub mod rollout;
pub mod scene;
pub mod status;
pub mod verdict;

pub use scene::{Limits, Scene};
