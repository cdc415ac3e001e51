//! PostgreSQL is stopped and started again under a running server.

use std::{
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use model::ErrorCode;
use serde_json::Value;
use testkit::{Process, Response, until};

use super::{PATIENCE, VT, converged, deploy, deployed_again, may, refused};

/// A PostgreSQL of this test's own, because it is stopped.
struct Postgres {
    bin: PathBuf,
    data: tempfile::TempDir,
    port: u16,
    running: Option<Child>,
}

impl Postgres {
    /// `None`, and a sentence, where there is none or nobody to run it as.
    fn installed() -> Option<Self> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let bin = versions.map(|version| version.path().join("bin")).find(|bin| bin.join("initdb").exists());
        let Some(bin) = bin.filter(|_| may("setpriv", &["--reuid=postgres", "true"])) else {
            println!("skipped: PostgreSQL is not installed, or nobody may run it");
            return None;
        };
        let data = tempfile::tempdir().unwrap();
        assert!(may("chown", &["postgres:", data.path().to_str().unwrap()]));
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let postgres = Self { bin, data, port, running: None };
        let made = postgres
            .program("initdb")
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync",
                "--pgdata",
            ])
            .arg(postgres.data.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Some(postgres)
    }

    /// PostgreSQL refuses to run as root.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(self.bin.join(name));
        command.current_dir(Path::new("/"));
        command
    }

    async fn start(&mut self) {
        let port = self.port.to_string();
        let child = self
            .program("postgres")
            .arg("-D")
            .arg(self.data.path())
            .args(["-p", &port, "-h", "127.0.0.1", "-k", "", "-c", "fsync=off"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.running = Some(child);
        until("PostgreSQL to listen", PATIENCE, || async {
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).map(drop)
        })
        .await;
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.running.take() {
            // SIGINT is its fast shutdown.
            may("kill", &["-INT", &child.id().to_string()]);
            child.wait().unwrap();
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgres_is_stopped_the_server_says_so_and_afterwards_it_goes_on_by_itself() {
    let Some(mut postgres) = Postgres::installed() else { return };
    postgres.start().await;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", postgres.port);
    let server = until("the server to find its database", PATIENCE, || async {
        Process::try_start(VT, &folder.path().join("data"), &["--database", &url], &[])
    })
    .await;
    let admin = server.ready().await.admin();
    assert_eq!(deploy(&admin, 1).await.status, 202);
    converged(&server, 1).await;
    let before: Value = admin.read("/api/v1/events?limit=200").await;
    postgres.stop();
    refused(&admin, 503, ErrorCode::StoreUnavailable).await;
    let view: Response = admin.get("/api/v1/envs/web:prod").await;
    let _ = view.problem(503, ErrorCode::StoreUnavailable);
    let page: Response = admin.get("/").await;
    assert!(page.status >= 500 && page.text().contains("<h1"), "{} {}", page.status, page.text());
    let ready: Response = admin.get("/readyz").await;
    assert_eq!(ready.status, 503, "{}", ready.text());
    let alive: Response = admin.get("/healthz").await;
    assert_eq!(alive.status, 200);
    postgres.start().await;
    until("readiness without anybody's help", Duration::from_secs(30), || async {
        let ready: Response = admin.get("/readyz").await;
        if ready.status == 200 { Ok(()) } else { Err(ready.text().to_owned()) }
    })
    .await;
    deployed_again(&admin, 2).await;
    converged(&server, 2).await;
    let after: Value = admin.read("/api/v1/events?limit=1000").await;
    let seqs = |view: &Value| -> Vec<i64> {
        let text = view.to_string();
        text.split("\"seq\":")
            .skip(1)
            .filter_map(|rest| rest.split([',', '}']).next()?.parse().ok())
            .collect()
    };
    let (before, after) = (seqs(&before), seqs(&after));
    assert!(!before.is_empty() && before.iter().all(|seq| after.contains(seq)), "{before:?} {after:?}");
    assert!(server.stop().1);
}
