//! What pages and live frames show, each computed from one snapshot of the store.

pub mod env;
pub mod events;
mod history;
pub mod object;
pub mod overview;
pub mod scene;
pub mod timeline;
