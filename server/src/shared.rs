//! What is made once for many, for a moment: pages that readers without special rights share, and roll-ups.
//!
//! What is shared is at most one second old, and older than the journal for nobody: whoever asks gets what was made
//! since they asked, or what is still the newest. Many who ask at once wait for one.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use model::{Seq, Span, Ts};
use tokio::sync::Mutex as Turn;

/// How many are kept.
const MAX: usize = 64;
/// For how long at most.
const AGE: Span = Span::seconds(1);

/// What is shared, by what it is.
#[derive(Debug)]
pub struct Shared<K, T> {
    slots: Mutex<BTreeMap<K, Slot<T>>>,
    turns: AtomicU64,
}

type Slot<T> = Arc<Turn<Option<Made<T>>>>;

#[derive(Debug)]
struct Made<T> {
    /// Which of all it is: what has a later number was begun later.
    turn: u64,
    /// From when it is.
    since: Ts,
    /// The head of the journal before it was begun.
    head: Seq,
    value: Arc<T>,
}

impl<K, T> Default for Shared<K, T> {
    fn default() -> Self {
        Self { slots: Mutex::default(), turns: AtomicU64::new(0) }
    }
}

impl<K: Ord, T> Shared<K, T> {
    /// What has this key, made now or shared. `make` also answers from when it is, where it is made of what is older
    /// than itself.
    ///
    /// # Errors
    /// What `make` answers; it is not shared.
    pub async fn get<E>(
        &self,
        key: K,
        (clock, head): (impl Fn() -> Ts, impl Fn() -> Seq),
        make: impl AsyncFnOnce() -> Result<(Arc<T>, Ts), E>,
    ) -> Result<Arc<T>, E> {
        let asked = self.turns.fetch_add(1, Ordering::SeqCst);
        let slot = self.slot(key, clock());
        let mut made = slot.lock().await;
        let (turn, begun, head) = (self.turns.fetch_add(1, Ordering::SeqCst), clock(), head());
        if let Some(made) = &*made
            && (made.turn > asked || (made.head == head && begun < made.since + AGE))
        {
            return Ok(Arc::clone(&made.value));
        }
        let (value, since) = make().await?;
        *made = Some(Made { turn, since: since.min(begun), head, value: Arc::clone(&value) });
        Ok(value)
    }

    fn slot(&self, key: K, now: Ts) -> Slot<T> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MAX && !slots.contains_key(&key) {
            // One that is being made is in use, and is not looked at.
            let is_old = |slot: &Slot<T>| {
                slot.try_lock().is_ok_and(|made| made.as_ref().is_none_or(|made| now >= made.since + AGE))
            };
            slots.retain(|_, slot| !is_old(slot));
            if slots.len() >= MAX {
                slots.pop_first();
            }
        }
        Arc::clone(slots.entry(key).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicI64, AtomicU32},
    };

    use super::*;

    #[derive(Default)]
    struct World {
        shared: Shared<String, u32>,
        /// How old what a page is made of is.
        age: AtomicI64,
        now: AtomicI64,
        head: AtomicI64,
        made: AtomicU32,
    }

    impl World {
        async fn ask(&self, path: &str) -> u32 {
            let make = async || {
                let n = self.made.fetch_add(1, Ordering::SeqCst) + 1;
                // Everybody else gets a turn meanwhile.
                tokio::task::yield_now().await;
                let since = Ts(self.now.load(Ordering::SeqCst) - self.age.load(Ordering::SeqCst));
                Ok::<_, Infallible>((Arc::new(n), since))
            };
            let now = || Ts(self.now.load(Ordering::SeqCst));
            let head = || Seq(self.head.load(Ordering::SeqCst));
            let Ok(page) = self.shared.get(path.to_owned(), (now, head), make).await;
            *page
        }
    }

    #[tokio::test]
    async fn many_who_ask_at_once_share_what_one_of_them_made() {
        let world = World::default();
        let all = futures::future::join_all((0..50).map(|_| world.ask("/"))).await;
        assert!(all.iter().all(|n| *n == 1), "{all:?}");
        assert_eq!(world.ask("/events").await, 2);
    }

    #[tokio::test]
    async fn a_page_is_shared_for_a_second_or_until_the_journal_moves() {
        let world = World::default();
        assert_eq!((world.ask("/").await, world.ask("/").await), (1, 1));
        world.now.fetch_add(AGE.0, Ordering::SeqCst);
        assert_eq!((world.ask("/").await, world.ask("/").await), (2, 2));
        world.head.store(1, Ordering::SeqCst);
        assert_eq!((world.ask("/").await, world.ask("/").await), (3, 3));
    }

    #[tokio::test]
    async fn a_page_is_as_old_as_what_it_is_made_of() {
        let world = World::default();
        world.age.store(AGE.0, Ordering::SeqCst);
        assert_eq!((world.ask("/").await, world.ask("/").await), (1, 2));
    }

    #[tokio::test]
    async fn what_was_begun_before_somebody_asked_is_not_theirs_once_the_journal_has_moved() {
        let world = World::default();
        let late = async {
            world.head.store(1, Ordering::SeqCst);
            world.ask("/").await
        };
        assert_eq!(tokio::join!(world.ask("/"), late), (1, 2));
    }

    #[tokio::test]
    async fn only_so_many_pages_are_kept() {
        let world = World::default();
        for n in 0..3 * MAX {
            world.ask(&format!("/{n}")).await;
        }
        assert!(world.shared.slots.lock().unwrap().len() <= MAX);
    }
}
