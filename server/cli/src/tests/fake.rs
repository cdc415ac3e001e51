//! A server that answers from a script and remembers what it was asked.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use clap::Parser as _;
use futures::StreamExt as _;
use serde::Serialize;

use crate::{Cli, Terminal, run_on};

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) line: String,
    pub(super) key: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Asked {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

/// Answers the n-th request (from 0) that begins with a line like `GET /envs`.
type Answer = Box<dyn Fn(usize, &Asked) -> Response + Send + Sync>;

#[derive(Default)]
struct Script {
    answers: Vec<(String, Answer)>,
    asked: Mutex<Vec<Asked>>,
}

/// The script, before the server runs.
#[derive(Default)]
pub(super) struct Fake(Script);

impl Fake {
    pub(super) fn on(
        mut self,
        line: &str,
        answer: impl Fn(usize, &Asked) -> Response + Send + Sync + 'static,
    ) -> Self {
        self.0.answers.push((line.to_owned(), Box::new(answer)));
        self
    }

    pub(super) fn json(self, line: &str, value: &impl Serialize) -> Self {
        let text = serde_json::to_string(value).expect("serialises");
        self.on(line, move |_, _| ok(text.clone()))
    }

    pub(super) async fn start(self) -> Running {
        let script = Arc::new(self.0);
        let router = Router::new().fallback(answer).with_state(Arc::clone(&script));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = format!("http://{}", listener.local_addr().expect("bound"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Running { server, script }
    }
}

pub(super) fn ok(body: impl Into<Body>) -> Response {
    Response::builder()
        .header("x-journal-seq", "10")
        .header("date", "Wed, 18 Feb 2026 12:00:00 GMT")
        .body(body.into())
        .expect("a response")
}

/// A body that breaks off after these chunks.
pub(super) fn cut(chunks: Vec<String>) -> Body {
    let chunks = chunks.into_iter().map(Ok).chain([Err(std::io::Error::other("cut"))]);
    // Giving way before every chunk lets the server send what it has.
    Body::from_stream(futures::stream::iter(chunks).then(async |chunk| {
        tokio::task::yield_now().await;
        chunk
    }))
}

async fn answer(State(script): State<Arc<Script>>, request: Request) -> Response {
    let path = request.uri().to_string();
    let line = format!("{} {}", request.method(), path.strip_prefix("/api/v1").unwrap_or(&path));
    let key = header(&request, "idempotency-key");
    assert_eq!(header(&request, "authorization").as_deref(), Some("Bearer vt_test"));
    let body = to_bytes(request.into_body(), 1 << 20).await.expect("a small body").to_vec();
    let asked = Asked { line, key, body };
    let found = script.answers.iter().find(|(line, _)| asked.line.starts_with(line));
    let Some((begin, answer)) = found else {
        let missing = format!("the script has no {}", asked.line);
        return Response::builder().status(StatusCode::NOT_FOUND).body(missing.into()).expect("a response");
    };
    let n = {
        let mut all = script.asked.lock().expect("no panic while held");
        let n = all.iter().filter(|other| other.line.starts_with(begin)).count();
        all.push(asked.clone());
        n
    };
    answer(n, &asked)
}

fn header(request: &Request, name: &str) -> Option<String> {
    request.headers().get(name)?.to_str().ok().map(str::to_owned)
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) exit: u8,
    pub(super) out: String,
    pub(super) err: String,
}

impl Said {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// A fake server that runs.
pub(super) struct Running {
    pub(super) server: String,
    script: Arc<Script>,
}

impl Running {
    /// Runs one command line against it.
    pub(super) async fn vt(&self, line: &str) -> Said {
        vt(&self.server, line).await
    }

    /// What it was asked with this begin.
    pub(super) fn asked(&self, line: &str) -> Vec<Asked> {
        let all = self.script.asked.lock().expect("no panic while held");
        all.iter().filter(|asked| asked.line.starts_with(line)).cloned().collect()
    }
}

/// Runs one command line against any server.
pub(super) async fn vt(server: &str, line: &str) -> Said {
    let words = ["vt", "--server", server, "--token", "vt_test"].into_iter().chain(line.split(' '));
    let Cli { global, command } = Cli::try_parse_from(words).expect(line);
    let (out, err) = (Shared::default(), Shared::default());
    let mut terminal = Terminal::of_pipes(Box::new(out.clone()), Box::new(err.clone()), global.json);
    let run = run_on(&mut terminal, global, command);
    let exit = tokio::time::timeout(std::time::Duration::from_secs(20), run).await.expect("it ends");
    Said { exit, out: out.text(), err: err.text() }
}

#[derive(Debug, Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic while held").clone()).expect("text")
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic while held").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
