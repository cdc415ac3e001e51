//! Parts of tables that pages share.

use leptos::prelude::*;

use super::erase::Erase as _;

/// The head of a table whose columns are only named.
#[must_use]
pub fn columns(names: &[&'static str]) -> AnyView {
    let names: Vec<_> = names.iter().map(|name| view! { <th scope="col">{*name}</th> }).collect();
    view! { <thead><tr>{names}</tr></thead> }.erased()
}
