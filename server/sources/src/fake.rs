//! A platform in memory: takes orders, remembers them, and does what a test tells it to.
//!
//! It has no processes, no timers and no opinions. Nothing becomes ready, fails or vanishes by itself unless
//! [`OnStart`] or [`OnStop`] says so.

mod ports;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use model::{
    ActualInstance, InstanceId, InstanceState, Observation, SourceId, StartInstance, Ts, instance::Exit,
};
use tokio::sync::Notify;

/// An order, in the sequence in which orders came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Start this.
    Start(Box<StartInstance>),
    /// Stop this.
    Stop(InstanceId),
}

/// What becomes of an instance that is ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnStart {
    /// It stays `Starting` until the test says otherwise.
    #[default]
    Starting,
    /// It is ready at once.
    Ready,
    /// It exits with code 1 and waits for its next start.
    Crash,
}

/// What becomes of an instance that is told to stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnStop {
    /// It is gone at once.
    #[default]
    Gone,
    /// It is `Stopping` until the test forgets it.
    Linger,
}

#[derive(Default)]
struct Inner {
    now: Ts,
    instances: BTreeMap<InstanceId, ActualInstance>,
    orders: Vec<Order>,
    on_start: OnStart,
    on_stop: OnStop,
    failing_starts: u32,
    failing_stops: u32,
    shutting_down: bool,
    silent: bool,
    said: VecDeque<Vec<Observation>>,
}

/// The platform. Cheap to share; every method takes `&self`.
pub struct FakePlatform {
    source: SourceId,
    inner: Mutex<Inner>,
    changed: Notify,
}

impl FakePlatform {
    /// An empty platform whose time is `now` until [`set_now`](Self::set_now).
    #[must_use]
    pub fn new(source: SourceId, now: Ts) -> Arc<Self> {
        let inner = Mutex::new(Inner { now, ..Inner::default() });
        Arc::new(Self { source, inner, changed: Notify::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves its clock.
    pub fn set_now(&self, now: Ts) {
        self.lock().now = now;
    }

    /// Decides what becomes of instances that are ordered from now on.
    pub fn on_start(&self, what: OnStart) {
        self.lock().on_start = what;
    }

    /// Decides what becomes of instances that are told to stop from now on.
    pub fn on_stop(&self, what: OnStop) {
        self.lock().on_stop = what;
    }

    /// The next `n` start orders fail with an I/O error and change nothing.
    pub fn fail_starts(&self, n: u32) {
        self.lock().failing_starts = n;
    }

    /// The next `n` stop orders fail with an I/O error and change nothing.
    pub fn fail_stops(&self, n: u32) {
        self.lock().failing_stops = n;
    }

    /// From now on every order is refused with [`crate::ActuateError::ShuttingDown`].
    pub fn shut_down(&self) {
        self.lock().shutting_down = true;
    }

    /// Every order so far that was taken, oldest first; clears the list.
    pub fn take_orders(&self) -> Vec<Order> {
        std::mem::take(&mut self.lock().orders)
    }

    /// Every order so far that was taken, oldest first.
    #[must_use]
    pub fn orders(&self) -> Vec<Order> {
        self.lock().orders.clone()
    }

    /// Every instance, by id.
    #[must_use]
    pub fn all(&self) -> Vec<ActualInstance> {
        self.lock().instances.values().cloned().collect()
    }

    /// Adds an instance that nobody ordered.
    pub fn put(&self, instance: ActualInstance) {
        self.lock().instances.insert(instance.id.clone(), instance);
    }

    /// Changes one instance. Unknown ids are ignored.
    pub fn edit(&self, id: &InstanceId, change: impl FnOnce(&mut ActualInstance)) {
        if let Some(instance) = self.lock().instances.get_mut(id) {
            change(instance);
        }
    }

    /// Makes one instance ready.
    pub fn make_ready(&self, id: &InstanceId) {
        let now = self.lock().now;
        self.edit(id, |instance| ready(instance, now));
    }

    /// Makes every instance that is starting or restarting ready.
    pub fn make_all_ready(&self) {
        let inner = &mut *self.lock();
        for instance in inner.instances.values_mut() {
            if matches!(instance.state, InstanceState::Starting | InstanceState::Restarting) {
                ready(instance, inner.now);
            }
        }
    }

    /// Lets one instance exit with this code; it waits for its next start.
    pub fn crash(&self, id: &InstanceId, code: i32) {
        let now = self.lock().now;
        self.edit(id, |instance| crashed(instance, code, now));
    }

    /// Removes one instance, as if its process had ended for good.
    pub fn forget(&self, id: &InstanceId) {
        self.lock().instances.remove(id);
    }

    /// Reports these observations as one batch, as soon as the source runs.
    pub fn say(&self, observations: Vec<Observation>) {
        self.lock().said.push_back(observations);
        self.changed.notify_one();
    }

    /// Whether the source keeps quiet, heartbeats included.
    pub fn silence(&self, silent: bool) {
        self.lock().silent = silent;
        self.changed.notify_one();
    }
}

fn ready(instance: &mut ActualInstance, now: Ts) {
    instance.state = InstanceState::Running;
    instance.ready = true;
    instance.ready_since = now;
    instance.last_exit = None;
    instance.not_ready = None;
}

fn crashed(instance: &mut ActualInstance, code: i32, now: Ts) {
    if instance.ready {
        instance.ready_since = now;
    }
    instance.state = InstanceState::Restarting;
    instance.ready = false;
    instance.starts += 1;
    let text = format!("exited with code {code}");
    instance.not_ready = Some(text.clone());
    instance.last_exit = Some(Exit { code: Some(code), signal: None, text, at: now });
}

#[cfg(test)]
mod tests;
