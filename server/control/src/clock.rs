//! Where time and randomness come in. Everything else takes them as arguments.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::SystemTime,
};

use model::{Span, Ts};

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Ts + Send + Sync>;

/// Draws 64 random bits.
pub type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The machine's clock.
#[must_use]
pub fn real() -> Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the one real clock")]
    Arc::new(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ts(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    })
}

/// A clock that moves when it is told to.
#[derive(Debug, Clone)]
pub struct Manual(Arc<AtomicI64>);

impl Manual {
    /// Starts at this instant.
    #[must_use]
    pub fn at(now: Ts) -> Self {
        Self(Arc::new(AtomicI64::new(now.0)))
    }

    /// Moves forward.
    pub fn pass(&self, span: Span) {
        self.0.fetch_add(span.0, Ordering::SeqCst);
    }

    /// The clock to hand out.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let time = self.0.clone();
        Arc::new(move || Ts(time.load(Ordering::SeqCst)))
    }
}
