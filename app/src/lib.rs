//! What people see: pages that only the server renders, and islands that the browser wakes up.
//!
//! A page is a `#[component]` that takes plain data and never runs in the browser; an interactive
//! leaf is an `#[island]` that takes small serialisable props. This crate reads no clock, no
//! database and no environment, and it decides nothing about status codes or routes: the server
//! chooses the page and hands it everything that the page shows ([`shell`]).
#![cfg_attr(not(any(feature = "ssr", feature = "hydrate")), allow(unused))]
#![recursion_limit = "512"]

#[cfg(all(feature = "ssr", feature = "hydrate"))]
compile_error!("`ssr` and `hydrate` exclude each other: build server and frontend in two cargo calls");

#[cfg(feature = "ssr")]
pub mod api;
// The macro of islands writes structs that carry no documentation.
#[allow(missing_docs)]
pub mod islands;
pub mod keys;
#[cfg(feature = "ssr")]
pub mod layout;
pub mod live;
#[cfg(feature = "ssr")]
pub mod looks;
#[cfg(feature = "ssr")]
pub mod pages;
pub mod parts;
pub mod platform;
#[cfg(feature = "ssr")]
pub mod shell;
pub mod ui;
