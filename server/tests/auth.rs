//! Who may do what: a matrix over every route of the server's own register, so that a route cannot be added without
//! saying who may use it, and everything about sessions, origins and hosts.
#![allow(clippy::unwrap_used)]

#[path = "auth/forms.rs"]
mod forms;
#[path = "auth/matrix.rs"]
mod matrix;
#[path = "auth/origins.rs"]
mod origins;
#[path = "auth/routes.rs"]
mod routes;
