//! The demo world as a whole, measured: run by hand with `--ignored --nocapture` on a quiet machine.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use local::{DemoApp, demo_world, manifest};

use crate::support::{VT, World, marked, order};

/// Processor time of a process so far, in clock ticks (a hundredth of a second).
fn ticks(pid: i32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace();
    fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}

/// Memory that belongs to this process alone, in KiB.
fn private_kib(pid: i32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let private = rollup.lines().filter(|line| line.starts_with("Private_"));
    private.filter_map(|line| line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}

#[tokio::test]
#[ignore = "a measurement"]
async fn the_demo_world_is_alive_within_three_seconds_and_quiet_afterwards() {
    let mut world = World::new();
    let begun = Instant::now();
    let (mut orders, mut healthy) = (vec![], 0);
    for app in demo_world() {
        let spec = manifest::parse(&DemoApp::fill(&app.manifest, Path::new(VT))).expect(app.title);
        for process in spec.processes.values() {
            for _ in 0..process.instances {
                let mut order = order(&[]);
                order.spec = process.clone();
                world.start(&order).await;
                orders.push(order);
                healthy += usize::from(!app.broken);
            }
        }
    }
    let ready = |w: &World| w.events().iter().filter(|e| e.message.starts_with("ready after")).count();
    world.until("all healthy ones are ready", |w| ready(w) >= healthy).await;
    let alive = begun.elapsed();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let pids = || orders.iter().flat_map(|order| marked(&order.id)).chain([std::process::id().cast_signed()]);
    let before: u64 = pids().map(ticks).sum();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let share = pids().map(ticks).sum::<u64>().saturating_sub(before) as f64 / 10.0;
    let largest = pids().map(private_kib).max().unwrap_or(0);
    println!(
        "alive after {alive:?}; {share} % of one core when quiet; largest process {largest} KiB private"
    );
    assert!(alive < Duration::from_secs(3), "{alive:?}");
    assert!(share < 5.0, "{share} %");
    world.shutdown().await;
}
