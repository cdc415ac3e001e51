//! The examples in `server/docs/examples`, the completion scripts and the manual pages: what reads them accepts them.
#![allow(clippy::unwrap_used)]

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use testkit::run_vt;

const VT: &str = env!("CARGO_BIN_EXE_vt");

fn example(name: &str) -> (PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    (path, text)
}

#[test]
fn the_settings_file_is_accepted_and_every_line_of_it_counts() {
    let (path, text) = example("vantage.toml");
    let shown = run_vt(VT, &["config", "show", "--json", "--config", path.to_str().unwrap()], &[]);
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stdout));
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    let settings = shown["data"]["settings"].as_array().unwrap();
    let from_file = settings.iter().filter(|setting| setting["source"] == "file").count();
    let lines = text.lines().filter(|line| line.contains(" = ") && !line.starts_with('#')).count();
    assert_eq!(from_file, lines);
}

#[test]
fn systemd_accepts_the_unit() {
    let (_, text) = example("vantage.service");
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("vantage.service");
    assert!(text.contains("ExecStart=/usr/local/bin/vt serve"));
    std::fs::write(&unit, text.replace("/usr/local/bin/vt", VT)).unwrap();
    let Ok(verified) = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output()
    else {
        println!("skipped: systemd-analyze is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&verified.stderr);
    // Other units of the machine are not our business.
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("vantage.service")).collect();
    assert!(verified.status.success() && ours.is_empty(), "{said}");
}

#[test]
fn the_container_file_uses_instructions_and_commands_that_exist() {
    let (_, text) = example("Containerfile");
    let known =
        ["FROM", "RUN", "COPY", "USER", "ENV", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT"];
    let lines: Vec<(&str, &str)> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once(' ').unwrap_or_else(|| panic!("{line}")))
        .collect();
    assert!(lines.iter().all(|(instruction, _)| known.contains(instruction)), "{lines:?}");
    assert_eq!(lines[0].0, "FROM");
    let of = |name: &str| lines.iter().find(|(instruction, _)| *instruction == name).unwrap().1;
    let start: Vec<String> = serde_json::from_str(of("ENTRYPOINT")).unwrap();
    assert_eq!(start, ["vt", "serve"]);
    let check: Vec<String> = serde_json::from_str(of("HEALTHCHECK").split_once("CMD ").unwrap().1).unwrap();
    let help = run_vt(
        VT,
        &[&check[1..].iter().map(String::as_str).collect::<Vec<_>>()[..], &["--help"]].concat(),
        &[],
    );
    assert!(help.status.success(), "{check:?}");
    let variables: Vec<(&str, &str)> =
        of("ENV").split(' ').map(|pair| pair.split_once('=').unwrap()).collect();
    let shown = run_vt(VT, &["config", "show", "--json"], &variables);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    let settings = shown["data"]["settings"].as_array().unwrap();
    let set = settings.iter().filter(|setting| setting["source"] == "variable" || setting["name"] == "data");
    assert_eq!(set.count(), variables.len(), "{shown}");
}

#[test]
fn completion_scripts_know_every_command_and_their_shells_accept_them() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run_vt(VT, &["completions", shell], &[]);
        let text = String::from_utf8_lossy(&script.stdout).into_owned();
        for word in ["serve", "rollback", "config", "backup", "restore", "migrate", "public-url"] {
            assert!(text.contains(word), "{shell} does not know {word}");
        }
        let Ok(mut parse) =
            Command::new(shell).arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()
        else {
            println!("not parsed: there is no {shell} here");
            continue;
        };
        // A shell may stop reading at a mistake; its exit status says so.
        let _ = parse.stdin.take().unwrap().write_all(text.as_bytes());
        let parsed = parse.wait_with_output().unwrap();
        assert!(parsed.status.success(), "{shell}: {}", String::from_utf8_lossy(&parsed.stderr));
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("man");
    let made = run_vt(VT, &["man", place.to_str().unwrap()], &[]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for (page, word) in [
        ("vt.1", "serve"),
        ("vt-serve.1", "public"),
        ("vt-token-create.1", "expires"),
        ("vt-config-show.1", "config"),
        ("vt-backup.1", "FILE"),
        ("vt-migrate.1", "postgres"),
    ] {
        let text =
            std::fs::read_to_string(place.join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        assert!(text.contains(".TH") && text.contains(word), "{page} says nothing about {word}: {text}");
    }
    let Ok(shown) = Command::new("man").args(["--warnings", "-l"]).arg(place.join("vt-serve.1")).output()
    else {
        println!("not rendered: there is no man here");
        return;
    };
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
}
