//! Transitions and back-off, at times that the test chooses.

use super::*;

const NOON: Ts = model::fixtures::NOON;

fn health() -> Health {
    Health {
        interval: Span::seconds(2),
        failures: 3,
        ..model::fixtures::spec(1).processes["web"].health.clone()
    }
}

fn life() -> Life {
    Life::new(NOON, Restart { from: Span::millis(50), to: Span::millis(500) })
}

fn exit(at: Ts) -> Exit {
    Exit { code: Some(1), signal: None, text: "exited with code 1".into(), at }
}

fn crash(life: &mut Life, at: Ts) -> Span {
    life.start(at, None);
    life.ended(at, exit(at), reasons::EXITED, "boom".into())
}

#[test]
fn delays_double_up_to_the_limit() {
    let mut life = life();
    let delays: Vec<_> = (0..6).map(|_| crash(&mut life, NOON).as_millis()).collect();
    assert_eq!(delays, [50, 100, 200, 400, 500, 500]);
    assert_eq!(life.starts, 6);
}

#[test]
fn absurd_back_offs_neither_spin_nor_overflow() {
    let mut none = Life::new(NOON, Restart { from: Span::ZERO, to: Span::ZERO });
    assert_eq!(crash(&mut none, NOON), SHORTEST_DELAY);
    let mut huge = Life::new(NOON, Restart { from: Span(i64::MAX), to: Span(i64::MAX) });
    assert_eq!(crash(&mut huge, NOON), Span(i64::MAX));
    assert_eq!(crash(&mut huge, NOON), Span(i64::MAX));
}

#[test]
fn the_third_end_in_a_row_is_a_crash_loop_and_stays_said_while_it_starts_again() {
    let mut life = life();
    crash(&mut life, NOON);
    crash(&mut life, NOON);
    assert_eq!((life.reason, life.state), (reasons::EXITED, InstanceState::Restarting));
    crash(&mut life, NOON);
    assert_eq!(life.reason, reasons::CRASH_LOOP);
    life.start(NOON, Some(80));
    assert_eq!((life.reason, life.message.as_str()), (reasons::CRASH_LOOP, "boom"));
    assert_eq!(life.state, InstanceState::Starting);
    assert!(life.last_exit.is_some());
    assert_eq!(life.check(NOON, Ok(()), &health()), Checked::Ready);
    assert_eq!((life.reason, life.last_exit, life.ready), (reasons::RUNNING, None, true));
}

#[test]
fn a_steady_time_resets_the_back_off_and_a_short_one_does_not() {
    for (ready_for, want) in [(Span::seconds(9), 400), (Span::seconds(10), 50)] {
        let mut life = life();
        for _ in 0..3 {
            crash(&mut life, NOON);
        }
        life.start(NOON, None);
        life.check(NOON, Ok(()), &health());
        let end = NOON + ready_for;
        assert_eq!(life.ended(end, exit(end), reasons::EXITED, String::new()).as_millis(), want);
        assert_eq!((life.ready, life.ready_since), (false, end));
    }
}

#[test]
fn a_starting_process_is_not_failing_before_three_intervals() {
    let mut life = life();
    life.start(NOON, None);
    let fail = |life: &mut Life, ms| life.check(NOON + Span::millis(ms), Err("no".into()), &health());
    for ms in [50, 100, 1999, 2000, 2100, 4000] {
        assert_eq!(fail(&mut life, ms), Checked::Same);
        assert_eq!(life.reason, reasons::STARTING);
    }
    assert_eq!(fail(&mut life, 6000), Checked::Failing(3));
    assert_eq!((life.reason, life.state), (reasons::HEALTH_CHECK_FAILING, InstanceState::Starting));
    let said: Vec<_> = (4..40_i64).filter(|n| fail(&mut life, n * 2000) != Checked::Same).collect();
    assert_eq!(said, [6, 12, 24]);
}

#[test]
fn a_ready_instance_needs_three_failures_in_a_row_to_lose_it_and_one_success_to_get_it_back() {
    let mut life = life();
    let mut now = NOON;
    let mut step = |life: &mut Life, ok: bool| {
        now = now + Span::seconds(2);
        life.check(now, if ok { Ok(()) } else { Err("503".into()) }, &health())
    };
    life.start(NOON, None);
    let results: Vec<_> =
        [true, false, false, true, false, false, false, true].map(|ok| step(&mut life, ok)).into();
    use Checked::{Failing, Ready, Recovered, Same};
    assert_eq!(results, [Ready, Same, Same, Same, Same, Same, Failing(3), Recovered(3)]);
    assert_eq!((life.ready, life.ready_since), (true, NOON + Span::seconds(16)));
}

#[test]
fn a_stopped_instance_is_not_ready_and_has_no_next_start() {
    let mut life = life();
    crash(&mut life, NOON);
    life.stopping(NOON);
    assert_eq!((life.state, life.next_start_at, life.ready), (InstanceState::Stopping, None, false));
    life.stopped(NOON, None);
    assert_eq!((life.state, life.pid), (InstanceState::Exited, None));
    assert!(life.last_exit.is_some());
}
