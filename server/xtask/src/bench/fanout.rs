//! How many deliveries one second of a processor makes to open pages, and how late they are.
//!
//! Ours: events come in through the observations endpoint, are on disk before anybody sees them, and reach every
//! socket of `/live`. The yardsticks are the npm package `ws`, once with one message an event and once batched as we
//! do; they keep nothing and check nobody. The server has one processor to itself, the load the other.

mod load;
mod readers;
mod yardstick;

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::json;

use self::load::{Crowd, Heard};
use super::{Common, Report, report::Limit};
use crate::{
    cmd,
    serving::{self, client::Client, live::Live, process, server::Server},
};

/// Sockets that one name may have open is 64; the crowd is spread over as many names as that takes.
const PER_NAME: u32 = 60;
/// After the sockets have opened, before anything is measured.
const SETTLE: Duration = Duration::from_secs(2);
/// Seconds of news that fill whatever the kernel keeps for a socket that does not read.
const STALLING: u32 = 3;
/// The rate of the yardstick that sends every event by itself: more than one processor can do would only queue.
const UNBATCHED_RATE: u32 = 80;

/// Measures deliveries to open pages, their delay, and what an idle page costs.
#[derive(Args)]
pub(super) struct Fanout {
    /// Open pages
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(10..=1900))]
    sockets: u32,
    /// Events a second
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(50..=20_000))]
    rate: u32,
    /// Seconds of each turn
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=600))]
    seconds: u32,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(fanout: &Fanout) -> Result<Report> {
    let vt = fanout.common.vt()?;
    let folder = super::folder()?;
    let yardstick = yardstick::install()?;
    process::pin(std::process::id(), 1)?;
    let of = format!("{} events/s to {} sockets for {} s", fanout.rate, fanout.sockets, fanout.seconds);
    let mut report = Report::new(format!("Fan-out of {of}"));
    let (mut ours, mut late, mut stalled, mut idle) = (vec![], vec![], vec![], vec![]);
    let (mut unbatched, mut batched) = (vec![], vec![]);
    for turn in 0..fanout.common.runs {
        let data = folder.path().join(format!("data-{turn}"));
        let server = Server::start(&vt, &data, &[])?;
        server.ready(Duration::from_secs(10))?;
        process::pin(server.id(), 0)?;
        let names = Names::make(&server.client()?, fanout.sockets)?;
        idle.push(idle_page(&server, &names, fanout.sockets)?);
        let whole = names.crowd(fanout.sockets)?;
        let (rate, heard) = measured(&server, fanout, whole)?;
        ours.push(rate);
        late.push(heard.p99_ms());
        let half = fanout.sockets / 2;
        let (_, alone) = measured(&server, fanout, names.crowd(half)?)?;
        let beside = beside_stalled(&server, fanout, &names, half)?;
        stalled.push(beside.p99_ms() / alone.p99_ms());
        cmd::say(format!(
            "turn {}: p99 {:.1} ms of all, {:.1} ms of half, {:.1} ms beside {half} stalled ones",
            turn + 1,
            heard.p99_ms(),
            alone.p99_ms(),
            beside.p99_ms()
        ));
        server.stop(Duration::from_secs(20))?;
        unbatched.push(yardstick.measured(fanout, UNBATCHED_RATE.min(fanout.rate), 0)?);
        batched.push(yardstick.measured(fanout, fanout.rate, 25)?);
    }
    let ratios = |theirs: &[f64]| ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
    report.add(
        "deliveries a CPU-second ÷ `ws`, one message an event",
        "",
        ratios(&unbatched),
        Limit::AtLeast(5.0, 40.0),
    );
    report.add(
        "deliveries a CPU-second ÷ `ws`, batched for 25 ms",
        "",
        ratios(&batched),
        Limit::AtLeast(1.0, 1.5),
    );
    report.add("deliveries a CPU-second", "", ours, Limit::None);
    report.add("`ws`, one message an event", "", unbatched, Limit::None);
    report.add("`ws`, batched", "", batched, Limit::None);
    report.add("p99 from acknowledgement to socket", "ms", late, Limit::AtMost(50.0));
    report.add("p99 beside as many stalled sockets ÷ alone", "", stalled, Limit::AtMost(1.2));
    report.add("memory of an idle socket", "kB", idle, Limit::AtMost(20.0));
    Ok(report)
}

/// Tokens that may read, enough for the crowd.
struct Names {
    origin: String,
    bearers: Vec<String>,
}

impl Names {
    fn make(admin: &Client, sockets: u32) -> Result<Self> {
        let mut bearers = vec![];
        for n in 0..=sockets / PER_NAME {
            let body = json!({ "name": format!("reader-{n}"), "role": "viewer" });
            let made = admin.post("/api/v1/tokens", &format!("fanout-{n}"), &body)?.good()?;
            bearers.push(format!("Bearer {}", made["secret"].as_str().context("no secret")?));
        }
        admin.put("/api/v1/sources/fanout", "fanout-source", &json!({ "interval_s": 3600 }))?.good()?;
        Ok(Self { origin: admin.credentials().0, bearers })
    }

    fn bearer(&self, n: u32) -> &str {
        &self.bearers[usize::try_from(n / PER_NAME).unwrap_or_default()]
    }

    fn crowd(&self, sockets: u32) -> Result<Crowd> {
        Crowd::of_pages(sockets, |n| (self.origin.as_str(), self.bearer(n)))
    }

    /// Sockets that follow everything and read nothing, with little room in the kernel. They take the names from the end, beside a crowd.
    fn stalled(&self, sockets: u32) -> Result<Vec<Live>> {
        let last = u32::try_from(self.bearers.len()).unwrap_or(1) * PER_NAME - 1;
        (0..sockets)
            .map(|n| {
                let room = Some(serving::live::LITTLE_ROOM);
                Ok(Live::follow(&self.origin, self.bearer(last - n), load::everything(), room)?.0)
            })
            .collect()
    }
}

/// What one idle page costs the server, in kB.
fn idle_page(server: &Server, names: &Names, sockets: u32) -> Result<f64> {
    // A few fill pools and caches. As many as are measured would leave their memory to those.
    drop(names.crowd(sockets / 20)?);
    std::thread::sleep(SETTLE);
    let before = process::memory(server.id(), false)?;
    let crowd = names.crowd(sockets)?;
    std::thread::sleep(SETTLE * 3);
    let after = process::memory(server.id(), false)?;
    drop(crowd);
    std::thread::sleep(SETTLE);
    let bytes =
        u32::try_from(after.saturating_sub(before)).context("an idle page costs too much to be counted")?;
    Ok(f64::from(bytes) / f64::from(sockets) / 1000.0)
}

/// What a crowd hears beside as many sockets that have stopped reading before anything is measured.
fn beside_stalled(server: &Server, fanout: &Fanout, names: &Names, half: u32) -> Result<Heard> {
    let crowd = names.crowd(half)?;
    let asleep = names.stalled(half)?;
    load::report(&server.client()?, "warm", fanout.rate, STALLING)?;
    let (_, heard) = measured(server, fanout, crowd)?;
    drop(asleep);
    Ok(heard)
}

/// Deliveries a CPU-second of ours, and what the crowd heard.
fn measured(server: &Server, fanout: &Fanout, crowd: Crowd) -> Result<(f64, Heard)> {
    let client = server.client()?;
    std::thread::sleep(SETTLE);
    let before = process::cpu(server.id())?;
    let sent = load::report(&client, load::COUNTED, fanout.rate, fanout.seconds)?;
    let heard = crowd.hear(&sent)?;
    let used = process::cpu(server.id())?.saturating_sub(before);
    if heard.sockets != heard.complete {
        bail!("{} of {} sockets did not hear everything", heard.sockets - heard.complete, heard.sockets);
    }
    std::thread::sleep(SETTLE);
    Ok((f64::from(sent.events()) * f64::from(heard.sockets) / used.as_secs_f64(), heard))
}
