//! Who descends from whom, from `/proc`.
//!
//! A snapshot of a moving thing: callers kill what it lists and look again until nothing is left. Only asked for
//! when something ends, never on a timer.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
};

use model::InstanceId;
use rustix::process::{Pid, Signal, kill_process};

/// Every process that descends from `root` and is not in `group`, without `root`.
pub(super) fn descendants(root: i32, group: Option<i32>) -> BTreeSet<i32> {
    let mut children: BTreeMap<i32, Vec<(i32, i32)>> = BTreeMap::new();
    for pid in pids() {
        if let Some((parent, group)) = parent_and_group(pid) {
            children.entry(parent).or_default().push((pid, group));
        }
    }
    let mut found = BTreeMap::new();
    let mut look = vec![root];
    while let Some(pid) = look.pop() {
        for (child, its_group) in children.get(&pid).into_iter().flatten() {
            if found.insert(*child, *its_group).is_none() {
                look.push(*child);
            }
        }
    }
    found.into_iter().filter(|(_, its_group)| Some(*its_group) != group).map(|(pid, _)| pid).collect()
}

/// Every process that was started for this instance, wherever it moved to: its environment says so.
pub(crate) fn all_of_instance(id: &InstanceId) -> BTreeSet<i32> {
    let mark = format!("VT_INSTANCE={id}");
    let marked = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|b| *b == 0).any(|variable| variable == mark.as_bytes())
    };
    pids().filter(marked).collect()
}

/// Signals every one of them; those that ended meanwhile are fine.
pub(crate) fn kill_all(pids: &BTreeSet<i32>, signal: Signal) {
    for pid in pids.iter().filter_map(|pid| Pid::from_raw(*pid)) {
        let _ = kill_process(pid, signal);
    }
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(io::Result::ok).filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Parent and group of a process that still runs; zombies are nobody's business but their parent's.
fn parent_and_group(pid: i32) -> Option<(i32, i32)> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse(stat: &str) -> Option<(i32, i32)> {
    // The name in brackets is the process's own choice: it may hold spaces and brackets.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    match fields.next()? {
        "Z" | "X" => None,
        _ => Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_process_name_does_not_hide_its_parent() {
        assert_eq!(parse("7 (a) Z 1 (b) S 42 7 7 0"), Some((42, 7)));
        assert_eq!(parse("7 (x) Z 42 7"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn we_descend_from_our_parent_and_are_skipped_with_our_group() {
        let me = i32::try_from(std::process::id()).expect("a pid");
        let (parent, group) = parent_and_group(me).expect("we run");
        assert!(descendants(parent, None).contains(&me));
        assert!(!descendants(parent, Some(group)).contains(&me));
    }
}
