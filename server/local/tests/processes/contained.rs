//! What surrounds a process: its files, its environment, its output, and that nothing of it outlives its server.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::support::{BOUND, VT, World, arguments, marked, order};
use model::{InstanceId, spec::FilePin};
use rustix::process::{Pid, Signal, kill_process};
use sources::{ActuateError, Actuator};

/// Daemonises twice: a child in its own session that ignores TERM, and one that left its group.
const FORKS: &str = "setsid sh -c 'trap \"\" TERM; while :; do sleep 0.05; done' & \
                     (setsid sh -c '(while :; do sleep 0.05; done) &') ; echo forked; ";

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).expect("a pid"), Signal::KILL).expect("it runs");
}

fn shim_of(id: &InstanceId) -> i32 {
    let is_shim = |pid: &i32| arguments(*pid).contains(" shim --grace-ms ");
    marked(id).into_iter().find(is_shim).expect("a shim")
}

#[tokio::test]
async fn what_a_workload_forked_away_ends_with_it() {
    for (runs, then) in [(true, "exec sleep 1000"), (false, "exit 0")] {
        let mut world = World::new();
        let mut order = order(&["sh", "-c", &format!("{FORKS}{then}")]);
        order.spec.stop_grace = model::Span::millis(200);
        order.spec.restart.from = model::Span::seconds(60);
        order.spec.restart.to = model::Span::seconds(60);
        world.start(&order).await;
        world.until("it forked", |w| w.printed("forked")).await;
        if runs {
            assert!(marked(&order.id).len() >= 4, "shim, main and two daemons");
            world.platform.stop(&order.id).await.expect("taken");
        }
        world.until("nothing is left", |_| marked(&order.id).is_empty()).await;
        world.shutdown().await;
    }
}

#[test]
fn a_killed_server_leaves_no_process_of_any_workload() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let script = format!("{FORKS} trap '' TERM; while :; do sleep 0.05; done");
    let mut server = Command::new(VT)
        .args(["server", folder.path().to_str().expect("utf-8"), "sh", "-c", &script])
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("piped")).read_line(&mut line).expect("an id");
    let id: InstanceId = line.trim().parse().expect("an id");
    poll("it runs", || marked(&id).len() >= 4);
    let begun = Instant::now();
    server.kill().expect("it runs");
    server.wait().expect("it ended");
    poll("nothing is left", || marked(&id).is_empty());
    // 500 ms of grace, and room for a busy machine.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn a_server_and_shim_killed_together_take_the_process_with_them() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut server = Command::new(VT)
        .args(["server", folder.path().to_str().expect("utf-8"), "sleep", "1000"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut line = String::new();
    BufReader::new(server.stdout.take().expect("piped")).read_line(&mut line).expect("an id");
    let id: InstanceId = line.trim().parse().expect("an id");
    poll("it runs", || marked(&id).into_iter().any(|pid| arguments(pid) == "sleep 1000 "));
    kill(shim_of(&id));
    server.kill().expect("it runs");
    server.wait().expect("it ended");
    poll("nothing is left", || marked(&id).is_empty());
}

#[tokio::test]
async fn a_killed_shim_is_noticed_cleaned_up_after_and_replaced() {
    let mut world = World::new();
    let mut order = order(&["sh", "-c", &format!("{FORKS} exec sleep 1000")]);
    order.spec.stop_grace = model::Span::millis(200);
    world.start(&order).await;
    world.until("it forked", |w| w.printed("forked")).await;
    let old = marked(&order.id);
    kill(shim_of(&order.id));
    world.until("said", |w| w.event("StartInstance", "failed").is_some()).await;
    let event = world.event("StartInstance", "failed").expect("just seen");
    assert!(event.message.starts_with("its shim was killed"), "{event:?}");
    let second = |w: &World| w.logs().iter().filter(|line| line.line == "forked").count() == 2;
    world.until("it runs again", second).await;
    assert!(marked(&order.id).is_disjoint(&old));
    world.shutdown().await;
}

#[tokio::test]
async fn the_environment_is_clean_and_says_who_the_instance_is() {
    let mut world = World::new();
    let script = "env | cut -d= -f1 | sort | tr '\\n' ' '; echo; \
                  echo \"$(printenv PORT)/$0/$MODE/$VT_APP/$VT_ENV/$VT_RELEASE\"; exec sleep 1000";
    let mut order = order(&["sh", "-c", script, "${PORT}"]);
    order.spec.port = Some(8080);
    order.spec.env.insert("MODE".into(), "fast".into());
    world.start(&order).await;
    world.until("two lines", |w| w.logs().len() >= 2).await;
    let lines: Vec<_> = world.logs().iter().map(|line| line.line.clone()).collect();
    // PWD is the shell's own doing.
    let names = "HOME LANG MODE PATH PORT PWD VT_APP VT_ENV VT_INSTANCE VT_RELEASE";
    assert_eq!(lines[0].trim_end(), names);
    let (port, rest) = lines[1].split_once('/').expect("slashes");
    assert_eq!(rest, format!("{port}/fast/checkout/prod/r-2"));
    assert!(port.parse::<u16>().expect("a port") > 0);
    world.shutdown().await;
}

#[tokio::test]
async fn a_release_runs_the_files_that_it_pinned() {
    let mut world = World::new();
    let mut pinned = order(&["bin/run", "now"]);
    let script = b"#!/bin/sh\necho first $(cat ../conf/words)\nexec sleep 1000\n";
    let artefacts = world.platform.artefacts();
    let pin = |content: &[u8], executable| {
        let sha256 = sha(content);
        artefacts.put(&sha256, content).expect("taken");
        FilePin { sha256, executable }
    };
    pinned.files.insert("app/bin/run".into(), pin(script, true));
    pinned.files.insert("conf/words".into(), pin(b"words", false));
    pinned.spec.workdir = Some("app".into());
    world.start(&pinned).await;
    world.until("it runs its copy", |w| w.printed("first words")).await;
    let mut missing = order(&["bin/run"]);
    missing.files.insert("bin/run".into(), FilePin { sha256: sha(b"never sent"), executable: true });
    let refused = world.platform.start(missing).await;
    assert!(matches!(refused, Err(ActuateError::ArtefactMissing(_))));
    world.shutdown().await;
}

#[tokio::test]
async fn a_flood_of_lines_is_bounded_and_what_is_missing_is_said() {
    let mut world = World::new();
    let script = "printf 'caf\\303\\251 \\377\\n'; head -c 20000 /dev/zero | tr '\\0' x; echo; seq 1 5000; exec sleep 1000";
    let order = order(&["sh", "-c", script]);
    world.start(&order).await;
    let said =
        |w: &World| w.logs().iter().any(|line| line.stream == "vt" && line.line.contains("lines dropped"));
    world.until("dropped lines are counted", said).await;
    assert!(world.printed("café \u{fffd}"));
    let logs = world.logs();
    assert!(logs.iter().any(|line| line.line.ends_with("[cut at 8 KiB]") && line.line.len() < 9000));
    let kept = logs.iter().filter(|line| line.stream == "stdout").count();
    assert!((200..1000).contains(&kept), "{kept}");
    world.shutdown().await;
}

fn sha(content: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn poll(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + BOUND;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
