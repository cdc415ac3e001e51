//! The release binary with the console inside it.

use anyhow::Result;

use crate::{cmd, site, wasm};

pub(crate) fn run() -> Result<()> {
    let build_id = wasm::run(wasm::Flavour::Release, &site::default_dir())?;
    cmd::say("building vt (release)");
    // The variable makes cargo embed the site again when its file names have changed.
    cmd::run(
        cmd::cargo()
            .args(["build", "--release", "-p", "server", "--bin", "vt"])
            .env("VT_SITE_BUILD", build_id),
    )?;
    cmd::say(format!("built {}", cmd::target_dir().join("release/vt").display()));
    Ok(())
}
