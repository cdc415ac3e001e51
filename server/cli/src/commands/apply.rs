//! `vt apply`: sends the files that the server lacks, then the app file, as one release.
//!
//! Files are content: sending them changes nothing. Only the last request does, and it does all or nothing.

use std::{
    io,
    path::{Path, PathBuf},
};

use model::{Plan, Receipt, Release};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Context, Outcome,
    artefact::{Artefact, LIMITS, size},
    change,
};
use crate::{
    args::Apply,
    error::{Error, Exit},
    output::plan_page,
    scope::{self, Manifest},
};

/// How many hashes are asked about at a time.
const CHUNK: usize = 1000;

#[derive(Debug, Serialize)]
struct Missing<'a> {
    sha256: &'a [&'a String],
}

#[derive(Debug, Deserialize)]
struct MissingAnswer {
    missing: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Applied {
    release: Release,
    plan: Plan,
    receipt: Option<Receipt>,
}

/// `vt apply -f FILE`.
pub(super) async fn run(context: &mut Context<'_>, args: Apply) -> Outcome {
    let Apply { file, change } = args;
    let (text, root) = read(&file)?;
    let manifest = Manifest::parse(&text, &file)?;
    check_flags(context, &manifest)?;
    let artefact = Artefact::pack(&root, &manifest.artefact, &LIMITS)?;
    upload(context, &artefact).await?;
    let body = json!({
        "manifest": text,
        "files": artefact.files,
        "dry_run": change.plan,
        "reason": change.reason,
        "wait_s": change.wait.map(model::Span::as_seconds),
    });
    let Applied { release, plan, receipt } = context.client.post("/apply", &body).await?;
    if change.plan {
        return change::show(context, &plan);
    }
    let Some(receipt) = receipt else {
        if context.terminal.json() {
            context.terminal.document(&json!({ "release": release, "plan": plan, "receipt": null }))?;
        } else {
            context.terminal.say(format!("{} {} is unchanged", release.target.title(), release.name()))?;
        }
        return Ok(Exit::Done);
    };
    if !context.terminal.json() {
        plan_page(context.terminal, &plan)?;
    }
    change::finish(context, &receipt, &change).await
}

/// The text of the app file, and the folder that its paths are relative to.
fn read(file: &Path) -> Result<(String, PathBuf), Error> {
    if file == Path::new("-") {
        let text =
            scope::bounded(io::stdin()).map_err(|source| Error::Read { path: file.to_owned(), source })?;
        return Ok((text.ok_or_else(|| scope::too_large(file))?, PathBuf::from(".")));
    }
    let text = scope::read_manifest(file)?;
    let root = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    Ok((text, root.map_or_else(|| PathBuf::from("."), Path::to_owned)))
}

/// The file says where it belongs; flags that say otherwise are a mistake worth stopping for.
fn check_flags(context: &Context<'_>, manifest: &Manifest) -> Result<(), Error> {
    let pairs =
        [("--app", &context.global.app, &manifest.app), ("--env", &context.global.env, &manifest.env)];
    for (flag, flagged, filed) in pairs {
        if let (Some(flagged), Some(filed)) = (flagged, filed)
            && flagged != filed
        {
            return Err(Error::usage_with(
                format!("{flag} says {flagged} and the app file says {filed}"),
                format!("leave out {flag}, or change the file"),
            ));
        }
    }
    Ok(())
}

/// Sends every content that the server does not have yet.
async fn upload(context: &mut Context<'_>, artefact: &Artefact) -> Result<(), Error> {
    let hashes: Vec<&String> = artefact.sources.keys().collect();
    let mut missing = Vec::new();
    for chunk in hashes.chunks(CHUNK) {
        let answer: MissingAnswer = context.client.post("/blobs/missing", &Missing { sha256: chunk }).await?;
        missing.extend(answer.missing);
    }
    missing.sort();
    missing.dedup();
    let (n, mut sent) = (missing.len(), 0);
    for (i, sha256) in missing.iter().enumerate() {
        let content = artefact.read(sha256)?;
        let line = format!("sending file {} of {n} · {} sent", i + 1, size(sent));
        context.terminal.progress(&line);
        sent += u64::try_from(content.len()).unwrap_or(u64::MAX);
        context.client.put(&format!("/blobs/{sha256}"), content).await?;
    }
    context.terminal.clear_progress();
    Ok(())
}
