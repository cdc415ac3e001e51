//! A stream that outlives its connections: it goes on after the last thing that was printed.

use std::{pin::pin, time::Duration};

use super::{Context, Outcome};
use crate::{
    client::{Client, Lines},
    error::{Error, Exit},
    output::Terminal,
};

/// Something that can be followed line by line and continued anywhere.
pub(super) trait Feed {
    /// What to ask for, to get everything after what was taken.
    fn path(&self) -> String;
    /// Looks at a new connection before its first line.
    fn opened(&mut self, terminal: &mut Terminal, lines: &Lines);
    /// Takes one line; what was taken before is passed over.
    async fn take(&mut self, client: &Client, terminal: &mut Terminal, line: &str) -> Result<(), Error>;
    /// Where it stands, for people.
    fn position(&self) -> String;
}

/// How long to pause after so many failures in a row: 0.5 s, 1 s, 2 s, … 10 s.
pub(super) fn pause(failures: u32) -> Duration {
    Duration::from_millis(250).saturating_mul(1 << failures.min(6)).min(Duration::from_secs(10))
}

/// Follows until interrupted, or until the server refuses.
pub(super) async fn follow(context: &mut Context<'_>, feed: &mut impl Feed) -> Outcome {
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    let mut failures = 0;
    let mut was_open = false;
    loop {
        let path = feed.path();
        let opened = tokio::select! {
            opened = context.client.stream(&path) => opened,
            _ = &mut interrupted => return Ok(Exit::Done),
        };
        let broken = match opened {
            Ok(mut lines) => {
                feed.opened(context.terminal, &lines);
                if was_open {
                    context.terminal.note(&format!("connected again, going on {}", feed.position()));
                }
                was_open = true;
                loop {
                    let line = tokio::select! {
                        line = lines.next() => line,
                        _ = &mut interrupted => return Ok(Exit::Done),
                    };
                    match line {
                        Ok(Some(line)) if line.is_empty() => failures = 0,
                        Ok(Some(line)) => {
                            failures = 0;
                            // A look-up that fails ends this connection; the next one repeats the line.
                            match feed.take(&context.client, context.terminal, &line).await {
                                Err(error) if error.is_transient() => break error.to_string(),
                                result => result?,
                            }
                        }
                        Ok(None) => break "the server closed the connection".to_owned(),
                        Err(error) if error.is_transient() => break error.to_string(),
                        Err(error) => return Err(error),
                    }
                }
            }
            Err(error) if was_open && error.is_transient() => error.to_string(),
            Err(error) => return Err(error),
        };
        failures += 1;
        let pause = pause(failures);
        let seconds = pause.as_secs_f32();
        context.terminal.note(&format!("{broken}; trying again in {seconds} s {}", feed.position()));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = &mut interrupted => return Ok(Exit::Done),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_ten_seconds() {
        let pauses = [1, 2, 3, 4, 5, 6, 60].map(|failures| pause(failures).as_millis());
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    }
}
