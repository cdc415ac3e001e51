//! Asks a process whether it is ready: over HTTP, by connecting, or by the mere fact that it still runs.
//!
//! Always 127.0.0.1 and its own `$PORT`, one connection, a bounded read, one time-out for everything. It follows no
//! redirects and speaks no TLS.

use std::{net::Ipv4Addr, time::Duration};

use model::spec::Health;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// A process without a health check counts as ready once it has run for this long.
pub(crate) const READY_BY_RUNNING: Duration = Duration::from_secs(1);
/// The first questions to a starting process, so that a quick one is found ready quickly.
const EAGER: Duration = Duration::from_millis(50);

/// How long to wait before check number `n` (from 0) of a process that was not ready yet.
pub(crate) fn eager_delay(health: &Health, n: u32) -> Duration {
    if health.http.is_none() && !health.tcp {
        return READY_BY_RUNNING;
    }
    let doubled = EAGER.saturating_mul(1 << n.min(10));
    doubled.min(health.interval.std()).max(Duration::from_millis(10))
}

/// One check. The error is a sentence.
pub(crate) async fn check(health: &Health, port: Option<u16>) -> Result<(), String> {
    let Some(port) = port.filter(|_| health.http.is_some() || health.tcp) else { return Ok(()) };
    let what = match &health.http {
        Some(path) => format!("GET {path} on port {port}"),
        None => format!("connecting to port {port}"),
    };
    match timeout(health.timeout.std(), ask(health, port)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) => Err(format!("{what}: {why}")),
        Err(_) => Err(format!("{what}: no answer within {}", health.timeout)),
    }
}

async fn ask(health: &Health, port: u16) -> Result<(), String> {
    let words = |error: std::io::Error| error.kind().to_string();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.map_err(words)?;
    let Some(path) = &health.http else { return Ok(()) };
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: vantage\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.map_err(words)?;
    let mut head = [0; 64];
    let mut n = 0;
    // The status line is all we want: "HTTP/1.1 200".
    while n < 12 {
        match stream.read(&mut head[n..]).await.map_err(words)? {
            0 => break,
            more => n += more,
        }
    }
    status(&head[..n])
}

fn status(head: &[u8]) -> Result<(), String> {
    let code = head.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5));
    match code.and_then(|code| std::str::from_utf8(code).ok()).and_then(|code| code.parse::<u16>().ok()) {
        Some(200..=299) => Ok(()),
        Some(code) => Err(format!("status {code}")),
        None if head.is_empty() => Err("the connection was closed without an answer".to_owned()),
        None => Err("the answer is not HTTP".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use model::Span;
    use tokio::net::TcpListener;

    use super::*;

    fn http() -> Health {
        let timeout = Span::millis(200);
        Health { http: Some("/healthz".into()), tcp: false, interval: timeout, timeout, failures: 3 }
    }

    /// Checks against a server that answers this, or nothing at all.
    async fn against(answer: Option<&'static [u8]>) -> Result<(), String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let port = listener.local_addr().expect("bound").port();
        let server = async {
            let (mut stream, _) = listener.accept().await.expect("accepts");
            let mut request = [0; 512];
            let n = stream.read(&mut request).await.expect("reads");
            assert!(request[..n].starts_with(b"GET /healthz HTTP/1.1\r\n"));
            match answer {
                Some(answer) => stream.write_all(answer).await.expect("writes"),
                None => std::future::pending().await,
            }
        };
        let health = http();
        tokio::select! {
            result = check(&health, Some(port)) => result.map_err(|why| why.replace(&port.to_string(), "PORT")),
            () = async { server.await; std::future::pending().await } => unreachable!("pending"),
        }
    }

    #[tokio::test]
    async fn any_2xx_is_healthy_and_everything_else_says_why_not() {
        let error = |text: &str| Err(format!("GET /healthz on port PORT: {text}"));
        assert_eq!(against(Some(b"HTTP/1.1 204 No Content\r\n\r\n")).await, Ok(()));
        assert_eq!(against(Some(b"HTTP/1.0 200 OK\r\n\r\n")).await, Ok(()));
        assert_eq!(against(Some(b"HTTP/1.1 503 No\r\n\r\n")).await, error("status 503"));
        assert_eq!(against(Some(b"220 smtp ready for you\r\n")).await, error("the answer is not HTTP"));
        assert_eq!(against(None).await, error("no answer within 200ms"));
    }

    #[tokio::test]
    async fn nobody_listening_is_not_ready_and_no_check_is() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let port = listener.local_addr().expect("bound").port();
        let tcp = Health { http: None, tcp: true, ..http() };
        assert_eq!(check(&tcp, Some(port)).await, Ok(()));
        drop(listener);
        let why = check(&tcp, Some(port)).await.expect_err("closed");
        assert!(why.ends_with("connection refused"), "{why}");
        assert_eq!(check(&Health { tcp: false, ..tcp }, None).await, Ok(()));
    }

    #[test]
    fn a_starting_process_is_asked_soon_and_then_less_often() {
        let health = Health { interval: Span::seconds(2), ..http() };
        let delays: Vec<_> = (0..8).map(|n| eager_delay(&health, n).as_millis()).collect();
        assert_eq!(delays, [50, 100, 200, 400, 800, 1600, 2000, 2000]);
    }
}
