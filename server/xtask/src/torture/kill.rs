//! `kill -9` during a deploy loop, again and again, over one data folder.
//!
//! After each kill, before any restart: no process of a workload is left after its grace time, and a copy of the
//! store is whole and holds everything that was acknowledged. After each restart: it was quick, everything that was
//! acknowledged is answered, what got no answer is taken or refused under its old key, and the app converges.

mod deploy;
mod ledger;
mod store;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use self::ledger::Ledger;
use super::{Common, marked::Mark};
use crate::{
    cmd,
    serving::{client::Client, percentile, server::Server},
};

/// From its start until it is ready.
const RESTART: Duration = Duration::from_secs(2);
/// The grace time of the app's processes, and what their shims may need beyond it.
const ORPHANS: Duration = Duration::from_millis(500 + 2000);
/// For real processes to be as desired again, on a busy machine.
const CONVERGE: Duration = Duration::from_secs(30);
/// One round in so many also kills the server before it is ready.
const EARLY: u64 = 4;

/// Kills the server again and again during a deploy loop.
#[derive(Args)]
pub(crate) struct Kill {
    /// How often the server is killed
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) rounds: u32,
    #[command(flatten)]
    pub(super) common: Common,
}

/// What the rounds measured, in milliseconds.
#[derive(Default)]
struct Measured {
    restart: Vec<u128>,
    converge: Vec<u128>,
    orphans: Vec<u128>,
    early: u32,
    repeated: u32,
}

pub(super) fn run(kill: &Kill) -> Result<()> {
    let vt = kill.common.vt()?;
    let folder = tempfile::Builder::new().prefix("vantage-torture-").tempdir_in(cmd::target_dir())?;
    let mut run = Run {
        vt,
        data: folder.path().join("data"),
        mark: Mark::new(),
        ledger: Arc::default(),
        dice: kill.common.dice(),
        measured: Measured::default(),
    };
    let begun = Instant::now();
    for round in 1..=kill.rounds {
        run.round(round).with_context(|| format!("round {round} of {}", kill.rounds))?;
        if round % 10 == 0 {
            let restart = run.measured.restart.iter().rev().take(10).copied().collect::<Vec<_>>();
            cmd::say(format!(
                "{round} rounds after {} s; the last restarts took up to {} ms",
                begun.elapsed().as_secs(),
                percentile(&restart, 100)
            ));
        }
    }
    // Everything that was ever acknowledged, once more, from a server that starts for the last time.
    let (server, client) = run.start()?;
    run.ledger.check_all(&client)?;
    server.stop(Duration::from_secs(15))?;
    run.mark.gone(ORPHANS)?;
    run.report(kill.rounds, begun.elapsed());
    Ok(())
}

struct Run {
    vt: PathBuf,
    data: PathBuf,
    mark: Mark,
    ledger: Arc<Ledger>,
    dice: fastrand::Rng,
    measured: Measured,
}

impl Run {
    fn round(&mut self, round: u32) -> Result<()> {
        if round > 1 && self.dice.u64(..EARLY) == 0 {
            self.die_early()?;
        }
        let (server, client) = self.start()?;
        self.ledger.check_new(&client)?;
        self.measured.repeated += deploy::settle_lost(&self.ledger, &client)?;
        if round > 1 {
            self.converges(&client)?;
        }
        let settings = self.deploy_settings(round);
        let loops = deploy::start(&client, &self.ledger, &settings);
        thread::sleep(Duration::from_millis(self.dice.u64(100..1500)));
        server.kill()?;
        for thread in loops {
            thread.join().map_err(|_| anyhow::anyhow!("a deploy loop panicked"))??;
        }
        let gone = self.mark.gone(ORPHANS)?;
        self.measured.orphans.push(gone.as_millis());
        store::check(&self.data, &self.ledger)
    }

    fn deploy_settings(&mut self, round: u32) -> deploy::Settings {
        deploy::Settings {
            vt: self.vt.clone(),
            mark: self.mark.value().to_owned(),
            round,
            seed: self.dice.u64(..),
        }
    }

    fn start(&mut self) -> Result<(Server, Client)> {
        let server = Server::start(&self.vt, &self.data, &[])?;
        let ready = server.ready(RESTART)?;
        self.measured.restart.push(ready.as_millis());
        let client = server.client()?;
        Ok((server, client))
    }

    /// Kills a server that may not have opened its store yet.
    fn die_early(&mut self) -> Result<()> {
        let server = Server::spawn(&self.vt, &self.data, &[])?;
        thread::sleep(Duration::from_millis(self.dice.u64(..300)));
        server.kill()?;
        self.mark.gone(ORPHANS)?;
        self.measured.early += 1;
        store::check(&self.data, &self.ledger)
    }

    fn converges(&mut self, client: &Client) -> Result<()> {
        let begun = Instant::now();
        loop {
            let env = client.get(deploy::ENV)?.good()?;
            let judgement = &env["judgement"];
            if judgement["verdict"] == "converged" {
                self.measured.converge.push(begun.elapsed().as_millis());
                return Ok(());
            }
            if begun.elapsed() > CONVERGE {
                bail!("the app did not converge within {} s: {judgement}", CONVERGE.as_secs());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn report(&self, rounds: u32, took: Duration) {
        let Measured { restart, converge, orphans, early, repeated } = &self.measured;
        let line = |name: &str, values: &[u128]| {
            let (half, most) = (percentile(values, 50), percentile(values, 100));
            cmd::say(format!("{name}: half within {half} ms, all within {most} ms"));
        };
        cmd::say(format!("{rounds} kills and {early} before readiness, in {} s", took.as_secs()));
        cmd::say(format!("acknowledged and still there: {}", self.ledger.summary()));
        cmd::say(format!("writes without an answer, sent again under their keys: {repeated}"));
        line("ready after a restart", restart);
        line("converged after that", converge);
        line("last workload gone after a kill", orphans);
    }
}

/// The store's file in a data folder.
fn database(data: &Path) -> PathBuf {
    data.join("vantage.db")
}
