//! Requests: one place that knows of headers, time-outs, bounds and retries.
//!
//! It refuses to follow redirects, to read an answer without a bound, and to send a write without an
//! idempotency key. A write is sent again only when its answer was lost, and then under the same key.

mod account;
mod lines;

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use chrono::DateTime;
use model::{ApiError, Seq, Ts};
use reqwest::{Method, RequestBuilder, Response, Url, header};
use serde::{Serialize, de::DeserializeOwned};

pub(crate) use self::lines::Lines;
use crate::{args::Global, error::Error};

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(5);
/// For a whole request, other than a stream.
const TOTAL: Duration = Duration::from_secs(30);
/// For the next byte of a stream; the server sends keep-alives three times as often.
const IDLE: Duration = Duration::from_secs(15);
/// For a copy of a whole store, from the first byte to the last.
const COPY: Duration = Duration::from_secs(6 * 3600);
/// The largest answer that is read.
const MAX_ANSWER: usize = 64 << 20;
/// The largest problem document that is read.
const MAX_PROBLEM: usize = 256 << 10;
/// How often a write whose answer was lost is sent again.
const RETRIES: u32 = 3;

/// A server, and who we are to it.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    /// For requests that never end: no total time-out, an idle one instead.
    streams: reqwest::Client,
    base: Url,
    token: Option<String>,
    /// The server's clock as of its last answer; 0 before the first.
    now: AtomicI64,
}

/// An answer, and where the journal stood when it was made.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    pub(crate) seq: Option<Seq>,
}

impl Client {
    /// A client as the flags describe it. Nothing is sent yet.
    pub(crate) fn new(global: &Global) -> Result<Self, Error> {
        let base = account::base(&global.server)?;
        let is_local = account::is_loopback(&base);
        let build = |builder: reqwest::ClientBuilder| {
            let builder = builder
                .connect_timeout(CONNECT)
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("vt/", env!("CARGO_PKG_VERSION")));
            // A proxy cannot reach this machine's loopback.
            let builder = if is_local { builder.no_proxy() } else { builder };
            builder.build().map_err(Error::Client)
        };
        Ok(Self {
            http: build(reqwest::Client::builder().timeout(TOTAL))?,
            streams: build(reqwest::Client::builder().read_timeout(IDLE))?,
            token: account::token(global, is_local)?,
            base,
            now: AtomicI64::new(0),
        })
    }

    /// The server's clock, as of its last answer.
    pub(crate) fn now(&self) -> Ts {
        match self.now.load(Ordering::Relaxed) {
            0 => Ts(local_now()),
            now => Ts(now),
        }
    }

    /// Reads.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        Ok(self.read(path).await?.value)
    }

    /// Reads, and says where the journal stood.
    pub(crate) async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<Answer<T>, Error> {
        let response = self.send(self.request(&self.http, Method::GET, path)).await?;
        let seq = seq(&response);
        Ok(Answer { value: decode(path, &self.body(path, response).await?)?, seq })
    }

    /// Reads a list to its end, page by page.
    pub(crate) async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, Error> {
        let (mut all, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = next {
            let response = self.send(self.request(&self.http, Method::GET, &path)).await?;
            next = next_page(&response);
            all.extend(decode::<Vec<T>>(&path, &self.body(&path, response).await?)?);
        }
        Ok(all)
    }

    /// Reads something that may not exist.
    pub(crate) async fn find<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, Error> {
        match self.get(path).await {
            Ok(value) => Ok(Some(value)),
            Err(Error::Refused(problem)) if problem.code == model::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes, under one fresh key however often it takes to send it.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let request = self.request(&self.http, Method::POST, path).json(body);
        decode(path, &self.write(path, request).await?)
    }

    /// Deletes.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), Error> {
        self.write(path, self.request(&self.http, Method::DELETE, path)).await.map(drop)
    }

    /// Sends a file's content. Slow lines get a second more for every mebibyte.
    pub(crate) async fn put(&self, path: &str, content: Vec<u8>) -> Result<(), Error> {
        let mebibytes = u64::try_from(content.len() >> 20).unwrap_or(u64::MAX);
        let request = self
            .request(&self.http, Method::PUT, path)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .timeout(TOTAL.saturating_add(Duration::from_secs(mebibytes)))
            .body(content);
        self.write(path, request).await.map(drop)
    }

    /// Asks for something that is made for us and may be large; read it with [`Client::chunk`].
    pub(crate) async fn download(&self, path: &str) -> Result<Response, Error> {
        let request = self.request(&self.http, Method::POST, path).timeout(COPY);
        self.send(request.header("Idempotency-Key", key()?)).await
    }

    /// The next piece of a download; `None` at its end.
    pub(crate) async fn chunk(&self, response: &mut Response) -> Result<Option<Vec<u8>>, Error> {
        let chunk = response.chunk().await.map_err(|source| lost(self.server(), source))?;
        Ok(chunk.map(|chunk| chunk.to_vec()))
    }

    /// Sends a file that may be large, once: it is too long to keep in memory for another try.
    pub(crate) async fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        file: tokio::fs::File,
        n_bytes: u64,
    ) -> Result<T, Error> {
        let request = self
            .request(&self.http, Method::POST, path)
            .header("Idempotency-Key", key()?)
            .header(header::CONTENT_TYPE, "application/vnd.sqlite3")
            .header(header::CONTENT_LENGTH, n_bytes)
            .timeout(COPY)
            .body(file);
        let response = self.send(request).await?;
        decode(path, &self.body(path, response).await?)
    }

    /// Opens a stream of lines.
    pub(crate) async fn stream(&self, path: &str) -> Result<Lines, Error> {
        let response = self.send(self.request(&self.streams, Method::GET, path)).await?;
        Ok(Lines::new(self.server(), seq(&response), response))
    }

    fn server(&self) -> String {
        self.base.as_str().trim_end_matches('/').to_owned()
    }

    fn request(&self, http: &reqwest::Client, method: Method, path: &str) -> RequestBuilder {
        let request = http.request(method, format!("{}/api/v1{path}", self.server()));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends until the whole answer is here; the server knows a repetition by its key.
    async fn write(&self, path: &str, request: RequestBuilder) -> Result<Vec<u8>, Error> {
        let request = request.header("Idempotency-Key", key()?);
        let mut tries = 0;
        loop {
            let copy = request.try_clone().expect("bodies of writes are held in memory");
            let answer = match self.send(copy).await {
                Ok(response) => self.body(path, response).await,
                Err(error) => Err(error),
            };
            match answer {
                Err(error) if error.is_lost() && tries < RETRIES => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_millis(100 << tries)).await;
                }
                answer => return answer,
            }
        }
    }

    /// Sends once; an answer that is not a success becomes an error.
    async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let response = request.send().await.map_err(|source| lost(self.server(), source))?;
        if let Some(now) = date(&response) {
            self.now.store(now.0, Ordering::Relaxed);
        }
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = bounded(response, MAX_PROBLEM).await.ok().flatten().unwrap_or_default();
        Err(match serde_json::from_slice::<ApiError>(&body) {
            Ok(problem) => Error::Refused(Box::new(problem)),
            Err(_) => Error::Status { server: self.server(), status: status.as_u16() },
        })
    }

    async fn body(&self, path: &str, response: Response) -> Result<Vec<u8>, Error> {
        let body = bounded(response, MAX_ANSWER).await.map_err(|source| lost(self.server(), source))?;
        body.ok_or_else(|| Error::Huge { path: without_query(path), limit: MAX_ANSWER })
    }
}

fn decode<T: DeserializeOwned>(path: &str, body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|source| Error::Answer { path: without_query(path), source })
}

fn without_query(path: &str) -> String {
    path.split('?').next().unwrap_or_default().to_owned()
}

/// Reads a body; `None` where it is larger than the limit.
async fn bounded(mut response: Response, limit: usize) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

fn lost(server: String, source: reqwest::Error) -> Error {
    if source.is_connect() {
        Error::Connect { server, source }
    } else if source.is_timeout() {
        Error::Timeout { server, source }
    } else {
        Error::Broken { server, source }
    }
}

/// Where a list goes on, as a path of the API; a server cannot send us anywhere else.
fn next_page(response: &Response) -> Option<String> {
    let link = response.headers().get(header::LINK)?.to_str().ok()?;
    let address = link.strip_prefix('<')?.split_once(">; rel=\"next\"")?.0;
    Some(address.strip_prefix("/api/v1")?.to_owned()).filter(|path| path.starts_with('/'))
}

fn seq(response: &Response) -> Option<Seq> {
    response.headers().get("x-journal-seq")?.to_str().ok()?.parse().ok().map(Seq)
}

fn date(response: &Response) -> Option<Ts> {
    let text = response.headers().get(header::DATE)?.to_str().ok()?;
    DateTime::parse_from_rfc2822(text).ok().map(|date| Ts(date.timestamp_micros()))
}

/// A fresh key in the form of a random UUID.
fn key() -> Result<String, Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = crate::commands::hex(&bytes);
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

/// For relative times before the first answer.
#[expect(clippy::disallowed_methods, reason = "the real clock of the command line")]
fn local_now() -> i64 {
    let age = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(age.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_look_like_uuids_and_differ() {
        let (a, b) = (key().expect("random"), key().expect("random"));
        assert!(a.len() == 36 && a != b && a.as_bytes()[14] == b'4');
    }
}
