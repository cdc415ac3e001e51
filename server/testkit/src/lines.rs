//! A stream of JSON lines, read as it comes.

use std::time::Duration;

use futures::StreamExt as _;
use reqwest::Method;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::Client;

/// An answer that does not end.
pub struct Lines {
    response: futures::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    rest: Vec<u8>,
}

impl Client {
    /// Opens a stream of lines.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn lines(&self, path: &str) -> Lines {
        let response = self.request(Method::GET, path).send().await.expect("the server answers");
        assert_eq!(response.status().as_u16(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], "application/x-ndjson", "{path}");
        Lines { response: response.bytes_stream().boxed(), rest: Vec::new() }
    }
}

impl Lines {
    /// The next line, which may be an empty sign of life; `None` at the end.
    ///
    /// # Panics
    /// When none comes in time.
    pub async fn next_line(&mut self, bound: Duration) -> Option<String> {
        let deadline = Instant::now() + bound;
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            let more = timeout_at(deadline, self.response.next()).await;
            match more.unwrap_or_else(|_| panic!("no line for {bound:?}")) {
                Some(Ok(bytes)) => self.rest.extend_from_slice(&bytes),
                Some(Err(_)) | None => return None,
            }
        }
    }

    /// The next so many values; signs of life are skipped.
    ///
    /// # Panics
    /// When they do not come within ten seconds each.
    pub async fn take<T: DeserializeOwned>(&mut self, n: usize) -> Vec<T> {
        let mut values = Vec::new();
        while values.len() < n {
            let line = self.next_line(Duration::from_secs(10)).await;
            let line = line.unwrap_or_else(|| panic!("the stream ended after {} of {n} lines", values.len()));
            if !line.is_empty() {
                values.push(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")));
            }
        }
        values
    }
}
