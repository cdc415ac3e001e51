//! Where the server is, and who we are to it.

use std::path::{Path, PathBuf};

use reqwest::Url;

use crate::{args::Global, error::Error};

pub(super) fn base(server: &str) -> Result<Url, Error> {
    let hint = "give an address like http://127.0.0.1:7070 with --server or VT_SERVER";
    let url: Url = server
        .parse()
        .map_err(|_| Error::usage_with(format!("{server} is not the address of a server"), hint))?;
    match url.scheme() {
        "http" if url.has_host() => Ok(url),
        "https" => Err(Error::usage_with(
            "this vt speaks plain HTTP only",
            "reach the server through an SSH tunnel or a local proxy that adds TLS",
        )),
        _ => Err(Error::usage_with(format!("{server} is not the address of a server"), hint)),
    }
}

pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// `--token` or `VT_TOKEN`, else the token file. The one in the default folder belongs to a server of this
/// machine and is shown to no other.
pub(super) fn token(global: &Global, is_local: bool) -> Result<Option<String>, Error> {
    if let Some(token) = global.token.as_ref().filter(|token| !token.is_empty()) {
        return valid(token).map(Some);
    }
    let (folder, named) = match global.data.as_ref().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => (folder.clone(), true),
        None if is_local => match default_data() {
            Some(folder) => (folder, false),
            None => return Ok(None),
        },
        None => return Ok(None),
    };
    let path = folder.join("admin.token");
    match read_small(&path) {
        Ok(text) => valid(text.trim()).map(Some),
        // Without a token the server says what it thinks of that; with a folder that was named we can say more.
        Err(_) if !named => Ok(None),
        Err(source) => Err(Error::Read { path, source }),
    }
}

fn read_small(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?.take(4096).read_to_string(&mut text)?;
    Ok(text)
}

fn valid(token: &str) -> Result<String, Error> {
    if token.bytes().all(|byte| byte.is_ascii_graphic()) && !token.is_empty() {
        return Ok(token.to_owned());
    }
    Err(Error::usage("the token holds characters that no token has"))
}

/// The user's data folder, as `vt serve` chooses it.
fn default_data() -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    folder("XDG_DATA_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".local/share")))
        .map(|folder| folder.join("vantage"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_http_addresses() {
        for (server, local) in [
            ("http://127.0.0.1:7070", true),
            ("http://[::1]:7070/", true),
            ("http://localhost:1", true),
            ("http://10.0.0.1:7070", false),
            ("http://localhost.example:7070", false),
        ] {
            assert_eq!(is_loopback(&base(server).expect(server)), local, "{server}");
        }
        for server in ["", "127.0.0.1:7070", "ftp://x", "https://x", "http://"] {
            assert!(matches!(base(server), Err(Error::Usage { .. })), "{server}");
        }
    }

    #[test]
    fn a_token_file_is_read_where_the_folder_is_named_and_a_missing_one_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("admin.token"), "vt_secret\n").expect("written");
        let global = |data: &Path| Global { data: Some(data.to_owned()), ..Global::default() };
        assert_eq!(token(&global(folder.path()), false).expect("read").as_deref(), Some("vt_secret"));
        assert!(token(&global(&folder.path().join("missing")), true).is_err());
        let both = Global { token: Some("vt_other".into()), ..global(folder.path()) };
        assert_eq!(token(&both, true).expect("given").as_deref(), Some("vt_other"));
    }

    #[test]
    fn a_token_that_would_break_a_header_is_refused() {
        assert!(valid("a\r\nb").is_err() && valid("").is_err() && valid("vt_ok").is_ok());
    }
}
