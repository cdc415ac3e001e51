//! The settings of `vt serve`: from flags, `VT_…` variables and a file, in this order.
//!
//! A setting is declared once, as an argument; its name in the file is its flag with underscores. What it refuses:
//! a file with a key that is none, and to show a password.

mod file;
mod settle;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use control::reconcilers::retention::Keep;
use ipnet::IpNet;
use model::Span;
use store::StoreUrl;

pub use self::{
    file::FileError,
    settle::{ConfigError, Setting, Settled, Source, settle},
};

/// Runs the console, the API, the reconcilers and the embedded platform.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// A file with any of these settings; keys are flags with underscores
    #[arg(long, env = "VT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to listen
    #[arg(long, env = "VT_LISTEN", default_value = "127.0.0.1:7070", value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Another store than the file in the data folder: postgres://…
    #[arg(long, env = "VT_DATABASE", value_name = "URL", hide_env_values = true, value_parser = database)]
    pub database: Option<StoreUrl>,
    /// Adds small workloads, some of them broken on purpose
    #[arg(long, env = "VT_DEMO")]
    pub demo: bool,
    /// The URL that people open, where it is not the listen address
    #[arg(long, env = "VT_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub public_url: Option<String>,
    /// Another name that the server answers to, as browsers send it: host or host:port
    #[arg(long, env = "VT_ALLOWED_HOST", value_name = "HOST", value_delimiter = ',', value_parser = host)]
    pub allowed_host: Vec<String>,
    /// Whose forwarded headers are believed: the address or the network of a proxy
    #[arg(long, env = "VT_TRUSTED_PROXY", value_name = "IP|CIDR", value_delimiter = ',', value_parser = network)]
    pub trusted_proxy: Vec<IpNet>,
    /// Who may read without signing in: viewer, or nobody
    #[arg(long, env = "VT_ANONYMOUS", value_name = "ROLE", value_parser = ["viewer"])]
    pub anonymous: Option<String>,
    /// A gap without progress for longer than this is stuck
    #[arg(long, env = "VT_STUCK_AFTER", default_value = "60s", value_name = "DURATION", value_parser = positive)]
    pub stuck_after: Span,
    /// How long events and history are kept
    #[arg(long, env = "VT_KEEP_HISTORY", default_value = "90d", value_name = "DURATION", value_parser = positive)]
    pub keep_history: Span,
    /// How long log lines of workloads are kept
    #[arg(long, env = "VT_KEEP_LOGS", default_value = "3d", value_name = "DURATION", value_parser = positive)]
    pub keep_logs: Span,
    /// How many log lines of one object are kept
    #[arg(long, env = "VT_KEEP_LOG_LINES", default_value = "10000", value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..))]
    pub keep_log_lines: u32,
    /// What the server's own log says: a level, or module=level, separated by commas
    #[arg(long, env = "VT_LOG", default_value = "info", value_name = "FILTER", value_parser = filter)]
    pub log: String,
    /// How the server's own log is written
    #[arg(long, env = "VT_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Serve {
    fn default() -> Self {
        let keep = Keep::default();
        Self {
            config: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 7070)),
            database: None,
            demo: false,
            public_url: None,
            allowed_host: vec![],
            trusted_proxy: vec![],
            anonymous: None,
            stuck_after: Span::seconds(60),
            keep_history: keep.history,
            keep_logs: keep.logs,
            keep_log_lines: keep.lines_per_object,
            log: "info".to_owned(),
            log_format: LogFormat::Text,
        }
    }
}

impl Serve {
    /// Where the store is.
    #[must_use]
    pub fn store(&self, data: &Path) -> StoreUrl {
        self.database.clone().unwrap_or_else(|| StoreUrl::Sqlite(data.join("vantage.db")))
    }

    /// How long things are kept.
    #[must_use]
    pub fn keep(&self) -> Keep {
        Keep {
            history: self.keep_history,
            logs: self.keep_logs,
            lines_per_object: self.keep_log_lines,
            ..Keep::default()
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

fn database(text: &str) -> Result<StoreUrl, String> {
    match text.is_empty() {
        true => Err("expected postgres://user@host/database, or the path of a file".to_owned()),
        false => Ok(StoreUrl::parse(text)),
    }
}

fn host(text: &str) -> Result<String, String> {
    let known = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    match !text.is_empty() && text.bytes().all(known) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("expected a host name as browsers send it, like vantage.example:7070".to_owned()),
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    text.parse()
        .or_else(|_| text.parse().map(|address: std::net::IpAddr| IpNet::from(address)))
        .map_err(|_| "expected an address like 10.0.0.7 or a network like 10.0.0.0/8".to_owned())
}

fn positive(text: &str) -> Result<Span, String> {
    match text.parse() {
        Ok(span) if span > Span::ZERO => Ok(span),
        _ => Err("expected a duration like 90s, 30m, 12h or 90d".to_owned()),
    }
}

fn filter(text: &str) -> Result<String, String> {
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("expected a level like info, or module=level, separated by commas".to_owned()),
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

    #[test]
    fn hosts_are_names_and_proxies_are_addresses_or_networks() {
        assert_eq!(host("Vantage.Example:80").as_deref(), Ok("vantage.example:80"));
        for wrong in ["", "a/b", "a b", "http://a", "a@b"] {
            assert!(host(wrong).is_err(), "{wrong}");
        }
        assert_eq!(network("10.1.2.3").map(|net| net.to_string()).as_deref(), Ok("10.1.2.3/32"));
        assert_eq!(network("fd00::/8").map(|net| net.to_string()).as_deref(), Ok("fd00::/8"));
        assert!(network("proxy.example").is_err() && network("10.0.0.0/33").is_err());
    }

    #[test]
    fn the_defaults_of_tests_are_those_of_the_command_line() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            serve: Serve,
        }
        use clap::Parser as _;
        let typed = Line::try_parse_from(["vt"]).expect("nothing is needed").serve;
        assert_eq!(format!("{typed:?}"), format!("{:?}", Serve::default()));
    }
}
