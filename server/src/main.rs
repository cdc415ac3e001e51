//! `vt`: the server, and every command that talks to one.
#![recursion_limit = "512"]

use std::{ffi::OsString, path::Path, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::{CommandFactory as _, Parser, Subcommand};
use cli::local::{Failure, Kind, Report};
use server::{
    config::{self, ConfigError, Serve, Settled, data_folder},
    offline, telemetry, wiring,
};
use store::{Incoming, OpenError, StoreUrl};

/// A page is made of thousands of small pieces: a third of its time was the C library's allocator. The second version
/// of mimalloc gives memory back a hundred times as soon as the third.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long what still has the old store open may take to let go of it.
const LET_GO: Duration = Duration::from_secs(10);

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
    Serve(Box<Serve>),
    /// The settings of `vt serve`
    #[command(subcommand)]
    Config(Config),
    /// Moves the store of a data folder to PostgreSQL, while no server serves it
    Migrate {
        /// The empty database: postgres://user@host/database
        #[arg(long, value_name = "URL", env = "VT_MIGRATE_TO", hide_env_values = true)]
        to: String,
    },
    #[command(flatten)]
    Client(Box<cli::Command>),
}

#[derive(Debug, Subcommand)]
enum Config {
    /// Shows every setting that is in force, and where it comes from
    Show(Box<Serve>),
}

fn main() -> ExitCode {
    // Workloads and their parents start hundreds of times: they see neither clap nor a runtime.
    let mut args = std::env::args_os().skip(1);
    match args.next().as_deref().and_then(|first| first.to_str()) {
        Some("shim") => return local::shim_main(args),
        Some("demo-app") => return local::demo_app_main(args),
        _ => {}
    }
    let line: Vec<OsString> = std::env::args_os().collect();
    let vt: Vt = match cli::parse(line.clone()) {
        Ok(vt) => vt,
        Err(code) => return code,
    };
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(perform(vt, &line)),
        #[expect(clippy::print_stderr, reason = "nothing else runs yet")]
        Err(error) => {
            eprintln!("error: cannot start the runtime: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn perform(vt: Vt, line: &[OsString]) -> ExitCode {
    let Vt { global, command } = vt;
    let data = data_folder(global.data.as_deref());
    match command {
        Command::Serve(_) => {
            cli::local::run(&global, async |_| serve(settled(&["serve"], line)?).await).await
        }
        Command::Config(Config::Show(_)) => {
            cli::local::run(&global, async |_| settled(&["config", "show"], line).map(shown)).await
        }
        Command::Migrate { to } => {
            cli::local::run(&global, async |terminal| {
                offline::migrate(&data, &to, &mut |line| terminal.progress(line)).await
            })
            .await
        }
        Command::Client(command) => match *command {
            cli::Command::Completions { shell } => match cli::print_completions(shell, Vt::command()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            },
            cli::Command::Man { folder } => cli::local::run(&global, async |_| man(&folder)).await,
            // A server that has the store open does it itself.
            cli::Command::Restore { file, yes }
                if global.server == cli::args::DEFAULT_SERVER
                    && !StoreUrl::Sqlite(data.join("vantage.db")).is_served() =>
            {
                cli::local::run(&global, async |terminal| {
                    let what = format!("This replaces what is recorded in {}", data.display());
                    cli::local::confirm(terminal, yes, &what, "restore")?;
                    offline::restore(&data, &file, &mut |line| terminal.progress(line)).await
                })
                .await
            }
            command => cli::run(global, command).await,
        },
    }
}

fn settled(path: &[&str], line: &[OsString]) -> Result<Settled, Failure> {
    config::settle(&Vt::command(), path, line).map_err(|error| {
        let hint = match &error {
            ConfigError::File(_) => {
                "`vt serve --help` lists the settings; in the file, their names have underscores"
            }
            ConfigError::Line(_) => "`vt serve --help` lists the settings",
        };
        let message = control::chain(&error);
        Failure { kind: Kind::Usage, code: "settings", message, hint: Some(hint.to_owned()) }
    })
}

fn shown(settled: Settled) -> Report {
    let row = |setting: &config::Setting| {
        let source = setting.place.clone().unwrap_or_else(|| "default".to_owned());
        vec![setting.name.clone(), setting.value.clone().unwrap_or_else(|| "-".to_owned()), source]
    };
    Report {
        columns: &["SETTING", "VALUE", "FROM"],
        rows: settled.settings.iter().map(row).collect(),
        note: None,
        document: serde_json::json!({ "settings": settled.settings }),
    }
}

fn man(folder: &Path) -> Result<Report, Failure> {
    let n_pages = cli::write_man_pages(folder, Vt::command()).map_err(|error| Failure {
        kind: Kind::Other,
        code: "unwritable_file",
        message: format!("cannot write manual pages into {}: {error}", folder.display()),
        hint: None,
    })?;
    Ok(Report {
        note: Some(format!("{n_pages} manual pages are in {}", folder.display())),
        document: serde_json::json!({ "folder": folder, "n_pages": n_pages }),
        ..Report::default()
    })
}

/// Serves until somebody ends it; begins again where a backup takes the store's place.
async fn serve(settled: Settled) -> Result<Report, Failure> {
    let Settled { mut serve, data, .. } = settled;
    run(&mut serve, &data).await.map_err(|error| match error.downcast_ref::<OpenError>() {
        Some(open) => offline::failure(open),
        None => Failure { kind: Kind::Other, code: "serve", message: format!("{error:#}"), hint: None },
    })?;
    Ok(Report { document: serde_json::json!({ "ended": true }), ..Report::default() })
}

async fn run(serve: &mut Serve, data: &Path) -> anyhow::Result<()> {
    telemetry::start(serve).context("cannot start the log")?;
    let vt = std::env::current_exe().context("cannot find our own executable")?;
    let url = serve.store(data);
    let mut restored = false;
    loop {
        let server = match wiring::start(serve, data, &vt).await {
            Ok(server) => server,
            Err(error) if restored => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "the restored store does not work; the old one is back"
                );
                Incoming::undo(&url).context("cannot put the old store back")?;
                restored = false;
                continue;
            }
            Err(error) => return Err(error),
        };
        announce(&server);
        // Where any free port was asked for, the same one again.
        serve.listen = server.address;
        let incoming = tokio::select! {
            ended = ended() => { ended.context("cannot listen for signals")?; None }
            incoming = server.restore_asked() => Some(incoming),
        };
        tracing::info!("ending: open requests first, then every workload");
        server.stop().await;
        let Some(incoming) = incoming else { return Ok(()) };
        match take_in(incoming, &url).await {
            Ok(()) => restored = true,
            Err(error) => {
                tracing::error!(error = %control::chain(&error), "the backup was not taken in; the old store stays")
            }
        }
    }
}

/// Swaps the store, as soon as the last request has let go of the old one.
async fn take_in(incoming: Incoming, url: &StoreUrl) -> Result<(), OpenError> {
    let begun = std::time::Instant::now();
    while url.is_served() && begun.elapsed() < LET_GO {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let restored = incoming.replace(url).await?;
    tracing::info!(store.head = restored.head.0, "a backup took the store's place");
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
