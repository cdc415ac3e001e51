//! One `vt serve`, from its start to its death.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::client::Client;
use crate::cmd;

/// For the line that says where it listens.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two questions whether it is ready.
const STEP: Duration = Duration::from_millis(5);

/// A server that this task started. It is killed with this value.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
    begun: Instant,
    origin: String,
    data: PathBuf,
}

impl Server {
    /// Starts `vt serve` over a data folder and waits for its address.
    pub(crate) fn start(vt: &Path, data: &Path, flags: &[&str]) -> Result<Self> {
        let begun = Instant::now();
        let mut server = Self::spawn(vt, data, flags)?;
        let stdout = server.child.stdout.take().expect("standard output is piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            // Read to the end, so that the server never writes into a closed pipe.
            BufReader::new(stdout).lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        while let Ok(line) = lines.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
            if let Some(origin) = line.strip_prefix("listening on ") {
                server.origin = origin.trim().to_owned();
                return Ok(server);
            }
        }
        bail!("the server did not say where it listens; its log ends with: {}", server.last_words());
    }

    /// Starts it and does not wait: for those who kill it before it is ready.
    pub(crate) fn spawn(vt: &Path, data: &Path, flags: &[&str]) -> Result<Self> {
        let log = data.with_extension("log");
        let stderr = File::options().create(true).append(true).open(&log).context("cannot open the log")?;
        let mut command = Command::new(vt);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("VT_")) {
            command.env_remove(name);
        }
        let child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .with_context(|| format!("could not start {}", vt.display()))?;
        Ok(Self { child, log, begun: Instant::now(), origin: String::new(), data: data.to_owned() })
    }

    /// Waits until it is ready; answers how long that took from its start.
    pub(crate) fn ready(&self, bound: Duration) -> Result<Duration> {
        let client = Client::new(&self.origin, "");
        loop {
            let last = match client.get("/readyz") {
                Ok(answer) if answer.status == 200 => return Ok(self.begun.elapsed()),
                Ok(answer) => answer.body.to_string(),
                Err(error) => format!("{error:#}"),
            };
            if self.begun.elapsed() > bound {
                bail!(
                    "not ready within {} ms: {last}; its log ends with: {}",
                    bound.as_millis(),
                    self.last_words()
                );
            }
            std::thread::sleep(STEP);
        }
    }

    /// A client with the administrator's token.
    pub(crate) fn client(&self) -> Result<Client> {
        let path = self.data.join("admin.token");
        let token = std::fs::read_to_string(&path).with_context(|| format!("no {}", path.display()))?;
        Ok(Client::new(&self.origin, token.trim()))
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and nothing before it.
    pub(crate) fn kill(mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the server ended by itself with {status}; its log ends with: {}", self.last_words());
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// TERM, and the wait for its end; answers how long that took.
    pub(crate) fn stop(mut self, bound: Duration) -> Result<Duration> {
        let begun = Instant::now();
        cmd::output(Command::new("kill").args(["-TERM", &self.child.id().to_string()]))?;
        while begun.elapsed() < bound {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(begun.elapsed()),
                Some(status) => bail!("the server ended with {status}: {}", self.last_words()),
                None => std::thread::sleep(STEP),
            }
        }
        bail!("the server did not end within {} s of TERM", bound.as_secs())
    }

    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Killing what has ended already is an error that says nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
