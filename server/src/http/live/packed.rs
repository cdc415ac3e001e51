//! A message as it goes over the wire: framed and compressed once, shared by all sockets that get it.
//!
//! The format is RFC 6455, section 5.2; what is compressed is compressed as RFC 7692, section 7.2.1 says. No message
//! leans on one before it, which is what makes sharing possible.

use std::{io::Write as _, sync::Arc};

use flate2::{Compression, write::DeflateEncoder};

pub(super) const TEXT: u8 = 1;
pub(super) const CLOSE: u8 = 8;
pub(super) const PONG: u8 = 10;
/// In the first byte: this frame ends its message.
pub(super) const LAST: u8 = 0x80;
/// In the first byte: the message is compressed.
pub(super) const DEFLATED: u8 = 0x40;
/// What a flushed stream ends with, and what is not sent.
pub(super) const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// A shorter message is not worth the time.
const WORTH: usize = 200;

/// A text, ready to be sent.
#[derive(Debug, Clone)]
pub struct Packed(Arc<Ready>);

#[derive(Debug)]
struct Ready {
    plain: Vec<u8>,
    deflated: Option<Vec<u8>>,
}

impl Packed {
    /// What to write, for those who can inflate and for those who cannot.
    pub(super) fn bytes(&self, inflates: bool) -> &[u8] {
        match &self.0.deflated {
            Some(deflated) if inflates => deflated,
            _ => &self.0.plain,
        }
    }
}

impl From<String> for Packed {
    fn from(text: String) -> Self {
        let text = text.into_bytes();
        let smaller = (text.len() >= WORTH).then(|| deflate(&text)).flatten();
        let deflated = smaller.map(|smaller| frame(LAST | DEFLATED | TEXT, &smaller));
        Self(Arc::new(Ready { plain: frame(LAST | TEXT, &text), deflated }))
    }
}

/// Compresses a message; `None` where that gains nothing.
fn deflate(text: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(text.len() / 2), Compression::fast());
    // Writing into memory does not fail; if it did, the message would go as it is.
    encoder.write_all(text).ok()?;
    encoder.flush().ok()?;
    let whole = encoder.get_ref().strip_suffix(&TAIL)?;
    (whole.len() < text.len()).then(|| whole.to_vec())
}

/// A frame of the server, which masks nothing.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(10 + payload.len());
    frame.push(first);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ ..126), _) => frame.push(short),
        (_, Ok(medium)) => {
            frame.push(126);
            frame.extend(medium.to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

#[cfg(test)]
mod tests {
    use flate2::{Decompress, FlushDecompress};

    use super::*;

    #[test]
    fn the_length_takes_as_little_room_as_it_can() {
        for (n, head) in [
            (0, vec![0x81, 0]),
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (65_535, vec![0x81, 126, 0xff, 0xff]),
            (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let made = frame(LAST | TEXT, &vec![b'x'; n]);
            assert_eq!(&made[..head.len()], head, "{n}");
            assert_eq!(made.len(), head.len() + n);
        }
    }

    #[test]
    fn a_compressed_message_is_the_same_message() {
        let text = "{\"frame\":[1,2,3],\"words\":\"äöü\"}".repeat(300);
        let packed = Packed::from(text.clone());
        let sent = packed.bytes(true);
        assert_eq!(sent[..2], [LAST | DEFLATED | TEXT, 126]);
        assert!(sent.len() * 10 < text.len(), "{} bytes", sent.len());
        let mut again = Vec::with_capacity(text.len());
        let whole = [&sent[4..], &TAIL].concat();
        Decompress::new(false).decompress_vec(&whole, &mut again, FlushDecompress::Sync).unwrap();
        assert_eq!(String::from_utf8(again).unwrap(), text);
    }

    #[test]
    fn who_cannot_inflate_gets_it_plain_and_so_does_everybody_what_is_short() {
        let long = Packed::from("x".repeat(WORTH));
        assert_eq!(long.bytes(false)[0], LAST | TEXT);
        assert_eq!(long.bytes(true)[0], LAST | DEFLATED | TEXT);
        let short = Packed::from("{}".to_owned());
        assert_eq!(short.bytes(true), [LAST | TEXT, 2, b'{', b'}']);
    }
}
