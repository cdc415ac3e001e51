//! Asks for one page again and again, on connections that stay open, and notes when each answer began.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is asked, and by how many at once.
pub(super) struct Asking<'a> {
    pub(super) origin: &'a str,
    pub(super) path: &'a str,
    pub(super) bearer: &'a str,
    pub(super) connections: u32,
}

/// What came back.
#[derive(Default)]
pub(super) struct Asked {
    first_us: Vec<u128>,
    /// The body of one answer.
    pub(super) last: Vec<u8>,
}

impl Asked {
    pub(super) fn answers(&self) -> u32 {
        u32::try_from(self.first_us.len()).unwrap_or(u32::MAX)
    }

    /// From the request to the first byte of its answer.
    pub(super) fn p99_ms(&self) -> f64 {
        let us = crate::serving::percentile(&self.first_us, 99);
        f64::from(u32::try_from(us).unwrap_or(u32::MAX)) / 1000.0
    }
}

impl Asking<'_> {
    /// Asks for so long. Any answer but 200 is an error.
    pub(super) fn go(&self, how_long: Duration) -> Result<Asked> {
        let until = Instant::now() + how_long;
        thread::scope(|scope| {
            let all: Vec<_> = (0..self.connections).map(|_| scope.spawn(|| self.one(until))).collect();
            let mut asked = Asked::default();
            for one in all {
                let one = one.join().map_err(|_| anyhow::anyhow!("a connection panicked"))??;
                asked.first_us.extend(one.first_us);
                asked.last = one.last;
            }
            Ok(asked)
        })
    }

    fn one(&self, until: Instant) -> Result<Asked> {
        let address = self.origin.trim_start_matches("http://");
        let stream = TcpStream::connect(address).context("no connection")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut stream = BufReader::with_capacity(64 * 1024, stream);
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {address}\r\nAccept: text/html\r\nAuthorization: {}\r\n\r\n",
            self.path, self.bearer
        );
        let mut asked = Asked::default();
        while Instant::now() < until {
            let begun = Instant::now();
            stream.get_mut().write_all(request.as_bytes())?;
            stream.fill_buf()?;
            asked.first_us.push(begun.elapsed().as_micros());
            let length = head(&mut stream)?;
            asked.last.resize(length, 0);
            stream.read_exact(&mut asked.last)?;
        }
        Ok(asked)
    }
}

/// Reads the head of an answer; answers how long its body is.
fn head(stream: &mut BufReader<TcpStream>) -> Result<usize> {
    let (mut line, mut length) = (String::new(), None);
    stream.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200") {
        bail!("answered with {line}");
    }
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = Some(value.parse()?)
            }
            Some(_) => {}
            None => return length.context("an answer without its length"),
        }
    }
}
