//! `vt shim`: the small parent that every instance runs under.
//!
//! It exists so that a workload never outlives its server. The server holds one end of a socket; whatever the
//! death of the server, the other end reads end-of-file here, and the workload gets TERM, its grace time, and KILL.
//! The shim is a child subreaper: processes that the workload forked away come back to it and are ended as well.
//! It copies no output (the workload writes into the server's pipes directly), keeps no state and never restarts
//! anything; decisions belong to the supervisor.
//!
//! `vt shim [--grace-ms N] -- PROGRAM [ARGUMENT…]`, with the socket as standard input. What is said over it:
//! [`Report`]s upwards, [`STOP`] downwards.
//!
//! If the shim itself is killed, the kernel kills the workload's first process with it: the *launcher*, a second
//! stage in the same executable, asks for that before it becomes the workload. What had forked away by then is
//! found by the supervisor.

mod launch;
mod proc_table;
mod serve;

use std::{ffi::OsString, fmt, process::ExitCode, time::Duration};

pub(crate) use proc_table::{all_of_instance, kill_all};

/// What the server writes in order to stop the workload. End-of-file means the same.
pub(crate) const STOP: &[u8] = b"stop\n";

/// What a shim says, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Report {
    /// The program runs as this process.
    Started(i32),
    /// The program could not be run.
    CannotStart(String),
    /// It ended with this code.
    Exited(i32),
    /// A signal ended it.
    Killed(i32),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started(pid) => writeln!(f, "started {pid}"),
            Self::CannotStart(why) => writeln!(f, "cannot-start {}", why.replace('\n', " ")),
            Self::Exited(code) => writeln!(f, "exited {code}"),
            Self::Killed(signal) => writeln!(f, "killed {signal}"),
        }
    }
}

impl Report {
    /// Reads one line; `None` for what no shim says.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.trim_end().split_once(' ')?;
        match word {
            "started" => rest.parse().ok().map(Self::Started),
            "cannot-start" => Some(Self::CannotStart(rest.to_owned())),
            "exited" => rest.parse().ok().map(Self::Exited),
            "killed" => rest.parse().ok().map(Self::Killed),
            _ => None,
        }
    }
}

/// What a shim was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Order {
    grace: Duration,
    command: Vec<OsString>,
}

/// Runs a shim with the arguments that follow `vt shim`. Call it before any thread is started.
pub fn shim_main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<_> = args.into_iter().collect();
    let result = match args.split_first() {
        Some((first, command)) if first == launch::STAGE => launch::become_workload(command),
        _ => match order(args) {
            Some(order) => serve::serve(&order),
            None => Err("usage: vt shim [--grace-ms N] -- PROGRAM [ARGUMENT…]".to_owned()),
        },
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("vt shim: {text}");
            ExitCode::from(2)
        }
    }
}

fn order(args: Vec<OsString>) -> Option<Order> {
    let mut args = args.into_iter();
    let mut grace = Duration::from_secs(10);
    loop {
        match args.next()?.to_str()? {
            "--grace-ms" => grace = Duration::from_millis(args.next()?.to_str()?.parse().ok()?),
            "--" => break,
            _ => return None,
        }
    }
    let command: Vec<_> = args.collect();
    (!command.is_empty()).then_some(Order { grace, command })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_read_back_as_they_were_written() {
        for report in [
            Report::Started(7),
            Report::CannotStart("no such file".into()),
            Report::Exited(1),
            Report::Killed(9),
        ] {
            assert_eq!(Report::parse(&report.to_string()), Some(report));
        }
        for line in ["", "started", "started x", "hello 1"] {
            assert_eq!(Report::parse(line), None, "{line}");
        }
    }

    #[test]
    fn everything_after_the_dashes_belongs_to_the_workload() {
        let parse = |text: &str| order(text.split(' ').map(OsString::from).collect());
        let some = parse("--grace-ms 50 -- run --grace-ms 7").expect("valid");
        assert_eq!((some.grace, some.command.len()), (Duration::from_millis(50), 3));
        for text in ["", "--", "run", "--grace-ms x -- run", "--nope -- run"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
