//! `/live`: the console's socket.
//!
//! One task a socket. Frames are made elsewhere and shared; this file only orders them: hello, resume, frames,
//! heartbeats, resets. A socket that does not read is closed; nobody waits for it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket},
    },
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use control::fanout::{Frame, MAX_RESUME};
use model::{
    ErrorCode, Seq,
    live::{ClientMsg, HEARTBEAT, MAX_TOPICS, PROTOCOL, ResetReason, ServerMsg, Topic},
};
use tokio::{
    sync::{broadcast, mpsc},
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

use super::{
    error::Problem,
    session::{Caller, still_valid},
};
use crate::state::AppState;

/// Sockets of one name at a time.
const MAX_PER_NAME: usize = 64;
/// Sockets at a time.
const MAX_ALL: usize = 2000;
/// A client that says nothing for so long after connecting is closed.
const FIRST_WORD: Duration = Duration::from_secs(10);
/// A write that takes longer means that nobody reads.
const WRITE: Duration = Duration::from_secs(10);
/// How often the right to read is checked again.
const RECHECK: Duration = Duration::from_secs(5);
/// Frames that wait for one socket.
const QUEUE: usize = 64;

/// How many sockets are open, by name.
#[derive(Debug, Clone, Default)]
pub struct Sockets(Arc<Mutex<BTreeMap<String, usize>>>);

/// One open socket; closing it frees its place.
struct Place {
    sockets: Sockets,
    name: String,
}

impl Sockets {
    fn take(&self, name: &str) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = open.get(name).copied().unwrap_or(0);
        if mine >= MAX_PER_NAME || open.values().sum::<usize>() >= MAX_ALL {
            return None;
        }
        open.insert(name.to_owned(), mine + 1);
        Some(Place { sockets: self.clone(), name: name.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.sockets.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = open.get_mut(&self.name) {
            *n -= 1;
            if *n == 0 {
                open.remove(&self.name);
            }
        }
    }
}

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
    let Some(place) = state.sockets.take(&caller.actor.name) else {
        return Problem::new(ErrorCode::TooMany, "too many sockets are open", &caller.trace).into_response();
    };
    socket
        .read_buffer_size(4 * 1024)
        .write_buffer_size(8 * 1024)
        .max_write_buffer_size(512 * 1024)
        .max_message_size(64 * 1024)
        .max_frame_size(64 * 1024)
        .on_upgrade(move |socket| async move {
            let _place = place;
            Live { state, socket, hash: caller.hash }.run().await;
        })
        .into_response()
}

struct Live {
    state: AppState,
    socket: WebSocket,
    hash: Option<[u8; 32]>,
}

/// What a followed topic has to say.
enum News {
    Frame(usize, Frame),
    /// The ring moved on without this socket.
    Lagged,
}

/// Nobody listens any more.
struct Closed;

impl Live {
    async fn run(mut self) {
        let code = match self.talk().await {
            Ok(code) => code,
            Err(Closed) => return,
        };
        let close = CloseFrame { code, reason: Utf8Bytes::default() };
        let _ = timeout(WRITE, self.socket.send(Message::Close(Some(close)))).await;
    }

    /// Speaks until somebody ends it; answers the close code: 1001 going away, 1008 not allowed any more,
    /// 1002 not understood.
    async fn talk(&mut self) -> Result<u16, Closed> {
        self.hello().await?;
        let Some(resume) = self.first_word().await? else { return Ok(1002) };
        let ClientMsg::Resume { store_id, since, topics } = resume;
        let head = self.state.store.head();
        if store_id != self.state.store.store_id() {
            self.send(&ServerMsg::Reset { reason: ResetReason::OtherStore, from: since, to: head }).await?;
            return Ok(1000);
        }
        if since > head || head.0.saturating_sub(since.0) > MAX_RESUME {
            self.send(&ServerMsg::Reset { reason: ResetReason::TooFar, from: since, to: head }).await?;
            return Ok(1000);
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

    async fn follow(&mut self, since: Seq, topics: Vec<Topic>) -> Result<u16, Closed> {
        let (news, mut inbox) = mpsc::channel(QUEUE);
        let mut pumps = JoinSet::new();
        let mut cursors = vec![since; topics.len()];
        for (n, topic) in topics.iter().enumerate() {
            let Ok((frames, ring)) = self.state.fanout.follow(topic, since).await else {
                // The store does not answer: say so by closing; the page reconnects with back-off.
                return Ok(1013);
            };
            for frame in frames {
                self.frame(&mut cursors[n], &frame).await?;
            }
            pumps.spawn(pump(n, ring, news.clone()));
        }
        drop(news);
        let mut heartbeat = interval(HEARTBEAT.std());
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut recheck = interval(RECHECK);
        recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let shutdown = self.state.shutdown.clone();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(1001),
                _ = heartbeat.tick() => self.heartbeat().await?,
                _ = recheck.tick() => if !still_valid(&self.state, self.hash).await { return Ok(1008) },
                Some(said) = inbox.recv() => match said {
                    News::Frame(n, frame) => self.frame(&mut cursors[n], &frame).await?,
                    News::Lagged => {
                        let from = cursors.iter().min().copied().unwrap_or(since);
                        let to = self.state.store.head();
                        self.send(&ServerMsg::Reset { reason: ResetReason::Slow, from, to }).await?;
                        return Ok(1000);
                    }
                },
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Closed),
                    // A page that follows something else opens a new socket; more words are not understood.
                    Some(Ok(Message::Text(_) | Message::Binary(_))) => {
                        let (from, to) = (since, self.state.store.head());
                        self.send(&ServerMsg::Reset { reason: ResetReason::Malformed, from, to }).await?;
                        return Ok(1002);
                    }
                    Some(Ok(_)) => {}
                },
            }
        }
    }

    /// Sends a frame that brings news; frames overlap where the ring and the resume meet.
    async fn frame(&mut self, cursor: &mut Seq, frame: &Frame) -> Result<(), Closed> {
        if frame.to <= *cursor {
            return Ok(());
        }
        *cursor = frame.to;
        self.text((*frame.text).into()).await
    }

    async fn heartbeat(&mut self) -> Result<(), Closed> {
        // The store is asked here, so that its age in the heartbeat is a fact and not a hope.
        let _ = self.state.store.ping().await;
        let heartbeat = ServerMsg::Heartbeat {
            seq: self.state.store.head(),
            server_now: self.state.now(),
            store_read_at: self.state.store.last_read_at(),
        };
        self.send(&heartbeat).await
    }

    async fn send(&mut self, msg: &ServerMsg) -> Result<(), Closed> {
        let Ok(text) = serde_json::to_string(msg) else { return Err(Closed) };
        self.text(text.into()).await
    }

    async fn text(&mut self, text: Utf8Bytes) -> Result<(), Closed> {
        match timeout(WRITE, self.socket.send(Message::Text(text))).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Closed),
        }
    }
}

/// Takes frames off one ring; ends with its socket.
async fn pump(n: usize, mut ring: broadcast::Receiver<Frame>, news: mpsc::Sender<News>) {
    loop {
        let said = match ring.recv().await {
            Ok(frame) => News::Frame(n, frame),
            Err(broadcast::error::RecvError::Lagged(_)) => News::Lagged,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        if news.send(said).await.is_err() {
            return;
        }
    }
}
