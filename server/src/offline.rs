//! The two commands that may open a store by themselves, while no server serves it: restore and migrate.
//!
//! Both hold its lock while they work, so a server that starts meanwhile is refused, and both leave the old store as
//! it was: beside the new one, or untouched.

use std::path::Path;

use cli::local::{Failure, Kind, Report};
use serde_json::json;
use store::{Backup, Incoming, Moved, OpenError, Options, Step, StoreError, StoreUrl};

/// A failure of the store, for whoever typed the command.
#[must_use]
pub fn failure(error: &OpenError) -> Failure {
    let (kind, code, hint) = match error {
        OpenError::InUse { .. } => (
            Kind::Conflict,
            "store_in_use",
            Some("one server serves one store: stop that process, or name another folder with --data"),
        ),
        OpenError::Newer { .. } => (
            Kind::Conflict,
            "store_is_newer",
            Some("start the newer version, or restore a backup that this one made"),
        ),
        OpenError::Altered { .. } => {
            (Kind::Conflict, "store_is_altered", Some("this store was made by another build than it says"))
        }
        OpenError::NotAStore { .. } => (Kind::NotFound, "not_a_store", None),
        OpenError::Damaged { .. } => (Kind::Other, "damaged", Some("take another backup")),
        OpenError::NotEmpty { .. } => {
            (Kind::Conflict, "not_empty", Some("name an empty database; nothing was changed in this one"))
        }
        OpenError::Address(_) => (Kind::Usage, "address", Some("postgres://user@host/database")),
        OpenError::Lock { .. } => (Kind::Other, "lock", Some("the data folder has to be writable")),
        OpenError::Trial(_) => {
            (Kind::Other, "migration", Some("the version that made this store still opens it as it is"))
        }
        OpenError::Miscounted { .. } => (Kind::Other, "miscounted", None),
        OpenError::Store(StoreError::Conflict { .. }) => (Kind::Usage, "refused", None),
        OpenError::Store(error) if error.is_retryable() => (Kind::Transient, "store_unavailable", None),
        OpenError::Store(_) => (Kind::Other, "store", None),
    };
    Failure { kind, code, message: control::chain(error), hint: hint.map(str::to_owned) }
}

/// Puts a backup into the place of a store that no server serves.
///
/// # Errors
/// A [`Failure`] that says what is wrong with the backup, or in its way. Nothing was changed then.
pub async fn restore(
    data: &Path,
    file: &Path,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<Report, Failure> {
    let url = StoreUrl::Sqlite(data.join("vantage.db"));
    let other = |message: String| Failure { kind: Kind::Other, code: "unreadable_file", message, hint: None };
    crate::wiring::make_private(data)
        .map_err(|error| other(format!("cannot make {}: {error}", data.display())))?;
    let incoming = url.incoming().ok_or_else(|| other("only SQLite stores are restored".to_owned()))?;
    progress("copying the backup");
    std::fs::copy(file, &incoming).map_err(|error| {
        other(format!("cannot copy {} to {}: {error}", file.display(), incoming.display()))
    })?;
    progress("checking the backup");
    let restored = async { Incoming::prepare(&incoming).await?.replace(&url).await }.await;
    let Backup { store_id, head, n_bytes } = restored.map_err(|error| {
        // What is left of it goes at the next start at the latest.
        let _ = std::fs::remove_file(&incoming);
        failure(&error)
    })?;
    Ok(Report {
        columns: &["STORE", "ID", "HEAD"],
        rows: vec![vec![url.to_string(), store_id.clone(), head.0.to_string()]],
        note: Some("what was there before lies beside it, as vantage.db.before-restore".to_owned()),
        document: json!({ "store": url.to_string(), "store_id": store_id, "head": head, "n_bytes": n_bytes }),
    })
}

/// Moves the store of a data folder to PostgreSQL.
///
/// # Errors
/// A [`Failure`]; the file is untouched and the database holds no store.
pub async fn migrate(
    data: &Path,
    to: &str,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<Report, Failure> {
    let (from, to) = (StoreUrl::Sqlite(data.join("vantage.db")), StoreUrl::parse(to));
    let step = |Step { table, n_table, n_tables, done, all }: Step| {
        progress(&format!("{table}: {done} of {all} rows, table {n_table} of {n_tables}"));
    };
    let moved = store::transfer(&from, &to, Options::new(control::clock::real()), step).await;
    let Moved { store_id, head, rows } = moved.map_err(|error| failure(&error))?;
    let all: i64 = rows.iter().map(|(_, n)| n).sum();
    let tables: serde_json::Map<String, serde_json::Value> =
        rows.iter().map(|(table, n)| ((*table).to_owned(), (*n).into())).collect();
    Ok(Report {
        columns: &["TABLE", "ROWS"],
        rows: rows.iter().map(|(table, n)| vec![(*table).to_owned(), n.to_string()]).collect(),
        note: Some(format!(
            "{all} rows are in {to}, counted there; start the server with --database from now on. The file is as it was."
        )),
        document: json!({ "to": to.to_string(), "store_id": store_id, "head": head, "rows": tables }),
    })
}
