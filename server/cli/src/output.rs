//! What is printed, and where: results to standard output, notes and errors to standard error.
//!
//! Everything that passes here is made visible first ([`text`]), so no command can forget it.

mod event;
mod json;
mod object;
mod plan;
mod receipt;
mod table;
pub(crate) mod text;

use std::{
    fmt,
    io::{self, IsTerminal as _, Write},
};

use serde::Serialize;

pub(crate) use self::{
    event::{event_line, event_table, log_line},
    object::{gap_notes, gap_table, judgement_line, object_page, verdict},
    plan::plan_page,
    receipt::{ReceiptDocument, next_of_wait, receipt_lines, wait_line},
    table::Table,
    text::{Part, bad, dim, good, plain, strong, warn},
};
use crate::error::{Error, Exit};

type Done = Result<(), Error>;

/// Two streams and what they can show.
pub struct Terminal {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    out_is_terminal: bool,
    err_is_terminal: bool,
    in_is_terminal: bool,
    color: bool,
    json: bool,
    has_progress: bool,
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { out: _, err: _, out_is_terminal, color, json, .. } = self;
        write!(f, "Terminal {{ out_is_terminal: {out_is_terminal}, color: {color}, json: {json} }}")
    }
}

impl Terminal {
    /// The standard streams of this process.
    #[must_use]
    pub fn of_process(json: bool, no_color: bool) -> Self {
        let no_color = no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let out_is_terminal = io::stdout().is_terminal();
        Self {
            out: Box::new(io::BufWriter::new(io::stdout())),
            err: Box::new(io::stderr()),
            out_is_terminal,
            err_is_terminal: io::stderr().is_terminal() && !is_dumb,
            in_is_terminal: io::stdin().is_terminal(),
            color: out_is_terminal && !no_color && !is_dumb,
            json,
            has_progress: false,
        }
    }

    /// Streams that are no terminals: pipes and tests.
    #[must_use]
    pub fn of_pipes(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>, json: bool) -> Self {
        Self {
            out,
            err,
            out_is_terminal: false,
            err_is_terminal: false,
            in_is_terminal: false,
            color: false,
            json,
            has_progress: false,
        }
    }

    /// Whether programs read this.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Whether a person sees standard output.
    pub(crate) fn is_terminal(&self) -> bool {
        self.out_is_terminal
    }

    /// Whether a progress line would be seen.
    pub(crate) fn shows_progress(&self) -> bool {
        self.err_is_terminal
    }

    /// Prints one line.
    pub(crate) fn line(&mut self, parts: &[Part]) -> Done {
        self.clear_progress();
        let line = text::paint(parts, self.color);
        Ok(writeln!(self.out, "{}", line.trim_end())?)
    }

    /// Prints one line without emphasis.
    pub(crate) fn say(&mut self, line: impl Into<String>) -> Done {
        self.line(&[plain(line)])
    }

    /// Prints a table: aligned on a terminal, tab-separated elsewhere. An empty one prints `nothing`.
    pub(crate) fn table(&mut self, table: &Table, nothing: &str) -> Done {
        if table.is_empty() {
            return if self.out_is_terminal { self.line(&[dim(nothing)]) } else { Ok(()) };
        }
        self.clear_progress();
        for line in table.lines(self.out_is_terminal, self.color) {
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }

    /// Prints cells that are separated by tabs.
    pub(crate) fn tabs(&mut self, cells: &[String]) -> Done {
        let cells: Vec<_> = cells.iter().map(|cell| text::visible(cell)).collect();
        Ok(writeln!(self.out, "{}", cells.join("\t"))?)
    }

    /// Prints the one document of a command, for programs.
    pub(crate) fn document(&mut self, data: &impl Serialize) -> Done {
        self.clear_progress();
        Ok(writeln!(self.out, "{}", json::document(data, self.out_is_terminal))?)
    }

    /// Prints one object of a stream, for programs, at once.
    pub(crate) fn object(&mut self, object: &impl Serialize) -> Done {
        writeln!(self.out, "{}", json::line(object))?;
        self.flush()
    }

    /// Makes sure that what was printed is out.
    pub(crate) fn flush(&mut self) -> Done {
        Ok(self.out.flush()?)
    }

    /// Tells a person something that is not a result. What cannot be said does not stop the work.
    pub(crate) fn note(&mut self, note: &str) {
        let _ = self.out.flush();
        self.clear_progress();
        let _ = writeln!(self.err, "{}", text::visible(note));
    }

    /// Shows how far long work has come, where somebody watches.
    pub fn progress(&mut self, line: &str) {
        if self.err_is_terminal {
            let _ = self.out.flush();
            // A line that wraps could not be taken away again.
            let width = comfy_table::Table::new().use_stderr().width().map_or(80, usize::from);
            let line: String = text::visible(line).chars().take(width.saturating_sub(1)).collect();
            let _ = write!(self.err, "\r\x1b[2K{line}");
            let _ = self.err.flush();
            self.has_progress = true;
        }
    }

    /// Takes the progress line away.
    pub(crate) fn clear_progress(&mut self) {
        if std::mem::take(&mut self.has_progress) {
            let _ = write!(self.err, "\r\x1b[2K");
            let _ = self.err.flush();
        }
    }

    /// Asks for a line; `None` where nobody can answer.
    pub(crate) fn ask(&mut self, question: &str) -> Option<String> {
        if !self.in_is_terminal || !self.err_is_terminal || self.json {
            return None;
        }
        let _ = self.out.flush();
        let _ = write!(self.err, "{} ", text::visible(question));
        let _ = self.err.flush();
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).ok()?;
        Some(answer.trim().to_owned())
    }

    /// Says why a command failed, and returns how it ends.
    pub(crate) fn fail(&mut self, error: &Error) -> Exit {
        self.clear_progress();
        if error.is_closed_pipe() {
            return Exit::Done;
        }
        let report = error.report();
        if self.json {
            let _ = writeln!(self.out, "{}", json::error(&report, self.out_is_terminal));
            return report.exit;
        }
        let _ = self.out.flush();
        let mut lines = vec![format!("error: {}", report.message)];
        if let Some(details) = report.details.as_array() {
            lines.extend(details.iter().filter_map(detail));
        }
        lines.extend(report.hint.map(|hint| format!("hint: {hint}")));
        if let Some(next) = report.details["next"].as_array() {
            lines.extend(next.iter().filter_map(|next| Some(format!("  {}", next["command"].as_str()?))));
        }
        lines.extend(report.trace_id.map(|trace_id| format!("trace_id: {trace_id}")));
        for line in lines {
            let _ = writeln!(self.err, "{}", text::visible(&line));
        }
        report.exit
    }
}

/// `  processes.web: expected a command`.
fn detail(detail: &serde_json::Value) -> Option<String> {
    let text = |key| detail.get(key).and_then(serde_json::Value::as_str);
    Some(format!("  {}: {}", text("field")?, text("message")?))
}
