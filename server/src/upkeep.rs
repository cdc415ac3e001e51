//! Copies of the store while it is served: one at a time, and the one that is to take its place.

use std::sync::{Mutex, PoisonError};

use store::{Incoming, StoreUrl};
use tokio::sync::Notify;

/// What backup and restore share.
#[derive(Debug)]
pub struct Upkeep {
    /// Where the store is.
    pub url: StoreUrl,
    /// Held while a copy is made or taken in.
    pub turn: tokio::sync::Mutex<()>,
    ready: Mutex<Option<Incoming>>,
    asked: Notify,
}

impl Upkeep {
    /// Of the store at this place.
    #[must_use]
    pub fn new(url: StoreUrl) -> Self {
        Self { url, turn: tokio::sync::Mutex::default(), ready: Mutex::default(), asked: Notify::new() }
    }

    /// Asks for this to take the store's place; whoever runs the server does it.
    pub fn restore(&self, incoming: Incoming) {
        *self.ready.lock().unwrap_or_else(PoisonError::into_inner) = Some(incoming);
        self.asked.notify_one();
    }

    /// Waits until somebody asks.
    pub async fn restore_asked(&self) -> Incoming {
        loop {
            if let Some(incoming) = self.ready.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return incoming;
            }
            self.asked.notified().await;
        }
    }
}
