//! A long steady load: observations, sockets and page loads, while retention deletes what is old. Memory and
//! descriptors of the server have to stay where they are.

mod load;
mod sample;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use self::sample::Samples;
use super::Common;
use crate::{cmd, serving::server::Server};

/// How much memory may grow after warm-up, as a part of itself.
const GROWTH: f64 = 0.05;
/// How many descriptors may be more at the end than after warm-up.
const DESCRIPTORS: f64 = 5.0;
/// The part of a run that is warm-up.
const WARM_UP: u32 = 4;

/// Loads the server for a while and watches its memory and its descriptors.
#[derive(Args)]
pub(crate) struct Soak {
    /// For how long; a quarter of it is warm-up
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    minutes: u32,
    /// Events a second
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    rate: u32,
    /// Sockets that follow the overview and every event
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    sockets: u32,
    /// How long history is kept meanwhile, so that retention has work
    #[arg(long, default_value = "2m")]
    keep: String,
    #[command(flatten)]
    common: Common,
}

/// What the load came to.
#[derive(Default)]
pub(super) struct Counts {
    stored: AtomicU64,
    frames: AtomicU64,
    pages: AtomicU64,
    broken: AtomicU64,
}

/// What every load shares.
#[derive(Clone)]
pub(super) struct Running {
    counts: Arc<Counts>,
    stop: Arc<AtomicBool>,
}

impl Running {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }
}

pub(super) fn run(soak: &Soak) -> Result<()> {
    let vt = soak.common.vt()?;
    let folder = tempfile::Builder::new().prefix("vantage-soak-").tempdir_in(cmd::target_dir())?;
    let server = Server::start(&vt, &folder.path().join("data"), &["--demo", "--keep-history", &soak.keep])?;
    server.ready(Duration::from_secs(10))?;
    let client = server.client()?;
    let running = Running { counts: Arc::default(), stop: Arc::default() };
    let mut loads = vec![load::report(&client, &running, soak.rate)?, load::pages(&client, &running)];
    for _ in 0..soak.sockets {
        loads.push(load::follow(&client, &running)?);
    }
    let begun = Instant::now();
    let whole = Duration::from_secs(u64::from(soak.minutes) * 60);
    let mut samples = Samples::of(server.id());
    while begun.elapsed() < whole {
        thread::sleep(Duration::from_secs(1));
        samples.take(begun.elapsed())?;
        if loads.iter().any(thread::JoinHandle::is_finished) {
            break;
        }
    }
    running.stop.store(true, Ordering::Relaxed);
    for load in loads {
        load.join().map_err(|_| anyhow::anyhow!("a load panicked"))??;
    }
    let stopped = server.stop(Duration::from_secs(20))?;
    judge(&samples, &running.counts, whole, soak, stopped)
}

fn judge(samples: &Samples, counts: &Counts, whole: Duration, soak: &Soak, stopped: Duration) -> Result<()> {
    let warm = whole / WARM_UP;
    let memory = samples.memory(warm).context("too few samples of memory")?;
    let descriptors = samples.descriptors(warm).context("too few samples of descriptors")?;
    let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
    let stored = u32::try_from(count(&counts.stored)).context("fewer events than that")?;
    let rate = f64::from(stored) / whole.as_secs_f64();
    cmd::say(format!(
        "{} min: {} events stored ({rate:.0}/s), {} frames to {} sockets, {} pages, {} sockets opened again",
        soak.minutes,
        count(&counts.stored),
        count(&counts.frames),
        soak.sockets,
        count(&counts.pages),
        count(&counts.broken),
    ));
    cmd::say(format!(
        "memory after warm-up: {:.1} MB on average, {:+.1} % over the rest of the run (slope), most {:.1} MB",
        memory.mean / 1024.0,
        memory.growth / memory.mean * 100.0,
        memory.most / 1024.0
    ));
    cmd::say(format!(
        "descriptors after warm-up: {:.0} on average, {:+.1} over the rest of the run (slope), most {:.0}; ended {} ms after TERM",
        descriptors.mean,
        descriptors.growth,
        descriptors.most,
        stopped.as_millis()
    ));
    if rate < f64::from(soak.rate) * 0.9 {
        bail!("only {rate:.0} of {} events a second were stored", soak.rate);
    }
    let broken = count(&counts.broken);
    if broken > 0 {
        bail!("{broken} sockets broke; a page that keeps up is never cut off");
    }
    if memory.growth / memory.mean > GROWTH {
        bail!("memory grows: {:.1} % over the run", memory.growth / memory.mean * 100.0);
    }
    if descriptors.growth > DESCRIPTORS {
        bail!("descriptors grow: {:.1} over the run", descriptors.growth);
    }
    Ok(())
}
