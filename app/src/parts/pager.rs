//! Lists that are longer than a page: what their heading says, and the way to older rows. A number is only said of a
//! list that is shown whole.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::ViewState;

use crate::{api::Rows, ui::text::plural};

/// The heading: `12 receipts · 1 under way`. `one` is what a row is called, `open` what is said of those under way.
pub fn sentence<T>(list: &Rows<T>, one: &'static str, open: &str) -> AnyView {
    let what = match (list.continued, &list.older) {
        (true, _) => format!("Older {one}s"),
        (false, Some(_)) => format!("The newest {one}s"),
        (false, None) => plural(i64::try_from(list.rows.len()).unwrap_or(i64::MAX), one),
    };
    let text = format!("{what} · {open}");
    view! { <h1 class="sentence"><span class="sentence-text">{text}</span></h1> }.erased()
}

/// The links to the newest and to older rows, where there are any. `several` is what rows are called.
pub fn pager<T>(list: &Rows<T>, path: &'static str, several: &'static str) -> AnyView {
    let newest = list.continued.then(|| view! { <a class="button" href=path>"Newest "{several}</a> });
    let older = list.older.clone().map(|after| {
        let href = ViewState { after: Some(after), ..ViewState::default() }.link(path);
        view! { <a class="button" rel="next" href=href>"Older "{several}</a> }
    });
    (newest.is_some() || older.is_some()).then(|| view! { <p class="row">{newest}{older}</p> }).erased()
}
