//! `/live`: the console's socket.
//!
//! One task a socket. Frames are made elsewhere and shared; this file only orders them: hello, resume, frames,
//! heartbeats, resets. Once a page is up to date, its socket is lent to the fan-out, which writes news at once; the
//! task wakes for what the kernel has no room for, and for what the page says. Timers are shared too: heartbeats are
//! news, and the right to read is checked once for all sockets of a token. A socket that does not read is closed;
//! nobody waits for it.

mod ear;
mod packed;
mod pen;
mod places;
mod upgrade;

use std::time::Duration;

use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use control::fanout::{Following, MAX_RESUME};
use model::{
    ErrorCode, Seq,
    live::{ClientMsg, MAX_TOPICS, PROTOCOL, ResetReason, ServerMsg, Topic},
};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use ear::{Ear, Heard, Lost};
pub use packed::Packed;
pub use pen::Pen;
pub use places::{Sockets, recheck};
use upgrade::Upgrade;

use super::{error::Problem, session::Caller};
use crate::state::AppState;

/// A client that says nothing for so long after connecting is closed.
const FIRST_WORD: Duration = Duration::from_secs(10);

/// Upgrades the request of a page of ours.
pub(super) async fn upgrade(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    upgrade: Upgrade,
) -> Response {
    // A browser always sends Origin here. Without one it is not a browser, and has the NDJSON stream.
    if !state.places.is_ours(&headers) {
        return Problem::new(
            ErrorCode::ForeignOrigin,
            "this socket does not come from a page of ours",
            &caller.trace,
        )
        .into_response();
    }
    let place = state.sockets.take(&caller.actor.name, caller.hash);
    upgrade.talk(async move |ear, pen| match place {
        Ok(place) => Live { state, ear, ended: place.ended() }.run(pen).await,
        // A browser does not show the answer to a refused upgrade, but it shows why a socket closed.
        Err(full) => pen.close((1013, &full.to_string()), ear).await,
    })
}

struct Live {
    state: AppState,
    ear: Ear,
    /// Fires when the server ends, or the right to read.
    ended: CancellationToken,
}

/// What came of the beginning.
enum Begun {
    /// The page is up to date with what it follows.
    Following(Following<Packed>),
    /// It does not go on.
    Ended(Goodbye),
}

/// What a task wakes for, but news.
enum Woken {
    Ended,
    Heard(Result<Heard, Lost>),
}

/// Why a socket is closed, by number and in words.
type Goodbye = (u16, &'static str);
const DONE: Goodbye = (1000, "load the page again or continue from your cursor");
const GOING: Goodbye = (1001, "the server ends");
const NOT_UNDERSTOOD: Goodbye = (1002, "this is not understood");
const NOT_ALLOWED: Goodbye = (1008, "the token or session does not hold any more");
const NO_STORE: Goodbye = (1013, "the store does not answer");

impl Live {
    async fn run(mut self, mut pen: Pen) {
        match self.begin(&mut pen).await {
            Ok(Begun::Following(following)) => self.follow(pen, following).await,
            Ok(Begun::Ended(goodbye)) | Err(Lost::Broken(goodbye)) => pen.close(goodbye, self.ear).await,
            Err(Lost::Closed) => {}
        }
    }

    /// Speaks until the page is up to date.
    async fn begin(&mut self, pen: &mut Pen) -> Result<Begun, Lost> {
        self.hello(pen).await?;
        let Some(resume) = self.first_word(pen).await? else { return Ok(Begun::Ended(NOT_UNDERSTOOD)) };
        let ClientMsg::Resume { store_id, since, topics } = resume;
        let head = self.state.store.head();
        if store_id != self.state.store.store_id() {
            reset(pen, ResetReason::OtherStore, since, head).await?;
            return Ok(Begun::Ended(DONE));
        }
        if since > head || head.0.saturating_sub(since.0) > MAX_RESUME {
            reset(pen, ResetReason::TooFar, since, head).await?;
            return Ok(Begun::Ended(DONE));
        }
        self.catch_up(pen, since, topics).await
    }

    async fn hello(&self, pen: &mut Pen) -> Result<(), Lost> {
        let hello = ServerMsg::Hello {
            protocol: PROTOCOL,
            build_id: self.state.site.names().build_id,
            server_now: self.state.now(),
            store_id: self.state.store.store_id().to_owned(),
            seq: self.state.store.head(),
        };
        send(pen, &hello).await
    }

    /// The client's first message; `None` where it is not understood.
    async fn first_word(&mut self, pen: &mut Pen) -> Result<Option<ClientMsg>, Lost> {
        let deadline = Instant::now() + FIRST_WORD;
        loop {
            let Ok(heard) = timeout_at(deadline, self.ear.recv()).await else { return Ok(None) };
            match heard? {
                Heard::Text(text) => {
                    return Ok(serde_json::from_str(&text).ok().filter(|msg: &ClientMsg| {
                        let ClientMsg::Resume { topics, store_id, .. } = msg;
                        topics.len() <= MAX_TOPICS && store_id.len() <= 100
                    }));
                }
                Heard::Ping(words) => pen.pong(&words).await?,
                Heard::Pong => {}
                Heard::Close => return Ok(None),
            }
        }
    }

    /// Joins, and reads what was missed before that.
    async fn catch_up(&self, pen: &mut Pen, since: Seq, topics: Vec<Topic>) -> Result<Begun, Lost> {
        let fanout = &self.state.fanout;
        let following = fanout.follow(&topics, since);
        pen.cursors = vec![since; topics.len()];
        for (n, topic) in topics.iter().enumerate() {
            loop {
                // Boxed, or every socket would keep room for a question to the store all of its life.
                let missed = Box::pin(fanout.missed(topic, pen.cursors[n])).await;
                // Where the store does not answer, say so by closing; the page reconnects with back-off.
                let Ok((frames, more)) = missed else { return Ok(Begun::Ended(NO_STORE)) };
                for frame in frames {
                    pen.send(&frame.text).await?;
                    pen.cursors[n] = frame.to;
                }
                if !more {
                    break;
                }
            }
        }
        let told = pen.cursors.iter().min().copied().unwrap_or(since);
        pen.send(&fanout.heartbeat(told)).await?;
        Ok(Begun::Following(following))
    }

    /// Follows until somebody ends it.
    async fn follow(mut self, mut pen: Pen, mut following: Following<Packed>) {
        loop {
            let woken = async {
                tokio::select! {
                    // Whoever may not read any more is told nothing more.
                    biased;
                    () = self.ended.cancelled() => Woken::Ended,
                    heard = self.ear.recv() => Woken::Heard(heard),
                }
            };
            let (back, woken) = following.lend(pen, woken).await;
            pen = back;
            match self.attend(&mut pen, &mut following, woken).await {
                Ok(None) => {}
                Ok(Some(goodbye)) | Err(Lost::Broken(goodbye)) => {
                    drop(following);
                    return pen.close(goodbye, self.ear).await;
                }
                Err(Lost::Closed) => return,
            }
        }
    }

    /// Does what the task woke for; answers with what it ends, if it does.
    async fn attend(
        &self,
        pen: &mut Pen,
        following: &mut Following<Packed>,
        woken: Option<Woken>,
    ) -> Result<Option<Goodbye>, Lost> {
        if let Some(Woken::Ended) = woken {
            return Ok(Some(if self.state.shutdown.is_cancelled() { GOING } else { NOT_ALLOWED }));
        }
        // First of all what waits: it may have been written in part.
        if let Some(told) = following.take() {
            pen.tell(&told).await?;
        }
        if following.is_behind() {
            // Says from where on nothing was sent; the page continues from there with a new socket.
            let from = pen.cursors.iter().min().copied().unwrap_or_default();
            reset(pen, ResetReason::Slow, from, self.state.store.head()).await?;
            return Ok(Some(DONE));
        }
        let Some(Woken::Heard(heard)) = woken else { return Ok(None) };
        match heard? {
            // A page that follows something else opens a new socket; more words are not understood.
            Heard::Text(_) => {
                let from = pen.cursors.iter().min().copied().unwrap_or_default();
                reset(pen, ResetReason::Malformed, from, self.state.store.head()).await?;
                return Ok(Some(NOT_UNDERSTOOD));
            }
            Heard::Ping(words) => pen.pong(&words).await?,
            Heard::Pong => {}
            Heard::Close => return Ok(Some(DONE)),
        }
        Ok(None)
    }
}

async fn reset(pen: &mut Pen, reason: ResetReason, from: Seq, to: Seq) -> Result<(), Lost> {
    send(pen, &ServerMsg::Reset { reason, from, to }).await
}

async fn send(pen: &mut Pen, msg: &ServerMsg) -> Result<(), Lost> {
    let text = serde_json::to_string(msg).expect("messages are plain JSON");
    pen.send(&text.into()).await
}

/// Both ends of a connection.
#[cfg(test)]
async fn pair() -> (tokio::net::TcpStream, tokio::net::TcpStream) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let theirs = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (listener.accept().await.unwrap().0, theirs)
}
