//! `/live`: the console's socket.
//!
//! One task a socket, with one inbox. Frames are made elsewhere and shared; this file only orders them: hello,
//! resume, frames, heartbeats, resets. Timers are shared too: heartbeats come through the inbox, and the right
//! to read is checked once for all sockets of a token. A socket that does not read is closed; nobody waits
//! for it.

mod places;

use std::time::Duration;

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket},
    },
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use control::fanout::{Frame, MAX_RESUME, Told};
use futures::SinkExt as _;
use model::{
    ErrorCode, Seq,
    live::{ClientMsg, MAX_TOPICS, PROTOCOL, ResetReason, ServerMsg, Topic},
};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

pub use places::{Sockets, recheck};

use super::{error::Problem, session::Caller};
use crate::state::AppState;

/// A client that says nothing for so long after connecting is closed.
const FIRST_WORD: Duration = Duration::from_secs(10);
/// A write that takes longer means that nobody reads.
const WRITE: Duration = Duration::from_secs(10);
/// What is taken out of the inbox and written at once.
const AT_ONCE: usize = 32;

/// Upgrades the request of a page of ours.
pub(super) async fn upgrade(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    socket: WebSocketUpgrade,
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
    socket
        .read_buffer_size(4 * 1024)
        .write_buffer_size(16 * 1024)
        .max_write_buffer_size(256 * 1024)
        .max_message_size(64 * 1024)
        .max_frame_size(64 * 1024)
        .on_upgrade(move |mut socket| async move {
            match place {
                Ok(place) => Live { state, socket, ended: place.ended() }.run().await,
                // A browser does not show the answer to a refused upgrade, but it shows why a socket closed.
                Err(full) => say_goodbye(&mut socket, (1013, &full.to_string())).await,
            }
        })
        .into_response()
}

async fn say_goodbye(socket: &mut WebSocket, (code, reason): (u16, &str)) {
    let close = CloseFrame { code, reason: Utf8Bytes::from(reason) };
    let _ = timeout(WRITE, socket.send(Message::Close(Some(close)))).await;
}

struct Live {
    state: AppState,
    socket: WebSocket,
    /// Fires when the server ends, or the right to read.
    ended: CancellationToken,
}

/// Nobody listens any more.
struct Closed;

/// Why a socket is closed, by number and in words.
type Goodbye = (u16, &'static str);
const DONE: Goodbye = (1000, "load the page again or continue from your cursor");
const GOING: Goodbye = (1001, "the server ends");
const NOT_UNDERSTOOD: Goodbye = (1002, "this is not understood");
const NOT_ALLOWED: Goodbye = (1008, "the token or session does not hold any more");
const NO_STORE: Goodbye = (1013, "the store does not answer");

impl Live {
    async fn run(mut self) {
        if let Ok(goodbye) = self.talk().await {
            say_goodbye(&mut self.socket, goodbye).await;
        }
    }

    /// Speaks until somebody ends it.
    async fn talk(&mut self) -> Result<Goodbye, Closed> {
        self.hello().await?;
        let Some(resume) = self.first_word().await? else { return Ok(NOT_UNDERSTOOD) };
        let ClientMsg::Resume { store_id, since, topics } = resume;
        let head = self.state.store.head();
        if store_id != self.state.store.store_id() {
            self.send(&ServerMsg::Reset { reason: ResetReason::OtherStore, from: since, to: head }).await?;
            return Ok(DONE);
        }
        if since > head || head.0.saturating_sub(since.0) > MAX_RESUME {
            self.send(&ServerMsg::Reset { reason: ResetReason::TooFar, from: since, to: head }).await?;
            return Ok(DONE);
        }
        self.follow(since, topics).await
    }

    async fn hello(&mut self) -> Result<(), Closed> {
        let hello = ServerMsg::Hello {
            protocol: PROTOCOL,
            build_id: self.state.site.names().build_id,
            server_now: self.state.now(),
            store_id: self.state.store.store_id().to_owned(),
            seq: self.state.store.head(),
        };
        self.send(&hello).await
    }

    /// The client's first message; `None` where it is not understood.
    async fn first_word(&mut self) -> Result<Option<ClientMsg>, Closed> {
        let deadline = Instant::now() + FIRST_WORD;
        loop {
            let message = tokio::time::timeout_at(deadline, self.socket.recv()).await;
            match message {
                Ok(Some(Ok(Message::Text(text)))) => {
                    return Ok(serde_json::from_str(&text).ok().filter(|msg: &ClientMsg| {
                        let ClientMsg::Resume { topics, store_id, .. } = msg;
                        topics.len() <= MAX_TOPICS && store_id.len() <= 100
                    }));
                }
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
                Ok(Some(Ok(_))) | Err(_) => return Ok(None),
                Ok(Some(Err(_)) | None) => return Err(Closed),
            }
        }
    }

    async fn follow(&mut self, since: Seq, topics: Vec<Topic>) -> Result<Goodbye, Closed> {
        let fanout = self.state.fanout.clone();
        let mut following = fanout.follow(&topics, since);
        let mut cursors = vec![since; topics.len()];
        for (cursor, topic) in cursors.iter_mut().zip(&topics) {
            loop {
                // Where the store does not answer, say so by closing; the page reconnects with back-off.
                let Ok((frames, more)) = fanout.missed(topic, *cursor).await else { return Ok(NO_STORE) };
                for frame in frames {
                    *cursor = frame.to;
                    self.write([frame.text]).await?;
                }
                if !more {
                    break;
                }
            }
        }
        let told = cursors.iter().min().copied().unwrap_or(since);
        self.write([fanout.heartbeat(told)]).await?;
        let ended = self.ended.clone();
        let mut ended = std::pin::pin!(ended.cancelled());
        let mut news = Vec::new();
        loop {
            tokio::select! {
                () = &mut ended => {
                    return Ok(if self.state.shutdown.is_cancelled() { GOING } else { NOT_ALLOWED });
                }
                () = following.news(&mut news, AT_ONCE) => {
                    self.write(fresh(&mut cursors, news.drain(..))).await?;
                    if following.is_behind() {
                        return self.behind(&cursors, since).await;
                    }
                }
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Closed),
                    // A page that follows something else opens a new socket; more words are not understood.
                    Some(Ok(Message::Text(_) | Message::Binary(_))) => {
                        let (from, to) = (since, self.state.store.head());
                        self.send(&ServerMsg::Reset { reason: ResetReason::Malformed, from, to }).await?;
                        return Ok(NOT_UNDERSTOOD);
                    }
                    Some(Ok(_)) => {}
                },
            }
        }
    }

    /// Says from where on nothing was sent; the page continues from there with a new socket.
    async fn behind(&mut self, cursors: &[Seq], since: Seq) -> Result<Goodbye, Closed> {
        let from = cursors.iter().min().copied().unwrap_or(since);
        let to = self.state.store.head();
        self.send(&ServerMsg::Reset { reason: ResetReason::Slow, from, to }).await?;
        Ok(DONE)
    }

    async fn send(&mut self, msg: &ServerMsg) -> Result<(), Closed> {
        let Ok(text) = serde_json::to_string(msg) else { return Err(Closed) };
        self.write([text.into()]).await
    }

    /// Writes some messages and flushes once.
    async fn write(&mut self, texts: impl IntoIterator<Item = Utf8Bytes>) -> Result<(), Closed> {
        let all = async {
            for text in texts {
                self.socket.feed(Message::Text(text)).await?;
            }
            self.socket.flush().await
        };
        match timeout(WRITE, all).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Closed),
        }
    }
}

/// What brings news: frames overlap where the ring and what the socket read itself meet.
fn fresh<'a>(
    cursors: &'a mut [Seq],
    told: impl Iterator<Item = Told<Utf8Bytes>> + 'a,
) -> impl Iterator<Item = Utf8Bytes> + 'a {
    told.filter_map(|told| match told {
        Told::Heartbeat(text) => Some(text),
        Told::Frame(n, Frame { to, text, .. }) => {
            let cursor = &mut cursors[usize::from(n)];
            let new = to > *cursor;
            *cursor = to.max(*cursor);
            new.then_some(text)
        }
    })
}
