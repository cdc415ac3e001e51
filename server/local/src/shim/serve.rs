//! The shim's one loop: waits for the server, for signals and for children, with one thread and no timer.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{
        Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process_group, set_child_subreaper, setsid, wait,
    },
};
use signal_hook::{
    consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM},
    low_level::pipe,
};

use super::{
    Order, Report,
    launch::{self, TryCloneFd},
    proc_table,
};

/// How long what the workload left behind may take to go, once its first process has ended.
const LEFTOVER_GRACE: Duration = Duration::from_secs(2);
/// Between two looks at processes that do not go.
const AGAIN: Duration = Duration::from_millis(20);

struct Shim {
    /// The server's other end.
    control: UnixStream,
    /// Readable when a child may have ended.
    children: UnixStream,
    /// Readable when somebody sent us TERM, INT or HUP.
    told: UnixStream,
    main: Pid,
    ended: bool,
}

pub(super) fn serve(order: &Order) -> Result<(), String> {
    let words = |error: io::Error| format!("cannot set up: {error}");
    // A terminal's Ctrl-C is for the server; it will tell us. Fails only where we already lead a session.
    let _ = setsid();
    set_child_subreaper(Some(getpid())).map_err(|error| words(error.into()))?;
    let children = on_signals(&[SIGCHLD]).map_err(words)?;
    let told = on_signals(&[SIGTERM, SIGINT, SIGHUP]).map_err(words)?;
    let mut control = UnixStream::from(io::stdin().try_clone_fd().map_err(words)?);
    let child = match launch::launch(&order.command) {
        Ok(child) => child,
        Err(why) => {
            say(&mut control, &Report::CannotStart(why));
            return Ok(());
        }
    };
    // From here on only the workload holds the server's pipes: they end when it does.
    if let Ok(null) = File::options().write(true).open("/dev/null") {
        let _ = rustix::stdio::dup2_stdout(&null);
        let _ = rustix::stdio::dup2_stderr(&null);
    }
    let main = Pid::from_child(&child);
    say(&mut control, &Report::Started(main.as_raw_nonzero().get()));
    let mut shim = Shim { control, children, told, main, ended: false };
    let grace = loop {
        if shim.is_told_to_stop() {
            break order.grace;
        }
        shim.reap();
        if shim.ended {
            break LEFTOVER_GRACE.min(order.grace);
        }
    };
    shim.end(grace);
    Ok(())
}

/// A stream that becomes readable when one of these signals comes.
fn on_signals(signals: &[i32]) -> io::Result<UnixStream> {
    let (readable, written) = UnixStream::pair()?;
    readable.set_nonblocking(true)?;
    for signal in signals {
        pipe::register(*signal, written.try_clone()?)?;
    }
    Ok(readable)
}

fn say(control: &mut UnixStream, report: &Report) {
    // A server that no longer listens is noticed by the next look at the socket.
    let _ = control.write_all(report.to_string().as_bytes());
}

impl Shim {
    /// Waits until something happens; whether that was an order to stop.
    fn is_told_to_stop(&mut self) -> bool {
        let mut fds = [&self.control, &self.told, &self.children]
            .map(|stream| PollFd::from_borrowed_fd(stream.as_fd(), PollFlags::IN));
        if poll(&mut fds, None).is_err() {
            return false;
        }
        let [control, told, _] = fds.map(|fd| !fd.revents().is_empty());
        self.drain_children();
        // There is one command, and its absence means the same: the first byte or the end of file stops us.
        control || told
    }

    fn drain_children(&mut self) {
        let _ = self.children.read(&mut [0; 64]);
    }

    /// Collects every child that ended; whether any is left.
    fn reap(&mut self) -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == self.main => self.main_ended(status),
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }

    fn main_ended(&mut self, status: WaitStatus) {
        let report = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Report::Exited(code),
            (None, Some(signal)) => Report::Killed(signal),
            (None, None) => return,
        };
        self.ended = true;
        say(&mut self.control, &report);
    }

    /// TERM to everything, the grace time, KILL to everything, until nothing is left.
    fn end(&mut self, grace: Duration) {
        if !self.reap() {
            return;
        }
        self.signal(Signal::TERM);
        let deadline = Instant::now() + grace;
        // Only children and the clock matter now: there is nothing left to be told.
        while self.reap() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let mut fds = [PollFd::from_borrowed_fd(self.children.as_fd(), PollFlags::IN)];
            let _ = poll(&mut fds, Timespec::try_from(left).ok().as_ref());
            self.drain_children();
        }
        // Whoever forks faster than we look is met again.
        while self.reap() {
            self.signal(Signal::KILL);
            std::thread::sleep(AGAIN);
        }
    }

    fn signal(&self, signal: Signal) {
        let group = (!self.ended).then_some(self.main);
        if let Some(group) = group {
            let _ = kill_process_group(group, signal);
        }
        let me = getpid().as_raw_nonzero().get();
        // Once each: a second TERM means "at once" to many programs.
        let others = proc_table::descendants(me, group.map(|group| group.as_raw_nonzero().get()));
        proc_table::kill_all(&others, signal);
    }
}
