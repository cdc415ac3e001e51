//! What workloads print, line by line, with bounds.
//!
//! A line is at most 8 KiB, an instance gets 200 lines a second, and what was cut or dropped is said. Output is
//! never parsed and never trusted: what is not UTF-8 is replaced, and so is NUL, which not every store can hold.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::{Instant, sleep_until},
};

/// The longest line that is kept whole.
pub(crate) const MAX_LINE: usize = 8 * 1024;
/// Lines that one instance may print in one window.
pub(crate) const LINES_PER_WINDOW: u32 = 200;
/// The window.
const WINDOW: Duration = Duration::from_secs(1);
/// Beyond this a workload that floods us waits for its own pipe: dropping costs time as well.
const BYTES_PER_WINDOW: usize = 16 * 1024 * 1024;
/// What stands at the end of a line that was longer.
const CUT: &str = " … [cut at 8 KiB]";

/// Splits bytes into lines.
#[derive(Default)]
struct Lines {
    partial: Vec<u8>,
    skipping: bool,
}

impl Lines {
    fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(String)) {
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            self.extend(&bytes[..end], &mut each);
            if !std::mem::take(&mut self.skipping) {
                each(text(&self.partial));
            }
            self.partial.clear();
            bytes = &bytes[end + 1..];
        }
        self.extend(bytes, &mut each);
    }

    fn extend(&mut self, bytes: &[u8], each: &mut impl FnMut(String)) {
        if self.skipping {
            return;
        }
        let room = MAX_LINE - self.partial.len();
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if bytes.len() > room {
            each(text(&self.partial) + CUT);
            self.partial.clear();
            self.skipping = true;
        }
    }

    /// The last line, where the output does not end with a newline.
    fn finish(&mut self, mut each: impl FnMut(String)) {
        if !self.partial.is_empty() {
            each(text(&std::mem::take(&mut self.partial)));
        }
    }
}

fn text(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8_lossy(line).replace('\0', "\u{fffd}")
}

/// Counts what one instance prints in the current window.
struct Limiter {
    ends: Instant,
    lines: u32,
    bytes: usize,
    dropped: u64,
}

impl Limiter {
    fn new(now: Instant) -> Self {
        Self { ends: now + WINDOW, lines: 0, bytes: 0, dropped: 0 }
    }

    /// Begins a new window where the old one is over; how many lines the old one dropped, if any.
    fn roll(&mut self, now: Instant) -> Option<u64> {
        if now < self.ends {
            return None;
        }
        let dropped = self.dropped;
        *self = Self::new(now);
        (dropped > 0).then_some(dropped)
    }

    fn admits(&mut self) -> bool {
        self.lines += 1;
        self.lines <= LINES_PER_WINDOW
    }
}

/// Reads both streams of one process to their ends and hands over what may be kept, as (stream, line).
///
/// `keep` answers whether there was room; `tail` always holds the newest line of standard error.
pub(crate) async fn pump(
    mut out: impl AsyncRead + Unpin,
    mut err: impl AsyncRead + Unpin,
    tail: &Mutex<String>,
    keep: impl Fn(&'static str, String) -> bool,
) {
    let mut limiter = Limiter::new(Instant::now());
    let (mut out_lines, mut err_lines) = (Lines::default(), Lines::default());
    let (mut out_buffer, mut err_buffer) = (vec![0; MAX_LINE], vec![0; MAX_LINE]);
    let (mut out_open, mut err_open) = (true, true);
    let take = |limiter: &mut Limiter, stream: &'static str, line: String| {
        if stream == "stderr" && !line.trim().is_empty() {
            line.clone_into(&mut tail.lock().unwrap_or_else(PoisonError::into_inner));
        }
        if !(limiter.admits() && keep(stream, line)) {
            limiter.dropped += 1;
        }
    };
    let say = |dropped: u64| {
        let text = format!("{dropped} lines dropped in 1 s (limit {LINES_PER_WINDOW} lines a second)");
        keep("vt", text);
    };
    while out_open || err_open {
        if limiter.bytes > BYTES_PER_WINDOW {
            sleep_until(limiter.ends).await;
        }
        tokio::select! {
            read = out.read(&mut out_buffer), if out_open => {
                let n = read.unwrap_or(0);
                out_open = n > 0;
                limiter.roll(Instant::now()).into_iter().for_each(say);
                limiter.bytes += n;
                out_lines.push(&out_buffer[..n], |line| take(&mut limiter, "stdout", line));
            }
            read = err.read(&mut err_buffer), if err_open => {
                let n = read.unwrap_or(0);
                err_open = n > 0;
                limiter.roll(Instant::now()).into_iter().for_each(say);
                limiter.bytes += n;
                err_lines.push(&err_buffer[..n], |line| take(&mut limiter, "stderr", line));
            }
            () = sleep_until(limiter.ends), if limiter.dropped > 0 => {
                limiter.roll(Instant::now()).into_iter().for_each(say);
            }
        }
    }
    out_lines.finish(|line| take(&mut limiter, "stdout", line));
    err_lines.finish(|line| take(&mut limiter, "stderr", line));
    if limiter.dropped > 0 {
        say(limiter.dropped);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut all) = (Lines::default(), vec![]);
        for chunk in chunks {
            lines.push(chunk, |line| all.push(line));
        }
        lines.finish(|line| all.push(line));
        all
    }

    #[test]
    fn lines_are_whole_wherever_the_reads_were_cut() {
        let whole = b"one\r\n\ntwo\xff\0\nthree".as_slice();
        let want = ["one", "", "two\u{fffd}\u{fffd}", "three"];
        assert_eq!(lines(&[whole]), want);
        let single: Vec<_> = whole.chunks(1).collect();
        assert_eq!(lines(&single), want);
    }

    #[test]
    fn a_long_line_is_cut_once_with_a_mark_and_the_next_line_is_whole() {
        let long = vec![b'x'; 3 * MAX_LINE];
        let all = lines(&[&long, &long, b"\nnext\n"]);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].len(), MAX_LINE + CUT.len());
        assert!(all[0].ends_with(CUT));
        assert_eq!(all[1], "next");
        let exact = vec![b'x'; MAX_LINE];
        assert_eq!(lines(&[&exact, b"\n"]), [String::from_utf8(exact.clone()).expect("ascii")]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_limited_and_the_rest_is_counted() {
        let flood = "line\n".repeat(1000);
        let (kept, tail) = (RefCell::new(vec![]), Mutex::default());
        pump(flood.as_bytes(), b"oh no\n".as_slice(), &tail, |stream, line| {
            kept.borrow_mut().push((stream, line));
            true
        })
        .await;
        let kept = kept.into_inner();
        assert_eq!(kept.iter().filter(|(stream, _)| *stream != "vt").count(), 200);
        let (stream, last) = kept.last().expect("lines");
        assert_eq!((*stream, last.as_str()), ("vt", "801 lines dropped in 1 s (limit 200 lines a second)"));
        assert_eq!(*tail.lock().expect("not poisoned"), "oh no");
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_second_later_lines_are_kept_again() {
        let (mut writer, reader) = tokio::io::duplex(64 * 1024);
        let (kept, tail) = (Mutex::new(vec![]), Mutex::default());
        let write = async {
            use tokio::io::AsyncWriteExt;
            writer.write_all("a\n".repeat(300).as_bytes()).await.expect("read");
            tokio::time::sleep(2 * WINDOW).await;
            writer.write_all(b"b\n").await.expect("read");
            drop(writer);
        };
        let keep = |stream, line| {
            kept.lock().expect("not poisoned").push((stream, line));
            true
        };
        tokio::join!(write, pump(reader, tokio::io::empty(), &tail, keep));
        let kept = kept.into_inner().expect("not poisoned");
        assert_eq!(kept.len(), 202);
        assert!(kept[200].1.starts_with("100 lines dropped"));
        assert_eq!(kept[201], ("stdout", "b".to_owned()));
    }
}
