//! Flags and words of single commands.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::{ObjectKey, Outcome, Role, Span};

/// How to go about a change.
#[derive(Debug, Clone, Default, Args)]
pub struct Change {
    /// Prints what would happen and writes nothing
    #[arg(long, visible_alias = "dry-run")]
    pub plan: bool,
    /// Waits until it converged, for 10m or as long as you say
    #[arg(
        long,
        value_name = "DURATION",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "10m",
        conflicts_with = "plan"
    )]
    pub wait: Option<Span>,
    /// Why, for the receipt and the audit
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub reason: String,
    /// Confirms what destroys data, without a question
    #[arg(long, short)]
    pub yes: bool,
}

/// `vt apply`.
#[derive(Debug, Args)]
pub struct Apply {
    /// The app file; - is standard input
    #[arg(long, short, value_name = "FILE", default_value = "vantage.yaml")]
    pub file: PathBuf,
    /// How to go about it.
    #[command(flatten)]
    pub change: Change,
}

/// Whether to look beyond the app of this folder.
#[derive(Debug, Clone, Default, Args)]
pub struct All {
    /// Every app and env, whatever vantage.yaml says
    #[arg(long, conflicts_with_all = ["app", "env"])]
    pub all: bool,
}

/// `vt events`.
#[derive(Debug, Subcommand)]
pub enum Events {
    /// Shows events as they happen, each exactly once
    Tail(EventFilter),
    /// Shows events that happened, oldest first
    Query {
        /// Which.
        #[command(flatten)]
        filter: EventFilter,
        /// Goes on as tail does
        #[arg(long)]
        follow: bool,
    },
}

/// Which events. Values of one flag are combined with OR, flags with AND; `-Value` excludes.
#[derive(Debug, Clone, Default, Args)]
pub struct EventFilter {
    /// A release and the instances that run it
    #[arg(long, value_name = "ID|NUMBER")]
    pub release: Option<String>,
    /// An instance
    #[arg(long, value_name = "ID|NAME")]
    pub instance: Option<String>,
    /// An endpoint
    #[arg(long, value_name = "ID|NAME")]
    pub endpoint: Option<String>,
    /// Any object
    #[arg(long, value_name = "KIND:ID")]
    pub object: Vec<ObjectKey>,
    /// Which controller acted
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub controller: Vec<String>,
    /// Why
    #[arg(long, value_name = "REASON", allow_hyphen_values = true)]
    pub reason: Vec<String>,
    /// What came of it: started, done, failed, info
    #[arg(long, value_parser = outcome)]
    pub outcome: Vec<Outcome>,
    /// How far.
    #[command(flatten)]
    pub all: All,
}

/// `vt logs`.
#[derive(Debug, Subcommand)]
pub enum Logs {
    /// Shows the last lines, and then lines as they are printed
    Tail(LogFilter),
    /// Shows lines that were printed, oldest first
    Query {
        /// Which.
        #[command(flatten)]
        filter: LogFilter,
        /// Goes on as tail does
        #[arg(long)]
        follow: bool,
    },
}

/// Which lines.
#[derive(Debug, Clone, Default, Args)]
pub struct LogFilter {
    /// Of one instance
    #[arg(long, value_name = "ID|NAME")]
    pub instance: Option<String>,
    /// Of the instances that run this release
    #[arg(long, value_name = "ID|NUMBER")]
    pub release: Option<String>,
    /// How far.
    #[command(flatten)]
    pub all: All,
}

/// `vt KIND list|describe`.
#[derive(Debug, Subcommand)]
pub enum Listing {
    /// Lists them
    List,
    /// Everything about one
    Describe {
        /// Its id; a name will do where it is unique
        id: String,
    },
}

/// `vt waits`.
#[derive(Debug, Subcommand)]
pub enum Waits {
    /// Lists them
    List {
        /// Ended ones as well
        #[arg(long)]
        ended: bool,
    },
}

/// `vt token`.
#[derive(Debug, Subcommand)]
pub enum Token {
    /// Makes a token; its secret is shown once
    Create {
        /// The name that receipts and audit will show
        name: String,
        /// viewer, operator or admin
        #[arg(long, value_parser = role, required_unless_present = "source")]
        role: Option<Role>,
        /// Instead of a role: may only report what this source observes; a new name is registered
        #[arg(long, value_name = "NAME", conflicts_with = "role")]
        source: Option<String>,
        /// For how long it is valid; otherwise until it is revoked
        #[arg(long, value_name = "DURATION")]
        expires: Option<Span>,
    },
    /// Lists tokens, never their secrets
    List,
    /// Makes a token useless at once
    Revoke {
        /// Its id or its name
        token: String,
    },
}

pub(super) fn scale(text: &str) -> Result<(Option<String>, u32), String> {
    let (process, number) = match text.split_once('=') {
        Some(("", _)) => return Err("expected a process before =".to_owned()),
        Some((process, number)) => (Some(process.to_owned()), number),
        None => (None, text),
    };
    let number = number.parse().map_err(|_| "expected a number of instances like 4 or web=4".to_owned())?;
    Ok((process, number))
}

fn outcome(text: &str) -> Result<Outcome, String> {
    Outcome::parse(text).ok_or_else(|| words("outcome", Outcome::ALL.map(Outcome::as_str)))
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| words("role", Role::ALL.map(Role::as_str)))
}

fn words<const N: usize>(what: &str, words: [&str; N]) -> String {
    format!("expected a {what}: {}", words.join(", "))
}
