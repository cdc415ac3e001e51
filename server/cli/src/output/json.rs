//! Output for programs: one document a command, or one object a line.

use serde::Serialize;
use serde_json::{Value, json};

use super::text::is_hostile;
use crate::error::Report;

const SCHEMA: &str = "vt.v1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a, T: Serialize> {
    schema_version: &'static str,
    data: &'a T,
}

/// `{"schemaVersion":"vt.v1","data":…}`, indented where a person looks at it.
pub(super) fn document(data: &impl Serialize, indented: bool) -> String {
    render(&Document { schema_version: SCHEMA, data }, indented)
}

/// `{"schemaVersion":"vt.v1","error":…}`.
pub(super) fn error(report: &Report, indented: bool) -> String {
    render(&json!({ "schemaVersion": SCHEMA, "error": report }), indented)
}

/// One object of a stream.
pub(super) fn line(object: &impl Serialize) -> String {
    render(object, false)
}

fn render(value: &impl Serialize, indented: bool) -> String {
    let text = if indented { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    escape(&text.unwrap_or_else(|_| Value::Null.to_string()))
}

/// JSON lets C1 and bidirectional controls stand; a terminal would obey them. They can only occur inside of
/// strings, where the escape means the same character.
fn escape(text: &str) -> String {
    if !text.contains(|c| is_hostile(c) && c != '\n') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c == '\n' || !is_hostile(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_escaped_and_means_the_same() {
        let value = json!({ "text": "a\u{9b}31m\u{1b}[2J\u{202e}b\u{7f}\u{e0041}\n" });
        for indented in [false, true] {
            let text = document(&value, indented);
            assert!(!text.contains(|c| is_hostile(c) && c != '\n'), "{text:?}");
            let back: Value = serde_json::from_str(&text).expect("still JSON");
            assert_eq!(back["data"], value);
        }
    }

    #[test]
    fn a_line_of_a_stream_is_one_line_without_an_envelope() {
        assert_eq!(line(&json!({ "message": "a\nb" })), r#"{"message":"a\nb"}"#);
    }
}
