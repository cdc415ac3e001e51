//! The few things that plain browser code needs again and again.

use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement};

/// The document.
pub(super) fn document() -> Option<web_sys::Document> {
    web_sys::window()?.document()
}

/// The first element that matches.
pub(super) fn first(selector: &str) -> Option<HtmlElement> {
    document()?.query_selector(selector).ok()??.dyn_into().ok()
}

/// Every element that matches, in the order of the page.
pub(super) fn all(selector: &str) -> Vec<HtmlElement> {
    let Some(list) = document().and_then(|d| d.query_selector_all(selector).ok()) else { return vec![] };
    (0..list.length()).filter_map(|i| list.item(i)?.dyn_into().ok()).collect()
}

/// The nearest element around the target of an event that matches.
pub(super) fn around(event: &web_sys::Event, selector: &str) -> Option<Element> {
    event.target()?.dyn_into::<Element>().ok()?.closest(selector).ok()?
}

/// The place of a link.
pub(super) fn href(link: &Element) -> Option<String> {
    link.get_attribute("href")
}

/// Opens a page of ours.
pub(super) fn go(path: &str) {
    if let Some(window) = web_sys::window() {
        let _ = window.location().assign(path);
    }
}

/// The attribute of the root that says how the console looks to this person.
pub(super) fn looks(attribute: &str) -> Option<String> {
    document()?.document_element()?.get_attribute(attribute)
}

/// Makes an element with a class and a text.
pub(super) fn made(tag: &str, class: &str, text: &str) -> Option<Element> {
    let element = document()?.create_element(tag).ok()?;
    element.set_class_name(class);
    element.set_text_content(Some(text));
    Some(element)
}

/// Reads what an earlier page of this tab or browser has left.
pub(super) fn kept(local: bool, key: &str) -> String {
    storage(local).and_then(|storage| storage.get_item(key).ok().flatten()).unwrap_or_default()
}

/// Leaves something for later pages; a browser that keeps nothing loses only comfort.
pub(super) fn keep(local: bool, key: &str, value: &str) {
    if let Some(storage) = storage(local) {
        let _ = storage.set_item(key, value);
    }
}

fn storage(local: bool) -> Option<web_sys::Storage> {
    let window = web_sys::window()?;
    if local { window.local_storage() } else { window.session_storage() }.ok()?
}

/// Says something to a screen reader.
pub(super) fn say(words: &str) {
    leptos::prelude::Set::set(&crate::live::live().said, words.to_owned());
}
