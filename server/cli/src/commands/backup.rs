//! `vt backup FILE` and `vt restore FILE` of a server that runs.
//!
//! A backup is complete or not there: it is written beside its name and renamed at the end. What exists already is
//! never overwritten.

use std::{
    fs::File,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use model::ErrorCode;
use serde_json::{Value, json};

use super::{Context, Outcome};
use crate::{
    error::{Error, Exit},
    local,
};

/// How long a server may take to start again over another store.
const RESTART: Duration = Duration::from_secs(60);
/// Between two questions whether it has.
const STEP: Duration = Duration::from_millis(200);

/// `vt backup FILE`.
pub(super) async fn save(context: &mut Context<'_>, file: &Path) -> Outcome {
    let failed = |source| Error::WriteFile { path: file.to_owned(), source };
    if file.exists() {
        return Err(Error::usage_with(
            format!("{} exists already; a backup overwrites nothing", file.display()),
            "give another name, or remove it first",
        ));
    }
    let beside = part(file);
    let mut options = File::options();
    let mut out =
        options.write(true).create(true).truncate(true).mode(0o600).open(&beside).map_err(failed)?;
    let written = receive(context, &mut out).await;
    let (n_bytes, store_id, seq) = match written {
        Ok(written) => written,
        Err(error) => {
            // Half a backup is worth nothing.
            let _ = std::fs::remove_file(&beside);
            return Err(error);
        }
    };
    out.sync_all().map_err(failed)?;
    std::fs::rename(&beside, file).map_err(failed)?;
    context.terminal.clear_progress();
    if context.terminal.json() {
        let data = json!({ "file": file, "n_bytes": n_bytes, "store_id": store_id, "seq": seq });
        context.terminal.document(&data)?;
    } else {
        context.terminal.say(format!("backup={}", file.display()))?;
        context.terminal.note(&format!("{n_bytes} bytes; files that releases pin are not part of it"));
    }
    Ok(Exit::Done)
}

async fn receive(
    context: &mut Context<'_>,
    out: &mut File,
) -> Result<(u64, Option<String>, Option<i64>), Error> {
    let mut response = context.client.download("/backup").await?;
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (store_id, seq) = (header("x-store-id"), header("x-journal-seq").and_then(|seq| seq.parse().ok()));
    let all = response.content_length();
    let mut done = 0_u64;
    while let Some(chunk) = context.client.chunk(&mut response).await? {
        out.write_all(&chunk)?;
        done += u64::try_from(chunk.len()).unwrap_or_default();
        context.terminal.progress(&format!("{} of {} MB", done / 1_000_000, all.unwrap_or(done) / 1_000_000));
    }
    Ok((done, store_id, seq))
}

fn part(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// `vt restore FILE`: the server checks it, starts again over it, and says so.
pub(super) async fn restore(context: &mut Context<'_>, file: &Path, yes: bool) -> Outcome {
    let unreadable = |source| Error::Read { path: file.to_owned(), source };
    let content = tokio::fs::File::open(file).await.map_err(unreadable)?;
    let n_bytes = content.metadata().await.map_err(unreadable)?.len();
    let what = "This replaces everything that the server has recorded, and restarts every workload";
    local::confirm(context.terminal, yes, what, "restore")
        .map_err(|failure| Error::Local(Box::new(failure)))?;
    context.terminal.progress("the server checks the backup");
    let restored: Value = context.client.upload("/restore", content, n_bytes).await?;
    let wanted = restored["store_id"].as_str().unwrap_or_default();
    let begun = Instant::now();
    loop {
        let seen = context.client.get::<Value>("/store").await;
        match seen {
            Ok(store) if store["store_id"] == wanted => break,
            // Our token is not in the backup; the token file of the data folder has one that is.
            Err(Error::Refused(problem)) if problem.code == ErrorCode::Unauthenticated => {
                context.terminal.note("the token that was used is not part of the backup");
                break;
            }
            Err(error) if !error.is_transient() && !error.is_lost() => return Err(error),
            _ if begun.elapsed() > RESTART => {
                return Err(Error::usage_with(
                    "the backup was taken in, but the server did not start again over it in time",
                    "its log says why; the store from before lies beside it as vantage.db.before-restore",
                ));
            }
            _ => {}
        }
        context.terminal.progress(&format!("the server starts again, {} s", begun.elapsed().as_secs()));
        tokio::time::sleep(STEP).await;
    }
    context.terminal.clear_progress();
    if context.terminal.json() {
        context.terminal.document(&restored)?;
    } else {
        context.terminal.say(format!("store={wanted}"))?;
    }
    Ok(Exit::Done)
}
