//! The register of routes: a route is reachable only by being entered here, so a list of all of them is always
//! complete. `.clippy.toml` bans the ways around it. What each route lets whom do is tested from this list.

use axum::{
    Router,
    handler::Handler,
    routing::{MethodRouter, get, post},
};
use utoipa::openapi::OpenApi;

use crate::state::AppState;

/// Something that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// Where, with its placeholders in braces.
    pub path: String,
    /// How.
    pub method: &'static str,
}

/// A router under construction, and what is in it.
#[derive(Default)]
pub(super) struct Routes {
    router: Router<AppState>,
    list: Vec<Route>,
}

impl Routes {
    /// Answers GET, and HEAD with it.
    pub(super) fn get<T: 'static>(self, path: &str, handler: impl Handler<T, AppState>) -> Self {
        self.enter("GET", path, get(handler))
    }

    /// Answers POST.
    pub(super) fn post<T: 'static>(self, path: &str, handler: impl Handler<T, AppState>) -> Self {
        self.enter("POST", path, post(handler))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that enters it into the list")]
    fn enter(mut self, method: &'static str, path: &str, handler: MethodRouter<AppState>) -> Self {
        self.list.push(Route { path: path.to_owned(), method });
        self.router = self.router.route(path, handler);
        self
    }

    /// The routes of the API: its document lists them, because both are made from the same handlers.
    pub(super) fn documented(mut self, (router, document): (Router<AppState>, &OpenApi)) -> Self {
        for (path, item) in &document.paths.paths {
            let methods = [
                ("GET", &item.get),
                ("PUT", &item.put),
                ("POST", &item.post),
                ("DELETE", &item.delete),
                ("PATCH", &item.patch),
            ];
            let there = methods.iter().filter(|(_, operation)| operation.is_some());
            self.list.extend(there.map(|(method, _)| Route { path: path.clone(), method }));
        }
        self.router = self.router.merge(router);
        self
    }

    /// The router and its list, sorted.
    pub(super) fn done(mut self) -> (Router<AppState>, Vec<Route>) {
        self.list.sort();
        (self.router, self.list)
    }
}
