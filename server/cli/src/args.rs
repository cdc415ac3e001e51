//! What can be typed. Words only: nothing here talks to a server or decides anything.

mod parts;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use model::{ObjectKind, Span};

use self::parts::scale;
pub use self::parts::{All, Apply, Change, EventFilter, Events, Listing, LogFilter, Logs, Token, Waits};

/// Debugs and drives platforms that reconcile.
#[derive(Debug, Parser)]
#[command(name = "vt", version, propagate_version = true)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Where a server listens unless it was told otherwise.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:7070";

/// Flags of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Common flags")]
pub struct Global {
    /// The server
    #[arg(
        long,
        global = true,
        env = "VT_SERVER",
        default_value = DEFAULT_SERVER,
        value_name = "URL"
    )]
    pub server: String,
    /// Who you are; otherwise the file admin.token of the data folder
    #[arg(long, global = true, env = "VT_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// The data folder of a server on this machine
    #[arg(long, global = true, env = "VT_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The app, by name or id; otherwise the vantage.yaml of this folder or a parent names it
    #[arg(long, global = true, value_name = "NAME|ID")]
    pub app: Option<String>,
    /// The env, by name or id
    #[arg(long, global = true, value_name = "NAME|ID")]
    pub env: Option<String>,
    /// The organisation, on servers that have some
    #[arg(long, global = true, value_name = "NAME|ID")]
    pub org: Option<String>,
    /// The project, on servers that have some
    #[arg(long, global = true, value_name = "NAME|ID")]
    pub project: Option<String>,
    /// How far to look back: 90s, 30m, 2h
    #[arg(long, global = true, value_name = "DURATION")]
    pub since: Option<Span>,
    /// How many at most
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: Option<u32>,
    /// Prints for programs
    #[arg(long, global = true)]
    pub json: bool,
    /// Prints without colour, as the variable NO_COLOR does
    #[arg(long, global = true)]
    pub no_color: bool,
}

/// Everything that `vt` asks a server.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Makes a release of a vantage.yaml and deploys it
    Apply(Apply),
    /// Selects an existing release
    Deploy {
        /// Its id or number: rel_7f3k9, r-2, 2
        release: String,
        /// How to go about it.
        #[command(flatten)]
        change: Change,
    },
    /// Changes how many instances are wanted
    Scale {
        /// How many, of which process: 4, web=4
        #[arg(value_name = "[PROCESS=]N", value_parser = scale)]
        to: (Option<String>, u32),
        /// How to go about it.
        #[command(flatten)]
        change: Change,
    },
    /// Replaces every instance by a new one of the same release
    Restart(Change),
    /// Wants no instances and keeps the app
    Stop(Change),
    /// Stops the app and forgets its desired state
    Delete(Change),
    /// Selects an earlier release: the last one that converged, or the one that you name
    Rollback {
        /// Its id or number
        #[arg(long, value_name = "RELEASE")]
        to: Option<String>,
        /// How to go about it.
        #[command(flatten)]
        change: Change,
    },
    /// Compares desired and current; without an app and an env, all of them
    Status(All),
    /// What controllers did, and why
    #[command(subcommand)]
    Events(Events),
    /// Everything about one object
    Describe {
        /// app, env, release, instance, or a kind that a source brings along
        kind: ObjectKind,
        /// Its id; a name will do where it is unique
        id: String,
    },
    /// What workloads print
    #[command(subcommand)]
    Logs(Logs),
    /// Waits until an object converges
    Wait {
        /// env, release, instance, or a kind that a source brings along
        kind: ObjectKind,
        /// Its id; a name will do where it is unique
        id: String,
        /// For how long
        #[arg(long, default_value = "10m", value_name = "DURATION")]
        timeout: Span,
    },
    /// Releases of an env
    #[command(subcommand)]
    Releases(Listing),
    /// Instances of an env
    #[command(subcommand)]
    Instances(Listing),
    /// Endpoints of an env
    #[command(subcommand)]
    Endpoints(Listing),
    /// Volumes of an env
    #[command(subcommand)]
    Volumes(Listing),
    /// Snapshots of an env
    #[command(subcommand)]
    Snapshots(Listing),
    /// What writes answered
    #[command(subcommand)]
    Receipts(Listing),
    /// Waits that the server keeps
    #[command(subcommand)]
    Waits(Waits),
    /// Tokens of people and programs
    #[command(subcommand)]
    Token(Token),
    /// Copies the whole store into a file, while the server runs
    Backup {
        /// The file to make
        file: PathBuf,
    },
    /// Puts a backup into the store's place; a server that runs starts again over it
    Restore {
        /// A file that `vt backup` made
        file: PathBuf,
        /// Confirms that what was recorded since is set aside
        #[arg(long, short)]
        yes: bool,
    },
    /// Writes manual pages into a folder
    Man {
        /// The folder; it is made where it is missing
        folder: PathBuf,
    },
    /// Prints a completion script
    Completions {
        /// Of which shell
        shell: clap_complete::Shell,
    },
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    /// As the binary does: commands of its own beside ours, one of them with a flag of the same name.
    #[derive(Parser)]
    struct Binary {
        #[command(flatten)]
        global: Global,
        #[command(subcommand)]
        command: Whole,
    }

    #[derive(Subcommand)]
    enum Whole {
        Serve {
            #[arg(long, env = "VT_DATA")]
            data: Option<PathBuf>,
        },
        #[command(flatten)]
        Client(Command),
    }

    #[test]
    fn a_binary_can_add_commands_of_its_own() {
        Binary::command().debug_assert();
        let binary = Binary::try_parse_from(["vt", "serve", "--data", "x"]).expect("parses");
        assert!(matches!(binary.command, Whole::Serve { data: Some(data) } if data == Path::new("x")));
        let binary = Binary::try_parse_from(["vt", "status", "--env", "prod"]).expect("parses");
        assert!(matches!(binary.command, Whole::Client(Command::Status(_))));
        assert_eq!(binary.global.env.as_deref(), Some("prod"));
    }

    #[test]
    fn wait_is_a_flag_that_may_carry_a_duration() {
        let wait = |line| match parse(line).expect(line).command {
            Command::Restart(change) => change.wait,
            _ => unreachable!(),
        };
        assert_eq!(wait("vt restart"), None);
        assert_eq!(wait("vt restart --wait"), Some(Span::minutes(10)));
        assert_eq!(wait("vt restart --wait=90s --env prod"), Some(Span::seconds(90)));
        assert!(parse("vt restart --plan --wait").is_err());
    }

    #[test]
    fn scale_reads_a_number_with_or_without_a_process() {
        assert_eq!(scale("4"), Ok((None, 4)));
        assert_eq!(scale("web=0"), Ok((Some("web".to_owned()), 0)));
        for text in ["", "=4", "web=", "web=-1", "four"] {
            assert!(scale(text).is_err(), "{text}");
        }
    }

    #[test]
    fn command_lines_of_the_debugging_guide_parse() {
        for line in [
            "vt status --env prod --json",
            "vt events tail --env prod --release rel_1",
            "vt events tail --env prod --endpoint ep_1",
            "vt events query --env prod --since 2h --limit 200",
            "vt describe volume vol_1 --env prod",
            "vt endpoints list --env prod",
            "vt snapshots describe snap_1 --env prod",
            "vt logs query --env prod --release r-2 --since 30m",
            "vt wait endpoint ep_1 --env prod --timeout 5m",
            "vt instances describe i-9f2k --env prod",
            "vt apply -f a/vantage.yaml --dry-run",
            "vt events query --reason -PullBackoff",
        ] {
            parse(line).expect(line);
        }
    }

    #[test]
    fn impossible_values_are_usage_errors() {
        for line in [
            "vt events query --since yesterday",
            "vt events query --limit 0",
            "vt token create x --role root",
            "vt",
        ] {
            assert_eq!(parse(line).expect_err(line).exit_code(), 2);
        }
    }
}
