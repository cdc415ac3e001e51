//! A stream of lines that never ends by itself.
//!
//! Only whole lines are handed out: what a cut connection left of the last one is dropped, because the
//! server sends it again. A line without a bound is refused.

use model::Seq;
use reqwest::Response;

use crate::error::Error;

/// The longest line that is read.
const MAX_LINE: usize = 1 << 20;

/// Lines of one connection.
#[derive(Debug)]
pub(crate) struct Lines {
    server: String,
    seq: Option<Seq>,
    response: Response,
    buffer: Vec<u8>,
    /// Up to here the buffer was handed out.
    start: usize,
}

impl Lines {
    pub(super) fn new(server: String, seq: Option<Seq>, response: Response) -> Self {
        Self { server, seq, response, buffer: vec![], start: 0 }
    }

    /// Where the journal stood when the stream was opened.
    pub(crate) fn seq(&self) -> Option<Seq> {
        self.seq
    }

    /// The next line, empty for a keep-alive; `None` when the server closed the connection. May be dropped
    /// and called again: nothing is lost.
    pub(crate) async fn next(&mut self) -> Result<Option<String>, Error> {
        let mut searched = self.start;
        loop {
            if let Some(n) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let line = String::from_utf8_lossy(&self.buffer[self.start..searched + n]).into_owned();
                self.start = searched + n + 1;
                return Ok(Some(line));
            }
            self.buffer.drain(..self.start);
            self.start = 0;
            searched = self.buffer.len();
            if searched > MAX_LINE {
                return Err(Error::Huge { path: "a stream".to_owned(), limit: MAX_LINE });
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.buffer.extend_from_slice(&chunk),
                Ok(None) => return Ok(None),
                Err(source) => return Err(super::lost(self.server.clone(), source)),
            }
        }
    }
}
