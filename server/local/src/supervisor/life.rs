//! The life of one instance as a state machine: no processes, no clock, no I/O.
//!
//! Starting → Running ⇄ (not ready) → Restarting → Starting …, and from anywhere → Stopping → Exited. A failing
//! health check never ends a process: readiness says whether to count on it, not whether it may live.

use model::{
    InstanceState, Span, Ts,
    instance::Exit,
    spec::{Health, Restart},
};

use super::reasons;

/// This many ends in a row are a crash loop.
const CRASH_LOOP_AFTER: u32 = 3;
/// Ready for at least this long, an instance starts with a clean slate.
const STEADY_AT_LEAST: Span = Span::seconds(10);
/// However short the manifest wants it: a start costs a process.
const SHORTEST_DELAY: Span = Span::millis(10);

/// Doubling delays.
#[derive(Debug, Clone, Copy)]
struct Backoff {
    restart: Restart,
    next: Span,
}

impl Backoff {
    fn new(restart: Restart) -> Self {
        Self { restart, next: restart.from.max(SHORTEST_DELAY) }
    }

    fn delay(&mut self) -> Span {
        let delay = self.next.min(self.restart.to).max(SHORTEST_DELAY);
        self.next = Span(delay.0.saturating_mul(2));
        delay
    }
}

/// What a health check changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    /// Nothing worth an event.
    Same,
    /// It is ready for the first time since this start.
    Ready,
    /// It is ready again, after so many failures.
    Recovered(u32),
    /// It is not ready, after so many failures.
    Failing(u32),
}

/// One instance.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    pub(crate) state: InstanceState,
    pub(crate) ready: bool,
    pub(crate) ready_since: Ts,
    pub(crate) starts: u32,
    pub(crate) pid: Option<i32>,
    pub(crate) port: Option<u16>,
    pub(crate) last_exit: Option<Exit>,
    /// Why `ready` is what it is: a word of [`reasons`] and a sentence.
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) started_at: Option<Ts>,
    pub(crate) next_start_at: Option<Ts>,
    /// Ends in a row without a steady time in between.
    pub(crate) ends: u32,
    /// Whether it was ready since this start.
    pub(crate) was_ready: bool,
    failures: u32,
    counted_at: Ts,
    say_at: u32,
    backoff: Backoff,
    restart: Restart,
}

impl Life {
    pub(crate) fn new(now: Ts, restart: Restart) -> Self {
        Self {
            state: InstanceState::Starting,
            ready: false,
            ready_since: now,
            starts: 0,
            pid: None,
            port: None,
            last_exit: None,
            reason: reasons::STARTING,
            message: "ordered".to_owned(),
            started_at: None,
            next_start_at: None,
            ends: 0,
            was_ready: false,
            failures: 0,
            counted_at: now,
            say_at: 0,
            backoff: Backoff::new(restart),
            restart,
        }
    }

    /// A process is about to be started. Why the last one ended stays said until this one is ready.
    pub(crate) fn start(&mut self, now: Ts, port: Option<u16>) {
        self.state = InstanceState::Starting;
        self.starts = self.starts.saturating_add(1);
        self.started_at = Some(now);
        self.next_start_at = None;
        self.port = port;
        self.was_ready = false;
        self.failures = 0;
        self.counted_at = now;
        self.say_at = 0;
        if self.last_exit.is_none() {
            self.reason = reasons::STARTING;
            "not ready yet".clone_into(&mut self.message);
        }
    }

    /// A health check passed, or failed for this reason.
    pub(crate) fn check(&mut self, now: Ts, result: Result<(), String>, health: &Health) -> Checked {
        match result {
            Ok(()) if self.ready => {
                self.failures = 0;
                Checked::Same
            }
            Ok(()) => self.pass(now),
            Err(why) => self.fail(now, why, health),
        }
    }

    fn pass(&mut self, now: Ts) -> Checked {
        let failures = std::mem::take(&mut self.failures);
        let first = !std::mem::replace(&mut self.was_ready, true);
        self.state = InstanceState::Running;
        self.ready = true;
        self.ready_since = now;
        self.last_exit = None;
        self.reason = reasons::RUNNING;
        "runs and is ready".clone_into(&mut self.message);
        self.say_at = 0;
        if first { Checked::Ready } else { Checked::Recovered(failures) }
    }

    fn fail(&mut self, now: Ts, why: String, health: &Health) -> Checked {
        // A starting process is asked more often than the interval says; that must not count against it.
        if now - self.counted_at < health.interval && !self.was_ready {
            return Checked::Same;
        }
        self.counted_at = now;
        self.failures = self.failures.saturating_add(1);
        if self.failures < health.failures.max(1) {
            return Checked::Same;
        }
        if self.ready {
            self.ready = false;
            self.ready_since = now;
        }
        self.reason = reasons::HEALTH_CHECK_FAILING;
        self.message = why;
        // Said at the limit and then at every doubling, so that a night of failures is a dozen events.
        if self.failures < self.say_at {
            return Checked::Same;
        }
        self.say_at = self.failures.saturating_mul(2);
        Checked::Failing(self.failures)
    }

    /// The process ended by itself. Answers how long to wait before the next start.
    pub(crate) fn ended(&mut self, now: Ts, exit: Exit, reason: &'static str, message: String) -> Span {
        let steady = Span(self.restart.from.0.saturating_mul(10)).max(STEADY_AT_LEAST);
        if self.ready && now - self.ready_since >= steady {
            self.backoff = Backoff::new(self.restart);
            self.ends = 0;
        }
        self.ends = self.ends.saturating_add(1);
        let delay = self.backoff.delay();
        self.leave(now);
        self.state = InstanceState::Restarting;
        self.next_start_at = Some(now + delay);
        let loops = reason == reasons::EXITED && self.ends >= CRASH_LOOP_AFTER;
        self.reason = if loops { reasons::CRASH_LOOP } else { reason };
        self.message = message;
        self.last_exit = Some(exit);
        delay
    }

    /// Somebody wants it to end.
    pub(crate) fn stopping(&mut self, now: Ts) {
        let pid = self.pid;
        self.leave(now);
        self.pid = pid;
        self.state = InstanceState::Stopping;
        self.reason = reasons::STOPPING;
        "told to stop".clone_into(&mut self.message);
    }

    /// It ended because it was told to.
    pub(crate) fn stopped(&mut self, now: Ts, exit: Option<Exit>) {
        self.leave(now);
        self.state = InstanceState::Exited;
        self.reason = reasons::EXITED;
        "stopped".clone_into(&mut self.message);
        self.last_exit = exit.or(self.last_exit.take());
    }

    fn leave(&mut self, now: Ts) {
        if self.ready {
            self.ready = false;
            self.ready_since = now;
        }
        self.pid = None;
        self.next_start_at = None;
    }
}

#[cfg(test)]
mod tests;
