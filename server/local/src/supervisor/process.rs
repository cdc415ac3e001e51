//! One process of one instance, seen from the server: its shim, its socket, its output.
//!
//! Dropping it closes the socket, which ends the process. Nothing here decides anything.

use std::{
    ffi::OsString,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use model::{InstanceId, Span};
use rustix::process::Signal;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::unix::{OwnedReadHalf, OwnedWriteHalf},
    process::{Child, Command},
    task::JoinHandle,
    time::timeout,
};

use crate::{logs, shim};

/// How long the last lines of a process that ended may take to arrive.
const LAST_LINES: Duration = Duration::from_millis(200);
/// What a shim may need beyond the grace time of its workload.
const MARGIN: Duration = Duration::from_secs(5);

/// How to start a process.
pub(crate) struct Launch {
    pub(crate) instance: InstanceId,
    pub(crate) vt_binary: PathBuf,
    pub(crate) shim_args: Vec<OsString>,
    pub(crate) workdir: PathBuf,
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) command: Vec<String>,
    pub(crate) grace: Span,
}

/// A process under its shim.
pub(crate) struct Process {
    instance: InstanceId,
    grace: Duration,
    shim: Child,
    reports: Lines<BufReader<OwnedReadHalf>>,
    control: OwnedWriteHalf,
    pump: JoinHandle<()>,
    tail: Arc<Mutex<String>>,
}

impl Process {
    /// Starts the shim; whether the program itself starts is the first report. The error is a sentence.
    pub(crate) fn spawn(
        launch: Launch,
        keep: impl Fn(&'static str, String) -> bool + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let Launch { instance, vt_binary, shim_args, workdir, env, command, grace } = launch;
        if !workdir.is_dir() {
            return Err(format!("cannot start: the working directory {} does not exist", workdir.display()));
        }
        let words = |error: std::io::Error| format!("cannot start its shim: {error}");
        let (ours, theirs) = UnixStream::pair().map_err(words)?;
        ours.set_nonblocking(true).map_err(words)?;
        let mut shim = Command::new(vt_binary)
            .args(shim_args)
            .arg("--grace-ms")
            .arg(grace.as_millis().max(0).to_string())
            .arg("--")
            .args(command)
            .env_clear()
            .envs(env)
            .current_dir(workdir)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(words)?;
        let (reports, control) = tokio::net::UnixStream::from_std(ours).map_err(words)?.into_split();
        let (out, err) = (shim.stdout.take(), shim.stderr.take());
        let (out, err) = (out.expect("stdout is piped"), err.expect("stderr is piped"));
        let tail = Arc::<Mutex<String>>::default();
        let pump = tokio::spawn({
            let tail = Arc::clone(&tail);
            async move { logs::pump(out, err, &tail, keep).await }
        });
        let reports = BufReader::new(reports).lines();
        Ok(Self { instance, grace: grace.std(), shim, reports, control, pump, tail })
    }

    /// The next report; `None` once the shim is gone. Safe to drop and ask again.
    pub(crate) async fn report(&mut self) -> Option<shim::Report> {
        loop {
            let line = self.reports.next_line().await.ok()??;
            if let Some(report) = shim::Report::parse(&line) {
                return Some(report);
            }
        }
    }

    /// Asks for TERM, the grace time, and KILL, and waits until the shim is gone or overdue. Answers how the first
    /// process ended, where that was heard.
    pub(crate) async fn stop(&mut self) -> Option<shim::Report> {
        // A shim that is gone is noticed right below.
        let _ = self.control.write_all(shim::STOP).await;
        let mut last = None;
        let until_gone = async {
            while let Some(report) = self.reports.next_line().await.ok().flatten() {
                last = shim::Report::parse(&report).or(last.take());
            }
        };
        let _ = timeout(self.grace + MARGIN, until_gone).await;
        last
    }

    /// The newest line of standard error, once the output has ended or shortly after.
    pub(crate) async fn last_words(&mut self) -> String {
        let _ = timeout(LAST_LINES, &mut self.pump).await;
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until nothing of it is left; kills what a lost or overdue shim left behind.
    pub(crate) async fn close(mut self) {
        drop(self.control);
        let gone = timeout(self.grace + MARGIN, self.shim.wait()).await;
        if !matches!(gone, Ok(Ok(status)) if status.success()) {
            let _ = self.shim.start_kill();
            let instance = self.instance;
            let _ = tokio::task::spawn_blocking(move || sweep(&instance)).await;
            let _ = timeout(MARGIN, self.shim.wait()).await;
        }
        if !self.pump.is_finished() && timeout(LAST_LINES, &mut self.pump).await.is_err() {
            self.pump.abort();
        }
    }
}

/// Kills whatever carries this instance's mark in its environment, until nothing does.
fn sweep(instance: &InstanceId) {
    for _ in 0..100 {
        let left = shim::all_of_instance(instance);
        if left.is_empty() {
            return;
        }
        shim::kill_all(&left, Signal::KILL);
        std::thread::sleep(Duration::from_millis(10));
    }
    tracing::error!(instance.id = %instance, "processes of an instance cannot be killed");
}
