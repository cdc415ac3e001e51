//! A throw-away PostgreSQL on loopback for one test run.
//!
//! Its data lies in a temporary folder; it is stopped by its own process id, never by name.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{cmd, ensure};

pub(crate) struct Postgres {
    child: Child,
    port: u16,
    // Dropped after the server has ended.
    _data: tempfile::TempDir,
}

impl Postgres {
    /// One for tests: it forgets everything when the machine does.
    pub(crate) fn start() -> Result<Self> {
        Self::start_with(&["-c", "fsync=off", "-c", "max_connections=300"])
    }

    /// One with the settings that PostgreSQL comes with.
    pub(crate) fn start_durable() -> Result<Self> {
        Self::start_with(&[])
    }

    fn start_with(settings: &[&str]) -> Result<Self> {
        let bin = ensure::postgres_bin().context("PostgreSQL is not installed")?;
        let data = tempfile::Builder::new().prefix("vantage-postgres-").tempdir()?;
        let root = ensure::is_root();
        if root {
            cmd::run(Command::new("chown").arg("postgres:").arg(data.path()))?;
        }
        // PostgreSQL refuses to run as root.
        let as_owner = |program: &Path| {
            if root {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
                command
            } else {
                Command::new(program)
            }
        };
        cmd::output(
            as_owner(&bin.join("initdb"))
                .current_dir(data.path())
                .args([
                    "--username=postgres",
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--no-locale",
                    "--no-sync",
                    "--pgdata",
                ])
                .arg(data.path()),
        )?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let child = as_owner(&bin.join("postgres"))
            .current_dir(data.path())
            .arg("-D")
            .arg(data.path())
            .args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", ""])
            .args(settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("could not start PostgreSQL")?;
        let mut postgres = Self { child, port, _data: data };
        postgres.wait_until_ready(&bin)?;
        cmd::say(format!("PostgreSQL listens on 127.0.0.1:{port}"));
        Ok(postgres)
    }

    /// The process that all others of this database belong to.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The value of `VT_TEST_POSTGRES`; tests make databases of their own below it.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn wait_until_ready(&mut self, bin: &Path) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(30);
        let port = self.port.to_string();
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait()? {
                bail!("PostgreSQL ended while starting: {status}");
            }
            let mut ask = Command::new(bin.join("pg_isready"));
            if cmd::succeeds_within(ask.args(["-q", "-h", "127.0.0.1", "-p", &port]), Duration::from_secs(3))
            {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("PostgreSQL did not answer within 30 s")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown; a killed one leaves its shared memory behind.
        let _ = cmd::output(Command::new("kill").args(["-INT", &self.child.id().to_string()]));
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpStream};

    use super::Postgres;

    #[test]
    fn a_database_answers_and_is_gone_afterwards() {
        if crate::ensure::postgres_bin().is_none() {
            return;
        }
        let postgres = Postgres::start().unwrap();
        let address = (Ipv4Addr::LOCALHOST, postgres.port);
        assert!(postgres.url().starts_with("postgres://postgres@127.0.0.1:"));
        assert!(TcpStream::connect(address).is_ok());
        drop(postgres);
        assert!(TcpStream::connect(address).is_err());
    }
}
