//! Pages of lists: the first shows what is under way, however old it is, and then the newest; the others continue in
//! order.

use std::{collections::BTreeSet, str::FromStr};

use app::api::{PageError, Rows};
use model::ViewState;

/// The row that the page continues behind; the first page has none.
///
/// # Errors
/// [`PageError::Invalid`] where the text of the URL is no id of this list.
pub(super) fn after<T: FromStr>(state: &ViewState) -> Result<Option<T>, PageError> {
    let read = |text: &String| {
        text.parse().map_err(|_| PageError::Invalid { what: format!("{text} names no row of this list") })
    };
    state.after.as_ref().map(read).transpose()
}

/// A page of `most` rows: `open` is what is under way, `page` was read one row longer than it is shown.
pub(super) fn rows<T>(
    mut open: Vec<T>,
    mut page: Vec<T>,
    most: u32,
    continued: bool,
    id: impl Fn(&T) -> String,
) -> Rows<T> {
    let most = most as usize;
    let more = page.len() > most;
    page.truncate(most);
    let older = page.last().filter(|_| more).map(&id);
    let shown: BTreeSet<String> = open.iter().map(&id).collect();
    page.retain(|row| !shown.contains(&id(row)));
    open.append(&mut page);
    Rows { rows: open, continued, older }
}
