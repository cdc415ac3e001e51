//! `vt`, seen from its users: every command that talks to a server.
//!
//! A command reads its arguments, asks the HTTP API, and prints for people or, with `--json`, for programs.
//! The binary adds `serve` and embeds the rest: [`Global`], [`Command`] and [`run`].
//!
//! What it refuses:
//!
//! - to open a store, to decide a verdict, to compute a plan: those are answers of the server;
//! - to print text from outside raw: control and bidirectional characters are made visible, in `--json` too;
//! - to speak TLS: it talks to loopback, or through a tunnel or a local proxy that adds it;
//! - to follow redirects, so that a token never travels to a host that the user did not name;
//! - to hand the token file of this machine's default data folder to a server on another machine;
//! - to destroy data without `--yes` or the name typed on a terminal;
//! - to follow symbolic links, absolute paths or `..` when it packs an artefact;
//! - to wait without a bound: every request has a time-out, every stream an idle time-out.

pub mod args;
mod client;
mod commands;
mod error;
pub mod local;
mod output;
mod scope;

use std::{ffi::OsString, process::ExitCode};

pub use args::{Cli, Command, Global};
pub use output::Terminal;

/// Runs one command against a server, on the standard streams of this process.
pub async fn run(global: Global, command: Command) -> ExitCode {
    let mut terminal = Terminal::of_process(global.json, global.no_color);
    ExitCode::from(run_on(&mut terminal, global, command).await)
}

/// Runs one command on a given terminal and returns its exit code.
pub async fn run_on(terminal: &mut Terminal, global: Global, command: Command) -> u8 {
    let result = Box::pin(commands::run(terminal, &global, command)).await;
    let exit = match result {
        Ok(exit) => exit,
        Err(error) => terminal.fail(&error),
    };
    // Nobody can be told that the last bytes did not arrive.
    let _ = terminal.flush();
    exit.code()
}

/// Reads arguments; what is wrong with them is said as every other error is, with exit code 2.
///
/// # Errors
/// The exit code of the process: 2 for a mistake, 0 where help or the version was asked for.
pub fn parse<P: clap::Parser>(arguments: impl IntoIterator<Item = OsString>) -> Result<P, ExitCode> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    P::try_parse_from(&arguments).map_err(|error| {
        if json && error.use_stderr() {
            let mut terminal = Terminal::of_process(true, true);
            let exit = terminal.fail(&error::Error::of_clap(&error));
            let _ = terminal.flush();
            return ExitCode::from(exit.code());
        }
        // Nobody can be told that standard error is closed.
        let _ = error.print();
        ExitCode::from(if error.use_stderr() { error::Exit::Usage.code() } else { 0 })
    })
}

/// Writes the completion script of `command`, the root of the binary that embeds this crate.
///
/// # Errors
/// Where standard output is closed.
pub fn print_completions(shell: clap_complete::Shell, mut command: clap::Command) -> std::io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "vt", &mut script);
    std::io::Write::write_all(&mut std::io::stdout(), &script)
}

/// Writes a manual page of every command of `command` into a folder, and answers how many.
///
/// # Errors
/// Where the folder cannot be written.
pub fn write_man_pages(folder: &std::path::Path, command: clap::Command) -> std::io::Result<usize> {
    std::fs::create_dir_all(folder)?;
    let mut todo = vec![command];
    let mut n_pages = 0;
    while let Some(mut command) = todo.pop() {
        // Gives subcommands their full names and the flags that they inherit.
        command.build();
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).replace(' ', "-");
        todo.extend(
            command
                .get_subcommands()
                .filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
                .cloned(),
        );
        let mut page = Vec::new();
        clap_mangen::Man::new(command).title(&name).render(&mut page)?;
        std::fs::write(folder.join(format!("{name}.1")), page)?;
        n_pages += 1;
    }
    Ok(n_pages)
}

#[cfg(test)]
mod tests;
