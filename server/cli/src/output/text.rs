//! Text that a terminal may be shown: what could steer it becomes visible instead.

use std::{borrow::Cow, fmt::Write as _};

/// What emphasis means; colour is only one way to show it, words say it as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Strong,
    Dim,
    Good,
    Warn,
    Bad,
}

/// A piece of a line.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

macro_rules! parts {
    ($($name:ident = $tone:ident;)*) => {$(
        pub(crate) fn $name(text: impl Into<String>) -> Part {
            Part { text: text.into(), tone: Tone::$tone }
        }
    )*};
}
parts! {
    plain = Plain;
    strong = Strong;
    dim = Dim;
    good = Good;
    warn = Warn;
    bad = Bad;
}

/// Parts as one line that is safe to print.
pub(crate) fn paint(parts: &[Part], color: bool) -> String {
    parts.iter().map(|part| paint_one(part, color)).collect()
}

fn paint_one(part: &Part, color: bool) -> String {
    let text = visible(&part.text);
    let code = match part.tone {
        Tone::Plain => return text.into_owned(),
        Tone::Strong => "1",
        Tone::Dim => "2",
        Tone::Good => "32",
        Tone::Warn => "33",
        Tone::Bad => "31",
    };
    if color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.into_owned() }
}

/// Whether a character could steer a terminal, hide text or reorder it.
pub(crate) fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The same text with escapes, line ends and invisible characters spelled out.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        let n = u32::from(c);
        // Writing to a string cannot fail.
        let _ = match c {
            '\n' => write!(out, "\\n"),
            '\r' => write!(out, "\\r"),
            '\t' => write!(out, "\\t"),
            c if !is_hostile(c) => write!(out, "{c}"),
            _ if n < 0x100 => write!(out, "\\x{n:02x}"),
            _ => write!(out, "\\u{{{n:x}}}"),
        };
    }
    Cow::Owned(out)
}

/// A word for a command line that a shell reads back as one argument.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/@%+,=".contains(&b);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_line_ends_and_reordering_become_visible() {
        for (hostile, shown) in [
            ("\u{1b}[2J\u{1b}]0;x\u{7}", "\\x1b[2J\\x1b]0;x\\x07"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\u{9b}31m", "\\x9b31m"),
            ("user\u{202e}txt.exe", "user\\u{202e}txt.exe"),
            ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
            ("grüße ✖ 日本", "grüße ✖ 日本"),
        ] {
            assert_eq!(visible(hostile), shown);
        }
    }

    #[test]
    fn colour_wraps_text_and_never_comes_from_it() {
        let parts = [bad("✖ \u{1b}[0m"), plain(" ok")];
        assert_eq!(paint(&parts, true), "\u{1b}[31m✖ \\x1b[0m\u{1b}[0m ok");
        assert_eq!(paint(&parts, false), "✖ \\x1b[0m ok");
    }

    #[test]
    fn shell_words_are_quoted_where_a_shell_would_read_more() {
        assert_eq!(shell_word("checkout"), "checkout");
        assert_eq!(shell_word("a b; rm -rf '$HOME'"), r"'a b; rm -rf '\''$HOME'\'''");
        assert_eq!(shell_word(""), "''");
    }
}
