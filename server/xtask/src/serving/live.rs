//! A page's socket, as far as a load needs it: opens, follows, and reads frames without understanding them.
//!
//! Reading costs as little as it can, so that the load does not take the time of what it measures: a message is
//! read into one buffer that stays, and whoever wants to know more looks into its bytes.

use std::{
    io::{self, BufReader, Read, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use flate2::{Decompress, FlushDecompress};
use model::{
    Seq,
    live::{ClientMsg, ServerMsg, Topic},
};
use socket2::{Domain, Socket, Type};

/// Room of a socket that is to be full soon.
pub(crate) const LITTLE_ROOM: usize = 16 * 1024;

/// What is read from the kernel at once.
const BUFFER: usize = 64 * 1024;
/// No message of ours is larger.
const MAX_MESSAGE: u64 = 1 << 20;
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
/// In the first byte of a frame: its message is compressed (RFC 7692, section 6).
const DEFLATED: u8 = 0x40;
/// What is not sent of a compressed message (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// An open socket.
pub(crate) struct Live {
    stream: BufReader<TcpStream>,
    message: Vec<u8>,
    inflate: Decompress,
    inflated: Vec<u8>,
}

/// Where a socket leads and what opens it.
#[derive(Clone)]
pub(crate) struct Door<'a> {
    /// `http://127.0.0.1:1234`
    pub(crate) origin: &'a str,
    pub(crate) path: &'a str,
    /// `Bearer …`, or nothing.
    pub(crate) authorization: &'a str,
}

impl Live {
    /// Opens a WebSocket; `room` is what the kernel keeps for it until it reads.
    pub(crate) fn open(door: &Door<'_>, room: Option<usize>) -> Result<Self> {
        let Door { origin, path, authorization } = door;
        let address = origin.trim_start_matches("http://");
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if let Some(room) = room {
            socket.set_recv_buffer_size(room)?;
        }
        socket.connect(&address.parse::<SocketAddr>()?.into()).context("no connection")?;
        let mut stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        // RFC 6455, section 4.1; the key is the example of section 1.3 and guards against caches only.
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: {origin}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
             Authorization: {authorization}\r\n\r\n"
        )?;
        let mut stream = BufReader::with_capacity(BUFFER, stream);
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).context("the answer to the upgrade broke off")?;
            head.push(byte[0]);
        }
        if !head.starts_with(b"HTTP/1.1 101") {
            bail!("no upgrade: {}", String::from_utf8_lossy(&head).lines().next().unwrap_or_default());
        }
        Ok(Self { stream, message: vec![], inflate: Decompress::new(false), inflated: vec![] })
    }

    /// Opens a socket of a page and follows `topics` from where the journal is now.
    pub(crate) fn follow(
        origin: &str,
        authorization: &str,
        topics: Vec<Topic>,
        room: Option<usize>,
    ) -> Result<(Self, Seq)> {
        let mut live = Self::open(&Door { origin, path: "/live", authorization }, room)?;
        let hello = live.read()?.context("closed before hello")?;
        let ServerMsg::Hello { store_id, seq, .. } = serde_json::from_slice(hello)? else {
            bail!("the first message is not hello");
        };
        live.say(&serde_json::to_string(&ClientMsg::Resume { store_id, since: seq, topics })?)?;
        Ok((live, seq))
    }

    /// How long [`Live::read`] waits.
    pub(crate) fn set_patience(&self, patience: Duration) -> Result<()> {
        Ok(self.stream.get_ref().set_read_timeout(Some(patience))?)
    }

    /// Its connection, to wait for news.
    pub(crate) fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// Whether something was read from the kernel that nobody has looked at.
    pub(crate) fn has_more(&self) -> bool {
        !self.stream.buffer().is_empty()
    }

    /// Sends a text. Its mask is zero: it hides nothing from anybody on loopback.
    pub(crate) fn say(&mut self, text: &str) -> Result<()> {
        let mut frame = vec![0x80 | TEXT];
        match u16::try_from(text.len()).context("a load says little")? {
            short @ ..126 => frame.push(0x80 | u8::try_from(short)?),
            long => {
                frame.push(0x80 | 126);
                frame.extend(long.to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        Ok(self.stream.get_mut().write_all(&frame)?)
    }

    /// The next text; `None` where it was closed.
    pub(crate) fn read(&mut self) -> io::Result<Option<&[u8]>> {
        self.read_beginning(MAX_MESSAGE)
    }

    /// The same, or where that is enough only its first `enough` bytes: inflating costs time.
    pub(crate) fn read_beginning(&mut self, enough: u64) -> io::Result<Option<&[u8]>> {
        let enough = usize::try_from(enough).unwrap_or(usize::MAX);
        loop {
            let mut head = [0; 2];
            self.stream.read_exact(&mut head)?;
            let length = match head[1] & 0x7f {
                126 => {
                    let mut long = [0; 2];
                    self.stream.read_exact(&mut long)?;
                    u64::from(u16::from_be_bytes(long))
                }
                127 => {
                    let mut long = [0; 8];
                    self.stream.read_exact(&mut long)?;
                    u64::from_be_bytes(long)
                }
                short => u64::from(short),
            };
            if length > MAX_MESSAGE {
                return Err(io::Error::other(format!("a message of {length} bytes")));
            }
            self.message.resize(usize::try_from(length).unwrap_or_default(), 0);
            self.stream.read_exact(&mut self.message)?;
            match head[0] & 0x0f {
                TEXT if head[0] & DEFLATED != 0 => return self.inflated(enough).map(Some),
                TEXT => return Ok(Some(&self.message[..enough.min(self.message.len())])),
                CLOSE => return Ok(None),
                _ => {}
            }
        }
    }

    /// The beginning of what a compressed message says.
    fn inflated(&mut self, enough: usize) -> io::Result<&[u8]> {
        self.message.extend(TAIL);
        self.inflate.reset(false);
        self.inflated.clear();
        self.inflated.reserve(enough.min(self.message.len() * 4));
        loop {
            let taken = usize::try_from(self.inflate.total_in()).unwrap_or(usize::MAX);
            let before = self.inflated.len();
            self.inflate.decompress_vec(&self.message[taken..], &mut self.inflated, FlushDecompress::Sync)?;
            if self.inflated.len() >= enough || self.inflated.len() == before {
                return Ok(&self.inflated[..enough.min(self.inflated.len())]);
            }
            self.inflated.reserve(self.inflated.len().min(enough));
        }
    }
}
