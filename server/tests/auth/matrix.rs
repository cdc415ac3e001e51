//! Who gets what, written by hand: a row for every route, a column for everybody who may ask.

/// What is sent along. `{…}` stands for something of the test's world, as in paths.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sent {
    /// Nothing.
    Nothing,
    /// JSON, with a fresh idempotency key.
    Json(&'static str),
    /// Bytes.
    Bytes(&'static str),
    /// A form of a page of ours.
    Form(&'static str),
    /// The request that opens a socket.
    Upgrade,
}

/// One route, what is asked of it, and the status that each of [`COLUMNS`] gets.
pub(crate) struct Row(
    pub(crate) &'static str,
    pub(crate) &'static str,
    pub(crate) &'static str,
    pub(crate) Sent,
    pub(crate) [u16; 7],
);

/// Everybody who may ask.
pub(crate) const COLUMNS: [&str; 7] = [
    "nobody",
    "an expired token",
    "a revoked token",
    "a viewer",
    "an operator",
    "an administrator",
    "a source",
];

/// Open to everybody, whoever they are.
const OPEN: [u16; 7] = [200; 7];
/// For whoever may read.
const READ: [u16; 7] = [401, 401, 401, 200, 200, 200, 403];
/// For whoever may act.
const ACT: [u16; 7] = [401, 401, 401, 403, 200, 200, 403];
/// The same in a form, which answers with another page.
const ACT_FORM: [u16; 7] = [401, 401, 401, 403, 303, 303, 403];
/// For administrators.
const ADMIN: [u16; 7] = [401, 401, 401, 403, 403, 200, 403];

use Sent::{Bytes, Form, Json, Nothing, Upgrade};

/// A status above 403 is the answer to somebody who was let in: what they asked for makes no sense on purpose,
/// because the next one who asks needs the world as it was.
#[rustfmt::skip]
pub(crate) const MATRIX: &[Row] = &[
    Row("GET", "/", "/", Nothing, READ),
    Row("GET", "/a/{app}/{env}", "{page}", Nothing, READ),
    Row("GET", "/a/{app}/{env}/releases", "{page}/releases", Nothing, READ),
    Row("GET", "/actions/{verb}/plan", "/actions/restart/plan?env={env}", Nothing, READ),
    Row("POST", "/actions/{verb}", "/actions/restart", Form("env={env}&generation=1&plan_hash=x&idempotency_key=k"), [401, 401, 401, 403, 409, 409, 403]),
    Row("GET", "/api", "/api", Nothing, READ),
    Row("GET", "/assets/{name}", "/assets/vantage-none.css", Nothing, [404; 7]),
    Row("GET", "/audit", "/audit", Nothing, ACT),
    Row("GET", "/audit.csv", "/audit.csv", Nothing, ACT),
    Row("GET", "/audit.json", "/audit.json", Nothing, ACT),
    Row("GET", "/codes", "/codes", Nothing, READ),
    Row("GET", "/doctor", "/doctor", Nothing, READ),
    Row("GET", "/events", "/events", Nothing, READ),
    Row("GET", "/healthz", "/healthz", Nothing, OPEN),
    Row("GET", "/help/keys", "/help/keys", Nothing, READ),
    Row("GET", "/live", "/live", Upgrade, [401, 401, 401, 101, 101, 101, 403]),
    Row("GET", "/metrics", "/metrics", Nothing, READ),
    Row("GET", "/o/{kind}/{id}", "/o/env/{env}", Nothing, READ),
    Row("GET", "/probe", "/probe", Nothing, OPEN),
    Row("GET", "/readyz", "/readyz", Nothing, OPEN),
    Row("GET", "/receipts", "/receipts", Nothing, READ),
    Row("GET", "/receipts/{id}", "/receipts/{receipt}", Nothing, READ),
    Row("POST", "/receipts/{id}/check", "/receipts/{receipt}/check", Form(""), ACT_FORM),
    Row("GET", "/search", "/search?q=web", Nothing, READ),
    Row("GET", "/settings", "/settings", Nothing, READ),
    Row("POST", "/settings", "/settings", Form("theme=dark"), [303; 7]),
    Row("GET", "/sign-in", "/sign-in", Nothing, OPEN),
    Row("POST", "/sign-in", "/sign-in", Form("token=vt_wrong"), [401; 7]),
    Row("GET", "/sources", "/sources", Nothing, READ),
    Row("GET", "/sources/{id}", "/sources/{source}", Nothing, READ),
    Row("GET", "/waits", "/waits", Nothing, READ),
    Row("GET", "/waits/{id}", "/waits/{wait}", Nothing, READ),
    Row("POST", "/waits/{id}/extend", "/waits/{wait}/extend", Form("seconds=60"), ACT_FORM),
    Row("POST", "/waits/{id}/stop", "/waits/{wait}/stop", Form(""), ACT_FORM),

    Row("POST", "/api/v1/apply", "/api/v1/apply", Json(r#"{"dry_run":true,"manifest":"app: a\nenv: b\nprocesses: { p: { command: [/bin/true] } }\n"}"#), ACT),
    Row("GET", "/api/v1/audit", "/api/v1/audit", Nothing, ACT),
    Row("POST", "/api/v1/backup", "/api/v1/backup", Json("{}"), ADMIN),
    Row("POST", "/api/v1/blobs/missing", "/api/v1/blobs/missing", Json(r#"{"sha256":["{hash}"]}"#), ACT),
    Row("PUT", "/api/v1/blobs/{sha256}", "/api/v1/blobs/{hash}", Bytes("abc"), [401, 401, 401, 403, 204, 204, 403]),
    Row("GET", "/api/v1/envs", "/api/v1/envs", Nothing, READ),
    Row("GET", "/api/v1/envs/{env}", "/api/v1/envs/{env}", Nothing, READ),
    Row("POST", "/api/v1/envs/{env}/actions/{verb}", "/api/v1/envs/{env}/actions/restart", Json(r#"{"generation":1,"plan_hash":"x"}"#), [401, 401, 401, 403, 409, 409, 403]),
    Row("POST", "/api/v1/envs/{env}/plans/{verb}", "/api/v1/envs/{env}/plans/restart", Json("{}"), READ),
    Row("GET", "/api/v1/envs/{env}/releases", "/api/v1/envs/{env}/releases", Nothing, READ),
    Row("GET", "/api/v1/events", "/api/v1/events", Nothing, READ),
    Row("GET", "/api/v1/logs", "/api/v1/logs", Nothing, READ),
    Row("GET", "/api/v1/objects", "/api/v1/objects", Nothing, READ),
    Row("GET", "/api/v1/objects/{kind}/{id}", "/api/v1/objects/env/{env}", Nothing, READ),
    Row("GET", "/api/v1/openapi.json", "/api/v1/openapi.json", Nothing, READ),
    Row("GET", "/api/v1/overview", "/api/v1/overview", Nothing, READ),
    Row("GET", "/api/v1/receipts", "/api/v1/receipts", Nothing, READ),
    Row("GET", "/api/v1/receipts/{id}", "/api/v1/receipts/{receipt}", Nothing, READ),
    Row("POST", "/api/v1/receipts/{id}/check", "/api/v1/receipts/{receipt}/check", Json("{}"), ACT),
    Row("POST", "/api/v1/restore", "/api/v1/restore", Bytes("no store"), [401, 401, 401, 403, 403, 400, 403]),
    Row("GET", "/api/v1/schemas/vantage.yaml.json", "/api/v1/schemas/vantage.yaml.json", Nothing, OPEN),
    Row("GET", "/api/v1/search", "/api/v1/search?q=web", Nothing, READ),
    Row("GET", "/api/v1/sources", "/api/v1/sources", Nothing, READ),
    Row("GET", "/api/v1/sources/{source}", "/api/v1/sources/edge", Nothing, READ),
    Row("PUT", "/api/v1/sources/{source}", "/api/v1/sources/edge", Json(r#"{"interval_s":60}"#), ADMIN),
    Row("POST", "/api/v1/sources/{source}/observations", "/api/v1/sources/edge/observations", Bytes("\n"), [401, 401, 401, 403, 403, 200, 200]),
    Row("GET", "/api/v1/store", "/api/v1/store", Nothing, READ),
    Row("GET", "/api/v1/tokens", "/api/v1/tokens", Nothing, ADMIN),
    Row("POST", "/api/v1/tokens", "/api/v1/tokens", Json(r#"{"name":"{fresh}","role":"viewer"}"#), ADMIN),
    Row("DELETE", "/api/v1/tokens/{id}", "/api/v1/tokens/{token}", Json("{}"), ADMIN),
    Row("GET", "/api/v1/waits", "/api/v1/waits", Nothing, READ),
    Row("POST", "/api/v1/waits", "/api/v1/waits", Json(r#"{"object":"env:{env}","timeout_s":60}"#), ACT),
    Row("GET", "/api/v1/waits/{id}", "/api/v1/waits/{wait}", Nothing, READ),
    Row("POST", "/api/v1/waits/{id}/extend", "/api/v1/waits/{wait}/extend", Json(r#"{"seconds":60}"#), ACT),
    Row("POST", "/api/v1/waits/{id}/stop", "/api/v1/waits/{wait}/stop", Json("{}"), ACT),

    // Last: it ends the session that asks.
    Row("POST", "/sign-out", "/sign-out", Form(""), [401, 401, 401, 303, 303, 303, 403]),
];
