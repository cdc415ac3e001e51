//! Rules of the tree that no compiler checks: who may know whom, where SQL and markup may stand,
//! how big a file may be, and that both databases migrate alike.
//!
//! Reads what git tracks or would track; changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{cmd, palette};

const MAX_LINES: usize = 600;

/// Which of our crates each crate may depend on (`architecture`: the arrows), and which outside
/// crates it must never see, directly or through one of ours.
const CRATES: &[(&str, &str, &[&str], &[&str])] = &[
    ("model", "app/model", &[], &["tokio", "sqlx", "leptos", "kube", "axum", "reqwest", "getrandom", "rand"]),
    (
        "rules",
        "server/rules",
        &["model"],
        &["tokio", "sqlx", "leptos", "axum", "reqwest", "getrandom", "rand"],
    ),
    ("app", "app", &["model"], &["sqlx", "kube", "reqwest"]),
    ("frontend", "frontend", &["app"], &["sqlx", "kube", "tokio", "axum"]),
    ("store", "server/store", &["model"], &["leptos", "axum", "kube"]),
    ("sources", "server/sources", &["model"], &["leptos", "sqlx"]),
    ("local", "server/local", &["model", "sources"], &["leptos", "axum", "sqlx"]),
    ("cli", "server/cli", &["model"], &["leptos", "sqlx", "axum"]),
    ("control", "server/control", &["model", "rules", "store", "sources"], &["leptos", "axum", "kube"]),
];

pub(crate) fn run() -> Result<()> {
    let files = tracked_files()?;
    let mut problems = Vec::new();
    migrations(&files, &mut problems);
    sources(&files, &mut problems)?;
    dependencies(&cmd::root(), &mut problems)?;
    machine_paths(&files, &mut problems);
    map_in_readme(&files, &mut problems);
    palette::check(&mut problems)?;
    if problems.is_empty() {
        return Ok(());
    }
    problems.iter().for_each(cmd::say);
    bail!("{} problems in the tree", problems.len())
}

/// Every Rust file and its text, by path from the top.
pub(crate) fn rust_files() -> Result<Vec<(String, String)>> {
    let mut texts = Vec::new();
    for file in tracked_files()?.into_iter().filter(|file| file.ends_with(".rs")) {
        let text = std::fs::read_to_string(cmd::root().join(&file))
            .with_context(|| format!("could not read {file}"))?;
        texts.push((file, text));
    }
    Ok(texts)
}

fn tracked_files() -> Result<Vec<String>> {
    let mut list = cmd::program("git", &cmd::root());
    let list: &mut Command = list.args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let files = cmd::output(list)?;
    Ok(files.lines().filter(|file| cmd::root().join(file).is_file()).map(str::to_owned).collect())
}

fn migrations(files: &[String], problems: &mut Vec<String>) {
    let names = |engine: &str| -> BTreeSet<String> {
        let folder = format!("migrations/{engine}/");
        files.iter().filter_map(|file| file.strip_prefix(&folder)).map(str::to_owned).collect()
    };
    for name in names("sqlite").symmetric_difference(&names("postgres")) {
        problems.push(format!("migrations: {name} exists for one engine only"));
    }
}

fn sources(files: &[String], problems: &mut Vec<String>) -> Result<()> {
    for file in files.iter().filter(|file| file.ends_with("/mod.rs")) {
        problems.push(format!("{file}: put a file of the folder's name beside the folder instead of mod.rs"));
    }
    for (file, text) in rust_files()? {
        let lines = text.lines().count();
        if lines > MAX_LINES {
            problems.push(format!("{file}: {lines} lines; split it by subject at {MAX_LINES}"));
        }
        if file.starts_with("server/xtask/") {
            continue;
        }
        if text.contains("sqlx::") && !file.starts_with("server/store/") {
            problems.push(format!("{file}: SQL belongs into server/store"));
        }
        if text.contains("inner_html") && file.starts_with("app/") {
            problems.push(format!("{file}: inner_html writes markup that nobody escaped"));
        }
    }
    Ok(())
}

fn dependencies(root: &Path, problems: &mut Vec<String>) -> Result<()> {
    let mut direct: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (name, folder, _, _) in CRATES {
        let path = root.join(folder).join("Cargo.toml");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
        let manifest: toml::Table =
            text.parse().with_context(|| format!("could not parse {}", path.display()))?;
        direct.insert(name, normal_dependencies(&manifest));
    }
    for (name, _, ours, banned) in CRATES {
        for dependency in &direct[name] {
            let is_ours =
                direct.contains_key(dependency.as_str()) || dependency == "server" || dependency == "testkit";
            if is_ours && !ours.contains(&dependency.as_str()) {
                problems.push(format!("{name} must not depend on {dependency}"));
            }
        }
        for (via, dependency) in reachable(name, &direct) {
            if banned.contains(&dependency.as_str()) {
                problems.push(format!("{name} must not see {dependency} (through {via})"));
            }
        }
    }
    Ok(())
}

/// Everything that `name` depends on, with the crate of ours that brings it.
fn reachable(name: &str, direct: &BTreeMap<&str, BTreeSet<String>>) -> BTreeSet<(String, String)> {
    let mut seen = BTreeSet::new();
    let mut todo = vec![name.to_owned()];
    while let Some(at) = todo.pop() {
        for dependency in direct.get(at.as_str()).into_iter().flatten() {
            if seen.insert((at.clone(), dependency.clone())) && direct.contains_key(dependency.as_str()) {
                todo.push(dependency.clone());
            }
        }
    }
    seen
}

fn normal_dependencies(manifest: &toml::Table) -> BTreeSet<String> {
    let tables = ["dependencies", "build-dependencies"].into_iter().filter_map(|key| manifest.get(key));
    tables.filter_map(toml::Value::as_table).flat_map(|table| table.keys().cloned()).collect()
}

fn machine_paths(files: &[String], problems: &mut Vec<String>) {
    // Spelled in two parts, or this file would name itself.
    let banned = [concat!("/ro", "ot/"), concat!("/var", "/tmp"), concat!("/wo", "rk/")];
    for file in files {
        let Ok(text) = std::fs::read_to_string(cmd::root().join(file)) else { continue };
        for (number, line) in text.lines().enumerate() {
            if let Some(path) = banned.iter().find(|path| starts_a_path(line, path)) {
                problems.push(format!("{file}:{}: {path} is a path of one machine", number + 1));
            }
        }
    }
}

/// Does an absolute path in this line begin with `path`?
fn starts_a_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at].ends_with(|before: char| {
            before.is_alphanumeric() || matches!(before, '-' | '_' | '.' | '}' | '/' | '~')
        })
    })
}

fn map_in_readme(files: &[String], problems: &mut Vec<String>) {
    let readme = std::fs::read_to_string(cmd::root().join("README.md")).unwrap_or_default();
    let folders: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| file.split_once('/'))
        .map(|(top, _)| top)
        .filter(|t| !t.starts_with('.'))
        .collect();
    for folder in folders {
        if !readme.contains(&format!("`{folder}`")) && !readme.contains(&format!("{folder}/")) {
            problems.push(format!("README.md: the map does not mention {folder}/"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crate_of_ours_brings_counts_too() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let direct = BTreeMap::from([("app", set(&["model"])), ("model", set(&["tokio"]))]);
        assert!(reachable("app", &direct).contains(&("model".to_owned(), "tokio".to_owned())));
    }

    #[test]
    fn only_the_start_of_a_path_counts() {
        assert!(starts_a_path("read \"/home/x\"", "/home/"));
        assert!(!starts_a_path("join(\"tree/home/x\")", "/home/"));
    }

    #[test]
    fn test_dependencies_are_free() {
        let manifest = "[dependencies]\nserde = \"1\"\n[dev-dependencies]\ntokio = \"1\"\n".parse().unwrap();
        assert_eq!(normal_dependencies(&manifest).into_iter().collect::<Vec<_>>(), ["serde"]);
    }
}
