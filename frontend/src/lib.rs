//! The browser half: a panic hook, the reactive root, and the islands of `app`.
#![recursion_limit = "512"]

// Links the islands: each of them is an export that `boot.js` calls by name.
#[allow(unused_imports)]
use app::islands as _;

/// Called once by `boot.js` before it wakes the islands.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
