//! What the console says about its domain, one part a file. Parts take plain data and decide nothing.
//!
//! Server pages and islands share them, so a part must render the same from the same data on both sides:
//! `now` is an argument, and the order of everything comes from the data.

pub mod actions;
pub mod changes;
pub mod conditions;
pub mod event_row;
pub mod facts;
pub mod freshness_chip;
pub mod gap_panel;
pub mod instances;
pub mod links;
pub mod overview_cell;
pub mod overview_row;
pub mod receipt_card;
pub mod release_table;
pub mod timeline;
pub mod verdict_chip;
pub mod wait_card;

#[cfg(feature = "ssr")]
pub mod event_filter;
#[cfg(feature = "ssr")]
pub mod histogram;
#[cfg(feature = "ssr")]
pub mod logs;
#[cfg(feature = "ssr")]
pub mod pager;
#[cfg(feature = "ssr")]
pub mod plan_panel;
#[cfg(feature = "ssr")]
pub mod spec_diff;
#[cfg(feature = "ssr")]
pub mod zoom;
