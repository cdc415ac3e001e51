//! A platform that reports at a steady rate, and the crowd that follows it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use model::live::Topic;
use serde_json::json;

use super::readers::Readers;
use crate::serving::{client::Client, live::Live, now};

/// Reports a second.
const REPORTS: u32 = 50;
/// One socket in so many looks into what it gets; the others only follow the cursors.
const SAMPLED: usize = 50;
/// How messages begin whose way is timed.
pub(super) const COUNTED: &str = "n";
/// What says which range of the journal a frame covers.
const HEAD: u64 = 200;
/// After the last acknowledgement.
const DRAIN: Duration = Duration::from_secs(15);

pub(super) fn everything() -> Vec<Topic> {
    vec![Topic::Events { query: String::new() }]
}

/// When which event was acknowledged.
pub(super) struct Sent {
    /// By the number in its message.
    acknowledged: Vec<Instant>,
}

impl Sent {
    pub(super) fn events(&self) -> u32 {
        u32::try_from(self.acknowledged.len()).unwrap_or(u32::MAX)
    }
}

/// Reports so many events a second for so many seconds; their messages begin with `mark`. Each report waits for its
/// acknowledgement.
pub(super) fn report(client: &Client, mark: &str, rate: u32, seconds: u32) -> Result<Sent> {
    let (begun, mut acknowledged) = (Instant::now(), vec![]);
    let per_report = rate.div_ceil(REPORTS);
    let pause = Duration::from_secs(1) * per_report / rate;
    let run = now(0).0;
    for turn in 0..rate * seconds / per_report {
        let first = acknowledged.len();
        let lines: String = (0..usize::try_from(per_report)?)
            .map(|n| {
                let n = first + n;
                let event = json!({
                    "type": "event", "key": format!("{run}-{n}"), "at": now(0).to_string(), "kind": "machine",
                    "id": format!("m-{}", n % 500), "controller": "upgrader", "action": "Drain",
                    "outcome": "done", "reason": "Evicted", "message": format!("{mark}={n}."),
                });
                format!("{event}\n")
            })
            .collect();
        let answer = client.lines("/api/v1/sources/fanout/observations", lines)?;
        let done = answer.last().filter(|last| last["done"] == true).context("a report was cut off")?;
        if done["stored"] != per_report {
            bail!("not every event was stored: {done}");
        }
        acknowledged.resize(first + usize::try_from(per_report)?, Instant::now());
        thread::sleep((pause * (turn + 1)).saturating_sub(begun.elapsed()));
    }
    Ok(Sent { acknowledged })
}

/// Which event arrived when.
type Arrivals = Vec<(usize, Instant)>;

/// Open pages.
pub(super) struct Crowd {
    /// Up to where each has heard everything.
    heard: Arc<[AtomicI64]>,
    over: Arc<AtomicBool>,
    reader: Option<JoinHandle<Result<Arrivals>>>,
}

/// What a crowd has heard.
pub(super) struct Heard {
    pub(super) sockets: u32,
    /// How many heard everything, without a hole.
    pub(super) complete: u32,
    /// From acknowledgement to arrival, in microseconds.
    late_us: Vec<u128>,
}

impl Heard {
    pub(super) fn p99_ms(&self) -> f64 {
        let us = crate::serving::percentile(&self.late_us, 99);
        f64::from(u32::try_from(us).unwrap_or(u32::MAX)) / 1000.0
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            // Whoever drops a crowd does not want to know what it heard.
            let _ = reader.join();
        }
    }
}

impl Crowd {
    /// Pages that follow every event; `door` answers origin and bearer of each.
    pub(super) fn of_pages<'a>(sockets: u32, door: impl Fn(u32) -> (&'a str, &'a str)) -> Result<Self> {
        let (mut readers, mut heard) = (Readers::new()?, vec![]);
        for n in 0..sockets {
            let (origin, bearer) = door(n);
            let (live, since) = Live::follow(origin, bearer, everything(), None)?;
            readers.add(live)?;
            heard.push(AtomicI64::new(since.0));
        }
        let (heard, over) = (Arc::<[AtomicI64]>::from(heard), Arc::new(AtomicBool::new(false)));
        let reader = thread::spawn({
            let (heard, over) = (Arc::clone(&heard), Arc::clone(&over));
            move || {
                let mut seen = vec![];
                readers.run(&over, |n, live| read(live, &heard[n], n.is_multiple_of(SAMPLED), &mut seen))?;
                Ok(seen)
            }
        });
        Ok(Self { heard, over, reader: Some(reader) })
    }

    fn heard(&self) -> impl Iterator<Item = i64> {
        self.heard.iter().map(|heard| heard.load(Ordering::Relaxed))
    }

    /// Waits until everybody has heard what was sent, and asks what they heard.
    pub(super) fn hear(mut self, sent: &Sent) -> Result<Heard> {
        let begun = Instant::now();
        // Whoever is furthest knows how far there is to go; the rest has to get there as well.
        let mut steady = (0, Instant::now());
        loop {
            let far = self.heard().max().unwrap_or(0);
            if far != steady.0 {
                steady = (far, Instant::now());
            }
            let all = self.heard().all(|heard| heard == far);
            if all && steady.1.elapsed() > Duration::from_millis(500) || begun.elapsed() > DRAIN {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let complete = self.heard().filter(|heard| *heard == steady.0).count();
        self.over.store(true, Ordering::Relaxed);
        let reader = self.reader.take().context("nobody reads")?;
        let mut late_us = vec![];
        for (n, at) in reader.join().map_err(|_| anyhow::anyhow!("the reader panicked"))?? {
            let acknowledged = sent.acknowledged.get(n).context("an event that nobody sent")?;
            late_us.push(at.saturating_duration_since(*acknowledged).as_micros());
        }
        if late_us.len() < sent.acknowledged.len() {
            bail!("the sampled sockets heard {} times of {} events", late_us.len(), sent.acknowledged.len());
        }
        let sockets = u32::try_from(self.heard.len())?;
        Ok(Heard { sockets, complete: u32::try_from(complete)?, late_us })
    }
}

/// Reads one message. A hole between two frames is an error, and so is a connection that ends.
fn read(live: &mut Live, at: &AtomicI64, sampled: bool, seen: &mut Arrivals) -> Result<()> {
    let message = live.read_beginning(if sampled { u64::MAX } else { HEAD })?.context("closed")?;
    if !message.starts_with(b"{\"frame\"") {
        if message.starts_with(b"{\"reset\"") {
            bail!("told to load again: {}", String::from_utf8_lossy(message));
        }
        return Ok(());
    }
    let head = std::str::from_utf8(&message[..message.len().min(200)]).unwrap_or_default();
    let (after, to) = (number(head, "\"after\":")?, number(head, "\"to\":")?);
    if after > at.load(Ordering::Relaxed) {
        bail!("a hole between {} and {after}", at.load(Ordering::Relaxed));
    }
    if sampled {
        let now = Instant::now();
        let text = std::str::from_utf8(message).context("a message is text")?;
        for (place, mark) in text.match_indices(&format!("\"message\":\"{COUNTED}=")) {
            let digits = text[place + mark.len()..].split('.').next().unwrap_or_default();
            seen.push((digits.parse()?, now));
        }
    }
    at.fetch_max(to, Ordering::Relaxed);
    Ok(())
}

fn number(text: &str, name: &str) -> Result<i64> {
    let rest = text.split_once(name).with_context(|| format!("no {name} in {text}"))?.1;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().with_context(|| format!("no number in {rest}"))
}
