//! Links within the console. Only paths of our own become links; everything else stays text.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{EnvRef, ObjectKey, Verdict, object::object_path};

use crate::{parts::verdict_chip::verdict_icon, ui::text::visible};

/// A path of our own, or nothing: a link that came with data must never lead elsewhere or run.
#[must_use]
pub fn own_path(href: &str) -> Option<String> {
    let ours =
        (href.starts_with('/') && !href.starts_with("//")) || href.starts_with('?') || href.starts_with('#');
    let plain = !href.contains('\\') && !href.chars().any(char::is_control);
    (ours && plain).then(|| href.to_owned())
}

/// A link where the path is ours, the same words without it elsewhere.
pub fn link(href: &str, class: &'static str, content: impl IntoView + 'static) -> AnyView {
    match own_path(href) {
        Some(href) => view! { <a class=class href=href>{content}</a> }.erased(),
        None => view! { <span class=class>{content}</span> }.erased(),
    }
}

/// An object by the name that people call it, with its own verdict where one is known.
pub fn object_link(key: &ObjectKey, name: &str, verdict: Option<Verdict>) -> AnyView {
    let icon = verdict.map(|verdict| {
        view! { <span class="mini" data-verdict=verdict.as_str()>{verdict_icon(verdict)}<span class="sr">{verdict.word()}</span></span> }
    });
    view! {
        <a class="object" href=object_path(key)>
            {icon}
            <span class="kind">{key.kind().to_string()}</span>
            " "
            <bdi>{visible(name)}</bdi>
        </a>
    }
    .erased()
}

/// `checkout/prod`.
pub fn env_link(target: &EnvRef) -> AnyView {
    view! { <a href=target.path()><bdi>{visible(&target.title())}</bdi></a> }.erased()
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn only_our_own_paths_become_links() {
        for ours in ["/events?sel=ev_1", "?sel=seg_1", "#gap", "/"] {
            assert_eq!(own_path(ours).as_deref(), Some(ours));
        }
        for foreign in
            ["javascript:alert(1)", "//evil.example", "https://evil.example", "/\\evil", "", "/a\nb"]
        {
            assert_eq!(own_path(foreign), None, "{foreign}");
        }
    }
}
