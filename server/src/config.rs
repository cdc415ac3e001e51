//! The settings of `vt serve`, from flags and `VT_…` variables.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::Args;
use model::Span;
use store::StoreUrl;

/// Runs the console, the API, the reconcilers and the embedded platform.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Where to listen
    #[arg(long, env = "VT_LISTEN", default_value = "127.0.0.1:7070", value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Another store than the file in the data folder: postgres://…
    #[arg(long, env = "VT_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,
    /// Adds small workloads, some of them broken on purpose
    #[arg(long, env = "VT_DEMO")]
    pub demo: bool,
    /// The URL that people open, where it is not the listen address
    #[arg(long, env = "VT_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub public_url: Option<String>,
    /// Who may read without signing in: viewer, or nobody
    #[arg(long, env = "VT_ANONYMOUS", value_name = "ROLE", value_parser = ["viewer"])]
    pub anonymous: Option<String>,
    /// A gap without progress for longer than this is stuck
    #[arg(long, env = "VT_STUCK_AFTER", default_value = "60s", value_name = "DURATION")]
    pub stuck_after: Span,
}

impl Serve {
    /// Where the store is.
    #[must_use]
    pub fn store(&self, data: &Path) -> StoreUrl {
        match &self.database {
            Some(url) => StoreUrl::parse(url),
            None => StoreUrl::Sqlite(data.join("vantage.db")),
        }
    }
}

fn public_url(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest.map(|rest| rest.trim_end_matches('/')) {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => Ok(text.to_owned()),
        _ => Err("expected https://host or http://host:port, without a path".to_owned()),
    }
}

/// The data folder: as given, else the user's own.
#[must_use]
pub fn data_folder(given: Option<&Path>) -> PathBuf {
    if let Some(given) = given {
        return given.to_owned();
    }
    let home = || std::env::var_os("HOME").map_or_else(|| PathBuf::from("."), PathBuf::from);
    let share = std::env::var_os("XDG_DATA_HOME").filter(|path| !path.is_empty());
    share.map_or_else(|| home().join(".local/share"), PathBuf::from).join("vantage")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_origin() {
        assert!(public_url("https://vantage.example").is_ok());
        assert!(public_url("http://localhost:7070/").is_ok());
        for wrong in ["vantage.example", "https://", "https://a/b", "https://u@h", "ftp://h"] {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }
}
