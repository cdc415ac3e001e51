//! The reader: one snapshot, and the sequence it was taken at.
//!
//! What it answers is spread over the modules of its subjects. Methods take `&mut self` because they share one
//! connection; the snapshot ends when the reader is dropped.

use std::{sync::Arc, time::Instant};

use model::{Seq, Ts};

use crate::{
    StoreError,
    pool::{Tx, row},
    store::{Inner, META, Meta},
};

/// One snapshot of the store.
pub struct Reader {
    pub(crate) tx: Tx,
    as_of: Seq,
    recorded_at: Ts,
    now: Ts,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("as_of", &self.as_of).finish_non_exhaustive()
    }
}

impl Reader {
    pub(crate) async fn begin(inner: &Arc<Inner>) -> Result<Self, StoreError> {
        const OP: &str = "read from the store";
        let begun = Instant::now();
        let mut tx = inner.pool.snapshot().await.map_err(|error| StoreError::of(OP, error))?;
        let meta =
            row!(&mut tx, OP, Meta, META)?.ok_or_else(|| StoreError::damaged(OP, "the journal's head"))?;
        inner.has_read();
        inner.reads.add(begun.elapsed());
        let recorded_at = Ts(meta.recorded_at);
        Ok(Self { tx, as_of: Seq(meta.seq), recorded_at, now: (inner.clock)().max(recorded_at) })
    }

    /// The head of the journal in this snapshot.
    #[must_use]
    pub fn as_of(&self) -> Seq {
        self.as_of
    }

    /// When the head of the journal was recorded.
    #[must_use]
    pub fn recorded_at(&self) -> Ts {
        self.recorded_at
    }

    /// The store's clock when the snapshot was taken.
    #[must_use]
    pub fn now(&self) -> Ts {
        self.now
    }
}
