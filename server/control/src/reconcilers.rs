//! The reconcilers, one file each.

pub mod receipts;
pub mod retention;
pub mod rollout;
pub mod verdicts;
pub mod waits;

pub use receipts::Receipts;
pub use retention::Retention;
pub use rollout::Rollout;
pub use verdicts::Verdicts;
pub use waits::Waits;
