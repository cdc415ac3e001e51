//! Tokens and sessions that were found a moment ago, so that not every request asks the store whom it comes from.
//!
//! Only where nobody but this process writes: SQLite, behind its lock. Whatever ends a token or a session forgets all
//! of them before its caller hears of it, and nothing that was read before that is kept after it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// For how long at most: whoever gives up waiting for a revocation does not hear when it comes to be.
const AGE: Duration = Duration::from_secs(1);
/// How many are kept.
const MAX: usize = 1000;

/// What was found, by the hash of its secret.
#[derive(Debug)]
pub(crate) struct Known<T>(Option<Mutex<Kept<T>>>);

#[derive(Debug)]
struct Kept<T> {
    /// Moves whenever anything may have ended.
    epoch: u64,
    found: BTreeMap<[u8; 32], (Instant, T)>,
}

/// When a look-up began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Epoch(u64);

/// Forgets everything at its end, whatever became of the work meanwhile.
#[derive(Debug)]
pub(crate) struct Ends<'a, T>(&'a Known<T>);

impl<T: Clone> Known<T> {
    /// Keeps something only where this process is the only writer.
    pub(crate) fn new(only_writer: bool) -> Self {
        Self(only_writer.then(|| Mutex::new(Kept { epoch: 0, found: BTreeMap::new() })))
    }

    fn kept(&self) -> Option<MutexGuard<'_, Kept<T>>> {
        self.0.as_ref().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was found a moment ago, or the epoch in which the store is asked now.
    pub(crate) fn get(&self, hash: &[u8; 32]) -> Result<T, Epoch> {
        let Some(kept) = self.kept() else { return Err(Epoch(0)) };
        match kept.found.get(hash).filter(|(at, _)| at.elapsed() < AGE) {
            Some((_, found)) => Ok(found.clone()),
            None => Err(Epoch(kept.epoch)),
        }
    }

    /// Keeps what was found, unless anything may have ended since it was looked for.
    pub(crate) fn keep(&self, Epoch(epoch): Epoch, hash: [u8; 32], found: &T) {
        let Some(mut kept) = self.kept() else { return };
        if kept.epoch == epoch {
            if kept.found.len() >= MAX {
                kept.found.clear();
            }
            kept.found.insert(hash, (Instant::now(), found.clone()));
        }
    }

    /// To be held by whatever may end what is known here.
    pub(crate) fn ends(&self) -> Ends<'_, T> {
        Ends(self)
    }
}

impl<T> Drop for Ends<'_, T> {
    fn drop(&mut self) {
        if let Some(kept) = &self.0.0 {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.epoch += 1;
            kept.found.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: [u8; 32] = [7; 32];

    fn asked(known: &Known<u32>) -> Epoch {
        known.get(&HASH).unwrap_err()
    }

    #[test]
    fn what_was_found_a_moment_ago_is_known() {
        let known = Known::new(true);
        known.keep(asked(&known), HASH, &1);
        assert_eq!(known.get(&HASH).ok(), Some(1));
    }

    #[test]
    fn nothing_is_known_any_more_once_anything_may_have_ended() {
        let known = Known::new(true);
        known.keep(asked(&known), HASH, &1);
        drop(known.ends());
        assert_eq!(known.get(&HASH).ok(), None);
    }

    #[test]
    fn what_was_looked_for_before_an_end_is_not_kept_after_it() {
        let known = Known::new(true);
        let before = asked(&known);
        drop(known.ends());
        known.keep(before, HASH, &1);
        assert_eq!(known.get(&HASH).ok(), None);
    }

    #[test]
    fn nothing_is_kept_where_others_write_too() {
        let known = Known::new(false);
        known.keep(asked(&known), HASH, &1);
        assert_eq!(known.get(&HASH).ok(), None);
    }
}
