//! The folder of static files: names with the hash of their content, a brotli copy beside each.
//!
//! Knows nothing of how the files came to be. Old versions stay for the pages that are open in a
//! browser during development, and are swept when a new site is written.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::cmd;

/// What `manifest.json` says; the server reads it to write pages.
#[derive(Serialize)]
pub(crate) struct Manifest {
    pub(crate) js: String,
    pub(crate) wasm: String,
    pub(crate) css: String,
    pub(crate) build_id: String,
}

/// Where the site is, whatever `CARGO_TARGET_DIR` says: release builds embed it from there.
pub(crate) fn default_dir() -> PathBuf {
    cmd::root().join("target/site")
}

/// The first ten hexadecimal digits of SHA-256.
pub(crate) fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(5).map(|byte| format!("{byte:02x}")).collect()
}

/// How a site is written.
pub(crate) struct Writer<'a> {
    dir: &'a Path,
    quality: u32,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(dir: &'a Path, quality: u32) -> Result<Self> {
        std::fs::create_dir_all(dir).with_context(|| format!("could not make {}", dir.display()))?;
        Ok(Self { dir, quality })
    }

    /// Writes one file as `stem-<hash><tail>` and its brotli copy; returns the name.
    pub(crate) fn put(&self, stem: &str, tail: &str, bytes: &[u8]) -> Result<String> {
        let name = format!("{stem}-{}{tail}", short_hash(bytes));
        let path = self.dir.join(&name);
        let packed = self.dir.join(format!("{name}.br"));
        if !(path.exists() && packed.exists()) {
            std::fs::write(&path, bytes).with_context(|| format!("could not write {}", path.display()))?;
            std::fs::write(&packed, brotli(bytes, self.quality)?)
                .with_context(|| format!("could not write {}", packed.display()))?;
        }
        Ok(name)
    }

    /// Writes the manifest last, then removes what it does not name.
    pub(crate) fn finish(&self, manifest: &Manifest, stamp: &str) -> Result<()> {
        let path = self.dir.join("manifest.json");
        std::fs::write(&path, serde_json::to_vec_pretty(manifest)?)
            .with_context(|| format!("could not write {}", path.display()))?;
        std::fs::write(self.dir.join(".inputs"), stamp).context("could not note the inputs of the site")?;
        let kept = [&manifest.js, &manifest.wasm, &manifest.css];
        for entry in std::fs::read_dir(self.dir)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let plain = name.strip_suffix(".br").unwrap_or(&name);
            if name.starts_with("vantage-") && !kept.iter().any(|k| *k == plain) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// Compressed bytes.
pub(crate) fn brotli(bytes: &[u8], quality: u32) -> Result<Vec<u8>> {
    let mut packed = brotli::CompressorWriter::new(Vec::new(), 1 << 16, quality, 22);
    packed.write_all(bytes).context("could not compress")?;
    Ok(packed.into_inner())
}

/// `style/main.css` with everything it imports in its place.
///
/// An import reads `@import "parts/chip.css" layer(parts);` on a line of its own.
pub(crate) fn style_sheet(main: &Path) -> Result<String> {
    let text = std::fs::read_to_string(main).with_context(|| format!("could not read {}", main.display()))?;
    let folder = main.parent().expect("a file lies in a folder");
    let mut out = String::with_capacity(text.len());
    for line in without_comments(&text).lines() {
        let line = line.trim();
        let Some(rest) = line.strip_prefix("@import") else {
            if !line.is_empty() {
                out.push_str(line);
                out.push('\n');
            }
            continue;
        };
        let mut quoted = rest.split('"');
        let (Some(_), Some(path), Some(tail)) = (quoted.next(), quoted.next(), quoted.next()) else {
            bail!("{}: cannot read {line}", main.display());
        };
        let imported = style_sheet(&folder.join(path))?;
        let layer =
            tail.split_once("layer(").and_then(|(_, after)| after.split_once(')')).map(|(name, _)| name);
        match layer {
            Some(layer) => out.push_str(&format!("@layer {layer} {{\n{imported}}}\n")),
            None => out.push_str(&imported),
        }
    }
    Ok(out)
}

fn without_comments(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_stand_in_their_layer() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("ui")).unwrap();
        std::fs::write(dir.path().join("ui/chip.css"), "/* a\nchip */\n.chip {\n  color: red;\n}\n").unwrap();
        std::fs::write(dir.path().join("main.css"), "@layer ui;\n@import \"ui/chip.css\" layer(ui);\n")
            .unwrap();
        let css = style_sheet(&dir.path().join("main.css")).unwrap();
        assert_eq!(css, "@layer ui;\n@layer ui {\n.chip {\ncolor: red;\n}\n}\n");
    }

    #[test]
    fn old_files_are_swept_and_unchanged_ones_keep_their_name() {
        let dir = tempfile::tempdir().unwrap();
        let writer = Writer::new(dir.path(), 1).unwrap();
        let old = writer.put("vantage", ".js", b"old").unwrap();
        let new = writer.put("vantage", ".js", b"new").unwrap();
        assert_eq!(new, writer.put("vantage", ".js", b"new").unwrap());
        let manifest =
            Manifest { js: new.clone(), wasm: String::new(), css: String::new(), build_id: String::new() };
        writer.finish(&manifest, "stamp").unwrap();
        assert!(!dir.path().join(&old).exists());
        assert!(dir.path().join(format!("{new}.br")).exists());
    }
}
