//! What the store keeps, refuses and never leaves behind.

use super::*;

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn sha(content: &[u8]) -> String {
    sha256_hex(&Sha256::digest(content))
}

fn store() -> (tempfile::TempDir, Artefacts) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Artefacts::open(folder.path()).expect("opens");
    (folder, store)
}

fn pins(files: &[(&str, &[u8], bool)]) -> BTreeMap<String, FilePin> {
    let pin = |content: &[u8], executable| FilePin { sha256: sha(content), executable };
    files.iter().map(|(path, content, executable)| ((*path).to_owned(), pin(content, *executable))).collect()
}

fn n_files(folder: &Path) -> usize {
    fs::read_dir(folder).expect("a folder").count()
}

#[test]
fn a_blob_is_taken_once_and_no_longer_missing() {
    let (_folder, store) = store();
    let name = sha(b"hello");
    let wanted = vec![name.clone(), EMPTY.to_owned(), EMPTY.to_owned()];
    assert_eq!(store.missing(&wanted).expect("hashes"), [name.clone(), EMPTY.to_owned()]);
    store.put(&name, b"hello").expect("taken");
    store.put(&name, b"hello").expect("taken again");
    assert_eq!(store.missing(&wanted).expect("hashes"), [EMPTY.to_owned()]);
}

#[test]
fn wrong_content_and_wrong_names_leave_nothing_behind() {
    let (_folder, store) = store();
    assert!(matches!(store.put(EMPTY, b"x"), Err(ArtefactError::Mismatch { .. })));
    for name in ["", "../../x", &EMPTY.to_uppercase(), &EMPTY[1..]] {
        assert!(matches!(store.put(name, b""), Err(ArtefactError::Name)), "{name}");
    }
    let mut half = store.receive(EMPTY).expect("begins");
    half.write(b"x").expect("writes");
    drop(half);
    assert_eq!((n_files(&store.incoming), n_files(&store.blobs)), (0, 0));
}

#[test]
fn a_tree_is_read_only_complete_and_made_once() {
    let (_folder, store) = store();
    let files = pins(&[("bin/run", b"#!", true), ("conf/deep/a.txt", b"a", false)]);
    for content in [b"#!".as_slice(), b"a"] {
        store.put(&sha(content), content).expect("taken");
    }
    let release = ReleaseId::mint(1);
    let tree = store.materialise(&release, &files).expect("made");
    let mode = |path: &str| fs::metadata(tree.join(path)).expect(path).permissions().mode() & 0o777;
    assert_eq!(
        (mode("bin/run"), mode("conf/deep/a.txt"), mode("conf"), mode("")),
        (0o555, 0o444, 0o555, 0o555)
    );
    assert_eq!(fs::read(tree.join("conf/deep/a.txt")).expect("a"), b"a");
    assert_eq!(store.materialise(&release, &BTreeMap::new()).expect("there"), tree);
    assert!(tree.join("bin/run").is_file());
    assert_eq!(n_files(&store.incoming), 0);
}

#[test]
fn paths_that_leave_the_tree_or_exclude_each_other_are_refused() {
    let (_folder, store) = store();
    store.put(EMPTY, b"").expect("taken");
    for path in ["../x", "/x", "a/../../x", "", ".", "a/", "a//b", "./a", "a\0b"] {
        let made = store.materialise(&ReleaseId::mint(2), &pins(&[(path, b"", false)]));
        assert!(matches!(made, Err(ArtefactError::Path(_))), "{path:?}");
    }
    let clash = pins(&[("a", b"", false), ("a/b", b"", false)]);
    assert!(matches!(store.materialise(&ReleaseId::mint(2), &clash), Err(ArtefactError::Path(_))));
    assert_eq!((n_files(&store.incoming), n_files(&store.releases)), (0, 0));
}

#[test]
fn a_missing_blob_leaves_no_tree() {
    let (_folder, store) = store();
    let files = pins(&[("a/b", b"never sent", false)]);
    assert!(
        matches!(store.materialise(&ReleaseId::mint(3), &files), Err(ArtefactError::Missing(path)) if path == "a/b")
    );
    assert_eq!((n_files(&store.incoming), n_files(&store.releases)), (0, 0));
}

#[test]
fn what_was_half_written_is_swept_at_the_next_start() {
    let (folder, store) = store();
    fs::create_dir_all(store.incoming.join("tree-x/half/bin")).expect("made");
    fs::write(store.incoming.join("tree-x/half/bin/a"), "half").expect("written");
    fs::set_permissions(store.incoming.join("tree-x/half/bin"), Permissions::from_mode(0o555)).expect("set");
    let store = Artefacts::open(folder.path()).expect("opens");
    assert_eq!(n_files(&store.incoming), 0);
}

/// A file system of its own that holds 256 KiB; gone when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` where this account may not mount.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(folder.path());
        mount.output().is_ok_and(|done| done.status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_leaves_no_blob_and_no_tree() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("skipped: this account may not mount a small disk");
        return;
    };
    let store = Artefacts::open(disk.0.path()).expect("opens");
    let (large, medium) = (vec![1; 1024 * 1024], vec![2; 150 * 1024]);
    assert!(matches!(store.put(&sha(&large), &large), Err(ArtefactError::Full(_))));
    store.put(&sha(&medium), &medium).expect("fits");
    let made = store.materialise(&ReleaseId::mint(4), &pins(&[("a/b", &medium, false)]));
    assert!(matches!(made, Err(ArtefactError::Full(_))), "{made:?}");
    assert_eq!((n_files(&store.incoming), n_files(&store.releases)), (0, 0));
    assert_eq!(store.missing(&[sha(&large), sha(&medium)]).expect("hashes"), [sha(&large)]);
}
