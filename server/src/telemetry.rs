//! The server's own log, on standard error: for people, or one JSON object a line.
//!
//! What happens on behalf of a request is logged inside of its span, which carries its trace id (`http::guard`).

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::config::{LogFormat, Serve};

/// Starts the log. Once a process.
///
/// # Errors
/// Where a log was started already.
pub fn start(serve: &Serve) -> Result<(), tracing_subscriber::util::TryInitError> {
    // The settings have checked it; a filter that nobody understands logs what matters.
    let filter = EnvFilter::try_new(&serve.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let registry = tracing_subscriber::registry().with(filter);
    match serve.log_format {
        LogFormat::Text => {
            let colours = std::io::stderr().is_terminal();
            registry.with(fmt::layer().with_ansi(colours).with_writer(std::io::stderr)).try_init()
        }
        LogFormat::Json => {
            let lines = fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
            registry.with(lines.with_writer(std::io::stderr)).try_init()
        }
    }
}
