//! Every key that does something: one list, which the browser obeys and the help page shows.
//!
//! No key changes anything beyond this browser: keys move, open, close and copy. Acting takes a button. A key that
//! is not in this list does nothing, and none does anything in a field, in a dialog, with Ctrl, Alt or Meta, or
//! when the settings say so; only the search is opened by `Ctrl+K` and `Cmd+K` from everywhere.

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Opens a page of ours.
    Go(&'static str),
    /// Opens the first link that matches.
    Open(&'static str),
    /// Presses the first button that matches; only buttons that change nothing but the view are named here.
    Press(&'static str),
    /// Puts the focus on the first thing that matches.
    Focus(&'static str),
    /// Opens the search.
    Search,
    /// Moves the focus by so many rows.
    Row(i32),
    /// Shows the row that has the focus beside the list.
    Peek,
    /// Opens the neighbour in the list that led here.
    Neighbour(i32),
    /// Closes what is open beside the page, then lets go of the row.
    Leave,
    /// Jumps to a section of the page.
    Section(u32),
    /// Copies something.
    Copy(What),
}

/// What can be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The id of what the page is about.
    Id,
    /// The link as it is: ranges move with the clock.
    Link,
    /// The link with every time made absolute.
    Exact,
    /// The sentence and the link, for a ticket.
    Markdown,
    /// The command that shows the same.
    Cli,
}

/// One key, or two in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// As `KeyboardEvent.key` spells it; two keys have a space between them.
    pub keys: &'static str,
    /// What it does, in words.
    pub words: &'static str,
    /// What it does.
    pub does: Does,
}

const fn bind(keys: &'static str, words: &'static str, does: Does) -> Binding {
    Binding { keys, words, does }
}

/// The key that stands for a space; the space itself separates two keys.
pub const SPACE: &str = "Space";

/// The list.
pub const BINDINGS: [Binding; 31] = [
    bind("?", "show the keys", Does::Go("/help/keys")),
    bind("/", "search", Does::Search),
    bind("g o", "go to the overview", Does::Go("/")),
    bind("g e", "go to the events", Does::Go("/events")),
    bind("g w", "go to the waits", Does::Go("/waits")),
    bind("g r", "go to the receipts", Does::Go("/receipts")),
    bind("g s", "go to the sources", Does::Go("/sources")),
    bind("g a", "go to the audit log", Does::Go("/audit")),
    bind("g d", "go to the doctor", Does::Go("/doctor")),
    bind("j", "next row", Does::Row(1)),
    bind("k", "previous row", Does::Row(-1)),
    bind(SPACE, "look at the row beside the list", Does::Peek),
    bind("Escape", "close what is open, then let go of the row", Does::Leave),
    bind("[", "previous object of the list you came from", Does::Neighbour(-1)),
    bind("]", "next object of the list you came from", Does::Neighbour(1)),
    bind("l", "pause or resume live updates", Does::Press(".live button[aria-pressed]")),
    bind("f", "go to the filter", Does::Focus("main .filter input")),
    bind("v", "list or grid", Does::Open(".views a:not([aria-current])")),
    bind("1", "go to the first section", Does::Section(0)),
    bind("2", "go to the second section", Does::Section(1)),
    bind("3", "go to the third section", Does::Section(2)),
    bind("4", "go to the fourth section", Does::Section(3)),
    bind("5", "go to the fifth section", Does::Section(4)),
    bind("6", "go to the sixth section", Does::Section(5)),
    bind("c i", "copy the id", Does::Copy(What::Id)),
    bind("c l", "copy the link; its times move with the clock", Does::Copy(What::Link)),
    bind("c x", "copy the link with exact times", Does::Copy(What::Exact)),
    bind("c m", "copy the sentence and the link as Markdown", Does::Copy(What::Markdown)),
    bind("c c", "copy the command that shows the same", Does::Copy(What::Cli)),
    bind("R", "open the plan of a rollback", Does::Open(".action[data-verb=rollback] a[href]")),
    bind("S", "open the plan of a new scale", Does::Open(".action[data-verb=scale] a[href]")),
];

/// What `key` means after `before`: a binding, the begin of one, or nothing.
#[must_use]
pub fn find(before: Option<&str>, key: &str) -> Found {
    let key = if key == " " { SPACE } else { key };
    let whole = |binding: &&Binding| match binding.keys.split_once(' ') {
        None => before.is_none() && binding.keys == key,
        Some((first, second)) => before == Some(first) && second == key,
    };
    if let Some(binding) = BINDINGS.iter().find(whole) {
        return Found::Whole(binding.does);
    }
    let begins = |binding: &Binding| binding.keys.split_once(' ').is_some_and(|(first, _)| first == key);
    if BINDINGS.iter().any(begins) { Found::Begin } else { Found::Nothing }
}

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// This.
    Whole(Does),
    /// Another key has to follow.
    Begin,
    /// Nothing.
    Nothing,
}

/// The list as people read it.
#[cfg(feature = "ssr")]
pub fn table() -> leptos::prelude::AnyView {
    use leptos::prelude::*;

    use crate::ui::{erase::Erase as _, table::columns};

    let rows: Vec<_> = BINDINGS
        .iter()
        .map(|binding| {
            let keys: Vec<_> = binding.keys.split(' ').map(|key| view! { <kbd>{key}</kbd>" " }).collect();
            view! { <tr data-keys=binding.keys><th scope="row">{keys}</th><td>{binding.words}</td></tr> }
        })
        .collect();
    view! {
        <table>
            <caption class="sr">"Keys"</caption>
            {columns(&["Key", "Does"])}
            <tbody>
                <tr><th scope="row"><kbd>"Ctrl+K"</kbd>" "<kbd>"Cmd+K"</kbd></th><td>"search, from everywhere"</td></tr>
                <tr><th scope="row"><kbd>"Enter"</kbd></th><td>"open the row that has the focus"</td></tr>
                {rows}
            </tbody>
        </table>
    }
    .erased()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_key_is_only_read_after_its_first_one() {
        assert_eq!(find(None, "g"), Found::Begin);
        assert_eq!(find(Some("g"), "e"), Found::Whole(Does::Go("/events")));
        assert_eq!(find(None, "e"), Found::Nothing);
        assert_eq!(find(Some("g"), "x"), Found::Nothing);
        assert_eq!(find(Some("c"), "l"), Found::Whole(Does::Copy(What::Link)));
        assert_eq!(find(None, "l"), Found::Whole(Does::Press(".live button[aria-pressed]")));
        assert_eq!(find(None, " "), Found::Whole(Does::Peek));
    }

    #[test]
    fn no_two_bindings_have_the_same_keys_and_none_is_the_begin_of_another() {
        for (i, one) in BINDINGS.iter().enumerate() {
            for other in &BINDINGS[i + 1..] {
                assert_ne!(one.keys, other.keys);
                let begins = |a: &str, b: &str| b.strip_prefix(a).is_some_and(|rest| rest.starts_with(' '));
                assert!(!begins(one.keys, other.keys) && !begins(other.keys, one.keys), "{}", one.keys);
            }
        }
    }
}
