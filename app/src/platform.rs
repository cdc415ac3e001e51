//! The only door to the browser: window, timers, storage and clipboard live here.
//!
//! Everything is callable in both halves; on the server each function does nothing, so that
//! islands need no `cfg` of their own. Nothing here is called while a view is being built, only
//! from effects and event handlers. Two exceptions read and change nothing: [`text_of`] and
//! [`server_now`], which is `None` until every island is awake.

#[cfg(feature = "hydrate")]
mod browser;
#[cfg(not(feature = "hydrate"))]
mod nowhere;

#[cfg(feature = "hydrate")]
pub use browser::*;
#[cfg(not(feature = "hydrate"))]
pub use nowhere::*;
