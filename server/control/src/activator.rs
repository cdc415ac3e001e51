//! Wakes a reconciler without telling it why.

use std::sync::Arc;

use tokio::sync::Notify;

/// A cloneable bell. Made before the task that listens, so that start-up has no cycle; ringing it carries no
/// data, and ringing it often before the task wakes is ringing it once.
#[derive(Debug, Clone, Default)]
pub struct Activator(Arc<Notify>);

impl Activator {
    /// A new bell.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes the task, now or as soon as it waits again.
    pub fn activate(&self) {
        self.0.notify_one();
    }

    pub(crate) async fn activated(&self) {
        self.0.notified().await;
    }
}
