//! One thread that reads for many sockets, ours as those of a yardstick. A thread for each would take turns for longer
//! than the news are under way.

use std::{
    os::fd::OwnedFd,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::{Context as _, Result};
use rustix::{
    event::{
        Timespec,
        epoll::{self, CreateFlags, EventData, EventFlags},
    },
    io::Errno,
};

use crate::serving::live::Live;

/// A message that has begun and does not end for so long never will.
const SILENCE: Duration = Duration::from_secs(20);
/// Sockets with news that are told of at once.
const AT_ONCE: usize = 256;
/// How long nobody may have news before it is asked whether this is the end.
const LOOK_UP: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Open sockets.
pub(super) struct Readers {
    epoll: OwnedFd,
    sockets: Vec<Live>,
}

impl Readers {
    /// None yet.
    pub(super) fn new() -> Result<Self> {
        Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)?, sockets: vec![] })
    }

    pub(super) fn add(&mut self, live: Live) -> Result<()> {
        live.set_patience(SILENCE)?;
        let n = u64::try_from(self.sockets.len())?;
        epoll::add(&self.epoll, live.stream(), EventData::new_u64(n), EventFlags::IN)?;
        self.sockets.push(live);
        Ok(())
    }

    /// Lets `read` read one message after the other, with the number of its socket, until it is over.
    pub(super) fn run(
        mut self,
        over: &AtomicBool,
        mut read: impl FnMut(usize, &mut Live) -> Result<()>,
    ) -> Result<()> {
        let mut ready = Vec::with_capacity(AT_ONCE);
        while !over.load(Ordering::Relaxed) {
            ready.clear();
            match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut ready), Some(&LOOK_UP)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error).context("cannot wait for news"),
            }
            for event in &ready {
                let n = usize::try_from(event.data.u64())?;
                let live = &mut self.sockets[n];
                loop {
                    read(n, live).with_context(|| format!("socket {n}"))?;
                    // The kernel tells only of what it has itself.
                    if !live.has_more() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}
