//! Secrets that we hand out: made here, shown once, stored as a hash only.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// 256 random bits with a prefix that secret scanners can look for.
///
/// # Panics
/// If the operating system has no randomness to give.
#[must_use]
pub fn mint() -> String {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    format!("vt_{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// What is stored of a secret. The secret has 256 random bits, so one round of SHA-256 is enough.
#[must_use]
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// A value that only somebody who has the secret can make, for one purpose.
#[must_use]
pub fn derive(secret: &str, purpose: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(purpose.as_bytes());
    digest.update([0]);
    digest.update(secret.as_bytes());
    URL_SAFE_NO_PAD.encode(digest.finalize())
}

/// Compares without telling how much was equal.
#[must_use]
pub fn same(a: &str, b: &str) -> bool {
    Sha256::digest(a.as_bytes()) == Sha256::digest(b.as_bytes())
}
