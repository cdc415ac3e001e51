//! Keeps one instance alive: one task, from its order to its end.
//!
//! The task is the only writer of the instance's [`Life`]; everybody else reads copies. It never gives up on its
//! own: whether an instance should exist is decided by whoever ordered it.

use std::{
    ffi::OsString,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use model::{
    ActualInstance, ObjectKey, ObservedObject, Outcome, Span, StartInstance, Ts, observation::NewLogLine,
};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{
    Shared, health,
    life::{Checked, Life},
    process::{Launch, Process},
    reasons,
    report::{self, Happened},
};
use crate::{port, shim::Report};

/// One instance.
pub(crate) struct Instance {
    shared: Arc<Shared>,
    order: StartInstance,
    tree: PathBuf,
    created_at: Ts,
    life: Mutex<Life>,
    n_events: AtomicU64,
    /// Cancelled when it is told to stop.
    pub(crate) stop: CancellationToken,
}

impl Instance {
    pub(crate) fn new(shared: Arc<Shared>, order: StartInstance, tree: PathBuf) -> Self {
        let created_at = shared.now();
        let life = Mutex::new(Life::new(created_at, order.spec.restart));
        let (n_events, stop) = (AtomicU64::new(0), CancellationToken::new());
        Self { shared, order, tree, created_at, life, n_events, stop }
    }

    pub(crate) fn order(&self) -> &StartInstance {
        &self.order
    }

    /// Its row for the planner.
    pub(crate) fn actual(&self) -> ActualInstance {
        let life = self.life.lock().unwrap_or_else(PoisonError::into_inner);
        report::actual(&self.order, &life, self.created_at)
    }

    /// Its object.
    pub(crate) fn object(&self) -> ObservedObject {
        let life = self.life.lock().unwrap_or_else(PoisonError::into_inner);
        report::object(&self.order, &life, self.shared.now())
    }

    /// Lives until it is told to stop and nothing of it is left.
    pub(crate) async fn run(&self) {
        self.shared.outbox.object(self.object());
        let what = format!("{}, process {}", report::release_name(&self.order), self.order.process);
        self.happened(reasons::START, Outcome::Started, "", what);
        while let Some(next) = self.attempt().await {
            tokio::select! {
                () = sleep_until(next) => {}
                () = self.stop.cancelled() => {
                    self.update(|life, now| life.stopped(now, None));
                    self.happened(reasons::STOP, Outcome::Done, "", "stopped between two starts".to_owned());
                    break;
                }
            }
        }
        self.shared.forget(&self.order.id);
        self.shared.outbox.gone(ObjectKey::instance(&self.order.id));
    }

    /// One start and what follows from it. Answers when to start again; `None` when it was told to stop.
    async fn attempt(&self) -> Option<Instant> {
        let begun = self.shared.now();
        let lease = if self.wants_port() { Some(self.shared.ports.lease()) } else { None };
        let port = lease.as_ref().and_then(|lease| Some(lease.as_ref().ok()?.port()));
        self.update(|life, now| life.start(now, port));
        if let Some(Err(error)) = &lease {
            return Some(self.ended(begun, &Report::CannotStart(format!("cannot start: {error}")), ""));
        }
        let mut process = match Process::spawn(self.launch(port), self.log_keeper()) {
            Ok(process) => process,
            Err(why) => return Some(self.ended(begun, &Report::CannotStart(why), "")),
        };
        let end = tokio::select! {
            end = self.watch(&mut process, begun, port) => end,
            () = self.stop.cancelled() => {
                self.stop(process).await;
                return None;
            }
        };
        let last_line = process.last_words().await;
        let next = match end {
            Some(report) => self.ended(begun, &report, &last_line),
            None => self.ended_somehow(begun, &last_line),
        };
        // Nothing starts while something of the last start is still there.
        process.close().await;
        Some(next)
    }

    /// Follows a running process to its end; `None` when its shim vanished.
    async fn watch(&self, process: &mut Process, begun: Ts, port: Option<u16>) -> Option<Report> {
        loop {
            match process.report().await? {
                Report::Started(pid) => self.update(|life, _| life.pid = Some(pid)),
                end => return Some(end),
            }
            let spec = &self.order.spec.health;
            let checks = async {
                for n in 0.. {
                    let ready = self.life.lock().unwrap_or_else(PoisonError::into_inner).was_ready;
                    sleep(if ready { spec.interval.std() } else { health::eager_delay(spec, n) }).await;
                    let result = health::check(spec, port).await;
                    self.checked(begun, result);
                    if spec.http.is_none() && !spec.tcp {
                        break;
                    }
                }
                std::future::pending().await
            };
            tokio::select! {
                report = process.report() => return report,
                () = checks => {}
            }
        }
    }

    fn checked(&self, begun: Ts, result: Result<(), String>) {
        let spec = &self.order.spec.health;
        let (before, checked, after) = {
            let mut life = self.life.lock().unwrap_or_else(PoisonError::into_inner);
            let before = (life.ready, life.reason, life.message.clone());
            let checked = life.check(self.shared.now(), result, spec);
            (before, checked, (life.ready, life.reason, life.message.clone()))
        };
        if before != after {
            self.shared.outbox.object(self.object());
        }
        match checked {
            Checked::Same => {}
            Checked::Ready => {
                let text = format!("ready after {}", report::took(self.shared.now() - begun));
                self.happened(reasons::START, Outcome::Done, "", text);
            }
            Checked::Recovered(n) => {
                self.happened(
                    reasons::HEALTH_CHECK,
                    Outcome::Done,
                    "",
                    format!("ready again after {n} failed checks"),
                );
            }
            Checked::Failing(n) => {
                let text = format!("{} ({n} checks in a row)", after.2);
                self.happened(reasons::HEALTH_CHECK, Outcome::Failed, reasons::HEALTH_CHECK_FAILING, text);
            }
        }
    }

    fn ended_somehow(&self, begun: Ts, last_line: &str) -> Instant {
        self.end(begun, None, reasons::EXITED, last_line)
    }

    fn ended(&self, begun: Ts, report: &Report, last_line: &str) -> Instant {
        let reason = match report {
            Report::CannotStart(_) => reasons::CANNOT_START,
            _ => reasons::EXITED,
        };
        self.end(begun, Some(report), reason, last_line)
    }

    /// Records an end that nobody asked for and says so. Answers when the next start is due.
    fn end(&self, begun: Ts, report: Option<&Report>, reason: &'static str, last_line: &str) -> Instant {
        let now = self.shared.now();
        let exit = report::exit(report, now).expect("only ends are handed over");
        let sentence = match reason {
            reasons::CANNOT_START => exit.text.clone(),
            _ => report::exit_sentence(&exit.text, now - begun, last_line),
        };
        let (delay, was_ready) = self.update(|life, now| {
            let was_ready = life.was_ready;
            (life.ended(now, exit, reason, sentence.clone()), was_ready)
        });
        let action = if was_ready { reasons::RUN } else { reasons::START };
        self.happened(action, Outcome::Failed, reason, sentence);
        Instant::now() + delay.std()
    }

    /// Ends the process because somebody wants it to end.
    async fn stop(&self, mut process: Process) {
        let (begun, grace) = (self.shared.now(), self.order.spec.stop_grace);
        self.update(|life, now| life.stopping(now));
        let text = format!("TERM sent; KILL follows after {}", report::took(grace));
        self.happened(reasons::STOP, Outcome::Started, "", text);
        let end = process.stop().await;
        process.close().await;
        let now = self.shared.now();
        self.update(|life, now| life.stopped(now, end.as_ref().and_then(|end| report::exit(Some(end), now))));
        let killed = !matches!(end, Some(Report::Exited(_) | Report::CannotStart(_))) && now - begun >= grace;
        let (reason, text) = if killed {
            (reasons::GRACE_EXPIRED, format!("killed after its grace time of {}", report::took(grace)))
        } else {
            ("", format!("stopped after {}", report::took(now - begun)))
        };
        self.happened(reasons::STOP, Outcome::Done, reason, text);
    }

    /// Changes the life and reports it.
    fn update<T>(&self, change: impl FnOnce(&mut Life, Ts) -> T) -> T {
        let out = {
            let mut life = self.life.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut life, self.shared.now())
        };
        self.shared.outbox.object(self.object());
        out
    }

    fn happened(&self, action: &'static str, outcome: Outcome, reason: &'static str, message: String) {
        let starts = self.life.lock().unwrap_or_else(PoisonError::into_inner).starts;
        // The order itself is announced before the first start.
        let attempt = if action == reasons::START { starts.max(1) } else { starts };
        let n = self.n_events.fetch_add(1, Ordering::Relaxed);
        let happened = Happened { action, outcome, reason, message };
        let when = (n, self.shared.now(), attempt);
        let source = &self.shared.config.source;
        self.shared.outbox.event(report::event(source, &self.order, self.created_at, when, happened));
    }

    fn wants_port(&self) -> bool {
        let spec = &self.order.spec;
        spec.port.is_some() || spec.health.tcp || spec.health.http.is_some()
    }

    fn launch(&self, port: Option<u16>) -> Launch {
        let spec = &self.order.spec;
        let written = |argument: &String| {
            port.map_or_else(|| argument.clone(), |port| port::substitute(argument, port))
        };
        Launch {
            instance: self.order.id.clone(),
            vt_binary: self.shared.config.vt_binary.clone(),
            shim_args: self.shared.config.shim_args.clone(),
            workdir: spec
                .workdir
                .as_ref()
                .map_or_else(|| self.tree.clone(), |workdir| self.tree.join(workdir)),
            env: self.environment(port),
            command: spec.command.iter().map(written).collect(),
            grace: spec.stop_grace.max(Span::ZERO),
        }
    }

    /// A clean environment: a few words of the server's own, what the manifest declares, who the instance is.
    fn environment(&self, port: Option<u16>) -> Vec<(OsString, OsString)> {
        let inherited = [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", "/"), ("LANG", "C.UTF-8")];
        let inherited =
            inherited.map(|(name, or)| (name.into(), std::env::var_os(name).unwrap_or_else(|| or.into())));
        let declared = self.order.spec.env.iter().map(|(name, value)| (name.into(), value.into()));
        let own = [
            ("VT_APP", self.order.target.app.clone()),
            ("VT_ENV", self.order.target.env.clone()),
            ("VT_RELEASE", report::release_name(&self.order)),
            ("VT_INSTANCE", self.order.id.to_string()),
        ];
        let own = own.into_iter().map(|(name, value)| (name.into(), value.into()));
        let port = port.map(|port| ("PORT".into(), port.to_string().into()));
        inherited.into_iter().chain(declared).chain(own).chain(port).collect()
    }

    fn log_keeper(&self) -> impl Fn(&'static str, String) -> bool + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        let object = ObjectKey::instance(&self.order.id);
        let (app, env) = (self.order.target.app.clone(), self.order.target.env.clone());
        move |stream, line| {
            shared.outbox.log(NewLogLine {
                at: shared.now(),
                object: object.clone(),
                app: Some(app.clone()),
                env: Some(env.clone()),
                stream: stream.to_owned(),
                line,
            })
        }
    }
}
