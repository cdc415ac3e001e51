//! The half of a socket that writes (RFC 6455).
//!
//! It is ours because what is sent was framed and compressed before, once for everybody, and because it can be lent to
//! the fan-out, which writes news at once where the kernel has room for them. It knows up to where each topic has been
//! told: frames overlap where what the socket read itself and what it is told meet, and nothing is sent twice.

use std::{io::IoSlice, time::Duration};

use control::fanout::{self, Told};
use model::Seq;
use tokio::{io::AsyncWriteExt as _, net::tcp::OwnedWriteHalf, time::timeout};

use super::{
    ear::{Ear, Lost},
    packed::{CLOSE, LAST, PONG, Packed, frame},
};

/// A write that takes longer means that nobody reads.
const WRITE: Duration = Duration::from_secs(10);
/// How long the other side has to hang up after we said goodbye.
const LINGER: Duration = Duration::from_secs(1);
/// Of the reason in a close frame (RFC 6455, section 5.5).
const MAX_REASON: usize = 123;

/// Writes to one connection after its upgrade.
pub struct Pen {
    stream: OwnedWriteHalf,
    inflates: bool,
    /// Up to where each of its topics has been told.
    pub(super) cursors: Vec<Seq>,
    /// Bytes of the next message that are written already.
    begun: usize,
}

impl fanout::Payload for Packed {
    type Pen = Pen;
}

impl fanout::Pen<Packed> for Pen {
    fn write_now(&mut self, told: &Told<Packed>) -> bool {
        let messages: Vec<_> =
            self.news(told).map(|message| IoSlice::new(message.bytes(self.inflates))).collect();
        let size: usize = messages.iter().map(|message| message.len()).sum();
        if size == 0 {
            return true;
        }
        // What is wrong with a connection is found out by its owner, who gets to write this again.
        let written = self.stream.try_write_vectored(&messages).unwrap_or_default();
        drop(messages);
        if written < size {
            self.begun = written;
            return false;
        }
        self.note(told);
        true
    }
}

impl Pen {
    /// Writes to this stream; `inflates` as was agreed in the handshake.
    pub(super) fn new(stream: OwnedWriteHalf, inflates: bool) -> Self {
        Self { stream, inflates, cursors: vec![], begun: 0 }
    }

    /// The messages that bring anything new.
    fn news<'a>(&self, told: &'a Told<Packed>) -> impl Iterator<Item = &'a Packed> + use<'a> {
        let (heartbeat, frames, cursor) = match told {
            Told::Heartbeat(text) => (Some(text), &[][..], Seq::default()),
            Told::Frames(n, frames) => (None, &**frames, self.cursors[usize::from(*n)]),
        };
        let new = frames.iter().filter(move |frame| frame.to > cursor).map(|frame| &frame.text);
        heartbeat.into_iter().chain(new)
    }

    fn note(&mut self, told: &Told<Packed>) {
        if let Told::Frames(n, frames) = told
            && let Some(last) = frames.last()
        {
            let cursor = &mut self.cursors[usize::from(*n)];
            *cursor = last.to.max(*cursor);
        }
    }

    /// Writes what is news of this, but for what was written of it before.
    pub(super) async fn tell(&mut self, told: &Told<Packed>) -> Result<(), Lost> {
        let bytes: Vec<_> = self.news(told).map(|message| message.bytes(self.inflates)).collect();
        let bytes = bytes.concat();
        self.note(told);
        let begun = std::mem::take(&mut self.begun);
        self.write(&bytes[begun..]).await
    }

    /// Sends one message.
    pub(super) async fn send(&mut self, message: &Packed) -> Result<(), Lost> {
        self.write(message.bytes(self.inflates)).await
    }

    /// Answers a ping.
    pub(super) async fn pong(&mut self, words: &[u8]) -> Result<(), Lost> {
        self.write(&frame(LAST | PONG, words)).await
    }

    /// Closes with a code and a reason, and waits for the other side to hang up: whoever hangs up on data that was
    /// not read yet takes back what was sent before. Within a message that the other side does not read, nothing can
    /// be said, and nothing is.
    pub(super) async fn close(mut self, (code, reason): (u16, &str), ear: Ear) {
        if self.begun > 0 {
            return;
        }
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend(&reason.as_bytes()[..reason.floor_char_boundary(MAX_REASON)]);
        if self.write(&frame(LAST | CLOSE, &payload)).await.is_err() {
            return;
        }
        let hang_up = async {
            let _ = self.stream.shutdown().await;
            ear.end().await;
        };
        let _ = timeout(LINGER, hang_up).await;
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Lost> {
        match timeout(WRITE, self.stream.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Lost::Closed),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use control::fanout::{Frame, Pen as _};
    use tokio::{io::AsyncReadExt as _, net::TcpStream};

    use super::{super::pair, *};

    /// Somebody who writes about one topic, and the connection that they write to.
    async fn open() -> (Ear, Pen, TcpStream) {
        let (ours, theirs) = pair().await;
        let (reads, writes) = ours.into_split();
        let mut pen = Pen::new(writes, false);
        pen.cursors = vec![Seq(0)];
        (Ear::new(reads, BytesMut::new(), false), pen, theirs)
    }

    fn frame_of(to: i64, size: usize) -> Told<Packed> {
        let text = format!("{to} {}", "x".repeat(size));
        Told::Frames(0, [Frame { after: Seq(to - 1), to: Seq(to), text: text.into() }].into())
    }

    /// A frame that leads to `to`, as long as a busy one.
    fn news(to: i64) -> Told<Packed> {
        frame_of(to, 16_000)
    }

    fn bytes(told: &Told<Packed>) -> Vec<u8> {
        match told {
            Told::Heartbeat(text) => text.bytes(false).to_vec(),
            Told::Frames(_, frames) => {
                frames.iter().flat_map(|frame| frame.text.bytes(false).to_vec()).collect()
            }
        }
    }

    /// Two rounds in one.
    fn both(one: &Told<Packed>, two: &Told<Packed>) -> Told<Packed> {
        match (one, two) {
            (Told::Frames(n, one), Told::Frames(_, two)) => {
                Told::Frames(*n, one.iter().chain(&**two).cloned().collect())
            }
            _ => two.clone(),
        }
    }

    #[tokio::test]
    async fn what_the_kernel_takes_in_part_is_written_once_and_whole() {
        let (ear, mut pen, mut theirs) = open().await;
        let mut sent: Vec<u8> = vec![];
        let rounds = (1..10_000).map(|n| both(&news(2 * n - 1), &news(2 * n)));
        let refused = rounds.into_iter().find(|told| {
            let written = pen.write_now(told);
            sent.extend(bytes(told));
            !written
        });
        let refused = refused.expect("the kernel has no room for 320 MB");
        let next = news(20_000);
        sent.extend(bytes(&next));
        let write = async {
            pen.tell(&refused).await.unwrap();
            pen.tell(&next).await.unwrap();
            drop((pen, ear));
        };
        let mut heard = vec![];
        let (read, ()) = tokio::join!(theirs.read_to_end(&mut heard), write);
        read.unwrap();
        assert!(heard == sent, "{} of {} bytes", heard.len(), sent.len());
    }

    #[tokio::test]
    async fn what_brings_nothing_new_is_not_sent_again() {
        let (ear, mut pen, mut theirs) = open().await;
        let (one, two, three) = (news(1), news(2), news(3));
        pen.tell(&one).await.unwrap();
        pen.tell(&both(&one, &two)).await.unwrap();
        assert!(pen.write_now(&two));
        assert!(pen.write_now(&both(&two, &three)));
        pen.tell(&three).await.unwrap();
        drop((pen, ear));
        let mut heard = vec![];
        theirs.read_to_end(&mut heard).await.unwrap();
        assert!(heard == [one, two, three].each_ref().map(bytes).concat(), "{} bytes", heard.len());
    }

    #[tokio::test]
    async fn a_goodbye_says_its_code_and_as_much_of_its_reason_as_there_is_room_for() {
        let (ear, pen, mut theirs) = open().await;
        let reason = "ä".repeat(100);
        let said = async {
            let mut said = vec![];
            theirs.read_to_end(&mut said).await.unwrap();
            drop(theirs);
            said
        };
        let ((), said) = tokio::join!(pen.close((1013, &reason), ear), said);
        assert_eq!(said[..4], [LAST | CLOSE, 124, 0x03, 0xf5]);
        assert_eq!(std::str::from_utf8(&said[4..]).unwrap(), "ä".repeat(61));
    }

    #[tokio::test]
    async fn nothing_is_said_within_a_message_that_nobody_reads() {
        let (ear, mut pen, mut theirs) = open().await;
        // More than the kernel takes of one connection.
        let much = frame_of(1, 64 << 20);
        assert!(!pen.write_now(&much));
        pen.close((1001, "the server ends"), ear).await;
        let mut heard = vec![];
        // Hanging up on what was not read may be heard as an error; what came before it counts.
        let _ = theirs.read_to_end(&mut heard).await;
        assert!(!heard.is_empty() && bytes(&much).starts_with(&heard), "{} bytes", heard.len());
    }
}
