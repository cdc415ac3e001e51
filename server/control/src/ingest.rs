//! Takes what sources report and writes it, many batches in one transaction.
//!
//! The queue is bounded: when the store is slow, sources wait. When the store is down, the batches that were
//! taken are kept and tried again; nothing that was handed over is dropped.

use std::time::Duration;

use model::Batch;
use store::Store;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How many batches one transaction takes at most.
const MAX_BATCHES: usize = 256;
/// How many batches may wait.
pub const QUEUE: usize = 1024;
/// Between two tries while the store refuses.
const RETRY: Duration = Duration::from_millis(500);

/// Runs until `shutdown`, then writes what is still queued.
pub async fn run(store: Store, mut queue: mpsc::Receiver<Batch>, shutdown: CancellationToken) {
    loop {
        let mut batches = Vec::new();
        tokio::select! {
            n = queue.recv_many(&mut batches, MAX_BATCHES) => if n == 0 { return },
            () = shutdown.cancelled() => {
                queue.close();
                while queue.recv_many(&mut batches, MAX_BATCHES).await > 0 {}
                if let Err(error) = store.ingest(batches).await {
                    tracing::error!(error = %crate::chain(&error), "the last observations could not be recorded");
                }
                return;
            }
        }
        write(&store, batches, &shutdown).await;
    }
}

async fn write(store: &Store, batches: Vec<Batch>, shutdown: &CancellationToken) {
    let mut told = false;
    loop {
        match store.ingest(batches.clone()).await {
            Ok(ingested) => {
                for (index, why) in ingested.refused {
                    tracing::warn!(batch = index, %why, "an observation was refused");
                }
                return;
            }
            Err(error) if !told => {
                told = true;
                tracing::error!(error = %crate::chain(&error), "observations cannot be recorded; trying again");
            }
            Err(_) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(RETRY) => {}
            () = shutdown.cancelled() => return,
        }
    }
}
