//! A database of its own for one test, made and dropped by `psql`: SQL has no place outside of the store.

use std::process::{Command, Stdio};

/// One database below the one that `VT_TEST_POSTGRES` names; dropped with this value.
pub struct Database {
    base: String,
    name: String,
}

impl Database {
    /// `None`, and a sentence, where no PostgreSQL is given.
    /// # Panics
    /// When `psql` cannot make it.
    #[must_use]
    pub fn fresh() -> Option<Self> {
        let Ok(base) = std::env::var("VT_TEST_POSTGRES") else {
            println!("skipped on PostgreSQL: VT_TEST_POSTGRES is not set");
            return None;
        };
        let random = getrandom::u64().expect("the operating system gives randomness");
        let name = format!("vt_test_{random:016x}");
        let made = psql(&base, &format!("CREATE DATABASE {name}"));
        assert!(made, "psql could not make the database {name}");
        Some(Self { base, name })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        let (start, query) =
            self.base.split_once('?').map_or((self.base.as_str(), ""), |(start, query)| (start, query));
        let server = start.rsplit_once('/').map_or(start, |(server, _)| server);
        let glue = if query.is_empty() { "" } else { "?" };
        format!("{server}/{}{glue}{query}", self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        psql(&self.base, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

fn psql(url: &str, statement: &str) -> bool {
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", statement, url])
        .env("PGCONNECT_TIMEOUT", "10")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    psql.status().is_ok_and(|status| status.success())
}
