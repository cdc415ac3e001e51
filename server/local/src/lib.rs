//! The embedded platform: releases as real processes on this machine, behind the same ports as any other platform.
//!
//! What it promises:
//! - a process lives and dies with its instance, and an instance with the server ([`shim`]);
//! - an instance that ends is started again, less and less often ([`supervisor`]);
//! - a release runs the files that it pinned, whatever became of their originals ([`artefact`]);
//! - a `vantage.yaml` is taken whole or refused whole, with line and column ([`manifest`]).
//!
//! What it refuses to be: a scheduler for more than one machine, a container runtime, a sandbox. Workloads run as the
//! user that runs the server and may do what that user may do. Linux only: it leans on subreapers and `/proc`.

pub mod artefact;
pub mod demo;
mod logs;
pub mod manifest;
mod port;
pub mod shim;
pub mod supervisor;

pub use artefact::{ArtefactError, Artefacts};
pub use demo::{DemoApp, demo_app_main, demo_world};
pub use shim::shim_main;
pub use supervisor::{Clock, Config, Platform};
