//! Everything a newcomer or CI runs, as `cargo xtask <task>`; one file a task.
//!
//! Tasks call cargo, npm and the database as child processes and never change tracked files.

mod bench;
mod build;
mod cmd;
mod ensure;
mod palette;
mod postgres;
mod serve;
mod serving;
mod site;
mod test;
mod tidy;
mod torture;
mod wasm;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, runs and checks Vantage.
#[derive(Parser)]
#[command(name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds everything for development and runs `vt serve --demo`; arguments after `--` go to `vt serve`
    Serve {
        /// Passed to `vt serve`
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Builds the release `vt` with the console inside it
    Build,
    /// Builds the browser half
    Wasm {
        /// Small and fast instead of checked and readable
        #[arg(long)]
        release: bool,
        /// Where the site goes; `target/site` if not given
        #[arg(long)]
        site_dir: Option<PathBuf>,
    },
    /// Hurts a real server and checks that it keeps its promises; without a name: kills it again and again
    Torture(torture::Torture),
    /// Measures the release build against yardsticks of the same run; without a name: lists what can be measured
    Bench(bench::Bench),
    /// Runs what CI runs, or one stage of it
    Test {
        /// Run this stage alone: tidy, fmt, clippy, wasm-lint, doc, native, torture, e2e
        #[arg(long)]
        only: Option<String>,
    },
    /// Formatting, lints and tests of the crates without a browser or a web server
    Quick,
    /// Checks the rules of the tree that no compiler checks
    Tidy,
}

fn main() -> ExitCode {
    match perform(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cmd::say(format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Serve { args } => serve::run(&args),
        Task::Build => build::run(),
        Task::Wasm { release, site_dir } => {
            let flavour = if release { wasm::Flavour::Release } else { wasm::Flavour::Dev };
            wasm::run(flavour, &site_dir.unwrap_or_else(site::default_dir)).map(drop)
        }
        Task::Test { only } => test::run(only.as_deref()),
        Task::Quick => test::quick(),
        Task::Tidy => tidy::run(),
        Task::Bench(which) => bench::run(which),
        Task::Torture(which) => torture::run(which),
    }
}
