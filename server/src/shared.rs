//! Pages that readers without special rights share: rendered once, for a moment.
//!
//! A shared page is at most one second old, and older than the journal for nobody: whoever asks gets what was made
//! since they asked, or what is still the newest. Many who ask at once wait for one.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use app::pages::Body;
use model::{Seq, Span, Ts};
use tokio::sync::Mutex as Turn;

/// How many pages are kept.
const MAX: usize = 64;
/// For how long at most.
const AGE: Span = Span::seconds(1);

/// What the page is: path and query, and whether its reader is signed in.
type Key = (String, bool);

/// The shared pages. The shell, the nonce and every key are made for each response.
#[derive(Debug)]
pub struct Shared<T = Body> {
    pages: Mutex<BTreeMap<Key, Slot<T>>>,
    turns: AtomicU64,
}

type Slot<T> = Arc<Turn<Option<Made<T>>>>;

#[derive(Debug)]
struct Made<T> {
    /// Which of all it is: what has a later number was begun later.
    turn: u64,
    begun: Ts,
    /// The head of the journal before it was begun.
    head: Seq,
    page: Arc<T>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { pages: Mutex::default(), turns: AtomicU64::new(0) }
    }
}

impl<T> Shared<T> {
    /// The page of this path, made now or shared.
    ///
    /// # Errors
    /// What `make` answers; it is not shared.
    pub async fn page<E>(
        &self,
        path: String,
        signed_in: bool,
        (clock, head): (impl Fn() -> Ts, impl Fn() -> Seq),
        make: impl AsyncFnOnce() -> Result<Arc<T>, E>,
    ) -> Result<Arc<T>, E> {
        let asked = self.turns.fetch_add(1, Ordering::SeqCst);
        let slot = self.slot((path, signed_in), clock());
        let mut made = slot.lock().await;
        let (turn, begun, head) = (self.turns.fetch_add(1, Ordering::SeqCst), clock(), head());
        if let Some(made) = &*made
            && (made.turn > asked || (made.head == head && begun < made.begun + AGE))
        {
            return Ok(Arc::clone(&made.page));
        }
        let page = make().await?;
        *made = Some(Made { turn, begun, head, page: Arc::clone(&page) });
        Ok(page)
    }

    fn slot(&self, key: Key, now: Ts) -> Slot<T> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= MAX && !pages.contains_key(&key) {
            // One that is being made is in use, and is not looked at.
            let is_old = |slot: &Slot<T>| {
                slot.try_lock().is_ok_and(|made| made.as_ref().is_none_or(|made| now >= made.begun + AGE))
            };
            pages.retain(|_, slot| !is_old(slot));
            if pages.len() >= MAX {
                pages.pop_first();
            }
        }
        Arc::clone(pages.entry(key).or_default())
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
        shared: Shared<u32>,
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
                Ok::<_, Infallible>(Arc::new(n))
            };
            let now = || Ts(self.now.load(Ordering::SeqCst));
            let head = || Seq(self.head.load(Ordering::SeqCst));
            let Ok(page) = self.shared.page(path.to_owned(), true, (now, head), make).await;
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
        assert!(world.shared.pages.lock().unwrap().len() <= MAX);
    }
}
