//! The platform with real processes.

mod contained;
mod supervised;
mod support;
mod world;
