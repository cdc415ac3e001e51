//! `vt`: the server, and every command that talks to one.
#![recursion_limit = "512"]

use std::{ffi::OsString, io::IsTerminal as _, process::ExitCode};

use anyhow::Context as _;
use clap::{CommandFactory as _, Parser, Subcommand};
use server::{
    config::{Serve, data_folder},
    wiring,
};
use tracing_subscriber::EnvFilter;

/// Says what is desired, what is current, why they differ, and acts on it.
#[derive(Debug, Parser)]
#[command(name = "vt", version, propagate_version = true)]
struct Vt {
    #[command(flatten)]
    global: cli::Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the console, the API, the reconcilers and the embedded platform
    Serve(Serve),
    #[command(flatten)]
    Client(Box<cli::Command>),
}

fn main() -> ExitCode {
    // Workloads and their parents start hundreds of times: they see neither clap nor a runtime.
    let mut args = std::env::args_os().skip(1);
    match args.next().as_deref().and_then(|first| first.to_str()) {
        Some("shim") => return local::shim_main(args),
        Some("demo-app") => return local::demo_app_main(args),
        _ => {}
    }
    let all: Vec<OsString> = std::env::args_os().collect();
    let vt: Vt = match cli::parse(all) {
        Ok(vt) => vt,
        Err(code) => return code,
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::new(error).context("cannot start the runtime")),
    };
    match vt.command {
        Command::Serve(serve) => match runtime.block_on(run(&serve, &vt.global)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        },
        Command::Client(command) if matches!(*command, cli::Command::Completions { .. }) => {
            completions(&command)
        }
        Command::Client(command) => runtime.block_on(cli::run(vt.global, *command)),
    }
}

fn completions(command: &cli::Command) -> ExitCode {
    let cli::Command::Completions { shell } = command else { return ExitCode::FAILURE };
    match cli::print_completions(*shell, Vt::command()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Serves until somebody ends it.
async fn run(serve: &Serve, global: &cli::Global) -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_env("VT_LOG").unwrap_or_else(|_| "info".into());
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(colours).with_env_filter(filter).init();
    let data = data_folder(global.data.as_deref());
    let vt = std::env::current_exe().context("cannot find our own executable")?;
    let server = wiring::start(serve, &data, &vt).await?;
    announce(&server);
    ended().await.context("cannot listen for signals")?;
    tracing::info!("ending: open requests first, then every workload");
    server.stop().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "people and scripts wait for these two lines")]
fn announce(server: &wiring::Server) {
    println!("listening on http://{}", server.address);
    println!("sign in once with {}", server.sign_in_link);
}

async fn ended() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "the runtime and its log may not have started")]
fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("vt: {error:#}");
    ExitCode::FAILURE
}
