//! Whether the file that we write to is still the one that a next start will find.
//!
//! A file that was removed or replaced goes on working for whoever has it open: what is written there is
//! acknowledged and lost. So every writing transaction looks before its work and before its acknowledgement.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::{StoreError, open::beside};

/// The identity of the file of a SQLite store.
#[derive(Debug)]
pub(crate) struct Presence {
    path: PathBuf,
    log: PathBuf,
    identity: (u64, u64),
}

impl Presence {
    /// Of a file that was just opened.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), log: beside(path, "-wal"), identity: identity(path)? })
    }

    /// Refuses where another file, or none, has its name, and where the log of what was committed last is gone.
    pub(crate) fn check(&self, op: &'static str) -> Result<(), StoreError> {
        let gone = |source: io::Error| StoreError::Unavailable { op, source: Box::new(source) };
        if identity(&self.path).map_err(gone)? != self.identity {
            return Err(gone(io::Error::other("the file of the store was replaced by another one")));
        }
        fs::metadata(&self.log).map(drop).map_err(gone)
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::metadata(path)?;
    Ok((found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_same_name_is_not_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vantage.db");
        for name in ["vantage.db", "vantage.db-wal", "other"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let presence = Presence::of(&path).unwrap();
        presence.check("test").unwrap();
        fs::rename(&path, folder.path().join("aside")).unwrap();
        assert!(matches!(presence.check("test"), Err(StoreError::Unavailable { op: "test", .. })));
        fs::rename(folder.path().join("other"), &path).unwrap();
        assert!(matches!(presence.check("test"), Err(StoreError::Unavailable { .. })));
        fs::rename(folder.path().join("aside"), &path).unwrap();
        presence.check("test").unwrap();
        fs::remove_file(folder.path().join("vantage.db-wal")).unwrap();
        assert!(presence.check("test").is_err());
    }
}
