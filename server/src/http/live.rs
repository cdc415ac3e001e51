//! `/live`: the console's socket.
//!
//! One task a socket, with one inbox. Frames are made elsewhere and shared; this file only orders them: hello,
//! resume, frames, heartbeats, resets. Timers are shared too: heartbeats come through the inbox, and the right
//! to read is checked once for all sockets of a token. A socket that does not read is closed; nobody waits
//! for it.

mod packed;
mod places;
mod socket;
mod upgrade;

use std::time::Duration;

use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use control::fanout::{Frame, MAX_RESUME, Told};
use model::{
    ErrorCode, Seq,
    live::{ClientMsg, MAX_TOPICS, PROTOCOL, ResetReason, ServerMsg, Topic},
};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

pub use packed::Packed;
pub use places::{Sockets, recheck};
use socket::{Heard, Lost};
use upgrade::{Connection, Upgrade};

use super::{error::Problem, session::Caller};
use crate::state::AppState;

/// A client that says nothing for so long after connecting is closed.
const FIRST_WORD: Duration = Duration::from_secs(10);
/// What is taken out of the inbox and written at once.
const AT_ONCE: usize = 32;

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
    upgrade.talk(async move |socket| match place {
        Ok(place) => Live { state, socket, ended: place.ended() }.run().await,
        // A browser does not show the answer to a refused upgrade, but it shows why a socket closed.
        Err(full) => socket.close((1013, &full.to_string())).await,
    })
}

struct Live {
    state: AppState,
    socket: Connection,
    /// Fires when the server ends, or the right to read.
    ended: CancellationToken,
}

/// Why a socket is closed, by number and in words.
type Goodbye = (u16, &'static str);
const DONE: Goodbye = (1000, "load the page again or continue from your cursor");
const GOING: Goodbye = (1001, "the server ends");
const NOT_UNDERSTOOD: Goodbye = (1002, "this is not understood");
const NOT_ALLOWED: Goodbye = (1008, "the token or session does not hold any more");
const NO_STORE: Goodbye = (1013, "the store does not answer");

impl Live {
    async fn run(mut self) {
        match self.talk().await {
            Ok(goodbye) | Err(Lost::Broken(goodbye)) => self.socket.close(goodbye).await,
            Err(Lost::Closed) => {}
        }
    }

    /// Speaks until somebody ends it.
    async fn talk(&mut self) -> Result<Goodbye, Lost> {
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

    async fn hello(&mut self) -> Result<(), Lost> {
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
    async fn first_word(&mut self) -> Result<Option<ClientMsg>, Lost> {
        let deadline = Instant::now() + FIRST_WORD;
        loop {
            let Ok(heard) = timeout_at(deadline, self.socket.recv()).await else { return Ok(None) };
            match heard? {
                Heard::Text(text) => {
                    return Ok(serde_json::from_str(&text).ok().filter(|msg: &ClientMsg| {
                        let ClientMsg::Resume { topics, store_id, .. } = msg;
                        topics.len() <= MAX_TOPICS && store_id.len() <= 100
                    }));
                }
                Heard::Ping(words) => self.socket.pong(&words).await?,
                Heard::Pong => {}
                Heard::Close => return Ok(None),
            }
        }
    }

    async fn follow(&mut self, since: Seq, topics: Vec<Topic>) -> Result<Goodbye, Lost> {
        let fanout = self.state.fanout.clone();
        let mut following = fanout.follow(&topics, since);
        let mut cursors = vec![since; topics.len()];
        for (cursor, topic) in cursors.iter_mut().zip(&topics) {
            loop {
                // Boxed, or every socket would keep room for a question to the store all of its life.
                let missed = Box::pin(fanout.missed(topic, *cursor)).await;
                // Where the store does not answer, say so by closing; the page reconnects with back-off.
                let Ok((frames, more)) = missed else { return Ok(NO_STORE) };
                for frame in frames {
                    *cursor = frame.to;
                    self.socket.send(&[frame.text]).await?;
                }
                if !more {
                    break;
                }
            }
        }
        let told = cursors.iter().min().copied().unwrap_or(since);
        self.socket.send(&[fanout.heartbeat(told)]).await?;
        let ended = self.ended.clone();
        let mut ended = std::pin::pin!(ended.cancelled());
        let (mut news, mut messages) = (vec![], vec![]);
        loop {
            tokio::select! {
                // Whoever may not read any more is told nothing more; news come before what pages hardly ever say.
                biased;
                () = &mut ended => {
                    return Ok(if self.state.shutdown.is_cancelled() { GOING } else { NOT_ALLOWED });
                }
                () = following.news(&mut news, AT_ONCE) => {
                    messages.extend(fresh(&mut cursors, news.drain(..)));
                    self.socket.send(&messages).await?;
                    messages.clear();
                    if following.is_behind() {
                        return self.behind(&cursors, since).await;
                    }
                }
                heard = self.socket.recv() => match heard? {
                    // A page that follows something else opens a new socket; more words are not understood.
                    Heard::Text(_) => {
                        let (from, to) = (since, self.state.store.head());
                        self.send(&ServerMsg::Reset { reason: ResetReason::Malformed, from, to }).await?;
                        return Ok(NOT_UNDERSTOOD);
                    }
                    Heard::Ping(words) => self.socket.pong(&words).await?,
                    Heard::Pong => {}
                    Heard::Close => return Ok(DONE),
                },
            }
        }
    }

    /// Says from where on nothing was sent; the page continues from there with a new socket.
    async fn behind(&mut self, cursors: &[Seq], since: Seq) -> Result<Goodbye, Lost> {
        let from = cursors.iter().min().copied().unwrap_or(since);
        let to = self.state.store.head();
        self.send(&ServerMsg::Reset { reason: ResetReason::Slow, from, to }).await?;
        Ok(DONE)
    }

    async fn send(&mut self, msg: &ServerMsg) -> Result<(), Lost> {
        let text = serde_json::to_string(msg).expect("messages are plain JSON");
        self.socket.send(&[text.into()]).await
    }
}

/// What brings news: frames overlap where the ring and what the socket read itself meet.
fn fresh<'a>(
    cursors: &'a mut [Seq],
    told: impl Iterator<Item = Told<Packed>> + 'a,
) -> impl Iterator<Item = Packed> + 'a {
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
