//! Packs what an app file lists under `artefact`: paths, hashes, and nothing that lies elsewhere.
//!
//! It refuses absolute paths, `..`, symbolic links, special files, names that are not text, and more than
//! the bounds below. Order is by path, so the same folder always packs alike.

use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    path::{Component, Path, PathBuf},
};

use model::spec::FilePin;
use sha2::{Digest as _, Sha256};

use super::hex;
use crate::{error::Error, output::text::is_hostile};

/// What a release may hold, and what one upload may.
pub(super) struct Limits {
    pub(super) files: usize,
    pub(super) bytes: u64,
    pub(super) file_bytes: u64,
}

/// The limits of the server.
pub(super) const LIMITS: Limits = Limits { files: 10_000, bytes: 1 << 30, file_bytes: 64 << 20 };

/// Files that were found, hashed, and where they lie.
#[derive(Debug, Default)]
pub(super) struct Artefact {
    /// By path relative to the app file.
    pub(super) files: BTreeMap<String, FilePin>,
    /// Where a content can be read, by hash.
    pub(super) sources: BTreeMap<String, PathBuf>,
    /// Bytes of all of them.
    pub(super) bytes: u64,
}

impl Artefact {
    /// Finds and hashes everything that `entries` name under `root`.
    pub(super) fn pack(root: &Path, entries: &[String], limits: &Limits) -> Result<Self, Error> {
        let mut artefact = Self::default();
        for entry in entries {
            artefact.add(root, &relative(entry)?, limits)?;
        }
        Ok(artefact)
    }

    fn add(&mut self, root: &Path, path: &Path, limits: &Limits) -> Result<(), Error> {
        // Every folder on the way counts: a link above a file leads elsewhere as well.
        let mut full = root.to_owned();
        for part in path.components() {
            full.push(part);
            if symlink_metadata(&full)?.is_symlink() {
                return Err(refused(&full, "is a symbolic link, and a release holds files only"));
            }
        }
        self.walk(root, full, limits)
    }

    fn walk(&mut self, root: &Path, start: PathBuf, limits: &Limits) -> Result<(), Error> {
        let mut pending = vec![start];
        while let Some(path) = pending.pop() {
            let metadata = symlink_metadata(&path)?;
            if metadata.is_symlink() {
                return Err(refused(&path, "is a symbolic link, and a release holds files only"));
            } else if metadata.is_dir() {
                let failed = |source| Error::Read { path: path.clone(), source };
                let mut inside = Vec::new();
                for entry in fs::read_dir(&path).map_err(failed)? {
                    inside.push(entry.map_err(failed)?.path());
                    if inside.len() + pending.len() > limits.files {
                        return Err(too_many(limits));
                    }
                }
                // The last one is taken first.
                inside.sort();
                pending.extend(inside.into_iter().rev());
            } else if metadata.is_file() {
                self.file(root, path, &metadata, limits)?;
            } else {
                return Err(refused(&path, "is neither a file nor a folder"));
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        root: &Path,
        path: PathBuf,
        metadata: &fs::Metadata,
        limits: &Limits,
    ) -> Result<(), Error> {
        let name = name(root, &path)?;
        if self.files.contains_key(&name) {
            return Ok(());
        }
        if metadata.len() > limits.file_bytes {
            return Err(refused(&path, &format!("is larger than {}", size(limits.file_bytes))));
        }
        self.bytes += metadata.len();
        if self.files.len() >= limits.files {
            return Err(too_many(limits));
        }
        if self.bytes > limits.bytes {
            return Err(Error::usage(format!("the artefact is larger than {}", size(limits.bytes))));
        }
        let sha256 = hex(&Sha256::digest(content(&path, limits.file_bytes)?));
        self.files.insert(name, FilePin { sha256: sha256.clone(), executable: is_executable(metadata) });
        self.sources.insert(sha256, path);
        Ok(())
    }

    /// Reads a content again; it has to be the one that was hashed.
    pub(super) fn read(&self, sha256: &str) -> Result<Vec<u8>, Error> {
        let path = self.sources.get(sha256).ok_or_else(|| {
            Error::usage(format!("the server asks for {sha256}, which is no file of this release"))
        })?;
        let content = content(path, LIMITS.file_bytes)?;
        if hex(&Sha256::digest(&content)) != sha256 {
            return Err(refused(path, "changed while it was being sent; nothing was applied"));
        }
        Ok(content)
    }
}

/// `4.2 MB`, for people.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        n if n >= 1 << 20 => format!("{}.{} MB", n >> 20, ((n % (1 << 20)) * 10) >> 20),
        n if n >= 1 << 10 => format!("{} KB", n >> 10),
        n => format!("{n} bytes"),
    }
}

fn relative(entry: &str) -> Result<PathBuf, Error> {
    let path = Path::new(entry);
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if entry.is_empty() || !path.components().all(is_plain) {
        return Err(refused(path, "leads out of the folder of the app file"));
    }
    Ok(path.components().filter(|part| matches!(part, Component::Normal(_))).collect())
}

/// The path relative to the app file, with `/` on every system.
fn name(root: &Path, path: &Path) -> Result<String, Error> {
    let inside = path.strip_prefix(root).map_err(|_| refused(path, "lies elsewhere"))?;
    let parts: Option<Vec<&str>> = inside.components().map(|part| part.as_os_str().to_str()).collect();
    match parts.map(|parts| parts.join("/")) {
        Some(name) if !name.contains(is_hostile) => Ok(name),
        _ => Err(refused(path, "has a name that is not printable text")),
    }
}

fn content(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut content = Vec::new();
    let file = fs::File::open(path).map_err(failed)?;
    let n = file.take(limit + 1).read_to_end(&mut content).map_err(failed)?;
    if u64::try_from(n).is_ok_and(|n| n <= limit) {
        return Ok(content);
    }
    Err(refused(path, &format!("is larger than {}", size(limit))))
}

fn symlink_metadata(path: &Path) -> Result<fs::Metadata, Error> {
    fs::symlink_metadata(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}

fn refused(path: &Path, why: &str) -> Error {
    Error::usage(format!("{} {why}", path.display()))
}

fn too_many(limits: &Limits) -> Error {
    Error::usage(format!("the artefact has more than {} files", limits.files))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn folder() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(root.path().join("bin")).expect("made");
        fs::create_dir_all(root.path().join("templates/de")).expect("made");
        for (name, text) in [("bin/checkout", "#!"), ("templates/b", "same"), ("templates/de/a", "same")] {
            fs::write(root.path().join(name), text).expect("written");
        }
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(root.path().join("bin/checkout"), mode).expect("set");
        root
    }

    fn pack(root: &Path, entries: &[&str]) -> Result<Artefact, String> {
        let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        let limits = Limits { files: 4, bytes: 100, file_bytes: 50 };
        Artefact::pack(root, &entries, &limits).map_err(|error| error.report().message)
    }

    #[test]
    fn folders_are_packed_in_order_and_equal_contents_once() {
        let root = folder();
        let artefact = pack(root.path(), &["templates/", "./bin/checkout", "templates/b"]).expect("packed");
        let files: Vec<(&str, bool)> =
            artefact.files.iter().map(|(name, pin)| (name.as_str(), pin.executable)).collect();
        assert_eq!(files, [("bin/checkout", true), ("templates/b", false), ("templates/de/a", false)]);
        assert_eq!(artefact.sources.len(), 2);
        let sha256 = "0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5";
        assert_eq!(artefact.files["templates/b"].sha256, sha256);
        assert_eq!(artefact.read(sha256).expect("unchanged"), b"same");
        fs::write(root.path().join("templates/de/a"), "other").expect("written");
        assert!(artefact.read(sha256).is_err());
    }

    #[test]
    fn whatever_leads_elsewhere_is_refused() {
        let root = folder();
        symlink("/etc", root.path().join("etc")).expect("linked");
        symlink("bin", root.path().join("templates/link")).expect("linked");
        for entry in ["../x", "/etc/passwd", "a/../../b", "", "etc/passwd", "etc", "templates"] {
            let message = pack(root.path(), &[entry]).expect_err(entry);
            assert!(message.contains("leads out") || message.contains("symbolic link"), "{message}");
        }
    }

    #[test]
    fn bounds_hold() {
        let root = folder();
        fs::write(root.path().join("bin/large"), [b'x'; 51]).expect("written");
        assert!(pack(root.path(), &["bin"]).expect_err("one file").contains("is larger than 50 bytes"));
        for name in ["1", "2", "3"] {
            fs::write(root.path().join("templates").join(name), [b'x'; 40]).expect("written");
        }
        assert!(
            pack(root.path(), &["templates/1", "templates/2", "templates/3"])
                .expect_err("all")
                .contains("artefact is larger")
        );
        assert!(pack(root.path(), &["templates"]).expect_err("many").contains("more than 4 files"));
        assert!(pack(root.path(), &["missing"]).expect_err("missing").contains("cannot read"));
    }

    #[test]
    fn sizes_are_said_for_people() {
        assert_eq!([12, 2048, 4_404_020, 1 << 30].map(size), ["12 bytes", "2 KB", "4.2 MB", "1024.0 MB"]);
    }
}
