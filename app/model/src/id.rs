//! The registry of typed ids: one list, one alphabet, one way to mint and to parse.
//!
//! On the wire an id is `prefix_body`; the body is lower-case letters and digits, so an id never needs
//! escaping in a URL, a file name or a shell, and can never be a path.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::as_text::as_text;

/// A text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id like {expected}_7f3k9")]
pub struct IdError {
    /// The prefix that the id should have had.
    pub expected: &'static str,
}

/// The longest body that is accepted; minted bodies have ten characters.
const MAX_BODY: usize = 40;
/// Crockford's base 32 without letters that are easily confused.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn body(random: u64) -> String {
    (0..10).map(|i| char::from(ALPHABET[((random >> (i * 5)) & 31) as usize])).collect()
}

fn check(text: &str, prefix: &'static str) -> Result<(), IdError> {
    let body = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
    match body {
        Some(body)
            if !body.is_empty()
                && body.len() <= MAX_BODY
                && body.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) =>
        {
            Ok(())
        }
        _ => Err(IdError { expected: prefix }),
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// What every id of this kind starts with, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Makes an id from random bits; 50 of them are used.
            #[must_use]
            pub fn mint(random: u64) -> Self {
                Self(format!("{}_{}", $prefix, body(random)))
            }

            /// The wire form.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                check(text, $prefix)?;
                Ok(Self(text.to_owned()))
            }
        }

        as_text!($name, pattern(Some(concat!("^", $prefix, "_[a-z0-9]{1,40}$"))));
    )*};
}

ids! {
    /// An app of the embedded platform.
    AppId = "app";
    /// One app in one environment: the unit that desired state belongs to.
    EnvId = "env";
    /// One running (or failing) copy of a process.
    InstanceId = "ins";
    /// What a write answers.
    ReceiptId = "rc";
    /// An immutable, numbered release of an app in an env.
    ReleaseId = "rel";
    /// A platform that reports to us.
    SourceId = "src";
    /// A named API token.
    TokenId = "tok";
    /// One request, end to end.
    TraceId = "tr";
    /// A wait that the server keeps.
    WaitId = "wt";
}

/// A position in the journal. Sequences have no holes and commit order is number order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Seq(pub i64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An event's id is its place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub Seq);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ev_{}", self.0)
    }
}

impl FromStr for EventId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        check(text, "ev")?;
        let digits = &text["ev_".len()..];
        digits.parse().map(|n| Self(Seq(n))).map_err(|_| IdError { expected: "ev" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_id_parses_back() {
        for random in [0, 1, u64::MAX, 0x1234_5678_9abc_def0] {
            let id = EnvId::mint(random);
            assert_eq!(id.to_string().parse::<EnvId>(), Ok(id));
        }
    }

    #[test]
    fn another_kind_of_id_a_path_and_upper_case_are_refused() {
        for text in ["app_abc", "env_", "env_../x", "env_ABC", "env", "", "env_a b", "env_é"] {
            assert!(text.parse::<EnvId>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_event_id_is_its_sequence() {
        assert_eq!("ev_42".parse(), Ok(EventId(Seq(42))));
        assert!("ev_x".parse::<EventId>().is_err());
        assert!("ev_99999999999999999999".parse::<EventId>().is_err());
    }
}
