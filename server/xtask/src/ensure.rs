//! Makes sure that what a task needs is on the machine, or says in one sentence what to install.
//!
//! Debian as root is helped by itself; anywhere else nothing is installed behind your back.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::cmd;

const WASM: &str = "wasm32-unknown-unknown";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// A Debian package and how to see that its program is there already.
pub(crate) struct Package {
    name: &'static str,
    present: fn() -> bool,
}

/// What the whole test run needs.
pub(crate) const FOR_TESTS: &[Package] = &[
    Package { name: "postgresql", present: || postgres_bin().is_some() },
    Package { name: "chromium", present: || cmd::on_path("chromium").is_some() },
    Package { name: "nodejs", present: || cmd::on_path("node").is_some() },
    Package { name: "npm", present: || cmd::on_path("npm").is_some() },
    Package { name: "sqlite3", present: || cmd::on_path("sqlite3").is_some() },
    Package { name: "libfaketime", present: || Path::new("/usr/share/doc/libfaketime").exists() },
];

const FOR_WASM: &[Package] = &[
    Package { name: "rustc-web", present: || Path::new(DEBIAN_RUSTC).exists() },
    Package { name: "cargo-web", present: || Path::new("/usr/bin/cargo").exists() },
    Package { name: "rust-web-src", present: || Path::new("/usr/lib/rustlib/src/rust/library").exists() },
    Package { name: "rust-web-llvm", present: || Path::new("/usr/share/doc/rust-web-llvm").exists() },
];

/// Installs what is missing, or stops with the command to type.
pub(crate) fn packages(wanted: &[Package]) -> Result<()> {
    let missing: Vec<&str> = wanted.iter().filter(|p| !(p.present)()).map(|p| p.name).collect();
    install(&missing)
}

fn install(missing: &[&str]) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if cmd::on_path("apt-get").is_none() || !is_root() {
        bail!("please install {list} first (Debian: sudo apt-get install --no-install-recommends {list})");
    }
    cmd::say(format!("installing {list}"));
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    cmd::run(apt().args(["update", "-qq"]))?;
    cmd::run(apt().args(["install", "-y", "-qq", "--no-install-recommends"]).args(missing))
}

/// Is the task running as root?
pub(crate) fn is_root() -> bool {
    cmd::output(Command::new("id").arg("-u")).is_ok_and(|id| id == "0")
}

/// The newest installed PostgreSQL's programs.
pub(crate) fn postgres_bin() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("postgres").is_file())
        .collect();
    found.sort();
    found.pop().map(|(_, bin)| bin).or_else(|| Some(cmd::on_path("postgres")?.parent()?.to_path_buf()))
}

/// The packages of the end-to-end tests, exactly as locked.
pub(crate) fn node_modules() -> Result<()> {
    let dir = cmd::root().join("end2end");
    let lock =
        std::fs::read(dir.join("package-lock.json")).context("could not read end2end/package-lock.json")?;
    let mark = dir.join("node_modules/.vantage-lock");
    if std::fs::read(&mark).is_ok_and(|seen| seen == lock) {
        return Ok(());
    }
    cmd::say("installing the packages of end2end");
    cmd::run(
        cmd::program("npm", &dir)
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"),
    )?;
    std::fs::write(&mark, lock).context("could not mark the installed packages")
}

/// The compiler that can build for the browser: `None` is the one cargo uses anyway.
///
/// `VT_WASM_RUSTC` names one to use instead.
pub(crate) fn wasm_rustc() -> Result<Option<PathBuf>> {
    if let Some(chosen) = std::env::var_os("VT_WASM_RUSTC").map(PathBuf::from) {
        if chosen == Path::new(DEBIAN_RUSTC) {
            debian_wasm_std()?;
        }
        return Ok(Some(chosen));
    }
    let active = PathBuf::from(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    if has_wasm_std(&active) {
        return Ok(None);
    }
    cmd::say("adding the browser target to the Rust toolchain");
    let added =
        cmd::succeeds_within(Command::new("rustup").args(["target", "add", WASM]), Duration::from_secs(90));
    if added && has_wasm_std(&active) {
        return Ok(None);
    }
    debian_wasm_std()?;
    Ok(Some(DEBIAN_RUSTC.into()))
}

fn has_wasm_std(rustc: &Path) -> bool {
    let Ok(dir) = cmd::output(Command::new(rustc).args(["--print", "target-libdir", "--target", WASM]))
    else {
        return false;
    };
    std::fs::read_dir(dir).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    })
}

/// Whether that compiler (`None` is the one cargo uses anyway) has the source of its standard library; adds it where
/// that can be done.
pub(crate) fn std_source(rustc: Option<&Path>) -> Result<bool> {
    let rustc = rustc.unwrap_or_else(|| Path::new("rustc"));
    let sysroot = PathBuf::from(cmd::output(Command::new(rustc).args(["--print", "sysroot"]))?);
    let source = sysroot.join("lib/rustlib/src/rust/library/std");
    if source.exists() {
        return Ok(true);
    }
    cmd::say("adding the source of the standard library to the Rust toolchain");
    let mut add = Command::new("rustup");
    add.args(["component", "add", "rust-src"]);
    Ok(cmd::succeeds_within(&mut add, Duration::from_secs(90)) && source.exists())
}

/// `rust-lld` points at the linker of one LLVM version, whose package it does not bring along.
fn debian_linker() -> Result<()> {
    let linker = Path::new("/usr/bin/rust-lld");
    match std::fs::read_link(linker) {
        Ok(target) if !linker.exists() => install(&[&*target.to_string_lossy()]),
        _ => Ok(()),
    }
}

/// Builds the standard library for the browser from Debian's source of it, once.
fn debian_wasm_std() -> Result<()> {
    packages(FOR_WASM).context("rustup could not add the browser target, and Debian's Rust is incomplete")?;
    debian_linker()?;
    let rustc = Path::new(DEBIAN_RUSTC);
    if has_wasm_std(rustc) {
        return Ok(());
    }
    cmd::say("building the standard library for the browser (about a minute, once)");
    let work = tempfile::tempdir().context("could not make a temporary folder")?;
    std::fs::create_dir(work.path().join("src"))?;
    std::fs::write(work.path().join("src/lib.rs"), "")?;
    std::fs::write(
        work.path().join("Cargo.toml"),
        "[package]\nname = \"empty\"\nedition = \"2024\"\n\n[workspace]\n",
    )?;
    cmd::run(
        cmd::cargo()
            .current_dir(work.path())
            .env("RUSTC", rustc)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_DIR", work.path().join("target"))
            .args(["build", "--quiet", "--release", "-Zbuild-std=std,panic_abort", "--target", WASM]),
    )?;
    let sysroot =
        PathBuf::from(cmd::output(Command::new(rustc).args(["--print", "target-libdir", "--target", WASM]))?);
    std::fs::create_dir_all(&sysroot)
        .with_context(|| format!("could not make {}; run this once as root", sysroot.display()))?;
    let built = work.path().join("target").join(WASM).join("release/deps");
    let mut rlibs: Vec<PathBuf> = std::fs::read_dir(&built)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "rlib"))
        .filter(|path| !path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("libempty-")))
        .collect();
    // `libstd` is the mark that all is there, so it goes last.
    rlibs.sort_by_key(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("libstd-")));
    for rlib in &rlibs {
        let name = rlib.file_name().expect("a file of a folder has a name");
        std::fs::copy(rlib, sysroot.join(name))
            .with_context(|| format!("could not fill {}", sysroot.display()))?;
    }
    if !has_wasm_std(rustc) {
        bail!("the standard library for the browser was built, but {DEBIAN_RUSTC} does not find it");
    }
    Ok(())
}
