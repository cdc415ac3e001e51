//! Text on its way in and out: what the engines cannot hold, and JSON columns.

use std::borrow::Cow;

use serde::{Serialize, de::DeserializeOwned};

use crate::StoreError;

/// PostgreSQL cannot hold NUL (inside of JSON it is an escape), and the unit separator keeps the parts of a folded text apart.
const UNWANTED: [char; 2] = ['\0', SEPARATOR];
/// Between the parts of a folded text; never inside of one.
pub(crate) const SEPARATOR: char = '\u{1f}';

/// The same text without the two characters that are never stored.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.contains(UNWANTED) { text.replace(UNWANTED, "\u{fffd}").into() } else { text.into() }
}

/// Whether the text can be stored at all, and so be found.
pub(crate) fn is_storable(text: &str) -> bool {
    !text.contains(UNWANTED)
}

/// Cleans in place.
pub(crate) fn scrub(text: &mut String) {
    if let Cow::Owned(better) = clean(text) {
        *text = better;
    }
}

/// A JSON column on its way in.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("stored types have text keys and no failing serialisers")
}

/// A JSON column on its way out.
pub(crate) fn from_json<T: DeserializeOwned>(
    op: &'static str,
    what: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::damaged(op, what))
}

/// An id, a kind or a word on its way out.
pub(crate) fn parse<T: std::str::FromStr>(
    op: &'static str,
    what: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::damaged(op, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engines_cannot_hold_is_replaced() {
        assert_eq!(clean("a\0b\u{1f}c"), "a\u{fffd}b\u{fffd}c");
        assert!(matches!(clean("plain"), Cow::Borrowed("plain")));
        // In JSON columns it stays, as an escape.
        assert_eq!(to_json("a\0"), r#""a\u0000""#);
    }
}
