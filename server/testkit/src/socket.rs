//! `/live` as a page speaks it.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use model::live::{ClientMsg, ServerMsg};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _, protocol::CloseFrame},
};

use crate::Client;

/// A page's socket.
pub struct Socket(WebSocketStream<TcpStream>);

/// What a socket had to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// A message.
    Msg(Box<ServerMsg>),
    /// It was closed with this code; 1005 where there was none.
    Closed(u16),
}

impl Client {
    /// Opens `/live` as a page of this origin does.
    ///
    /// # Errors
    /// The status of the answer that refused it.
    ///
    /// # Panics
    /// When the server does not answer at all.
    pub async fn live_from(&self, origin: Option<&str>) -> Result<Socket, u16> {
        self.connect(origin, None).await
    }

    async fn connect(&self, origin: Option<&str>, buffer: Option<u32>) -> Result<Socket, u16> {
        let url = format!("{}/live", self.origin.replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("our own address is one");
        let mut set = |name: &'static str, text: &str| {
            request.headers_mut().insert(name, text.parse().expect("a header's text"));
        };
        if let Some(origin) = origin {
            set("origin", origin);
        }
        if let Some(token) = &self.token {
            set("authorization", &format!("Bearer {token}"));
        }
        if let Some(session) = &self.session {
            set("cookie", &format!("vt_session={session}"));
        }
        let address = request.uri().authority().expect("our own address has one").as_str();
        let address = address.parse().expect("the server listens on an address");
        let socket = TcpSocket::new_v4().expect("a socket can be made");
        if let Some(bytes) = buffer {
            socket.set_recv_buffer_size(bytes).expect("the kernel takes a smaller buffer");
        }
        let stream = socket.connect(address).await.expect("the server listens");
        match client_async(request, stream).await {
            Ok((stream, _)) => Ok(Socket(stream)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("/live did not answer: {error}"),
        }
    }

    /// Opens `/live` from a page of ours.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn live(&self) -> Socket {
        let origin = self.origin.clone();
        self.live_from(Some(&origin)).await.unwrap_or_else(|status| panic!("/live answered {status}"))
    }

    /// The same, and the kernel keeps little for it: what it does not read is soon held by the server.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn live_with_little_room(&self) -> Socket {
        let opened = self.connect(Some(&self.origin), Some(16 * 1024)).await;
        opened.unwrap_or_else(|status| panic!("/live answered {status}"))
    }
}

impl Socket {
    /// Says something understandable.
    ///
    /// # Panics
    /// When nobody listens.
    pub async fn say(&mut self, msg: &ClientMsg) {
        self.say_text(&serde_json::to_string(msg).expect("messages are JSON")).await;
    }

    /// Says anything.
    ///
    /// # Panics
    /// When nobody listens.
    pub async fn say_text(&mut self, text: &str) {
        self.0.send(Message::text(text.to_owned())).await.expect("the socket is open");
    }

    /// What comes next.
    ///
    /// # Panics
    /// When nothing comes in time, or something that is no message of ours.
    pub async fn next(&mut self, bound: Duration) -> Said {
        let deadline = tokio::time::Instant::now() + bound;
        loop {
            let next = tokio::time::timeout_at(deadline, self.0.next()).await;
            match next.unwrap_or_else(|_| panic!("the socket said nothing for {bound:?}")) {
                Some(Ok(Message::Text(text))) => {
                    let msg = serde_json::from_str(&text);
                    return Said::Msg(Box::new(msg.unwrap_or_else(|error| panic!("{error}: {text}"))));
                }
                Some(Ok(Message::Close(frame))) => {
                    return Said::Closed(frame.map_or(1005, |CloseFrame { code, .. }| code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Said::Closed(1006),
            }
        }
    }

    /// The next message; heartbeats are skipped.
    ///
    /// # Panics
    /// When none comes within ten seconds, or the socket is closed instead.
    pub async fn message(&mut self) -> ServerMsg {
        loop {
            match self.next(Duration::from_secs(10)).await {
                Said::Msg(msg) if matches!(*msg, ServerMsg::Heartbeat { .. }) => {}
                Said::Msg(msg) => return *msg,
                Said::Closed(code) => panic!("the socket was closed with {code}"),
            }
        }
    }

    /// Waits for the close code; everything that is said before it is dropped.
    ///
    /// # Panics
    /// When it stays open.
    pub async fn close_code(&mut self, bound: Duration) -> u16 {
        let deadline = tokio::time::Instant::now() + bound;
        loop {
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            if let Said::Closed(code) = self.next(left).await {
                return code;
            }
        }
    }
}
