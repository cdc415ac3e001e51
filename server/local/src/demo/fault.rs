//! What can be wrong with a demo app. Pure: what it does depends on how long it has run, and on nothing else.

use std::{fmt, str::FromStr, time::Duration};

/// Half of a flapping app's cycle.
const FLAP: Duration = Duration::from_secs(15);

/// How long an app has run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment(pub(super) Duration);

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Healthy,
    CrashAtStart,
    CrashAfter(u32),
    NeverReady,
    Slow,
    Flapping,
    WrongPort,
    MissingConfig,
}

/// The last line on standard error, and the exit code.
type Death = (&'static str, u8);

impl Fault {
    /// How it ends before it listens.
    pub(super) fn at_start(self) -> Option<Death> {
        match self {
            Self::CrashAtStart => Some(("fatal: cannot open the price table: unexpected end of file", 1)),
            // What sysexits.h calls a configuration error.
            Self::MissingConfig => Some(("fatal: SMTP_URL is not set", 78)),
            _ => None,
        }
    }

    /// How it ends now.
    pub(super) fn at(self, moment: Moment) -> Option<Death> {
        let over = self.dies_after().is_some_and(|after| moment.0 >= after);
        over.then_some(("fatal: connection to the ledger lost", 1))
    }

    /// When it ends, measured from its start.
    pub(super) fn dies_after(self) -> Option<Duration> {
        match self {
            Self::CrashAfter(seconds) => Some(Duration::from_secs(seconds.into())),
            _ => None,
        }
    }

    /// What `/healthz` answers: status and body.
    pub(super) fn health(self, moment: Moment) -> (&'static str, &'static str) {
        let flapped = self == Self::Flapping && (moment.0.as_secs() / FLAP.as_secs()) % 2 == 1;
        if self == Self::NeverReady {
            ("503 Service Unavailable", "waiting for the first batch\n")
        } else if flapped {
            ("503 Service Unavailable", "index is being rebuilt\n")
        } else {
            ("200 OK", "ok\n")
        }
    }

    /// How long every answer takes.
    pub(super) fn delay(self) -> Duration {
        if self == Self::Slow { Duration::from_millis(700) } else { Duration::ZERO }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Healthy => "healthy",
            Self::CrashAtStart => "crash-at-start",
            Self::CrashAfter(seconds) => return write!(f, "crash-after={seconds}"),
            Self::NeverReady => "never-ready",
            Self::Slow => "slow",
            Self::Flapping => "flapping",
            Self::WrongPort => "wrong-port",
            Self::MissingConfig => "missing-config",
        };
        f.write_str(word)
    }
}

impl FromStr for Fault {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "healthy" => Self::Healthy,
            "crash-at-start" => Self::CrashAtStart,
            "never-ready" => Self::NeverReady,
            "slow" => Self::Slow,
            "flapping" => Self::Flapping,
            "wrong-port" => Self::WrongPort,
            "missing-config" => Self::MissingConfig,
            _ => {
                let seconds = text.strip_prefix("crash-after=").ok_or(())?;
                Self::CrashAfter(seconds.parse().map_err(|_| ())?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_reads_back_as_it_is_written() {
        let words =
            "healthy crash-at-start crash-after=20 never-ready slow flapping wrong-port missing-config";
        for word in words.split(' ') {
            assert_eq!(word.parse::<Fault>().expect(word).to_string(), word);
        }
        assert!("crash-after=soon".parse::<Fault>().is_err());
    }

    #[test]
    fn faults_show_at_their_time() {
        let at = |seconds| Moment(Duration::from_secs(seconds));
        assert_eq!(Fault::CrashAfter(20).at(at(19)), None);
        assert!(Fault::CrashAfter(20).at(at(20)).is_some());
        let healths = [0, 14, 15, 29, 30].map(|s| Fault::Flapping.health(at(s)).0.starts_with("200"));
        assert_eq!(healths, [true, true, false, false, true]);
        assert!(!Fault::NeverReady.health(at(3600)).0.starts_with("200"));
    }
}
