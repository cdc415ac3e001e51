//! The browser half: style sheet, module and WebAssembly, under names that carry their hash.
//!
//! Release builds have the files inside of the binary, already compressed. Debug builds read them
//! from `target/site`, or from the folder that `VT_SITE_DIR` names, so that a new browser half
//! needs no new server. Serves nothing but these files.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use app::shell::AssetNames;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

/// Cargo embeds the site again when this changes: the names of the files do, their folder does not.
const _: Option<&str> = option_env!("VT_SITE_BUILD");

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/site"]
#[allow_missing = true]
struct Embedded;

const MANIFEST: &str = "manifest.json";
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Where the files come from.
#[derive(Clone, Debug)]
pub struct Site {
    from: From,
}

#[derive(Clone, Debug)]
enum From {
    Binary(AssetNames),
    Folder(PathBuf),
}

impl Site {
    /// The site of this build; warns if the browser half was not built.
    #[must_use]
    pub fn open() -> Self {
        let from = if cfg!(debug_assertions) {
            let built = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/site"));
            From::Folder(std::env::var_os("VT_SITE_DIR").map_or_else(built, PathBuf::from))
        } else {
            From::Binary(names_in(Embedded::get(MANIFEST).map(|file| file.data)).unwrap_or_default())
        };
        let site = Self { from };
        if site.names() == AssetNames::default() {
            tracing::warn!(
                "the browser half is missing: pages work without it; `cargo xtask wasm` builds it"
            );
        }
        site
    }

    /// A site in a folder, for tests.
    #[must_use]
    pub const fn in_folder(folder: PathBuf) -> Self {
        Self { from: From::Folder(folder) }
    }

    /// The names that a page links to; empty ones if there is no browser half.
    #[must_use]
    pub fn names(&self) -> AssetNames {
        match &self.from {
            From::Binary(names) => names.clone(),
            From::Folder(_) => names_in(self.read(MANIFEST)).unwrap_or_default(),
        }
    }

    fn read(&self, name: &str) -> Option<Cow<'static, [u8]>> {
        match &self.from {
            From::Binary(_) => Embedded::get(name).map(|file| file.data),
            From::Folder(folder) => std::fs::read(folder.join(name)).ok().map(Cow::Owned),
        }
    }

    /// The answer to a request for one file.
    fn answer(&self, name: &str, packed: bool) -> Response {
        let Some(kind) = media_type(name).filter(|_| is_plain(name)) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let compressed = if packed { self.read(&format!("{name}.br")) } else { None };
        let encoding =
            compressed.is_some().then_some((header::CONTENT_ENCODING, HeaderValue::from_static("br")));
        let Some(bytes) = compressed.or_else(|| self.read(name)) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let body = match bytes {
            Cow::Borrowed(bytes) => Body::from(bytes),
            Cow::Owned(bytes) => Body::from(bytes),
        };
        let mut response = body.into_response();
        let fixed: [(HeaderName, HeaderValue); 3] = [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (header::CACHE_CONTROL, FOR_EVER),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
        ];
        response.headers_mut().extend(fixed.into_iter().chain(encoding));
        response
    }
}

/// `GET /assets/{name}`
pub async fn serve(State(site): State<Arc<Site>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    site.answer(&name, takes_brotli(&headers))
}

fn names_in(manifest: Option<Cow<'static, [u8]>>) -> Option<AssetNames> {
    serde_json::from_slice(&manifest?).ok()
}

/// Names that we write ourselves have no path in them.
fn is_plain(name: &str) -> bool {
    name.starts_with("vantage-")
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn media_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "wasm" => Some("application/wasm"),
        _ => None,
    }
}

fn takes_brotli(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    offers.flat_map(|value| value.split(',')).any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        let refused =
            |q: &str| q.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).is_some_and(|q| q <= 0.0);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case("br")) && !parts.any(refused)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> (tempfile::TempDir, Site) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("vantage-1.js", "plain"),
            ("vantage-1.js.br", "packed"),
            ("secret.js", "no"),
            (MANIFEST, r#"{"js":"vantage-1.js","wasm":"w","css":"c","build_id":"b"}"#),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let site = Site::in_folder(folder.path().to_path_buf());
        (folder, site)
    }

    #[test]
    fn hashed_files_are_kept_for_ever_and_come_compressed_to_who_takes_it() {
        let (_folder, site) = site();
        let packed = site.answer("vantage-1.js", true);
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "br");
        assert_eq!(packed.headers()[header::CACHE_CONTROL], FOR_EVER);
        let plain = site.answer("vantage-1.js", false);
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
        assert_eq!(plain.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
    }

    #[test]
    fn nothing_else_is_served() {
        let (_folder, site) = site();
        for name in ["secret.js", MANIFEST, "vantage-2.js", "vantage-/../secret.js", "vantage-1.js.br", ""] {
            assert_eq!(site.answer(name, true).status(), StatusCode::NOT_FOUND, "{name}");
        }
    }

    #[test]
    fn the_manifest_names_the_files() {
        let (_folder, site) = site();
        assert_eq!(site.names().js, "vantage-1.js");
        assert_eq!(Site::in_folder("nowhere".into()).names(), AssetNames::default());
    }

    #[test]
    fn a_refused_encoding_is_not_used() {
        let takes = |value: &'static str| {
            takes_brotli(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]))
        };
        assert!(takes("gzip, br"));
        assert!(takes("BR;q=0.5"));
        assert!(!takes("gzip, br;q=0"));
        assert!(!takes("brave"));
    }
}
