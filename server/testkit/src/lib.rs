//! A real server on a free port, for tests: the same wiring as `vt serve`, with a store and a data folder of its
//! own, real processes, and nothing faked.
//!
//! A test begins with one line that names the rights it has: `app.operator()`, `app.viewer()`, `app.anonymous()`.
//! What comes back is a [`Response`] that has to be looked at. Whoever waits, waits on a value with a bound
//! ([`until`]); nothing here sleeps for a fixed time and hopes.

mod app;
mod client;
mod commands;
mod hostile;
mod lines;
mod poll;
mod postgres;
mod process;
mod response;
mod session;
mod socket;

pub use app::{Fault, TestApp};
pub use client::Client;
pub use commands::{Applied, Apply};
pub use hostile::hostile;
pub use poll::until;
pub use postgres::Database;
pub use process::{Process, run_vt};
pub use response::Response;
pub use socket::{Said, Socket};

/// Runs each rule on SQLite, and on PostgreSQL where `VT_TEST_POSTGRES` names one. A rule is an
/// `async fn(TestApp)`.
#[macro_export]
macro_rules! on_both_engines {
    ($($rule:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                super::$rule($crate::TestApp::start(env!("CARGO_BIN_EXE_vt")).await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                if let Some(app) = $crate::TestApp::start_on_postgres(env!("CARGO_BIN_EXE_vt")).await {
                    super::$rule(app).await;
                }
            })*
        }
    };
}
