//! Hurts a real server on purpose and checks that it keeps its promises; one file a torture.
//!
//! Each builds `vt`, serves a data folder of its own on loopback, and ends only processes that it started.

mod kill;
mod marked;
mod soak;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::{cmd, serving};

/// Which torture, and how long.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Torture {
    #[command(flatten)]
    kill: kill::Kill,
    #[command(subcommand)]
    which: Option<Which>,
}

#[derive(Subcommand)]
enum Which {
    /// Kills the server again and again during a deploy loop; what happens without a name as well
    Kill(kill::Kill),
    /// Loads the server for a while and watches its memory and its descriptors
    Soak(soak::Soak),
}

/// What every torture takes.
#[derive(Args, Clone, Default)]
struct Common {
    /// Torture the release build instead of the one with debug assertions
    #[arg(long)]
    release: bool,
    /// Torture this `vt` instead of building one
    #[arg(long, conflicts_with = "release")]
    vt: Option<PathBuf>,
    /// Repeats a run: decides what is drawn at random
    #[arg(long)]
    seed: Option<u64>,
}

pub(crate) fn run(torture: Torture) -> Result<()> {
    match torture.which {
        None => kill::run(&torture.kill),
        Some(Which::Kill(kill)) => kill::run(&kill),
        Some(Which::Soak(soak)) => soak::run(&soak),
    }
}

/// The smallest form, for CI.
pub(crate) fn small() -> Result<()> {
    kill::run(&kill::Kill { rounds: 5, common: Common::default() })
}

impl Common {
    /// Where the server is; builds it where none is named.
    fn vt(&self) -> Result<PathBuf> {
        self.vt.clone().map_or_else(|| serving::vt(self.release), Ok)
    }

    /// Draws; says the seed, so that a run can be repeated.
    fn dice(&self) -> fastrand::Rng {
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
        cmd::say(format!("seed {seed}"));
        fastrand::Rng::with_seed(seed)
    }
}
