//! The files that releases pin: a content-addressed store, and one read-only tree per release.
//!
//! A blob is there whole or not at all: it is written beside its place, checked against its name, flushed and
//! renamed. So is a tree. Nothing is ever written outside of the two folders, whatever a path says; nothing is
//! hard-linked, because a workload that writes to its own copy must not change the store.

use std::{
    collections::BTreeMap,
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Component, Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use model::{ReleaseId, spec::FilePin};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

/// Why a blob or a tree was not taken. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ArtefactError {
    /// Not 64 lower-case hex digits.
    #[error("a blob is named by its SHA-256 in lower-case hex")]
    Name,
    /// The content is another than its name says.
    #[error("the content has another SHA-256: {actual}")]
    Mismatch {
        /// The hash of what came.
        actual: String,
    },
    /// The path does not stay inside the tree, or two paths exclude each other.
    #[error("not a path inside the artefact: {0:?}")]
    Path(String),
    /// A pinned file was never sent.
    #[error("the content of {0:?} is not in the store")]
    Missing(String),
    /// The disk is full.
    #[error("the disk is full")]
    Full(#[source] io::Error),
    /// Anything else that the disk said.
    #[error("the artefact store could not be written")]
    Io(#[source] io::Error),
}

impl From<io::Error> for ArtefactError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(error),
            _ => Self::Io(error),
        }
    }
}

/// The store under one data folder. Its calls block; call them where blocking is allowed.
#[derive(Debug)]
pub struct Artefacts {
    blobs: PathBuf,
    releases: PathBuf,
    incoming: PathBuf,
    // One tree at a time: instances of one release are ordered together and share it.
    building: Mutex<()>,
}

impl Artefacts {
    /// Opens or makes the store, and forgets what was half-written when the last process died.
    ///
    /// # Errors
    /// What the disk said.
    pub fn open(data_dir: &Path) -> io::Result<Self> {
        let blobs = data_dir.join("blobs/sha256");
        let incoming = data_dir.join("blobs/incoming");
        let releases = data_dir.join("releases");
        if incoming.exists() {
            remove_tree(&incoming)?;
        }
        for folder in [&blobs, &incoming, &releases] {
            fs::create_dir_all(folder)?;
        }
        Ok(Self { blobs, releases, incoming, building: Mutex::new(()) })
    }

    fn blob_path(&self, sha256: &str) -> Result<PathBuf, ArtefactError> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if sha256.len() != 64 || !sha256.bytes().all(hex) {
            return Err(ArtefactError::Name);
        }
        Ok(self.blobs.join(&sha256[..2]).join(sha256))
    }

    /// Which of these blobs are not there, each once.
    ///
    /// # Errors
    /// [`ArtefactError::Name`] where one is no hash.
    pub fn missing(&self, wanted: &[String]) -> Result<Vec<String>, ArtefactError> {
        let mut missing = vec![];
        for sha256 in wanted {
            if !self.blob_path(sha256)?.is_file() && !missing.contains(sha256) {
                missing.push(sha256.clone());
            }
        }
        Ok(missing)
    }

    /// Takes a blob that is at hand as a whole. One that is there already is fine.
    ///
    /// # Errors
    /// [`ArtefactError`]; nothing is left behind.
    pub fn put(&self, sha256: &str, content: &[u8]) -> Result<(), ArtefactError> {
        let mut incoming = self.receive(sha256)?;
        incoming.write(content)?;
        incoming.finish()
    }

    /// Begins to take a blob piece by piece. Dropping the result forgets it.
    ///
    /// # Errors
    /// [`ArtefactError::Name`], or what the disk said.
    pub fn receive(&self, sha256: &str) -> Result<Incoming, ArtefactError> {
        let place = self.blob_path(sha256)?;
        let file = NamedTempFile::new_in(&self.incoming)?;
        Ok(Incoming { sha256: sha256.to_owned(), place, file, hash: Sha256::new() })
    }

    /// The read-only tree of a release; made on first use, the same ever after.
    ///
    /// # Errors
    /// [`ArtefactError`]; no tree is left half-made.
    pub fn materialise(
        &self,
        release: &ReleaseId,
        files: &BTreeMap<String, FilePin>,
    ) -> Result<PathBuf, ArtefactError> {
        let place = self.releases.join(release.as_str());
        let _one = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        if place.is_dir() {
            return Ok(place);
        }
        // Inside `incoming`, so that a tree whose maker was killed is swept at the next start.
        let half = tempfile::Builder::new().prefix("tree-").tempdir_in(&self.incoming)?;
        let root = half.path().join("root");
        fs::create_dir(&root)?;
        let built = self.fill(&root, files).and_then(|()| {
            fs::rename(&root, &place)?;
            fs::set_permissions(&place, Permissions::from_mode(0o555))?;
            Ok(sync_folder(&self.releases)?)
        });
        if let Err(error) = built {
            // Best effort: what stays is swept at the next start.
            let _ = remove_tree(&root);
            return Err(error);
        }
        Ok(place)
    }

    fn fill(&self, root: &Path, files: &BTreeMap<String, FilePin>) -> Result<(), ArtefactError> {
        let mut folders = vec![];
        for (path, pin) in files {
            let relative = safe_path(path)?;
            let clash = |error: io::Error| match error.kind() {
                io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                    ArtefactError::Path(path.clone())
                }
                _ => error.into(),
            };
            let target = root.join(relative);
            if let Some(folder) = target.parent() {
                fs::create_dir_all(folder).map_err(clash)?;
                folders.extend(folder.ancestors().take_while(|f| *f != root).map(Path::to_owned));
            }
            let blob = match File::open(self.blob_path(&pin.sha256)?) {
                Ok(blob) => blob,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(ArtefactError::Missing(path.clone()));
                }
                Err(error) => return Err(error.into()),
            };
            let file = File::create_new(&target).map_err(clash)?;
            copy(blob, &file)?;
            file.set_permissions(Permissions::from_mode(if pin.executable { 0o555 } else { 0o444 }))?;
            file.sync_all()?;
        }
        for folder in folders {
            fs::set_permissions(folder, Permissions::from_mode(0o555))?;
        }
        Ok(())
    }
}

/// A blob on its way in.
#[derive(Debug)]
pub struct Incoming {
    sha256: String,
    place: PathBuf,
    file: NamedTempFile,
    hash: Sha256,
}

impl Incoming {
    /// Takes the next piece.
    ///
    /// # Errors
    /// What the disk said.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), ArtefactError> {
        self.hash.update(piece);
        Ok(self.file.write_all(piece)?)
    }

    /// Checks the whole against its name and makes it visible, durably.
    ///
    /// # Errors
    /// [`ArtefactError::Mismatch`], or what the disk said.
    pub fn finish(self) -> Result<(), ArtefactError> {
        let actual = sha256_hex(&self.hash.finalize());
        if actual != self.sha256 {
            return Err(ArtefactError::Mismatch { actual });
        }
        if self.place.is_file() {
            return Ok(());
        }
        let folder = self.place.parent().expect("a blob lies in a folder");
        fs::create_dir_all(folder)?;
        self.file.as_file().set_permissions(Permissions::from_mode(0o444))?;
        self.file.as_file().sync_all()?;
        self.file.persist(&self.place).map_err(|error| error.error)?;
        Ok(sync_folder(folder)?)
    }
}

/// The only paths that trees are made of: relative, plain, without `.` and `..`, at most 1,000 bytes.
pub(crate) fn safe_path(path: &str) -> Result<&Path, ArtefactError> {
    let plain = Path::new(path);
    let names = plain.components().all(|part| matches!(part, Component::Normal(_)));
    // `components` forgives `a//b`, `a/./b` and `a/`; one file must have one name.
    let same = plain.components().collect::<PathBuf>().as_os_str() == plain.as_os_str();
    let printable = !path.chars().any(char::is_control);
    if path.is_empty() || path.len() > 1000 || !names || !same || !printable {
        return Err(ArtefactError::Path(path.to_owned()));
    }
    Ok(plain)
}

/// Lower-case hex.
fn sha256_hex(hash: &[u8]) -> String {
    use std::fmt::Write;
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

/// Shares the blocks where the file system can, else copies them.
fn copy(mut from: File, mut to: &File) -> io::Result<()> {
    if rustix::fs::ioctl_ficlone(to, &from).is_ok() {
        return Ok(());
    }
    io::copy(&mut from, &mut to).map(drop)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Removes a tree whose folders may be read-only.
fn remove_tree(root: &Path) -> io::Result<()> {
    fs::set_permissions(root, Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_dir(root)
}

#[cfg(test)]
mod tests;
