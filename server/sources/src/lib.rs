//! The ports through which platforms come in and go out.
//!
//! A [`Source`] says what is; an [`Actuator`] makes it so. Adapters implement them; `control` uses them and
//! knows no platform. Nothing here knows the store, HTTP or a view.

#[cfg(any(test, feature = "fake"))]
pub mod fake;
pub mod port;

pub use port::{ActuateError, Actuator, Sink, SinkClosed, Source};
