//! One file a family of commands. A command resolves what is meant, asks, and prints.

mod apply;
mod artefact;
mod backup;
mod change;
mod describe;
mod events;
mod follow;
mod instances;
mod logs;
mod receipts;
mod releases;
mod running;
mod status;
mod token;
mod wait;

use std::fmt::Write as _;

use clap::CommandFactory as _;
use model::{ObjectKind, Verb, plan::Ask};

use crate::{
    args::{Cli, Command, Global, Listing},
    client::Client,
    error::{Error, Exit},
    output::{Terminal, text::shell_word},
    scope,
};

/// How a command ends.
type Outcome = Result<Exit, Error>;

/// What every command works with.
struct Context<'a> {
    terminal: &'a mut Terminal,
    global: &'a Global,
    client: Client,
}

impl Context<'_> {
    /// Flags that a printed command needs to reach the same server.
    fn flags(&self) -> String {
        let is_from_environment = |name: &str, value: &str| std::env::var(name).is_ok_and(|set| set == value);
        let Global { server, data, .. } = self.global;
        let mut flags = String::new();
        if server != crate::args::DEFAULT_SERVER && !is_from_environment("VT_SERVER", server) {
            flags.push_str(&format!(" --server {}", shell_word(server)));
        }
        if let Some(data) = data.as_ref().and_then(|data| data.to_str())
            && !is_from_environment("VT_DATA", data)
        {
            flags.push_str(&format!(" --data {}", shell_word(data)));
        }
        flags
    }
}

/// Runs one command.
pub(crate) async fn run(terminal: &mut Terminal, global: &Global, command: Command) -> Outcome {
    if let Command::Completions { shell } = command {
        crate::print_completions(shell, Cli::command())?;
        return Ok(Exit::Done);
    }
    if let Command::Man { folder } = &command {
        let failed = |source| Error::WriteFile { path: folder.clone(), source };
        crate::write_man_pages(folder, Cli::command()).map_err(failed)?;
        return Ok(Exit::Done);
    }
    scope::refuse_unknown_scopes(global)?;
    let mut context = Context { terminal, global, client: Client::new(global)? };
    let context = &mut context;
    match command {
        Command::Apply(args) => apply::run(context, args).await,
        Command::Deploy { release, change } => {
            let (env, release) = scope::release(&context.client, global, &release).await?;
            let ask = Ask { release: Some(release), ..Ask::default() };
            change::run(context, &env.target, Verb::Deploy, ask, &change).await
        }
        Command::Rollback { to: Some(release), change } => {
            let (env, release) = scope::release(&context.client, global, &release).await?;
            let ask = Ask { release: Some(release), ..Ask::default() };
            change::run(context, &env.target, Verb::Rollback, ask, &change).await
        }
        Command::Rollback { to: None, change } => {
            change::here(context, Verb::Rollback, Ask::default(), &change).await
        }
        Command::Scale { to: (process, instances), change } => {
            let ask = Ask { process, instances: Some(instances), ..Ask::default() };
            change::here(context, Verb::Scale, ask, &change).await
        }
        Command::Restart(change) => change::here(context, Verb::Restart, Ask::default(), &change).await,
        Command::Stop(change) => change::here(context, Verb::Stop, Ask::default(), &change).await,
        Command::Delete(change) => change::here(context, Verb::Delete, Ask::default(), &change).await,
        Command::Status(all) => status::run(context, &all).await,
        Command::Events(events) => events::run(context, events).await,
        Command::Describe { kind, id } => describe::run(context, &kind, &id).await,
        Command::Logs(logs) => logs::run(context, logs).await,
        Command::Wait { kind, id, timeout } => wait::run(context, &kind, &id, timeout).await,
        Command::Releases(Listing::List) => releases::list(context).await,
        Command::Releases(Listing::Describe { id }) => {
            describe::run(context, &ObjectKind::release(), &id).await
        }
        Command::Instances(Listing::List) => instances::list(context).await,
        Command::Instances(Listing::Describe { id }) => {
            describe::run(context, &ObjectKind::instance(), &id).await
        }
        Command::Endpoints(listing) => describe::listing(context, "endpoint", listing).await,
        Command::Volumes(listing) => describe::listing(context, "volume", listing).await,
        Command::Snapshots(listing) => describe::listing(context, "snapshot", listing).await,
        Command::Receipts(listing) => receipts::run(context, listing).await,
        Command::Waits(waits) => wait::list(context, &waits).await,
        Command::Token(token) => token::run(context, token).await,
        Command::Backup { file } => backup::save(context, &file).await,
        Command::Restore { file, yes } => backup::restore(context, &file, yes).await,
        Command::Completions { .. } | Command::Man { .. } => unreachable!("answered above"),
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}
