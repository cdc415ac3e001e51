//! Builds the browser half: cargo for `wasm32`, wasm-bindgen as a library, then the site.
//!
//! Nothing is done when no input has changed, so that `serve` starts quickly. `wasm-opt` is not
//! used: it makes the compressed module no smaller, and old versions break its tables.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::site::{self, Manifest, Writer};
use crate::{cmd, ensure};

/// What the browser half is built for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// With debug assertions: hydration says where it failed.
    Dev,
    /// Small.
    Release,
}

impl Flavour {
    const fn profile(self) -> &'static str {
        match self {
            Self::Dev => "wasm-dev",
            Self::Release => "wasm-release",
        }
    }

    const fn brotli_quality(self) -> u32 {
        match self {
            Self::Dev => 4,
            Self::Release => 11,
        }
    }
}

/// What a change of makes the module stale, beside the compiler.
const INPUTS: &[&str] = &[
    "app/Cargo.toml",
    "app/src",
    "app/model/Cargo.toml",
    "app/model/src",
    "frontend",
    "Cargo.toml",
    "Cargo.lock",
    "server/xtask/src/wasm.rs",
];

/// Builds the site into `dir`; returns its build id.
pub(crate) fn run(flavour: Flavour, dir: &Path) -> Result<String> {
    let started = Instant::now();
    let rustc = ensure::wasm_rustc()?;
    let css = site::style_sheet(&cmd::root().join("style/main.css"))?;
    let stamp = stamp(flavour, rustc.as_deref(), &css)?;
    if std::fs::read_to_string(dir.join(".inputs")).is_ok_and(|seen| seen == stamp)
        && let Ok(manifest) = std::fs::read(dir.join("manifest.json"))
        && let Ok(manifest) = serde_json::from_slice::<serde_json::Value>(&manifest)
        && let Some(id) = manifest["build_id"].as_str()
    {
        cmd::say(format!("browser half is up to date ({id})"));
        return Ok(id.to_owned());
    }
    cmd::say(format!("building the browser half ({})", flavour.profile()));
    let module = compile(flavour, rustc.as_deref())?;
    let (js, wasm) = bind(flavour, &module)?;

    let writer = Writer::new(dir, flavour.brotli_quality())?;
    let wasm_name = writer.put("vantage", "_bg.wasm", &wasm)?;
    let boot =
        std::fs::read_to_string(cmd::root().join("frontend/boot.js")).context("could not read boot.js")?;
    let js = format!("{}\n{}", tightened(&js), tightened(&boot.replace("VANTAGE_WASM", &wasm_name)));
    let js_name = writer.put("vantage", ".js", js.as_bytes())?;
    let css_name = writer.put("vantage", ".css", css.as_bytes())?;
    let build_id = site::short_hash(format!("{js_name}{css_name}").as_bytes());
    let manifest = Manifest { js: js_name, wasm: wasm_name, css: css_name, build_id };
    writer.finish(&manifest, &stamp)?;
    report(dir, &manifest, started);
    Ok(manifest.build_id)
}

fn stamp(flavour: Flavour, rustc: Option<&Path>, css: &str) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(flavour.profile());
    hash.update(cmd::output(Command::new(rustc.unwrap_or_else(|| Path::new("rustc"))).arg("-V"))?);
    hash.update(css);
    let mut files = Vec::new();
    for input in INPUTS {
        collect(&cmd::root().join(input), &mut files)?;
    }
    files.sort();
    for file in files {
        hash.update(file.as_os_str().as_encoded_bytes());
        hash.update(std::fs::read(&file).with_context(|| format!("could not read {}", file.display()))?);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)?.flatten() {
            collect(&entry.path(), files)?;
        }
    } else if path.exists() {
        files.push(path.to_path_buf());
    }
    Ok(())
}

/// The standard library, built for its size: what the compiler brings along is built for speed.
const SMALL_STD: [&str; 2] = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];
/// A panic is a trap and nothing else. Its message, and all that formats it, would be a tenth of what people load;
/// the development build has it, and `boot.js` says which island trapped.
const ABORT_AT_ONCE: &str = "-Zunstable-options -Cpanic=immediate-abort";

/// Where the browser half is compiled; apart from the native builds, so that features never mix.
fn wasm_target_dir() -> PathBuf {
    cmd::target_dir().join("wasm")
}

/// `cargo <verb>` for the browser half, with the compiler that can do it.
pub(crate) fn cargo(rustc: Option<&Path>, verb: &str) -> Command {
    let mut command = cmd::cargo();
    command.arg(verb).args(["-p", "frontend", "--target", "wasm32-unknown-unknown"]);
    command.env("CARGO_TARGET_DIR", wasm_target_dir());
    if let Some(rustc) = rustc {
        command.env("RUSTC", rustc);
    }
    command
}

fn compile(flavour: Flavour, rustc: Option<&Path>) -> Result<PathBuf> {
    let mut build = cargo(rustc, "build");
    build.args(["--profile", flavour.profile()]);
    if flavour == Flavour::Release && ensure::std_source(rustc)? {
        build.args(SMALL_STD).env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", ABORT_AT_ONCE);
    } else if flavour == Flavour::Release {
        cmd::say(
            "without the source of the standard library (rustup component add rust-src) it gets a tenth larger",
        );
    }
    cmd::run(&mut build)?;
    Ok(wasm_target_dir().join("wasm32-unknown-unknown").join(flavour.profile()).join("frontend.wasm"))
}

fn bind(flavour: Flavour, module: &Path) -> Result<(String, Vec<u8>)> {
    let out = tempfile::tempdir().context("could not make a temporary folder")?;
    let release = flavour == Flavour::Release;
    Bindgen::new()
        .input_path(module)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .out_name("vantage")
        .remove_name_section(release)
        .remove_producers_section(release)
        .generate(out.path())
        .context("wasm-bindgen failed")?;
    if out.path().join("snippets").exists() {
        bail!(
            "a dependency of the browser half brings JavaScript files of its own; the site serves one module"
        );
    }
    let js = std::fs::read_to_string(out.path().join("vantage.js"))?;
    Ok((js, std::fs::read(out.path().join("vantage_bg.wasm"))?))
}

/// JavaScript without indentation and without lines and blocks that are only comments.
fn tightened(js: &str) -> String {
    let mut in_comment = false;
    let mut out = String::with_capacity(js.len());
    for line in js.lines().map(str::trim) {
        if in_comment || line.starts_with("/*") {
            in_comment = !line.ends_with("*/");
        } else if !line.is_empty() && !line.starts_with("//") {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

fn report(dir: &Path, manifest: &Manifest, started: Instant) {
    let kilobytes = |name: &str| {
        let size =
            |name: String| std::fs::metadata(dir.join(name)).map_or(0, |meta| meta.len()).div_ceil(1000);
        format!("{} kB, {} kB brotli", size(name.to_owned()), size(format!("{name}.br")))
    };
    for name in [&manifest.wasm, &manifest.js, &manifest.css] {
        cmd::say(format!("{name}: {}", kilobytes(name)));
    }
    cmd::say(format!("browser half {} built in {:.1} s", manifest.build_id, started.elapsed().as_secs_f64()));
}

#[cfg(test)]
mod tests {
    use super::tightened;

    #[test]
    fn only_comments_and_indentation_are_dropped() {
        let js = "/**\n * doc\n */\nfunction a() {\n    // why\n    return \"http://x\"; // kept\n}\n/* one line */\n";
        assert_eq!(tightened(js), "function a() {\nreturn \"http://x\"; // kept\n}\n");
    }
}
