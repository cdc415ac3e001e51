//! The handshake: turns a request into a socket (RFC 6455, section 4.2), and agrees on compression (RFC 7692).

use axum::{
    body::Body,
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::BytesMut;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::{
    rt::TokioIo,
    server::conn::auto::upgrade::{Parts as Connection, downcast},
};
use model::ErrorCode;
use sha1::{Digest as _, Sha1};
use tokio::net::TcpStream;

use super::{
    super::{error::Problem, guard::Trace},
    ear::Ear,
    pen::Pen,
};
use crate::state::AppState;

/// Added to every key (RFC 6455, section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// What we answer to an offer to compress: no message leans on one before it, so that one can be sent to many.
const AGREED: HeaderValue =
    HeaderValue::from_static("permessage-deflate; server_no_context_takeover; client_no_context_takeover");

/// A request that can become a socket.
pub(in crate::http) struct Upgrade {
    accept: HeaderValue,
    inflates: bool,
    upgraded: OnUpgrade,
}

impl FromRequestParts<AppState> for Upgrade {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let Ok(Trace(trace)) = Trace::from_request_parts(parts, state).await;
        let headers = &parts.headers;
        let asked = names(headers, header::CONNECTION, "upgrade")
            && names(headers, header::UPGRADE, "websocket")
            && headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
        let accept = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| asked).and_then(accept);
        let inflates = inflates(headers);
        match (accept, parts.extensions.remove::<OnUpgrade>()) {
            (Some(accept), Some(upgraded)) => Ok(Self { accept, inflates, upgraded }),
            _ => Err(Problem::new(ErrorCode::Invalid, "this address speaks WebSocket, version 13", &trace)
                .hint("programs read GET /api/v1/events?follow=true")),
        }
    }
}

impl Upgrade {
    /// Answers the request, and runs `talk` once the connection is a socket.
    pub(super) fn talk<F: Future<Output = ()> + Send>(
        self,
        talk: impl FnOnce(Ear, Pen) -> F + Send + 'static,
    ) -> Response {
        let Self { accept, inflates, upgraded } = self;
        tokio::spawn(async move {
            match upgraded.await {
                Ok(upgraded) => match halves(upgraded, inflates) {
                    Some((ear, pen)) => talk(ear, pen).await,
                    None => tracing::warn!("a connection that is not TCP cannot become a socket"),
                },
                Err(error) => tracing::debug!(%error, "a connection was gone before it became a socket"),
            }
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        if inflates {
            headers.insert(header::SEC_WEBSOCKET_EXTENSIONS, AGREED);
        }
        response
    }
}

/// Both halves of a socket. The connection is taken out of what HTTP had put around it: whoever writes to many of them
/// cannot wait for any.
fn halves(upgraded: Upgraded, inflates: bool) -> Option<(Ear, Pen)> {
    let Connection { io, read_buf, .. } = downcast::<TokioIo<TcpStream>>(upgraded).ok()?;
    let (reads, writes) = io.into_inner().into_split();
    // Copied: the buffer of a request has kilobytes, and would be kept as long as the socket.
    let received = BytesMut::from(&read_buf[..]);
    Some((Ear::new(reads, received, inflates), Pen::new(writes, inflates)))
}

/// Whether a list of words has this one.
fn names(headers: &HeaderMap, name: header::HeaderName, word: &str) -> bool {
    let mut words =
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
    words.any(|said| said.trim().eq_ignore_ascii_case(word))
}

/// The answer to a key, which shows that we understood.
fn accept(key: &HeaderValue) -> Option<HeaderValue> {
    let digest = Sha1::new().chain_update(key.as_bytes()).chain_update(GUID).finalize();
    HeaderValue::from_str(&BASE64_STANDARD.encode(digest)).ok()
}

/// Whether the other side offers to inflate what we would send.
fn inflates(headers: &HeaderMap) -> bool {
    let offers =
        headers.get_all(header::SEC_WEBSOCKET_EXTENSIONS).iter().filter_map(|value| value.to_str().ok());
    offers.flat_map(|value| value.split(',')).any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        parts.next() == Some("permessage-deflate")
            && parts.all(|part| {
                let name = part.split('=').next().unwrap_or_default().trim_end();
                // An offer with a limit to our window is left alone: we always use all of it.
                ["client_max_window_bits", "client_no_context_takeover", "server_no_context_takeover"]
                    .contains(&name)
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_standard_gets_the_answer_of_the_standard() {
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept(&key).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn compression_is_agreed_on_where_an_offer_leaves_us_our_window() {
        for (offer, agreed) in [
            ("permessage-deflate; client_max_window_bits", true),
            ("permessage-deflate", true),
            ("permessage-deflate; server_no_context_takeover; client_max_window_bits=10", true),
            ("x-other, permessage-deflate", true),
            ("permessage-deflate; server_max_window_bits=10, permessage-deflate", true),
            ("permessage-deflate; server_max_window_bits=10", false),
            ("permessage-deflate; surprise", false),
            ("permessage-bzip2", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(offer));
            assert_eq!(inflates(&headers), agreed, "{offer}");
        }
    }
}
