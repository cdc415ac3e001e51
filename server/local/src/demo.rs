//! `vt demo-app`: a small web server with a fault to choose, and the world of apps that `vt serve --demo` starts.
//!
//! The server is real: it listens, answers, logs and dies as told. It has one thread, sleeps when nothing happens,
//! and serves nobody who matters: one request per connection, bounded reads, short time-outs.

mod fault;
mod world;

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::fd::AsFd,
    process::ExitCode,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use fault::{Fault, Moment};
pub use world::{DemoApp, demo_world};

/// Between two lines of log while nothing happens.
const LOG_EVERY: Duration = Duration::from_secs(60);
/// For one client to send its request and take its answer.
const CLIENT: Duration = Duration::from_millis(500);

const USAGE: &str = "usage: vt demo-app [--port PORT] [--fault healthy|crash-at-start|crash-after=SECONDS|\
                     never-ready|slow|flapping|wrong-port|missing-config]";

/// Runs the demo app with the arguments that follow `vt demo-app`.
pub fn demo_app_main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let Some((fault, port)) = read(args) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    println!("demo app starts, fault: {fault}");
    if let Some((text, code)) = fault.at_start() {
        eprintln!("{text}");
        return ExitCode::from(code);
    }
    match serve(fault, port) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("fatal: cannot listen on port {port}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read(args: impl IntoIterator<Item = OsString>) -> Option<(Fault, u16)> {
    let (mut fault, mut port) = (Fault::Healthy, 0);
    let mut args = args.into_iter();
    while let Some(name) = args.next() {
        let value = args.next()?.into_string().ok()?;
        match name.to_str()? {
            "--fault" => fault = value.parse().ok()?,
            "--port" => port = value.parse().ok()?,
            _ => return None,
        }
    }
    Some((fault, port))
}

fn serve(fault: Fault, port: u16) -> io::Result<ExitCode> {
    // Port 0 is "any": surely another one than the platform asks.
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, if fault == Fault::WrongPort { 0 } else { port }))?;
    listener.set_nonblocking(true)?;
    println!("listening on {}", listener.local_addr()?);
    let begun = Instant::now();
    let (mut served, mut next_log) = (0_u64, begun + LOG_EVERY);
    loop {
        let now = Instant::now();
        if let Some((text, code)) = fault.at(Moment(now - begun)) {
            eprintln!("{text}");
            return Ok(ExitCode::from(code));
        }
        if now >= next_log {
            println!("{served} requests served, all is quiet");
            next_log = now + LOG_EVERY;
        }
        let until = fault.dies_after().map_or(next_log, |after| next_log.min(begun + after));
        let left = until.saturating_duration_since(now) + Duration::from_millis(1);
        let mut fds = [PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN)];
        // A signal ends the wait early; the loop looks again.
        let _ = poll(&mut fds, Timespec::try_from(left).ok().as_ref());
        while let Ok((stream, _)) = listener.accept() {
            served += 1;
            // Clients come and go; what one of them broke is not our problem.
            let _ = answer(stream, fault, Moment(begun.elapsed()));
        }
    }
}

fn answer(mut stream: TcpStream, fault: Fault, moment: Moment) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(CLIENT))?;
    stream.set_write_timeout(Some(CLIENT))?;
    let mut head = [0; 1024];
    let n = stream.read(&mut head)?;
    let path = std::str::from_utf8(&head[..n]).ok().and_then(|head| head.split(' ').nth(1)).unwrap_or("/");
    let (status, body) = match path {
        "/healthz" => fault.health(moment),
        "/" => ("200 OK", "hello from the demo app\n"),
        _ => ("404 Not Found", "no such page\n"),
    };
    std::thread::sleep(fault.delay());
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}
