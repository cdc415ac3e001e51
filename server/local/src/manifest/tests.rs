//! Files that are taken, and files that are refused with the place and the reason.

use model::{Span, error::Detail, spec::Strategy};
use proptest::prelude::*;

use super::parse;

const GOOD: &str = "\
app: checkout
env: prod
artefact: [bin/checkout, templates/]
processes:
  web:
    command: [bin/checkout, --port, \"$PORT\"]
    environment: { MODE: fast, WORKERS: 4 }
    instances: 4
    port: 8080
    health: { http: /healthz, interval: 2s, timeout: 1s, failures: 3 }
    restart: { from: 1s, to: 60s }
    stop_grace: 10s
rollout: { strategy: rolling, max_unavailable: 1 }
";

fn refused(text: &str) -> Vec<Detail> {
    parse(text).expect_err(text)
}

/// The good file with one line replaced must be refused at `place` with a text that contains `words`.
fn check(old: &str, new: &str, place: &str, words: &str) {
    assert!(GOOD.contains(old), "{old}");
    let details = refused(&GOOD.replace(old, new));
    assert!(
        details.iter().any(|d| d.field.starts_with(place) && d.message.contains(words)),
        "{new}: wanted {place} {words:?}, got {details:?}"
    );
}

#[test]
fn the_example_of_the_documentation_is_taken_as_written() {
    let spec = parse(GOOD).expect("valid");
    let web = &spec.processes["web"];
    assert_eq!((spec.app.as_str(), spec.env.as_str()), ("checkout", "prod"));
    assert_eq!(web.command, ["bin/checkout", "--port", "$PORT"]);
    assert_eq!((web.instances, web.port), (4, Some(8080)));
    assert_eq!(web.health.http.as_deref(), Some("/healthz"));
    assert_eq!(web.env["WORKERS"], "4");
    assert_eq!((web.restart.to, web.stop_grace), (Span::seconds(60), Span::seconds(10)));
    assert_eq!(spec.rollout.strategy, Strategy::Rolling);
}

#[test]
fn health_is_a_word_or_a_mapping_and_absent_means_none() {
    for (text, tcp, http) in [
        ("health: tcp", true, None),
        ("health: none", false, None),
        ("health: { tcp: true, interval: 100ms }", true, None),
        ("health: { http: /ready }", false, Some("/ready")),
        ("port: 80", false, None),
    ] {
        let text = format!("app: a\nenv: b\nprocesses:\n  web:\n    command: [x]\n    port: 1\n    {text}\n");
        let text = if text.contains("port: 80") { text.replace("    port: 1\n", "") } else { text };
        let health = parse(&text).expect(&text).processes["web"].health.clone();
        assert_eq!((health.tcp, health.http.as_deref()), (tcp, http), "{text}");
    }
}

#[test]
fn an_idle_process_and_an_empty_endpoint_list_are_fine() {
    let text = GOOD.replace("instances: 4", "instances: 0") + "endpoints: []\nvolumes:\nconfig: []\n";
    assert_eq!(parse(&text).expect("valid").processes["web"].instances, 0);
}

#[test]
fn what_does_not_parse_is_refused_with_line_and_column() {
    check("env: prod", "env: [", "2:6", "expected string");
    check("env: prod", "env: prod: dev", "2:", "mapping");
    check("env: prod", "env: \"prod", "3:1", "quoted scalar");
    check("env: prod", "env: prod\nenv: dev", "3:1", "duplicate");
    check("env: prod", "environment: prod", "2:1", "unknown field `environment`");
    check("instances: 4", "instance: 4", "8:5", "unknown field `instance`");
    check("interval: 2s,", "intervall: 2s,", "10:", "unknown field `intervall`");
    check("instances: 4", "instances: many", "8:16", "");
    check("env: prod\n", "", "12:1", "missing field `env`");
    assert!(!refused("").is_empty());
    assert!(!refused("- a\n- b\n").is_empty());
}

#[test]
fn impossible_values_are_refused_with_line_and_column() {
    check("app: checkout", "app: Check Out", "1:6", "the app name");
    check("instances: 4", "instances: 101", "8:16", "between 0 and 100");
    check("instances: 4", "instances: -1", "8:16", "between 0 and 100");
    check("port: 8080", "port: 0", "9:11", "between 1 and 65535");
    check("[bin/checkout, --port, \"$PORT\"]", "[]", "6:14", "command is empty");
    check("    port: 8080\n", "", "6:", "declares no port");
    check("http: /healthz", "http: healthz", "10:21", "starts with /");
    check("from: 1s, to: 60s", "from: 2m, to: 60s", "11:14", "longer than restart.to");
    check("interval: 2s", "interval: 2", "10:", "duration");
    check("stop_grace: 10s", "stop_grace: 2h", "12:17", "between");
    check("max_unavailable: 1", "max_unavailable: 0", "13:", "between 1 and 100");
    check("bin/checkout, templates/", "../secret", "3:12", "stays inside");
    check("bin/checkout, templates/", "/etc/passwd", "3:12", "stays inside");
    check("bin/checkout, templates/", "a/, a", "3:16", "twice");
    check("MODE: fast", "PORT: '1'", "7:", "set by the platform");
    check("strategy: rolling", "strategy: magic", "13:", "rolling or all_at_once");
}

#[test]
fn what_this_build_cannot_do_yet_is_refused_by_name() {
    let text = GOOD.to_owned() + "endpoints: [{ name: public }]\n";
    assert_eq!(refused(&text)[0].message, "endpoints are not supported by this build yet (line 14)");
    check("env: prod", "env: prod\nconfig: [A]", "3:", "config is not supported by this build yet (line 3)");
    check("env: prod", "env: prod\nvolumes: [{ name: a }]", "3:", "volumes are not supported");
    check(
        "strategy: rolling",
        "strategy: canary",
        "13:",
        "canary is not supported by this build yet (line 13)",
    );
}

#[test]
fn all_mistakes_of_content_are_said_at_once() {
    let text = GOOD.replace("port: 8080", "port: 0").replace("instances: 4", "instances: 999");
    assert_eq!(refused(&text).len(), 2);
}

#[test]
fn bombs_and_huge_files_are_refused() {
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (name, of) in [("b", "a"), ("c", "b"), ("d", "c"), ("e", "d"), ("f", "e"), ("g", "f")] {
        bomb += &format!("{name}: &{name} [*{of},*{of},*{of},*{of},*{of},*{of},*{of},*{of},*{of}]\n");
    }
    assert!(!refused(&bomb).is_empty());
    assert!(!refused(&"[".repeat(100_000)).is_empty());
    assert!(!refused(&"#".repeat(super::MAX_BYTES + 1)).is_empty());
}

#[test]
fn the_schema_knows_every_field_that_the_parser_takes() {
    let schema = super::json_schema();
    let process = &schema["properties"]["processes"]["patternProperties"]["^[a-z0-9-]{1,40}$"]["properties"];
    for line in GOOD.lines().filter(|line| line.starts_with("    ")) {
        let key = line.trim().split(':').next().expect("a key");
        assert!(process[key].is_object(), "{key}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_mutation_of_a_good_file_makes_it_panic(at in 0..GOOD.len(), with in "[\\[\\]{}:,&*!|>'\"%@`#\\-\n\t a-z0-9]{0,4}") {
        let _ = parse(&format!("{}{with}{}", &GOOD[..at], &GOOD[at..]));
        let _ = parse(&format!("{}{with}", &GOOD[..at]));
    }
}
