//! Runs each reconciler in one task: timer, signal or journal, and remembers how the last pass went.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use model::{Seq, Span, Ts};
use serde::Serialize;
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{Activator, Clock};

/// A loop body. See the crate's page for how one is written.
#[async_trait]
pub trait Reconciler: Send + Sync + 'static {
    /// Its name in logs and on `/doctor`.
    const NAME: &'static str;
    /// Whether a move of the journal wakes it, beside its timer and its bell.
    const FOLLOWS_JOURNAL: bool = true;
    /// What a pass reports.
    type Status: Serialize + Send;

    /// One pass.
    async fn pass(&self) -> Self::Status;
}

/// Why a pass ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The timer.
    Timer,
    /// Somebody rang.
    Signal,
    /// The journal moved.
    Journal,
}

/// How a task stands.
#[derive(Debug, Clone, Serialize)]
pub struct TaskStatus {
    /// Which task.
    pub name: &'static str,
    /// Since when the current pass runs, if one does.
    pub running_since: Option<Ts>,
    /// How many passes were completed.
    pub passes: u64,
    /// Why the last one ran.
    pub why: Option<Why>,
    /// When the last one ended.
    pub ended_at: Option<Ts>,
    /// How long it took.
    pub elapsed_ms: u64,
    /// What it reported.
    pub details: serde_json::Value,
}

/// Starts tasks and keeps their statuses.
pub struct Driver {
    clock: Clock,
    journal: watch::Receiver<Seq>,
    shutdown: CancellationToken,
    tasks: Vec<(watch::Receiver<TaskStatus>, JoinHandle<()>)>,
}

impl Driver {
    /// A driver whose tasks run until `shutdown`.
    #[must_use]
    pub fn new(clock: Clock, journal: watch::Receiver<Seq>, shutdown: CancellationToken) -> Self {
        Self { clock, journal, shutdown, tasks: vec![] }
    }

    /// Starts one task. It runs at once, then at least every `period`, whenever it is rung, and, if it follows the
    /// journal, whenever that moves, which it does at most every 100 ms.
    pub fn start<R: Reconciler>(&mut self, reconciler: R, period: Span, activator: Activator) {
        let idle = TaskStatus {
            name: R::NAME,
            running_since: None,
            passes: 0,
            why: None,
            ended_at: None,
            elapsed_ms: 0,
            details: serde_json::Value::Null,
        };
        let (status, seen) = watch::channel(idle);
        let task = Task {
            reconciler: Arc::new(reconciler),
            clock: self.clock.clone(),
            journal: self.journal.clone(),
            activator,
            shutdown: self.shutdown.clone(),
            status,
        };
        self.tasks.push((seen, tokio::spawn(task.run(period.std()))));
    }

    /// How every task stands, in the order of their start.
    #[must_use]
    pub fn statuses(&self) -> Vec<watch::Receiver<TaskStatus>> {
        self.tasks.iter().map(|(status, _)| status.clone()).collect()
    }

    /// Waits until every task has ended. Call after `shutdown`.
    pub async fn join(self) {
        for (_, task) in self.tasks {
            let _ = task.await;
        }
    }
}

/// After a pass that the journal caused, the journal causes no other one for so long: what is written meanwhile
/// shares a pass. A bell and the timer do not wait.
const REST: Duration = Duration::from_millis(100);

struct Task<R> {
    reconciler: Arc<R>,
    clock: Clock,
    journal: watch::Receiver<Seq>,
    activator: Activator,
    shutdown: CancellationToken,
    status: watch::Sender<TaskStatus>,
}

impl<R: Reconciler> Task<R> {
    async fn run(mut self, period: Duration) {
        let mut timer = tokio::time::interval(period);
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut journal_open = R::FOLLOWS_JOURNAL;
        let mut rested = Instant::now();
        loop {
            let journal = async {
                sleep_until(rested).await;
                self.journal.changed().await
            };
            let why = tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = self.activator.activated() => Why::Signal,
                moved = journal, if journal_open => match moved {
                    Ok(()) => Why::Journal,
                    Err(_) => { journal_open = false; continue }
                },
                _ = timer.tick() => Why::Timer,
            };
            // What comes in while the pass runs wakes the next one: mark as seen before reading.
            self.journal.borrow_and_update();
            self.one_pass(why).await;
            if why == Why::Journal {
                rested = Instant::now() + REST;
            }
        }
    }

    async fn one_pass(&self, why: Why) {
        let (begin, now) = (Instant::now(), (self.clock)());
        self.status.send_modify(|status| status.running_since = Some(now));
        let details = self.reconciler.pass().await;
        let ended = (self.clock)();
        self.status.send_modify(|status| {
            status.running_since = None;
            status.passes += 1;
            status.why = Some(why);
            status.ended_at = Some(ended);
            status.elapsed_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
            status.details = serde_json::to_value(details).unwrap_or_default();
        });
    }
}

/// One thing that went wrong in a pass, with its causes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PassError {
    /// What was being done, to what.
    pub doing: String,
    /// Why it failed, outermost first.
    pub causes: Vec<String>,
}

impl PassError {
    /// Takes an error apart.
    #[must_use]
    pub fn new(doing: impl Into<String>, error: &dyn std::error::Error) -> Self {
        let mut causes = vec![error.to_string()];
        let mut next = error.source();
        while let Some(source) = next {
            causes.push(source.to_string());
            next = source.source();
        }
        Self { doing: doing.into(), causes }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::sleep;

    use super::*;

    struct Counting(Arc<AtomicU32>);

    #[async_trait]
    impl Reconciler for Counting {
        const NAME: &'static str = "counting";
        type Status = ();

        async fn pass(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    struct Started {
        passes: Arc<AtomicU32>,
        journal: watch::Sender<Seq>,
        bell: Activator,
        _driver: Driver,
    }

    impl Started {
        /// A task that has run once, and whose timer is far away.
        async fn new() -> Self {
            let (journal, moves) = watch::channel(Seq(0));
            let mut driver = Driver::new(Arc::new(|| Ts(0)), moves, CancellationToken::new());
            let (passes, bell) = (Arc::new(AtomicU32::new(0)), Activator::new());
            driver.start(Counting(Arc::clone(&passes)), Span::seconds(3600), bell.clone());
            sleep(Duration::from_secs(1)).await;
            assert_eq!(passes.swap(0, Ordering::Relaxed), 1);
            Self { passes, journal, bell, _driver: driver }
        }

        /// Passes, as soon as whatever is due has run.
        async fn passes(&self) -> u32 {
            sleep(Duration::from_millis(1)).await;
            self.passes.load(Ordering::Relaxed)
        }

        fn write(&self) {
            self.journal.send_modify(|seq| seq.0 += 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_written_in_a_row_shares_passes() {
        let task = Started::new().await;
        for _ in 0..500 {
            task.write();
            sleep(Duration::from_millis(2)).await;
        }
        let passes = task.passes().await;
        assert!((8..=11).contains(&passes), "{passes} passes in a second");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_written_alone_wakes_at_once_and_what_follows_is_not_forgotten() {
        let task = Started::new().await;
        task.write();
        assert_eq!(task.passes().await, 1);
        task.write();
        assert_eq!(task.passes().await, 1);
        sleep(REST).await;
        assert_eq!(task.passes().await, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_bell_does_not_wait() {
        let task = Started::new().await;
        task.write();
        assert_eq!(task.passes().await, 1);
        task.bell.activate();
        assert_eq!(task.passes().await, 2);
    }
}
