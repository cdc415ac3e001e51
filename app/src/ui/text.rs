//! Text from outside: made visible, bounded, isolated. It can never become markup, only look strange.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;

/// Longest text that is put on a page in one piece; the rest is said by its size.
pub const MAX_SHOWN: usize = 4_000;
/// From this length on, the rest of a text is folded.
const FOLD_AT: usize = 280;

/// Replaces what would act instead of being read: control characters and marks that turn the direction.
#[must_use]
pub fn visible(text: &str) -> String {
    // Nearly every text is of this kind, and there are hundreds on a page.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push(' '),
            '\0'..='\u{1f}' => out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')),
            '\u{7f}' => out.push('\u{2421}'),
            '\u{80}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' => {
                out.push_str("\u{27e8}U+");
                push_hex(&mut out, u32::from(c));
                out.push('\u{27e9}');
            }
            c => out.push(c),
        }
    }
    out
}

fn push_hex(out: &mut String, number: u32) {
    for shift in [12, 8, 4, 0] {
        out.push(char::from_digit((number >> shift) & 15, 16).unwrap_or('0').to_ascii_uppercase());
    }
}

/// At most `max` characters, with an ellipsis where something was cut.
#[must_use]
pub fn clamp(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

/// Cuts a text that is too long for a page and says how long it was.
pub fn tame(text: &mut String) {
    if let Some((cut, _)) = text.char_indices().nth(MAX_SHOWN) {
        let size = size_words(text.len());
        text.truncate(cut);
        text.push_str(" … (cut; ");
        text.push_str(&size);
        text.push_str(" in all)");
    }
}

/// `4.2 kB`.
#[must_use]
pub fn size_words(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// A short text from outside within a line: a name, a reason, a title.
pub fn outside(text: &str) -> impl IntoView + use<> {
    let shown = visible(&clamp(text, FOLD_AT));
    view! { <bdi>{shown}</bdi> }
}

/// A text from outside that may be long: the begin, and the rest on request.
pub fn outside_long(text: &str) -> AnyView {
    let Some((cut, _)) = text.char_indices().nth(FOLD_AT) else {
        return outside(text).erased();
    };
    let mut rest = text[cut..].to_owned();
    tame(&mut rest);
    let head = visible(&text[..cut]);
    let rest = visible(&rest);
    let more = format!("show all ({})", size_words(text.len()));
    view! {
        <span class="long">
            <bdi>{head}"…"</bdi>
            <details class="more">
                <summary>{more}</summary>
                <bdi>"…"{rest}</bdi>
            </details>
        </span>
    }
    .erased()
}

/// Thousands with thin spaces: `9 801`.
#[must_use]
pub fn count(n: i64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + 4);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && c != '-' {
            out.push('\u{2009}');
        }
        out.push(c);
    }
    out
}

/// `1 event`, `2 events`.
#[must_use]
pub fn plural(n: i64, one: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {one}{s}", count(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_act_is_shown_instead() {
        assert_eq!(visible("a\0b\n\u{202e}c\u{7f}"), "a␀b␊⟨U+202E⟩c␡");
        assert_eq!(visible("plain ü 漢"), "plain ü 漢");
    }

    #[test]
    fn long_texts_are_cut_at_characters_and_say_their_size() {
        let mut text = "ü".repeat(1_000_000);
        tame(&mut text);
        assert!(text.chars().count() < MAX_SHOWN + 40);
        assert!(text.ends_with("(cut; 2.0 MB in all)"));
        assert_eq!(clamp("üüü", 2), "üü…");
    }

    #[test]
    fn numbers_have_thin_spaces() {
        assert_eq!(count(9_801), "9\u{2009}801");
        assert_eq!(count(801), "801");
        assert_eq!(plural(1, "event"), "1 event");
    }
}
