//! Events and log lines.

use model::{Event, Outcome, view::LogLine};

use super::{Done, Part, Table, Terminal, bad, dim, good, plain};

/// Events as a table, oldest first.
pub(crate) fn event_table<'a>(events: impl IntoIterator<Item = &'a Event>) -> Table {
    let mut table = Table::new(&["TIME", "OUTCOME", "OBJECT", "ACTION", "REASON", "MESSAGE", "ID"]);
    for event in events {
        let Event { at, object, action, outcome, reason, .. } = event;
        table.row([
            plain(at.to_string()),
            outcome_part(*outcome, &format!("{} {outcome}", outcome.glyph())),
            plain(object.to_string()),
            plain(action),
            plain(reason),
            plain(message(event)),
            dim(event.id().to_string()),
        ]);
    }
    table
}

/// One event of a stream, at once.
pub(crate) fn event_line(terminal: &mut Terminal, event: &Event) -> Done {
    if terminal.is_terminal() {
        let why = [event.reason.clone(), message(event)];
        let why: Vec<String> = why.into_iter().filter(|text| !text.is_empty()).collect();
        terminal.line(&[
            dim(format!("{} ", event.at.clock())),
            outcome_part(
                event.outcome,
                &format!("{} {} {}", event.outcome.glyph(), event.action, event.outcome),
            ),
            plain(format!("  {}  {}  ", event.object, why.join(": "))),
            dim(event.id().to_string()),
        ])?;
    } else {
        let cells = [
            event.at.to_string(),
            event.id().to_string(),
            event.outcome.to_string(),
            event.controller.clone(),
            event.object.to_string(),
            event.action.clone(),
            event.reason.clone(),
            message(event),
        ];
        terminal.tabs(&cells)?;
    }
    terminal.flush()
}

/// One log line, at once.
pub(crate) fn log_line(terminal: &mut Terminal, line: &LogLine) -> Done {
    let LogLine { id: _, at, object, stream, line: text } = line;
    if !terminal.is_terminal() {
        return terminal.tabs(&[at.to_string(), object.id().to_owned(), stream.clone(), text.clone()]);
    }
    let mark = if stream == "stdout" { dim(" | ") } else { bad(format!(" {stream} | ")) };
    terminal.line(&[dim(format!("{} ", at.clock_ms())), plain(object.id()), mark, plain(text)])
}

fn message(event: &Event) -> String {
    match event.attempt {
        Some(attempt) if attempt > 1 => {
            format!("{} (attempt {attempt})", event.message).trim_start().to_owned()
        }
        _ => event.message.clone(),
    }
}

fn outcome_part(outcome: Outcome, text: &str) -> Part {
    match outcome {
        Outcome::Failed => bad(text),
        Outcome::Done => good(text),
        Outcome::Started | Outcome::Info => plain(text),
    }
}
