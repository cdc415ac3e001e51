//! Builds everything for development and becomes `vt serve --demo`.

use std::os::unix::process::CommandExt;

use anyhow::{Context, Result};

use crate::{cmd, site, wasm};

pub(crate) fn run(args: &[String]) -> Result<()> {
    wasm::run(wasm::Flavour::Dev, &site::default_dir())?;
    cmd::say("building vt");
    cmd::run(cmd::cargo().args(["build", "-p", "server", "--bin", "vt"]))?;
    cmd::say("starting vt serve --demo; stop it with ctrl-c");
    let vt = cmd::target_dir().join("debug/vt");
    // Becoming the server, rather than starting it, lets signals reach it directly.
    let error = cmd::program(&vt, &cmd::root()).args(["serve", "--demo"]).args(args).exec();
    Err(error).with_context(|| format!("could not start {}", vt.display()))
}
