//! Reads `vantage.yaml`: one app in one env, as its author wrote it.
//!
//! A file is taken whole or refused whole. It is refused where it does not parse, names something unknown, asks
//! for the impossible, or wants what this build cannot do; every refusal says where, as `line:column`. Nothing
//! here touches the disk: whether the files under `artefact` exist is the client's business.

mod check;
mod raw;
mod schema;

use model::{AppSpec, error::Detail};
use serde_saphyr::{Budget, Error, Options};

pub use schema::json_schema;

/// The largest file that is read.
pub const MAX_BYTES: usize = 256 * 1024;

/// Reads an app file.
///
/// # Errors
/// What is wrong and where; the first mistake of form, or all mistakes of content.
pub fn parse(text: &str) -> Result<AppSpec, Vec<Detail>> {
    if text.len() > MAX_BYTES {
        return Err(vec![detail(1, 1, format!("the file is larger than {} KiB", MAX_BYTES / 1024))]);
    }
    let raw: raw::App =
        serde_saphyr::from_str_with_options(text, options()).map_err(|error| vec![of_form(&error)])?;
    check::app(raw)
}

/// Far above any honest app file, far below what would take noticeable time.
fn options() -> Options {
    let mut budget = Budget::default();
    budget.max_events = 20_000;
    budget.max_nodes = 10_000;
    budget.max_depth = 16;
    budget.flow_nesting_limit = 16;
    budget.max_aliases = 100;
    budget.max_anchors = 100;
    budget.max_documents = 1;
    budget.max_total_scalar_bytes = 2 * MAX_BYTES;
    let mut options = Options::default();
    options.budget = Some(budget);
    options.with_snippet = false;
    options
}

fn of_form(error: &Error) -> Detail {
    let (line, column) = error.location().map_or((1, 1), |at| (at.line().max(1), at.column().max(1)));
    let text = error.without_snippet().to_string();
    let text = text.lines().next().unwrap_or("not readable");
    // The place has a field of its own.
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let text = text.rsplit_once(" at line ").map_or(text, |(before, _)| before);
    let text = text.strip_prefix(&format!("line {line} column {column}: ")).unwrap_or(text);
    detail(line, column, text.to_owned())
}

fn detail(line: u64, column: u64, message: String) -> Detail {
    Detail { field: format!("{line}:{column}"), message }
}

#[cfg(test)]
mod tests;
