//! `vt serve` as a process of its own: for what only shows in one, like its death, its disk and its clock.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use crate::{Client, Response, until};

/// For the line that says where it listens.
const PATIENCE: Duration = Duration::from_secs(20);

/// A `vt serve` that a test started. It is killed with this value.
pub struct Process {
    child: Child,
    vt: PathBuf,
    data: PathBuf,
    log: PathBuf,
    /// `http://127.0.0.1:1234`
    pub origin: String,
}

impl Process {
    /// Starts a server over a data folder; `flags` follow `vt serve`, `variables` are its own.
    ///
    /// # Panics
    /// When it does not say where it listens.
    #[must_use]
    pub fn start(vt: &str, data: &Path, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::try_start(vt, data, flags, variables)
            .unwrap_or_else(|said| panic!("the server did not start: {said}"))
    }

    /// The same for servers that may refuse to start.
    ///
    /// # Errors
    /// What it said on standard error.
    ///
    /// # Panics
    /// When there is no such program.
    pub fn try_start(
        vt: &str,
        data: &Path,
        flags: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Self, String> {
        // Beside the folder: what happens to its disk does not happen to the log.
        let log = std::env::temp_dir()
            .join(format!("vantage-test-{:016x}.log", getrandom::u64().expect("random bits")));
        let mut child = clean(vt)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(flags)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("a log can be made"))
            .spawn()
            .expect("vt can be started");
        let stdout = child.stdout.take().expect("standard output is piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            // Read to the end, so that the server never writes into a closed pipe.
            BufReader::new(stdout).lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        let mut process = Self { child, vt: vt.into(), data: data.to_owned(), log, origin: String::new() };
        let begun = Instant::now();
        while let Ok(line) = lines.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
            if let Some(origin) = line.strip_prefix("listening on ") {
                process.origin = origin.trim().to_owned();
                return Ok(process);
            }
        }
        Err(process.said())
    }

    /// Waits until it can be used.
    ///
    /// # Panics
    /// When that takes more than ten seconds.
    pub async fn ready(&self) -> &Self {
        let nobody = self.anonymous();
        until("readiness", Duration::from_secs(10), || async {
            let answer: Response = nobody.get("/readyz").await;
            if answer.status == 200 { Ok(()) } else { Err(answer.text().to_owned()) }
        })
        .await;
        self
    }

    /// Nobody.
    #[must_use]
    pub fn anonymous(&self) -> Client {
        Client::new(self.origin.clone())
    }

    /// Whoever may read the data folder.
    ///
    /// # Panics
    /// When there is no token in it.
    #[must_use]
    pub fn admin(&self) -> Client {
        let token = std::fs::read_to_string(self.data.join("admin.token")).expect("the server made a token");
        self.anonymous().with_token(token.trim())
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    #[must_use]
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// A client command of `vt` against this server.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn vt(&self, arguments: &[&str]) -> Output {
        let mut command = clean(&self.vt);
        command.args(arguments).arg("--server").arg(&self.origin).arg("--data").arg(&self.data);
        command.stdin(Stdio::null()).output().expect("vt can be started")
    }

    /// TERM, and its end; answers how long that took and whether it ended well.
    ///
    /// # Panics
    /// When it does not end within twenty seconds.
    pub fn stop(mut self) -> (Duration, bool) {
        let begun = Instant::now();
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(told.is_ok_and(|status| status.success()), "the server has ended already: {}", self.said());
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return (begun.elapsed(), status.success());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server did not end within {PATIENCE:?} of TERM: {}", self.said());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Killing what has ended already is an error that says nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.log);
    }
}

/// `vt` without the variables of whoever runs the tests.
fn clean(vt: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(vt);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("VT_")) {
        command.env_remove(name);
    }
    command
}

/// A command of `vt` that talks to no server.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn run_vt(vt: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = clean(vt);
    command.args(arguments).envs(variables.iter().copied());
    command.stdin(Stdio::null()).output().expect("vt can be started")
}
