//! Ids: selectable text, a link where there is a page, and a copy button where script runs.

use leptos::prelude::*;

/// Ids are more reliable than names; the shortening keeps both ends.
#[must_use]
pub fn short(id: &str) -> String {
    let n = id.chars().count();
    if n <= 20 {
        return id.to_owned();
    }
    let head: String = id.chars().take(10).collect();
    let tail: String = id.chars().skip(n - 5).collect();
    format!("{head}…{tail}")
}

/// An id with its copy button.
pub fn id_chip(id: &str) -> impl IntoView + use<> {
    let shown = crate::ui::text::visible(&short(id));
    view! {
        <span class="id">
            <code title=crate::ui::text::visible(id)>{shown}</code>
            {copy_button(id, "copy", id)}
        </span>
    }
}

/// A button that copies a text. It is hidden until script runs: without it, the text can be selected.
pub fn copy_button(value: &str, label: &'static str, what: &str) -> impl IntoView + use<> {
    let name = format!("{label} {}", crate::ui::text::visible(&short(what)));
    view! { <button type="button" class="copy" data-copy=value.to_owned() aria-label=name>{label}</button> }
}

/// A command line that can be copied.
pub fn command(text: &str) -> impl IntoView + use<> {
    view! {
        <span class="command">
            <code>{crate::ui::text::visible(text)}</code>
            {copy_button(text, "copy", "command")}
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ids_keep_both_ends() {
        assert_eq!(short("rel_0123456789"), "rel_0123456789");
        assert_eq!(short("pod-web-6f7d8c9b5d-x2k4q-and-more"), "pod-web-6f…-more");
    }
}
