//! How many sockets may be open, and until when each may read.
//!
//! Sockets of one token or session share one gate, which is checked for all of them at once.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use super::super::session::still_valid;
use crate::state::AppState;

/// Sockets of one name at a time.
const MAX_PER_NAME: u32 = 64;
/// Sockets at a time.
const MAX_ALL: u32 = 2000;
/// How often the right to read is checked again.
const RECHECK: Duration = Duration::from_secs(4);

/// What a session or token is known by; `None` where reading is open to everybody.
type Hash = Option<[u8; 32]>;

/// Which sockets are open.
#[derive(Debug, Clone)]
pub struct Sockets {
    open: Arc<Mutex<Open>>,
    shutdown: CancellationToken,
}

#[derive(Debug, Default)]
struct Open {
    all: u32,
    by_name: BTreeMap<String, u32>,
    gates: BTreeMap<Hash, Gate>,
}

/// What closes the sockets of one token.
#[derive(Debug)]
struct Gate {
    n: u32,
    ended: CancellationToken,
}

/// Why a socket finds no place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Full {
    /// One name has too many.
    Name(String),
    /// There are too many.
    All,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The reason of a close frame has 123 bytes.
            Self::Name(name) => {
                let name: String = name.chars().take(15).collect();
                write!(f, "{name} has {MAX_PER_NAME} live pages open; close some")
            }
            Self::All => write!(f, "{MAX_ALL} live pages are open; close some"),
        }
    }
}

/// One open socket; closing it frees its place.
#[derive(Debug)]
pub(super) struct Place {
    sockets: Sockets,
    name: String,
    hash: Hash,
    ended: CancellationToken,
}

impl Sockets {
    /// None are open yet. All of them end with `shutdown`.
    #[must_use]
    pub fn new(shutdown: CancellationToken) -> Self {
        Self { open: Arc::default(), shutdown }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self, name: &str, hash: Hash) -> Result<Place, Full> {
        let mut open = self.open();
        if open.all >= MAX_ALL {
            return Err(Full::All);
        }
        let mine = open.by_name.get(name).copied().unwrap_or(0);
        if mine >= MAX_PER_NAME {
            return Err(Full::Name(name.to_owned()));
        }
        open.all += 1;
        open.by_name.insert(name.to_owned(), mine + 1);
        let gate =
            open.gates.entry(hash).or_insert_with(|| Gate { n: 0, ended: self.shutdown.child_token() });
        gate.n += 1;
        let ended = gate.ended.clone();
        Ok(Place { sockets: self.clone(), name: name.to_owned(), hash, ended })
    }

    /// How many are open.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.open().all
    }

    fn gates(&self) -> Vec<(Hash, CancellationToken)> {
        self.open().gates.iter().map(|(hash, gate)| (*hash, gate.ended.clone())).collect()
    }
}

impl Place {
    /// Fires when the server ends, or the right to read.
    pub(super) fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.sockets.open();
        open.all -= 1;
        if let Some(n) = open.by_name.get_mut(&self.name) {
            *n -= 1;
            if *n == 0 {
                open.by_name.remove(&self.name);
            }
        }
        if let Some(gate) = open.gates.get_mut(&self.hash) {
            gate.n -= 1;
            if gate.n == 0 {
                open.gates.remove(&self.hash);
            }
        }
    }
}

/// Closes sockets whose token or session ended, until the server does.
pub async fn recheck(state: AppState) {
    while !state.shutdown.is_cancelled() {
        tokio::select! {
            () = state.shutdown.cancelled() => return,
            () = tokio::time::sleep(RECHECK) => {}
        }
        for (hash, ended) in state.sockets.gates() {
            if !still_valid(&state, hash).await {
                ended.cancel();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_its_share_and_a_closed_socket_frees_its_place() {
        let sockets = Sockets::new(CancellationToken::new());
        let mut held: Vec<Place> = (0..MAX_PER_NAME).map(|_| sockets.take("mira", None).unwrap()).collect();
        let full = sockets.take("mira", None).unwrap_err();
        assert_eq!(full.to_string(), "mira has 64 live pages open; close some");
        assert!(sockets.take("jo", None).is_ok(), "others are not in the way");
        held.pop();
        assert!(sockets.take("mira", None).is_ok());
        drop(held);
        assert_eq!((sockets.count(), sockets.gates().len()), (0, 0));
        assert!(sockets.open().by_name.is_empty());
    }

    #[test]
    fn there_is_a_limit_for_all_names_together() {
        let sockets = Sockets::new(CancellationToken::new());
        let held: Vec<Place> =
            (0..MAX_ALL).map(|n| sockets.take(&(n / 50).to_string(), None).unwrap()).collect();
        assert_eq!(sockets.take("late", None).unwrap_err(), Full::All);
        drop(held);
    }

    #[test]
    fn a_close_reason_fits_into_its_frame_however_long_the_name() {
        assert!(Full::Name("\u{1f980}".repeat(500)).to_string().len() <= 123);
    }
}
