//! The server behind `vt serve`: HTTP in front, everything else wired behind it.
//!
//! No SQL text, no verdict rule and no view markup lives here.
#![recursion_limit = "512"]

pub mod backend;
pub mod config;
mod demo;
pub mod http;
pub mod metrics;
pub mod offline;
pub mod secret;
pub mod shared;
pub mod state;
pub mod telemetry;
pub mod upkeep;
pub mod wiring;
