//! What the browser half runs, one file an island.
//!
//! Every island listed here is linked into the WebAssembly module by `frontend`. Rules: props are
//! ids, a cursor, a few fields, never the page's data; the first browser render equals the
//! server's; what differs in the browser is set afterwards, in an `Effect`.
//!
//! All of them read one store ([`crate::live`]); [`LiveStatus`] keeps it current.

mod env;
mod event_list;
mod gap;
mod live_status;
mod object;
mod overview;
mod plan_dialog;
mod probe;
mod receipt;
mod sentence;
mod timeline;
mod wait;

pub use env::*;
pub use event_list::*;
pub use gap::*;
pub use live_status::*;
pub use object::*;
pub use overview::*;
pub use plan_dialog::*;
pub use probe::*;
pub use receipt::*;
pub use sentence::*;
pub use timeline::*;
pub use wait::*;
