//! The reconciliation store.
//!
//! Everything that happens is a row in one ordered journal, and every page is one snapshot of it. Two engines
//! hold it: SQLite in a file, PostgreSQL beyond one machine; SQL text and row types never leave this crate.
//!
//! - [`Store::open`] migrates, locks and opens; [`Store`] writes, one transaction a method;
//! - [`Store::read`] gives a [`Reader`]: one snapshot, with the sequence it was taken at ([`Reader::as_of`]);
//! - [`Store::watch`] is raised after each commit. It carries no data: subscribe first, then read.
//!
//! The store refuses to judge, to plan and to decide what is wanted. It only refuses what would make it lie.

mod access;
mod audit;
mod backup;
mod bulk;
mod desired;
mod error;
mod events;
#[cfg(test)]
mod explain;
mod ingest;
mod journal;
mod known;
mod logs;
mod migrate;
mod objects;
mod open;
mod overview;
mod pool;
mod presence;
mod read;
mod receipts;
mod retention;
mod search;
mod segments;
mod sources;
mod store;
mod submit;
mod text;
mod timing;
mod transfer;
mod types;
mod verdicts;
mod versions;
mod waits;
mod write;

pub use backup::{Backup, Incoming};
pub use error::{Cause, OpenError, StoreError};
pub use events::EventSample;
pub use overview::{EnvHead, HeadObject};
pub use read::Reader;
pub use search::Traced;
pub use store::Store;
pub use timing::{STEPS_US, Timed};
pub use transfer::{Moved, Step, transfer};
pub use types::*;
