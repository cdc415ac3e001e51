//! Who may do what: the matrix over every route that the OpenAPI document names, so that a new route is covered
//! on the day it is added, and everything about sessions, origins and hosts.
#![allow(clippy::unwrap_used)]

#[path = "auth/forms.rs"]
mod forms;
#[path = "auth/origins.rs"]
mod origins;
#[path = "auth/routes.rs"]
mod routes;
