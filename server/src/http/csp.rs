//! What the browser may do with our responses.
//!
//! Pages get a policy with a fresh nonce ([`Nonce::policy`], set by [`super::page`]); everything
//! else gets one that allows nothing. [`security_headers`] adds the rest to every response.

use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// 128 random bits that mark the scripts of one response.
#[derive(Clone, Debug)]
pub struct Nonce(String);

impl Nonce {
    /// A fresh one.
    ///
    /// # Panics
    /// If the operating system has no randomness to give.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default would hide that each is different")]
    pub fn new() -> Self {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the operating system gives randomness");
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The text for `nonce` attributes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The policy of a page whose scripts carry this nonce.
    ///
    /// # Panics
    /// Never: the nonce is plain ASCII.
    #[must_use]
    pub fn policy(&self) -> HeaderValue {
        let nonce = &self.0;
        let policy = format!(
            "default-src 'self'; \
             script-src 'strict-dynamic' 'nonce-{nonce}' 'wasm-unsafe-eval' 'inline-speculation-rules'; \
             style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
             object-src 'none'; frame-ancestors 'none'; form-action 'self'"
        );
        HeaderValue::try_from(policy).expect("a policy is plain ASCII")
    }
}

/// For responses that are not pages: even if a browser shows one, nothing in it runs.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not `no-referrer`: that turns the `Origin` of our own forms into `null`, and the check for
    // foreign forms needs it.
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Adds the headers that every response has; what a handler has set stays.
pub async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    fill(response.headers_mut());
    response
}

fn fill(headers: &mut HeaderMap) {
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NOTHING));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_nonces_are_alike() {
        assert_ne!(Nonce::new().as_str(), Nonce::new().as_str());
        assert_eq!(Nonce::new().as_str().len(), 22);
    }

    #[test]
    fn a_page_keeps_its_own_policy() {
        let nonce = Nonce::new();
        let mut headers = HeaderMap::from_iter([(header::CONTENT_SECURITY_POLICY, nonce.policy())]);
        fill(&mut headers);
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains(nonce.as_str()));
        assert!(!policy.contains("unsafe-inline"));
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }

    #[test]
    fn anything_else_may_run_nothing() {
        let mut headers = HeaderMap::new();
        fill(&mut headers);
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], NOTHING);
    }
}
