//! What every writing form carries.

use leptos::prelude::*;

/// A hidden field.
pub fn hidden(name: &'static str, value: impl Into<String>) -> impl IntoView {
    view! { <input type="hidden" name=name value=value.into()/> }
}

/// A form of one button that writes: the token proves that the page was ours.
pub fn post_button(
    action: String,
    token: String,
    label: impl IntoView,
    fields: impl IntoView,
) -> impl IntoView {
    view! {
        <form method="post" action=action class="inline">
            {hidden("form_token", token)}
            {fields}
            <button type="submit" class="button">{label}</button>
        </form>
    }
}
