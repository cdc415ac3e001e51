//! A disk that is full, a folder that is read-only, a file that is gone.

use std::path::{Path, PathBuf};

use model::ErrorCode;
use serde_json::Value;
use testkit::{Process, Response};

use super::{PATIENCE, VT, converged, deploy, deployed_again, in_order, may, refused};

/// A small disk of its own; `None`, and a sentence, where that is not permitted.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    fn small() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_str().unwrap();
        if may("mount", &["-t", "tmpfs", "-o", "size=24m", "vantage-test", place]) {
            return Some(Self { folder });
        }
        println!("skipped: this test may not mount a disk of its own");
        None
    }

    fn place(&self) -> &Path {
        self.folder.path()
    }

    /// Takes every byte that is left; they are free again when the file is removed.
    fn fill(&self) -> PathBuf {
        let file = self.place().join("filler");
        let mut filler = std::fs::File::create(&file).unwrap();
        for size in [1 << 20, 4096, 1] {
            while std::io::Write::write_all(&mut filler, &vec![0; size]).is_ok() {}
        }
        file
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        may("umount", &["--lazy", self.folder.path().to_str().unwrap()]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_reads_go_on_and_writes_are_refused_with_507() {
    let Some(disk) = Disk::small() else { return };
    let data = disk.place().join("data");
    let server = Process::start(VT, &data, &[], &[]);
    let admin = server.ready().await.admin();
    assert_eq!(deploy(&admin, 1).await.status, 202);
    converged(&server, 1).await;
    let filler = disk.fill();
    // The log of the store may have a little room left in what it has already.
    testkit::until("a write to be refused", PATIENCE, || async {
        let answer = deploy(&admin, 98).await;
        if answer.status == 507 { Ok(()) } else { Err(answer.text().to_owned()) }
    })
    .await;
    refused(&admin, 507, ErrorCode::StoreFull).await;
    let page: Response = admin.get("/").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let view: Response<Value> = admin.get("/api/v1/envs/web:prod").await;
    assert_eq!(view.status, 200, "{}", view.text());
    let copy: Response = admin.post("/api/v1/backup", &()).await;
    assert_eq!(copy.status, 507, "{}", copy.text());
    assert!(!data.join("vantage.db.backup").exists(), "half a copy takes no room");
    std::fs::remove_file(filler).unwrap();
    deployed_again(&admin, 2).await;
    let n_releases: u32 = {
        let releases: Vec<Value> = admin.read("/api/v1/envs/web:prod/releases").await;
        u32::try_from(releases.len()).unwrap()
    };
    converged(&server, n_releases).await;
    assert!(server.stop().1);
    in_order(&data.join("vantage.db"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_read_only_folder_a_server_does_not_start_and_a_running_one_says_what_it_cannot_keep() {
    let Some(disk) = Disk::small() else { return };
    let (data, place) = (disk.place().join("data"), disk.place().to_str().unwrap());
    let server = Process::start(VT, &data, &[], &[]);
    let admin = server.ready().await.admin();
    assert_eq!(deploy(&admin, 1).await.status, 202);
    converged(&server, 1).await;
    // Files that are open stay writable; new ones cannot be made.
    let folder = data.to_str().unwrap();
    if !may("mount", &["--bind", folder, folder]) || !may("mount", &["-o", "remount,bind,ro", folder]) {
        println!("skipped: this test may not make a folder read-only");
        return;
    }
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let file: Response = admin.write(reqwest::Method::PUT, &format!("/api/v1/blobs/{hash}"), &()).await;
    let _ = file.problem(503, ErrorCode::StoreUnavailable);
    let copy: Response = admin.post("/api/v1/backup", &()).await;
    let _ = copy.problem(503, ErrorCode::StoreUnavailable);
    let view: Response<Value> = admin.get("/api/v1/envs/web:prod").await;
    assert_eq!(view.status, 200, "{}", view.text());
    assert!(may("umount", &[folder]) || may("umount", &["--lazy", folder]));
    let copy: Response = admin.post("/api/v1/backup", &()).await;
    assert_eq!(copy.status, 200, "{}", copy.text());
    deployed_again(&admin, 2).await;
    converged(&server, 2).await;
    assert!(server.stop().1);
    assert!(may("mount", &["-o", "remount,ro", place]), "nobody has a file open there");
    let said = Process::try_start(VT, &data, &[], &[]).err().expect("a server started in a read-only folder");
    assert!(said.to_lowercase().contains("read-only file system") && said.contains("hint: "), "{said}");
    assert!(may("mount", &["-o", "remount,rw", place]));
    let server = Process::start(VT, &data, &[], &[]);
    server.ready().await;
    converged(&server, 2).await;
    assert!(server.stop().1);
    in_order(&data.join("vantage.db"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_file_of_the_store_is_gone_nothing_is_acknowledged_that_would_be_lost() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Process::start(VT, &data, &[], &[]);
    let admin = server.ready().await.admin();
    assert_eq!(deploy(&admin, 1).await.status, 202);
    converged(&server, 1).await;
    let aside = folder.path().join("aside");
    for name in ["vantage.db", "vantage.db-wal"] {
        std::fs::rename(data.join(name), &aside).unwrap();
        refused(&admin, 503, ErrorCode::StoreUnavailable).await;
        let ready: Response = admin.get("/readyz").await;
        assert_eq!(ready.status, 503, "{}", ready.text());
        let view: Response = admin.get("/api/v1/envs/web:prod").await;
        assert!([200, 503].contains(&view.status), "{} {}", view.status, view.text());
        assert!(!data.join(name).exists(), "no empty store takes its place");
        std::fs::rename(&aside, data.join(name)).unwrap();
        server.ready().await;
    }
    deployed_again(&admin, 2).await;
    converged(&server, 2).await;
    assert!(server.stop().1);
    in_order(&data.join("vantage.db"));
}
