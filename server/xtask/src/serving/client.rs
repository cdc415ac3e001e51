//! Asks a server that may die in the middle of its answer.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use ureq::{Agent, Body, http::Response};

/// No answer takes longer, except streams.
const PATIENCE: Duration = Duration::from_secs(15);

/// Somebody with the administrator's token.
#[derive(Clone)]
pub(crate) struct Client {
    agent: Agent,
    origin: String,
    token: String,
}

/// What came back, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// Where a list goes on.
    next: Option<String>,
}

impl Answer {
    /// The body of a success.
    pub(crate) fn good(self) -> Result<Value> {
        if !(200..300).contains(&self.status) {
            bail!("status {}: {}", self.status, self.body);
        }
        Ok(self.body)
    }
}

impl Client {
    pub(crate) fn new(origin: &str, token: &str) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0);
        let agent = config.timeout_global(Some(PATIENCE)).proxy(None).build().into();
        Self { agent, origin: origin.to_owned(), token: token.to_owned() }
    }

    /// `GET path`.
    pub(crate) fn get(&self, path: &str) -> Result<Answer> {
        let request = self.agent.get(self.url(path)).header("authorization", self.bearer());
        read(request.call().with_context(|| format!("no answer to GET {path}"))?)
    }

    /// A whole list, page after page.
    pub(crate) fn list(&self, path: &str) -> Result<Vec<Value>> {
        let (mut items, mut page) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = page {
            let mut answer = self.get(&path)?;
            page = answer.next.take();
            match answer.good()? {
                Value::Array(part) => items.extend(part),
                other => bail!("GET {path} was answered with no list: {other}"),
            }
        }
        Ok(items)
    }

    /// `POST path` under this idempotency key.
    pub(crate) fn post(&self, path: &str, key: &str, body: &Value) -> Result<Answer> {
        let request = self.agent.post(self.url(path)).header("authorization", self.bearer());
        let request = request.header("idempotency-key", key);
        read(request.send_json(body).with_context(|| format!("no answer to POST {path}"))?)
    }

    /// `PUT path` under this idempotency key.
    pub(crate) fn put(&self, path: &str, key: &str, body: &Value) -> Result<Answer> {
        let request = self.agent.put(self.url(path)).header("authorization", self.bearer());
        let request = request.header("idempotency-key", key);
        read(request.send_json(body).with_context(|| format!("no answer to PUT {path}"))?)
    }

    /// Sends lines of JSON and reads lines of JSON.
    pub(crate) fn lines(&self, path: &str, lines: String) -> Result<Vec<Value>> {
        let request = self.agent.post(self.url(path)).header("authorization", self.bearer());
        let request = request.header("content-type", "application/x-ndjson");
        let mut response = request.send(lines).with_context(|| format!("no answer to POST {path}"))?;
        let text = response.body_mut().read_to_string().context("the answer broke off")?;
        if !response.status().is_success() {
            bail!("POST {path} was answered with {}: {text}", response.status());
        }
        json_lines(&text)
    }

    /// Sends a file of lines of JSON and reads lines of JSON, however long that takes.
    pub(crate) fn send_file(&self, path: &str, file: std::fs::File) -> Result<Vec<Value>> {
        let request = self.agent.post(self.url(path)).header("authorization", self.bearer());
        let request = request.header("content-type", "application/x-ndjson");
        let request = request.config().timeout_global(None).build();
        let mut response = request.send(file).with_context(|| format!("no answer to POST {path}"))?;
        let text = response.body_mut().read_to_string().context("the answer broke off")?;
        if !response.status().is_success() {
            bail!("POST {path} was answered with {}: {text}", response.status());
        }
        json_lines(&text)
    }

    /// The server's origin, and what opens it.
    pub(crate) fn credentials(&self) -> (String, String) {
        (self.origin.clone(), self.bearer())
    }

    /// An answer that does not end, to be read line by line.
    pub(crate) fn stream(&self, path: &str) -> Result<ureq::BodyReader<'static>> {
        let request = self.agent.get(self.url(path)).header("authorization", self.bearer());
        let response = request.config().timeout_global(None).timeout_recv_body(None).build().call()?;
        Ok(response.into_body().into_reader())
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }
}

fn json_lines(text: &str) -> Result<Vec<Value>> {
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_str(line).with_context(|| format!("no JSON: {line}"))).collect()
}

fn read(mut response: Response<Body>) -> Result<Answer> {
    let status = response.status().as_u16();
    let link = response.headers().get("link").and_then(|link| link.to_str().ok());
    let next = link.and_then(|link| Some(link.strip_prefix('<')?.split_once('>')?.0.to_owned()));
    let text = response.body_mut().with_config().limit(64 << 20).read_to_string();
    let text = text.context("the answer broke off")?;
    Ok(Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)), next })
}
