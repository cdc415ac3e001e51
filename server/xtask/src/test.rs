//! What CI runs, in stages that can be run alone.
//!
//! Every stage runs even when an earlier one failed, so one run tells everything. The browser half
//! and the native half are never in one cargo call: their features must not meet.

use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::postgres::Postgres;
use crate::wasm::{self, Flavour};
use crate::{cmd, ensure, tidy, torture};

/// Crates that are compiled and tested natively, in one feature set so that nothing is built twice.
const NATIVE: &[&str] =
    &["model", "rules", "store", "control", "sources", "local", "cli", "app", "server", "testkit", "xtask"];
/// Crates whose tests need neither a browser nor a web server.
const QUICK: &[&str] = &["model", "rules", "store", "control"];

struct Stage {
    name: &'static str,
    title: &'static str,
    run: fn(&mut Counts) -> Result<()>,
}

const STAGES: &[Stage] = &[
    Stage { name: "tidy", title: "rules of the tree", run: |_| tidy::run() },
    Stage { name: "fmt", title: "formatting", run: |_| format() },
    Stage { name: "clippy", title: "lints, native", run: |_| clippy(NATIVE) },
    Stage { name: "wasm-lint", title: "lints, browser half", run: |_| wasm_lint() },
    Stage { name: "doc", title: "documentation", run: |_| doc() },
    Stage { name: "native", title: "tests on SQLite and PostgreSQL", run: native },
    Stage { name: "torture", title: "five kills of the server", run: |_| torture() },
    Stage { name: "e2e", title: "Chromium, with and without JavaScript", run: e2e },
];

/// Tests that ran, over all stages.
#[derive(Default)]
struct Counts {
    passed: u64,
    failed: u64,
    /// How the report of each failed test begins, to be said again at the end: in the long output before it
    /// nobody finds it.
    reports: Vec<String>,
    /// Lines of the last report that are still to be kept.
    report_goes_on: usize,
}

/// Lines kept of the report of a failed test.
const REPORT_LINES: usize = 30;

impl Counts {
    /// Reads `test result: ok. 3 passed; 0 failed;` of cargo and `  3 passed (2s)` of Playwright.
    fn read(&mut self, line: &str) {
        self.keep_report(line);
        let line = line.trim();
        let (of_cargo, rest) = match line.strip_prefix("test result: ") {
            Some(rest) => (true, rest.split_once(". ").map_or("", |(_, counts)| counts)),
            None => (false, line),
        };
        for part in rest.split(';') {
            let mut words = part.split_whitespace();
            let (Some(Ok(count)), Some(what)) = (words.next().map(str::parse::<u64>), words.next()) else {
                continue;
            };
            let end_of_line = words.next().is_none_or(|word| word.starts_with('('));
            match what {
                "passed" if of_cargo || end_of_line => self.passed += count,
                "failed" if of_cargo || end_of_line => self.failed += count,
                _ => {}
            }
        }
    }

    /// A report begins with `---- a::b stdout ----` of cargo or `  1) [hydrate] › tests/a.spec.ts:5:1 › title ──` of
    /// Playwright.
    fn keep_report(&mut self, line: &str) {
        let of_cargo = line.starts_with("---- ") && line.ends_with(" ----");
        let of_playwright = line.trim_start().split_once(") [").is_some_and(|(number, _)| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        if of_cargo || of_playwright {
            self.report_goes_on = REPORT_LINES;
        }
        if self.report_goes_on > 0 {
            self.report_goes_on -= 1;
            self.reports.push(line.to_owned());
        }
    }
}

pub(crate) fn run(only: Option<&str>) -> Result<()> {
    let stages: Vec<&Stage> =
        STAGES.iter().filter(|stage| only.is_none_or(|name| name == stage.name)).collect();
    if stages.is_empty() {
        let names: Vec<_> = STAGES.iter().map(|stage| stage.name).collect();
        bail!("there is no such stage; choose one of {}", names.join(", "));
    }
    shared_folder()?;
    run_stages(&stages)
}

pub(crate) fn quick() -> Result<()> {
    run_stages(&[
        &Stage { name: "fmt", title: "formatting", run: |_| format() },
        &Stage { name: "clippy", title: "lints", run: |_| clippy(QUICK) },
        &Stage { name: "tests", title: "tests", run: |counts| cargo_tests(QUICK, counts, None) },
    ])
}

fn run_stages(stages: &[&Stage]) -> Result<()> {
    let mut counts = Counts::default();
    let mut lines = Vec::new();
    let mut broken = 0;
    for stage in stages {
        cmd::say(format!("── {}: {}", stage.name, stage.title));
        let started = Instant::now();
        let result = (stage.run)(&mut counts);
        let took = started.elapsed().as_secs();
        match result {
            Ok(()) => lines.push(format!("ok      {:<10} {took:>4} s", stage.name)),
            Err(error) => {
                broken += 1;
                cmd::say(format!("{}: {error:#}", stage.name));
                lines.push(format!("FAILED  {:<10} {took:>4} s  {error:#}", stage.name));
            }
        }
    }
    counts.reports.iter().chain(&lines).for_each(cmd::say);
    // A stage that failed without counting a failed test is one failure.
    let failed = counts.failed.max(broken);
    #[expect(clippy::print_stdout, reason = "the last line of a test run is its result")]
    {
        println!("{} passed, {failed} failed", counts.passed + (stages.len() as u64 - broken));
    }
    if broken > 0 {
        bail!("{broken} of {} stages failed", stages.len());
    }
    Ok(())
}

/// The folder of oracles and seeds that some tests read; CI must have it.
fn shared() -> PathBuf {
    std::env::var_os("VT_SHARED").map_or_else(|| cmd::root().join("../shared"), |dir| cmd::root().join(dir))
}

fn shared_folder() -> Result<()> {
    let shared = shared();
    if shared.is_dir() {
        return Ok(());
    }
    if std::env::var_os("CI").is_some_and(|ci| ci == "true") {
        bail!("{} is missing; set VT_SHARED to the folder with the oracles", shared.display());
    }
    cmd::say("VT_SHARED is not set and ../shared is missing; the tests that read it are skipped:");
    for (file, text) in tidy::rust_files().unwrap_or_default() {
        if text.contains("VT_SHARED") && !file.starts_with("server/xtask") {
            cmd::say(format!("  {file}"));
        }
    }
    Ok(())
}

fn packages(names: &[&str]) -> Vec<String> {
    let mut args: Vec<String> = names.iter().flat_map(|name| ["-p".to_owned(), (*name).to_owned()]).collect();
    if names.contains(&"app") {
        args.extend(["--features".to_owned(), "app/ssr".to_owned()]);
    }
    args
}

fn format() -> Result<()> {
    cmd::run(cmd::cargo().args(["fmt", "--all", "--check"]))
}

fn clippy(names: &[&str]) -> Result<()> {
    cmd::run(cmd::cargo().arg("clippy").args(packages(names)).args(["--all-targets", "--", "-D", "warnings"]))
}

/// Debian's toolchain has no clippy that knows the target; there the compiler's warnings must do.
fn wasm_lint() -> Result<()> {
    let rustc = ensure::wasm_rustc()?;
    match rustc.as_deref() {
        None => cmd::run(wasm::cargo(None, "clippy").args([
            "-p",
            "app",
            "--features",
            "app/hydrate",
            "--",
            "-D",
            "warnings",
        ])),
        Some(_) => cmd::run(
            wasm::cargo(rustc.as_deref(), "check")
                .args(["-p", "app", "--features", "app/hydrate"])
                .env("CARGO_BUILD_WARNINGS", "deny"),
        ),
    }
}

fn doc() -> Result<()> {
    cmd::run(
        cmd::cargo()
            .arg("doc")
            .args(packages(NATIVE))
            .args(["--no-deps", "--document-private-items"])
            // Private items are documented too, so links to them resolve.
            .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links"),
    )
}

fn native(counts: &mut Counts) -> Result<()> {
    ensure::packages(ensure::FOR_TESTS)?;
    let postgres = Postgres::start()?;
    cargo_tests(NATIVE, counts, Some(&postgres))
}

fn cargo_tests(names: &[&str], counts: &mut Counts, postgres: Option<&Postgres>) -> Result<()> {
    let mut command = cmd::cargo();
    command.arg("test").args(packages(names)).arg("--no-fail-fast").env("INSTA_UPDATE", "no");
    if shared().is_dir() {
        command.env("VT_SHARED", shared().canonicalize()?);
    }
    if let Some(postgres) = postgres {
        command.env("VT_TEST_POSTGRES", postgres.url());
    }
    cmd::run_watched(&mut command, |line| counts.read(line))
}

fn torture() -> Result<()> {
    ensure::packages(ensure::FOR_TESTS)?;
    torture::small()
}

fn e2e(counts: &mut Counts) -> Result<()> {
    ensure::packages(ensure::FOR_TESTS)?;
    ensure::node_modules()?;
    let end2end = cmd::root().join("end2end");
    cmd::run(cmd::program("npm", &end2end).args(["run", "--silent", "check"]))?;
    cmd::run(cmd::cargo().args(["build", "-p", "server", "--bin", "vt"]))?;
    let mut failures = Vec::new();
    for flavour in [Flavour::Dev, Flavour::Release] {
        let name = if flavour == Flavour::Dev { "dev" } else { "release" };
        let site = cmd::target_dir().join(format!("site-{name}"));
        wasm::run(flavour, &site)?;
        cmd::say(format!("Chromium against the {name} build of the browser half"));
        let mut playwright: Command = cmd::program("npx", &end2end);
        playwright
            .args(["--no-install", "playwright", "test"])
            .env("VT_BIN", cmd::target_dir().join("debug/vt"))
            .env("VT_SITE_DIR", &site)
            .env("VT_SITE_FLAVOUR", name)
            .env("FORCE_COLOR", "0");
        if let Err(error) = cmd::run_watched(&mut playwright, |line| counts.read(line)) {
            failures.push(format!("{name}: {error:#}"));
        }
    }
    if !failures.is_empty() {
        bail!("{}", failures.join("; "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn counts_of_cargo_and_of_playwright_are_added_up() {
        let mut counts = Counts::default();
        for line in [
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "  5 passed (3.2s)",
            "  1 failed",
            "3 passed cars went by",
        ] {
            counts.read(line);
        }
        assert_eq!((counts.passed, counts.failed), (20, 3));
    }

    #[test]
    fn the_report_of_a_failed_test_is_kept_and_nothing_before_it() {
        for begins in
            ["---- pages::a_link_leads_back stdout ----", "  1) [ssr] › tests/a.spec.ts:5:1 › opens ────"]
        {
            let mut counts = Counts::default();
            for line in ["test fine ... ok", "  ✓   1 [ssr] › tests/b.spec.ts:5:1 › (1) [b]", begins, "why"]
            {
                counts.read(line);
            }
            assert_eq!(counts.reports, [begins, "why"]);
        }
    }
}
