//! What can go wrong, said for people, for programs and as an exit code.
//!
//! A variant names the operation that failed; [`Error::report`] alone knows categories and exit codes.

use std::{error::Error as _, io, path::PathBuf};

use model::{ApiError, ErrorCode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::local::Failure;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Exit {
    Done,
    Other,
    Usage,
    Auth,
    NotFound,
    Conflict,
    Transient,
    Server,
}

impl Exit {
    /// The number that scripts see.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Other => 1,
            Self::Usage => 2,
            Self::Auth => 3,
            Self::NotFound => 4,
            Self::Conflict => 5,
            Self::Transient => 6,
            Self::Server => 7,
        }
    }

    const fn of_code(code: ErrorCode) -> Self {
        match code {
            ErrorCode::Invalid | ErrorCode::TooLarge => Self::Usage,
            ErrorCode::Unauthenticated | ErrorCode::Forbidden | ErrorCode::ForeignOrigin => Self::Auth,
            ErrorCode::NotFound => Self::NotFound,
            ErrorCode::StaleGeneration
            | ErrorCode::PlanChanged
            | ErrorCode::PlanBlocked
            | ErrorCode::KeyReused => Self::Conflict,
            ErrorCode::TooMany | ErrorCode::StoreUnavailable | ErrorCode::StoreFull => Self::Transient,
            ErrorCode::Internal => Self::Server,
        }
    }

    /// For answers that are not ours: a proxy's page, another program on the port.
    const fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::Auth,
            404 | 410 => Self::NotFound,
            409 | 412 => Self::Conflict,
            400 | 413 | 422 => Self::Usage,
            408 | 425 | 429 | 502..=504 => Self::Transient,
            500.. => Self::Server,
            _ => Self::Other,
        }
    }
}

/// How an awaited change ended without converging.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) exit: Exit,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: String,
    pub(crate) trace_id: Option<String>,
    pub(crate) details: Value,
}

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{message}")]
    Usage { message: String, hint: Option<String> },
    #[error("{message}")]
    NotFound { message: String, hint: String },
    #[error("{0}")]
    Refused(Box<ApiError>),
    #[error("{server} cannot be reached")]
    Connect { server: String, source: reqwest::Error },
    #[error("{server} did not answer in time")]
    Timeout { server: String, source: reqwest::Error },
    #[error("the connection to {server} broke")]
    Broken { server: String, source: reqwest::Error },
    #[error("{server} answered with HTTP status {status} and did not say why")]
    Status { server: String, status: u16 },
    #[error("the answer to {path} is not what this version of vt understands")]
    Answer { path: String, source: serde_json::Error },
    #[error("the answer to {path} is larger than {limit} bytes")]
    Huge { path: String, limit: usize },
    #[error("cannot make an HTTP client")]
    Client(#[source] reqwest::Error),
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot draw random bits for an idempotency key")]
    Random(#[source] getrandom::Error),
    #[error("cannot write {path}")]
    WriteFile { path: PathBuf, source: io::Error },
    #[error("cannot write to standard output")]
    Write(#[from] io::Error),
    #[error("{}", .0.message)]
    Ended(Box<Ended>),
    #[error("{0}")]
    Local(Box<Failure>),
}

/// What an error says, before it is rendered.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    #[serde(rename = "category")]
    pub(crate) exit: Exit,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) retryable: bool,
    pub(crate) trace_id: Option<String>,
    pub(crate) details: Value,
}

impl Error {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: None }
    }

    pub(crate) fn usage_with(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: Some(hint.into()) }
    }

    pub(crate) fn not_found(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::NotFound { message: message.into(), hint: hint.into() }
    }

    /// A mistake in the arguments, as clap found it.
    pub(crate) fn of_clap(error: &clap::Error) -> Self {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default();
        Self::usage_with(first.trim_start_matches("error: "), "vt --help lists commands and flags")
    }

    /// Whether the reader's end of our output is closed: nothing went wrong, nobody listens.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Write(source) if source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Whether the request never got a whole answer, so that it has to be sent again to know.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Broken { .. })
    }

    /// Whether the same may work later.
    pub(crate) fn is_transient(&self) -> bool {
        // What cannot be understood now will not be understood later.
        let is_understood = !matches!(self, Self::Answer { .. } | Self::Huge { .. });
        is_understood && matches!(self.report().exit, Exit::Transient | Exit::Server)
    }

    /// The sentence, with its root cause.
    fn message(&self) -> String {
        let mut cause = self.source();
        while let Some(deeper) = cause.and_then(|cause| cause.source()) {
            cause = Some(deeper);
        }
        match cause {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }

    /// Everything that is said about it.
    pub(crate) fn report(&self) -> Report {
        let (exit, code, hint) = match self {
            Self::Refused(problem) => {
                let ApiError { code, title, hint, trace_id, retryable, details } = &**problem;
                return Report {
                    exit: Exit::of_code(*code),
                    code: code.as_str().to_owned(),
                    message: title.clone(),
                    hint: hint.clone().or_else(|| usual_hint(*code)),
                    retryable: *retryable,
                    trace_id: Some(trace_id.to_string()),
                    details: json!(details),
                };
            }
            Self::Ended(ended) => {
                let Ended { exit, code, message, hint, trace_id, details } = &**ended;
                return Report {
                    exit: *exit,
                    code: (*code).to_owned(),
                    message: message.clone(),
                    hint: Some(hint.clone()),
                    retryable: *exit == Exit::Transient,
                    trace_id: trace_id.clone(),
                    details: details.clone(),
                };
            }
            Self::Usage { hint, .. } => (Exit::Usage, "usage", hint.clone()),
            Self::NotFound { hint, .. } => (Exit::NotFound, "not_found", Some(hint.clone())),
            Self::Connect { .. } => (
                Exit::Transient,
                "unreachable",
                Some("is `vt serve` running there? --server names another".into()),
            ),
            Self::Timeout { .. } => (Exit::Transient, "timeout", None),
            Self::Broken { .. } => (Exit::Transient, "connection_lost", None),
            Self::Status { status, .. } => {
                let hint = "is this the address of a Vantage server? --server names another";
                (Exit::of_status(*status), "http_status", Some(hint.to_owned()))
            }
            Self::Answer { .. } | Self::Huge { .. } => (
                Exit::Server,
                "bad_answer",
                Some("vt and the server may be of different versions".to_owned()),
            ),
            Self::Read { .. } => (Exit::Other, "unreadable_file", None),
            Self::WriteFile { .. } => (Exit::Other, "unwritable_file", None),
            Self::Local(failure) => (failure.kind.exit(), failure.code, failure.hint.clone()),
            Self::Client(_) | Self::Random(_) => (Exit::Other, "local", None),
            Self::Write(_) => (Exit::Other, "output", None),
        };
        Report {
            exit,
            code: code.to_owned(),
            message: self.message(),
            hint,
            retryable: exit == Exit::Transient,
            trace_id: None,
            details: Value::Array(vec![]),
        }
    }
}

/// What helps where the server gave no hint of its own.
fn usual_hint(code: ErrorCode) -> Option<String> {
    let hint = match code {
        ErrorCode::Unauthenticated => "give --token or VT_TOKEN, or --data with the server's data folder",
        ErrorCode::Forbidden => "`vt token list` shows roles; an admin can make a token that may",
        ErrorCode::StaleGeneration | ErrorCode::PlanChanged => "run it again: the plan will be made anew",
        ErrorCode::PlanBlocked => "--plan shows the whole plan",
        ErrorCode::TooMany | ErrorCode::StoreUnavailable | ErrorCode::StoreFull => {
            "nothing was written; try later"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use model::TraceId;

    use super::*;

    #[test]
    fn every_problem_code_has_the_exit_code_of_its_category() {
        let codes = ErrorCode::ALL.map(|code| {
            let problem = ApiError::new(code, "no", TraceId::mint(1));
            (code.as_str(), Error::Refused(Box::new(problem)).report().exit.code())
        });
        assert_eq!(
            codes,
            [
                ("invalid", 2),
                ("unauthenticated", 3),
                ("forbidden", 3),
                ("foreign_origin", 3),
                ("not_found", 4),
                ("stale_generation", 5),
                ("plan_changed", 5),
                ("plan_blocked", 5),
                ("key_reused", 5),
                ("too_large", 2),
                ("too_many", 6),
                ("store_unavailable", 6),
                ("store_full", 6),
                ("internal", 7),
            ]
        );
    }

    #[test]
    fn a_foreign_answer_is_judged_by_its_status() {
        let exits = [200, 400, 401, 404, 409, 429, 500, 503].map(|status| Exit::of_status(status).code());
        assert_eq!(exits, [1, 2, 3, 4, 5, 6, 7, 6]);
    }

    #[test]
    fn a_file_error_names_the_file_and_the_root_cause() {
        let source = io::Error::from(io::ErrorKind::NotFound);
        let report = Error::Read { path: "vantage.yaml".into(), source }.report();
        assert_eq!(report.message, "cannot read vantage.yaml: entity not found");
    }
}
