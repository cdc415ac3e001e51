//! Commands that the binary adds and that ask no server. They end and print as every other command does.

use std::process::ExitCode;

use serde_json::Value;

use crate::{
    Global,
    error::{Error, Exit},
    output::{Table, Terminal, plain},
};

/// How a command of the binary failed, by what its user can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Anything else.
    Other,
    /// It was asked for wrongly.
    Usage,
    /// What it needs does not exist.
    NotFound,
    /// Something else stands in its way.
    Conflict,
    /// It may work later.
    Transient,
}

/// Why a command of the binary did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What can be done about it.
    pub kind: Kind,
    /// For programs.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// What a command of the binary answers.
#[derive(Debug, Default)]
pub struct Report {
    /// Column headers for people.
    pub columns: &'static [&'static str],
    /// Rows for people.
    pub rows: Vec<Vec<String>>,
    /// What happened, in a sentence for people; not part of the result.
    pub note: Option<String>,
    /// The same for programs.
    pub document: Value,
}

impl Kind {
    pub(crate) const fn exit(self) -> Exit {
        match self {
            Self::Other => Exit::Other,
            Self::Usage => Exit::Usage,
            Self::NotFound => Exit::NotFound,
            Self::Conflict => Exit::Conflict,
            Self::Transient => Exit::Transient,
        }
    }
}

/// Runs such a command on the standard streams of this process.
pub async fn run(
    global: &Global,
    work: impl AsyncFnOnce(&mut Terminal) -> Result<Report, Failure>,
) -> ExitCode {
    let mut terminal = Terminal::of_process(global.json, global.no_color);
    let exit = match work(&mut terminal).await {
        Ok(report) => match print(&mut terminal, report) {
            Ok(()) => Exit::Done,
            Err(error) => terminal.fail(&error),
        },
        Err(failure) => terminal.fail(&Error::Local(Box::new(failure))),
    };
    // Nobody can be told that the last bytes did not arrive.
    let _ = terminal.flush();
    ExitCode::from(exit.code())
}

/// Asks for a word before something is replaced.
///
/// # Errors
/// Where another word was typed, or nobody can type.
pub fn confirm(terminal: &mut Terminal, yes: bool, what: &str, word: &str) -> Result<(), Failure> {
    let refused = |message: String, hint: Option<&str>| Failure {
        kind: Kind::Usage,
        code: "not_confirmed",
        message,
        hint: hint.map(str::to_owned),
    };
    if yes {
        return Ok(());
    }
    match terminal.ask(&format!("{what}. Type {word} to confirm:")) {
        Some(answer) if answer == word => Ok(()),
        Some(_) => Err(refused("not confirmed, nothing was changed".to_owned(), None)),
        None => {
            let message = format!(
                "{what}: this has to be confirmed, and nobody can be asked here; nothing was changed"
            );
            Err(refused(message, Some("--yes confirms it")))
        }
    }
}

fn print(terminal: &mut Terminal, report: Report) -> Result<(), Error> {
    let Report { columns, rows, note, document } = report;
    if terminal.json() {
        return terminal.document(&document);
    }
    if !columns.is_empty() {
        let mut table = Table::new(columns);
        rows.into_iter().for_each(|row| table.row(row.into_iter().map(plain)));
        terminal.table(&table, "nothing")?;
    }
    if let Some(note) = note {
        terminal.note(&note);
    }
    Ok(())
}
