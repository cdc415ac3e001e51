//! Banners, notes and empty states: words first, never colour alone, never dismissed by time.

use leptos::prelude::*;

/// How loud a banner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Worth reading before acting.
    Warn,
    /// Something did not work.
    Bad,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Note => "Note",
            Self::Warn => "Attention",
            Self::Bad => "Failed",
        }
    }
}

/// A banner in the flow of the page.
pub fn banner(level: Level, content: impl IntoView) -> impl IntoView {
    view! {
        <div class="banner" data-level=level.as_str()>
            <strong>{level.word()}</strong>
            <div>{content}</div>
        </div>
    }
}

/// Nothing to show, and why.
pub fn empty(title: impl IntoView, rest: impl IntoView) -> impl IntoView {
    view! {
        <div class="empty">
            <p class="empty-title">{title}</p>
            {rest}
        </div>
    }
}

/// A titled section of a page; `id` is what `#` in links names.
pub fn panel(
    id: &'static str,
    title: impl IntoView,
    aside: impl IntoView,
    body: impl IntoView,
) -> impl IntoView {
    let heading = format!("{id}-title");
    let labelled = heading.clone();
    view! {
        <section class="panel" id=id aria-labelledby=labelled>
            <div class="panel-head">
                <h2 id=heading>{title}</h2>
                <div class="panel-aside">{aside}</div>
            </div>
            {body}
        </section>
    }
}
