//! The half of a socket that listens: RFC 6455, with the compression of RFC 7692.
//!
//! What is heard is a page's one message, pings and the end. It refuses what a page of ours never sends: binary
//! messages, and texts of 64 KiB or more, before as after inflating.

use bytes::{Buf as _, BytesMut};
use flate2::{Decompress, FlushDecompress};
use tokio::{io::AsyncReadExt as _, net::tcp::OwnedReadHalf};

use super::{
    Goodbye, NOT_UNDERSTOOD,
    packed::{CLOSE, DEFLATED, LAST, PONG, TAIL, TEXT},
};

/// What is read at once; pages say little.
const CHUNK: usize = 512;
const MAX_TEXT: usize = 64 * 1024 - 1;
const CONTINUATION: u8 = 0;
const PING: u8 = 9;

const TOO_LARGE: Goodbye = (1009, "a page says less than this");
const NO_TEXT: Goodbye = (1007, "this is no text");

/// What one connection says after its upgrade.
pub(super) struct Ear {
    stream: OwnedReadHalf,
    inflates: bool,
    received: BytesMut,
    /// What came of a message whose end has not come.
    pieces: Option<Pieces>,
}

struct Pieces {
    deflated: bool,
    bytes: Vec<u8>,
}

/// What the other side said.
#[derive(Debug, PartialEq)]
pub(super) enum Heard {
    Text(String),
    /// To be answered with the same words.
    Ping(Vec<u8>),
    Pong,
    Close,
}

/// Why nothing more is heard.
#[derive(Debug, PartialEq)]
pub(super) enum Lost {
    /// The connection is gone; there is nobody to say anything to.
    Closed,
    /// What came breaks the rules.
    Broken(Goodbye),
}

struct Piece {
    first: u8,
    payload: Vec<u8>,
}

impl Ear {
    /// Listens to this stream, of which so much was `received` before; `inflates` as was agreed in the handshake.
    pub(super) fn new(stream: OwnedReadHalf, received: BytesMut, inflates: bool) -> Self {
        Self { stream, inflates, received, pieces: None }
    }

    /// What comes next. Nothing is lost where the waiting is given up.
    pub(super) async fn recv(&mut self) -> Result<Heard, Lost> {
        loop {
            while let Some(piece) = next_piece(&mut self.received).map_err(Lost::Broken)? {
                if let Some(heard) = self.heard(piece).map_err(Lost::Broken)? {
                    return Ok(heard);
                }
            }
            self.received.reserve(CHUNK);
            match self.stream.read_buf(&mut self.received).await {
                Ok(0) | Err(_) => return Err(Lost::Closed),
                Ok(_) => {}
            }
        }
    }

    /// Puts pieces together.
    fn heard(&mut self, piece: Piece) -> Result<Option<Heard>, Goodbye> {
        let (last, deflated) = (piece.first & LAST != 0, piece.first & DEFLATED != 0);
        let pieces = match piece.first & 0x0f {
            PING => return Ok(Some(Heard::Ping(piece.payload))),
            PONG => return Ok(Some(Heard::Pong)),
            CLOSE => return Ok(Some(Heard::Close)),
            TEXT if self.pieces.is_none() && (self.inflates || !deflated) => {
                Pieces { deflated, bytes: piece.payload }
            }
            CONTINUATION if !deflated => {
                let mut pieces = self.pieces.take().ok_or(NOT_UNDERSTOOD)?;
                pieces.bytes.extend(piece.payload);
                pieces
            }
            _ => return Err(NOT_UNDERSTOOD),
        };
        if pieces.bytes.len() > MAX_TEXT {
            return Err(TOO_LARGE);
        }
        if !last {
            self.pieces = Some(pieces);
            return Ok(None);
        }
        let bytes = if pieces.deflated { inflate(&pieces.bytes)? } else { pieces.bytes };
        String::from_utf8(bytes).map(|text| Some(Heard::Text(text))).map_err(|_| NO_TEXT)
    }

    /// Waits for the other side to hang up, whatever it says until then.
    pub(super) async fn end(mut self) {
        let mut rest = [0; CHUNK];
        while let Ok(1..) = self.stream.read(&mut rest).await {}
    }
}

/// Takes one frame (RFC 6455, section 5.2) from what was received; `None` until all of it is there.
fn next_piece(received: &mut BytesMut) -> Result<Option<Piece>, Goodbye> {
    let [first, second, ref rest @ ..] = received[..] else { return Ok(None) };
    let is_control = first & 0x08 != 0;
    let (reserved, masked, length) = (first & 0x30, second & 0x80 != 0, second & 0x7f);
    if reserved != 0 || !masked || is_control && (first & LAST == 0 || first & DEFLATED != 0 || length > 125)
    {
        return Err(NOT_UNDERSTOOD);
    }
    let (head, length) = match (length, rest) {
        (126, [high, low, ..]) => (4, usize::from(u16::from_be_bytes([*high, *low]))),
        (126, _) => return Ok(None),
        // A length of eight bytes is for what does not fit into two.
        (127, _) => return Err(TOO_LARGE),
        (short, _) => (2, usize::from(short)),
    };
    if received.len() < head + 4 + length {
        return Ok(None);
    }
    received.advance(head);
    let mask = received.split_to(4);
    let payload = received.split_to(length);
    let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    Ok(Some(Piece { first, payload }))
}

/// What a compressed message says, if that is not too much.
fn inflate(bytes: &[u8]) -> Result<Vec<u8>, Goodbye> {
    let mut inflated = Vec::with_capacity(MAX_TEXT + 1);
    let whole = [bytes, &TAIL].concat();
    // It stops where there is no more room, which is more than may be said.
    match Decompress::new(false).decompress_vec(&whole, &mut inflated, FlushDecompress::Sync) {
        Ok(_) if inflated.len() > MAX_TEXT => Err(TOO_LARGE),
        Ok(_) => Ok(inflated),
        Err(_) => Err(NO_TEXT),
    }
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncWriteExt as _, net::TcpStream};

    use super::{
        super::{
            packed::{Packed, frame},
            pair,
        },
        *,
    };

    const MASK: [u8; 4] = [1, 2, 3, 4];

    /// A frame of a page.
    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut made = frame(first, &[]);
        made[1] = 0x80;
        match u8::try_from(payload.len()) {
            Ok(short @ ..126) => made[1] |= short,
            _ => {
                made[1] |= 126;
                made.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
            }
        }
        made.extend(MASK);
        made.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        made
    }

    fn deflated(text: &str) -> Vec<u8> {
        let packed = Packed::from(text.to_owned());
        let sent = packed.bytes(true);
        assert_eq!(sent[0], LAST | DEFLATED | TEXT);
        sent[if sent[1] < 126 { 2 } else { 4 }..].to_vec()
    }

    /// Somebody who listens, and the connection that they listen to.
    async fn open(inflates: bool) -> (Ear, TcpStream) {
        let (ours, theirs) = pair().await;
        (Ear::new(ours.into_split().0, BytesMut::new(), inflates), theirs)
    }

    async fn first(inflates: bool, said: &[u8]) -> Result<Heard, Lost> {
        let (mut ear, mut theirs) = open(inflates).await;
        let say = async move { theirs.write_all(said).await };
        let (said, heard) = tokio::join!(say, ear.recv());
        said.unwrap();
        heard
    }

    fn text(text: &str) -> Result<Heard, Lost> {
        Ok(Heard::Text(text.to_owned()))
    }

    #[tokio::test]
    async fn a_text_is_heard_however_it_was_cut_and_pings_may_come_between() {
        let said =
            [masked(TEXT, b"{\"a\""), masked(LAST | PING, b"hm"), masked(LAST, ":1}".as_bytes())].concat();
        let (mut ear, mut theirs) = open(false).await;
        let bytewise = async {
            for byte in &said {
                theirs.write_all(&[*byte]).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let both = async { (ear.recv().await, ear.recv().await) };
        let ((ping, whole), ()) = tokio::join!(both, bytewise);
        assert_eq!(ping, Ok(Heard::Ping(b"hm".to_vec())));
        assert_eq!(whole, text("{\"a\":1}"));
    }

    #[tokio::test]
    async fn a_compressed_text_is_heard_where_that_was_agreed() {
        let long = "a word, ".repeat(200);
        let whole = deflated(&long);
        assert_eq!(first(true, &masked(LAST | DEFLATED | TEXT, &whole)).await, text(&long));
        let (one, two) = whole.split_at(whole.len() / 2);
        let cut = [masked(DEFLATED | TEXT, one), masked(LAST, two)].concat();
        assert_eq!(first(true, &cut).await, text(&long));
        assert_eq!(
            first(false, &masked(LAST | DEFLATED | TEXT, &whole)).await,
            Err(Lost::Broken(NOT_UNDERSTOOD))
        );
    }

    #[tokio::test]
    async fn what_breaks_the_rules_is_not_understood() {
        let unmasked = frame(LAST | TEXT, b"hello");
        for (said, why) in [
            (unmasked, "no mask"),
            (masked(LAST | 2, b"binary"), "binary"),
            (masked(LAST | 3, b""), "an opcode of nobody"),
            (masked(LAST | 0x20 | TEXT, b"x"), "a reserved bit"),
            (masked(LAST, b"x"), "goes on with nothing"),
            ([masked(TEXT, b"x"), masked(LAST | TEXT, b"y")].concat(), "begins within another"),
            ([masked(DEFLATED | TEXT, b"x"), masked(LAST | DEFLATED, b"y")].concat(), "compressed twice"),
            (masked(PING, b"x"), "a ping in pieces"),
            (masked(LAST | DEFLATED | PING, b"x"), "a compressed ping"),
            (masked(LAST | PING, &[0; 126]), "a long ping"),
        ] {
            assert_eq!(first(true, &said).await, Err(Lost::Broken(NOT_UNDERSTOOD)), "{why}");
        }
        let no_text = masked(LAST | TEXT, &[0xff, 0xfe]);
        assert_eq!(first(true, &no_text).await, Err(Lost::Broken(NO_TEXT)));
        let no_stream = masked(LAST | DEFLATED | TEXT, &[0xff; 20]);
        assert_eq!(first(true, &no_stream).await, Err(Lost::Broken(NO_TEXT)));
    }

    #[tokio::test]
    async fn too_much_is_refused_before_and_after_inflating_and_by_its_length_alone() {
        let half = vec![b'x'; 40_000];
        let pieces = [masked(TEXT, &half), masked(0, &half)].concat();
        assert_eq!(first(true, &pieces).await, Err(Lost::Broken(TOO_LARGE)));
        let bomb = masked(LAST | DEFLATED | TEXT, &deflated(&"x".repeat(MAX_TEXT + 1)));
        assert!(bomb.len() < 2_000);
        assert_eq!(first(true, &bomb).await, Err(Lost::Broken(TOO_LARGE)));
        let mut endless = vec![LAST | TEXT, 0x80 | 127];
        endless.extend(u64::MAX.to_be_bytes());
        assert_eq!(first(true, &endless).await, Err(Lost::Broken(TOO_LARGE)));
    }

    #[tokio::test]
    async fn a_connection_that_ends_is_gone_also_within_a_frame() {
        assert_eq!(first(true, &[]).await, Err(Lost::Closed));
        assert_eq!(first(true, &masked(LAST | TEXT, b"hello")[..7]).await, Err(Lost::Closed));
        assert_eq!(first(true, &masked(LAST | CLOSE, &[3, 232])).await, Ok(Heard::Close));
    }
}
