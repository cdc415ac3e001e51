//! What each state of a life says.

use model::{InstanceId, ReleaseId, fixtures, spec::Restart};

use super::*;

const NOON: Ts = fixtures::NOON;

fn order() -> StartInstance {
    StartInstance {
        id: "ins_7f3k9abcde".parse::<InstanceId>().expect("an id"),
        target: fixtures::env_ref(),
        process: "web".into(),
        release: ReleaseId::mint(2),
        release_number: 2,
        restarts: 0,
        generation: 5,
        spec: fixtures::spec(1).processes["web"].clone(),
        files: BTreeMap::new(),
    }
}

fn life() -> Life {
    Life::new(NOON, Restart::default())
}

/// The four conditions as `T`/`F` and reason.
fn said(life: &Life) -> Vec<String> {
    let object = object(&order(), life, NOON);
    object.conditions.iter().map(|c| format!("{} {}", &c.status.as_str()[..1], c.reason)).collect()
}

fn crash(life: &mut Life, reason: &'static str) {
    life.start(NOON, Some(80));
    let exit = Exit { code: Some(1), signal: None, text: "exited with code 1".into(), at: NOON };
    life.ended(NOON, exit, reason, "exited with code 1 after 3 ms: boom".into());
}

#[test]
fn a_life_is_told_in_the_standard_conditions() {
    let mut life = life();
    life.start(NOON, Some(80));
    assert_eq!(said(&life), ["F Starting", "T Starting", "F AsExpected", "F AsExpected"]);
    crash(&mut life, reasons::EXITED);
    assert_eq!(said(&life), ["F Exited", "T BackingOff", "F AsExpected", "F AsExpected"]);
    crash(&mut life, reasons::EXITED);
    crash(&mut life, reasons::EXITED);
    assert_eq!(said(&life), ["F CrashLoop", "T BackingOff", "T CrashLoop", "F AsExpected"]);
    crash(&mut life, reasons::CANNOT_START);
    assert_eq!(said(&life), ["F CannotStart", "T BackingOff", "F AsExpected", "T CannotStart"]);
    life.start(NOON, Some(80));
    life.check(NOON, Ok(()), &order().spec.health);
    assert_eq!(said(&life), ["T Running", "F AsExpected", "F AsExpected", "F AsExpected"]);
    for n in 1..=3 {
        life.check(NOON + Span::seconds(n), Err("status 503".into()), &order().spec.health);
    }
    assert_eq!(said(&life), ["F HealthCheckFailing", "F AsExpected", "T HealthCheckFailing", "F AsExpected"]);
    life.stopping(NOON);
    assert_eq!(said(&life), ["F Stopping", "T Stopping", "F AsExpected", "F AsExpected"]);
}

#[test]
fn an_object_names_its_release_env_and_what_it_knows_and_nothing_else() {
    let mut life = life();
    crash(&mut life, reasons::EXITED);
    let object = object(&order(), &life, NOON);
    assert_eq!(object.name, "i-7f3k");
    assert_eq!(object.refs.len(), 2);
    assert_eq!(object.desired["state"], "running");
    assert_eq!(object.current["exit_code"], 1);
    assert_eq!(object.current["release"], "r-2");
    assert_eq!(object.current["next_start_at"], (NOON + Span::seconds(1)).to_string());
    assert!(!object.current.contains_key("pid") && !object.current.contains_key("exit_signal"));
    let row = actual(&order(), &life, NOON);
    assert_eq!(row.not_ready.as_deref(), Some("exited with code 1 after 3 ms: boom"));
}

#[test]
fn the_end_is_a_sentence_with_the_last_words() {
    let ms = Span::millis(12);
    assert_eq!(exit_sentence("exited with code 1", ms, " boom \n"), "exited with code 1 after 12 ms: boom");
    assert_eq!(
        exit_sentence("killed by signal 9", Span::seconds(61), ""),
        "killed by signal 9 after 1 min 01 s"
    );
    assert!(exit_sentence("exited", ms, &"é".repeat(5000)).len() < 700);
    assert_eq!(exit(Some(&Report::Started(1)), NOON), None);
    assert_eq!(exit(Some(&Report::Killed(9)), NOON).and_then(|exit| exit.signal), Some(9));
}
