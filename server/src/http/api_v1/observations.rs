//! How a platform that we have no adapter for reports in: NDJSON in, acknowledgements by line out.
//!
//! The body is read as a stream, a bounded batch at a time; while the store writes one, nothing more is read.
//! A line is acknowledged after its batch is on disk, never before.

mod line;

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream},
    extract::{Path, State},
    http::{HeaderMap, header},
    response::Response,
};
use bytes::{Buf as _, Bytes, BytesMut};
use futures::{StreamExt as _, stream};
use model::{Batch, ErrorCode, ObjectKey, ObjectKind, Observation, SourceId, TraceId, view::SourceState};
use tokio::time::{Instant, timeout_at};

use self::line::{Heard, Report};
use super::{events::ndjson, failed, sources};
use crate::{
    http::{
        error::{Answer, Problem},
        session::{Reporter, still_valid},
    },
    state::AppState,
};

/// Lines that are written together.
const BATCH: usize = 1000;
/// Bytes that are read ahead of the store.
const AHEAD: usize = 512 * 1024;
/// The longest line; a longer one is refused and skipped.
const MAX_LINE: usize = 256 * 1024;
/// The largest body; more comes in another request.
const MAX_BODY: u64 = 1024 * 1024 * 1024;
/// Objects that one snapshot lists at most.
const MAX_LISTED: usize = 200_000;
/// How long a batch waits for more lines.
const LINGER: Duration = Duration::from_millis(5);
/// How long a report may be silent; a blank line is a sign of life.
const IDLE: Duration = Duration::from_secs(60);
/// How often the right to report is checked again.
const RECHECK: Duration = Duration::from_secs(5);
/// Reports of one source at a time, and of all.
const PER_SOURCE: usize = 4;
const ALL: usize = 64;

/// Who reports now.
#[derive(Debug, Clone, Default)]
pub struct Reports(Arc<Mutex<BTreeMap<SourceId, usize>>>);

/// One report; it frees its place when it ends.
struct Place {
    reports: Reports,
    source: SourceId,
}

impl Reports {
    fn take(&self, source: &SourceId) -> Option<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = open.get(source).copied().unwrap_or(0);
        if mine >= PER_SOURCE || open.values().sum::<usize>() >= ALL {
            return None;
        }
        open.insert(source.clone(), mine + 1);
        Some(Place { reports: self.clone(), source: source.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.reports.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(n) = open.get_mut(&self.source) {
            *n -= 1;
            if *n == 0 {
                open.remove(&self.source);
            }
        }
    }
}

/// Takes what a platform observes, one JSON object a line. Answers runs of lines,
/// `{"from":1,"to":998,"result":"stored"}`; results are `stored`, `duplicate` (it was known already) and `refused`
/// with a `reason`. The last line sums up: `{"done":true,"lines":…,"stored":…,"duplicate":…,"refused":…}`; without
/// `"done":true` the report was cut off, and what was not acknowledged has to be sent again.
#[utoipa::path(post, path = "/sources/{source}/observations", params(("source" = String, Path)), request_body(content = String, content_type = "application/x-ndjson"), responses((status = 200, body = String, content_type = "application/x-ndjson")))]
pub(super) async fn observe(
    State(state): State<AppState>,
    reporter: Reporter,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Response> {
    let trace = reporter.trace().clone();
    let found = async { sources::find(&mut state.store.read().await?, &name).await };
    let found = found.await.map_err(failed(&trace))?;
    let (caller, source) = reporter.of(found.as_ref())?;
    sources::takes_observations(source, &trace)?;
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Problem::invalid("Content-Encoding", "lines are sent as they are", &trace));
    }
    let Some(place) = state.reports.take(&source.id) else {
        let title = format!("{PER_SOURCE} reports of one source at a time, {ALL} of all");
        return Err(Problem::new(ErrorCode::TooMany, title, &trace));
    };
    let mut report = Reading {
        hash: caller.hash,
        source: source.clone(),
        body: body.into_data_stream(),
        buffer: BytesMut::new(),
        input: Input::Open,
        n_bytes: 0,
        n_lines: 0,
        snapshot: None,
        done: Totals::default(),
        checked: Instant::now(),
        trace,
        state,
        _place: place,
    };
    // While nothing is stored yet, what goes wrong has a status of its own.
    let Some(first) = report.step().await? else { return Ok(ndjson(stream::empty())) };
    let first = stream::once(async move { Ok::<_, Infallible>(first) });
    let rest = stream::unfold(Some(report), |report| async move {
        let mut report = report?;
        match report.step().await {
            Ok(acknowledged) => acknowledged.map(|text| (Ok(text), Some(report))),
            Err(problem) => Some((Ok(report.cut_off(&problem)), None)),
        }
    });
    Ok(ndjson(first.chain(rest)))
}

/// How a body goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    /// Everything was read; what is buffered is the rest.
    Ended,
    /// It was summed up.
    Answered,
}

/// A snapshot that has begun.
struct Snapshot {
    kinds: Vec<ObjectKind>,
    listed: BTreeSet<ObjectKey>,
    /// Lines within it that could not be read: one of them may have named an object.
    unread: u64,
}

#[derive(Debug, Default)]
struct Totals {
    stored: u64,
    duplicate: u64,
    refused: u64,
}

/// What is said about a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Stored,
    Duplicate,
    Refused(String),
}

/// The lines of one batch.
#[derive(Default)]
struct Lines {
    said: Vec<(u64, Said)>,
    observations: Vec<Observation>,
    /// Which line each observation came from, as a place in `said`.
    of: Vec<usize>,
}

struct Reading {
    state: AppState,
    trace: TraceId,
    hash: Option<[u8; 32]>,
    source: SourceState,
    body: BodyDataStream,
    buffer: BytesMut,
    input: Input,
    n_bytes: u64,
    n_lines: u64,
    snapshot: Option<Snapshot>,
    done: Totals,
    checked: Instant,
    _place: Place,
}

impl Reading {
    /// Reads a batch, stores it, and answers what became of its lines; `None` after the last one.
    async fn step(&mut self) -> Result<Option<Bytes>, Problem> {
        if self.input == Input::Answered {
            return Ok(None);
        }
        self.fill().await?;
        self.check().await?;
        let mut lines = self.lines();
        let text = match self.input == Input::Ended && self.buffer.is_empty() {
            true => {
                // What the body said about being alive goes with its last batch.
                self.store(&mut lines).await?;
                self.input = Input::Answered;
                let mut text = self.acknowledge(&lines);
                self.sum_up(&mut text, None);
                text
            }
            false => {
                self.store(&mut lines).await?;
                self.acknowledge(&lines)
            }
        };
        Ok(Some(Bytes::from(text)))
    }

    /// Reads until there is a line, and then what comes at once.
    async fn fill(&mut self) -> Result<(), Problem> {
        let (began, mut until) = (Instant::now(), None);
        let mut has_line = memchr::memchr(b'\n', &self.buffer).is_some();
        while self.input == Input::Open && self.buffer.len() < AHEAD {
            // What is there already is taken in any case; after that, a batch waits a moment for more.
            let until = match has_line {
                true => *until.get_or_insert_with(|| Instant::now() + LINGER),
                false => Instant::now() + RECHECK,
            };
            let shutdown = self.state.shutdown.clone();
            let read = tokio::select! {
                read = timeout_at(until, self.body.next()) => read,
                () = shutdown.cancelled() => {
                    let title = "the server is ending; what was not acknowledged has to be sent again";
                    return Err(Problem::new(ErrorCode::StoreUnavailable, title, &self.trace));
                }
            };
            match read {
                Ok(Some(Ok(bytes))) => {
                    self.n_bytes += bytes.len() as u64;
                    if self.n_bytes > MAX_BODY {
                        let title = "a report has at most 1 GiB; go on in another one";
                        return Err(Problem::new(ErrorCode::TooLarge, title, &self.trace));
                    }
                    has_line = has_line || memchr::memchr(b'\n', &bytes).is_some();
                    self.take(&bytes);
                }
                Ok(Some(Err(_))) => {
                    return Err(Problem::new(ErrorCode::Invalid, "the body was cut off", &self.trace));
                }
                Ok(None) => self.input = Input::Ended,
                Err(_) if has_line => return Ok(()),
                Err(_) if began.elapsed() >= IDLE => {
                    let title = format!("nothing was said for {} s", IDLE.as_secs());
                    return Err(Problem::new(ErrorCode::Invalid, title, &self.trace));
                }
                Err(_) => self.check().await?,
            }
        }
        Ok(())
    }

    /// Keeps what was read; of a line that is too long, only that it was.
    fn take(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        let begin = memchr::memrchr(b'\n', &self.buffer).map_or(0, |end| end + 1);
        if self.buffer.len() - begin > MAX_LINE {
            // One byte more than a line may have: its length tells at its end.
            self.buffer.truncate(begin + MAX_LINE + 1);
        }
    }

    /// Ends a report whose token was revoked meanwhile.
    async fn check(&mut self) -> Result<(), Problem> {
        if self.checked.elapsed() >= RECHECK {
            if !still_valid(&self.state, self.hash).await {
                let title = "the token of this report does not hold any more";
                return Err(Problem::new(ErrorCode::Unauthenticated, title, &self.trace));
            }
            self.checked = Instant::now();
        }
        Ok(())
    }

    /// Takes the next lines out of the buffer.
    fn lines(&mut self) -> Lines {
        let mut buffer = std::mem::take(&mut self.buffer);
        let (mut lines, mut used) = (Lines::default(), 0);
        let now = self.state.now();
        while lines.said.len() < BATCH {
            let rest = &buffer[used..];
            let line = match memchr::memchr(b'\n', rest) {
                Some(end) => {
                    used += end + 1;
                    &rest[..end]
                }
                None if self.input == Input::Ended && !rest.is_empty() => {
                    used = buffer.len();
                    rest
                }
                None => break,
            };
            self.line(line, now, &mut lines);
        }
        buffer.advance(used);
        self.buffer = buffer;
        lines
    }

    fn line(&mut self, line: &[u8], now: model::Ts, lines: &mut Lines) {
        self.n_lines += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let heard = Heard { source: &self.source.id, name: &self.source.name, now };
        let read = match line.len() > MAX_LINE {
            true => Err(format!("a line has at most {} KiB", MAX_LINE / 1024)),
            false => line::read(line, heard),
        };
        let said = match read.and_then(|report| self.report(report)) {
            Ok(Some(observation)) => {
                lines.of.push(lines.said.len());
                lines.observations.push(observation);
                Said::Stored
            }
            Ok(None) => Said::Stored,
            Err(why) => {
                if let Some(snapshot) = &mut self.snapshot {
                    snapshot.unread += 1;
                }
                Said::Refused(why)
            }
        };
        lines.said.push((self.n_lines, said));
    }

    /// What a line means here: snapshots span lines.
    fn report(&mut self, report: Report) -> Result<Option<Observation>, String> {
        match report {
            Report::Observation(observation) => {
                if let (Some(snapshot), Observation::Object(object) | Observation::Update(object)) =
                    (&mut self.snapshot, &observation)
                    && snapshot.kinds.contains(object.key.kind())
                {
                    if snapshot.listed.len() >= MAX_LISTED {
                        return Err(format!("a snapshot lists at most {MAX_LISTED} objects"));
                    }
                    snapshot.listed.insert(object.key.clone());
                }
                Ok(Some(observation))
            }
            Report::Begin(_) if self.snapshot.is_some() => Err("a snapshot has begun already".to_owned()),
            Report::Begin(kinds) => {
                self.snapshot = Some(Snapshot { kinds, listed: BTreeSet::new(), unread: 0 });
                Ok(None)
            }
            Report::End => match self.snapshot.take() {
                None => Err("no snapshot has begun".to_owned()),
                Some(Snapshot { unread: 0, kinds, listed }) => {
                    Ok(Some(Observation::Complete { kinds, listed }))
                }
                Some(Snapshot { unread, .. }) => Err(format!(
                    "{unread} lines of this snapshot were refused, so nothing counts as gone; send it again"
                )),
            },
        }
    }

    async fn store(&mut self, lines: &mut Lines) -> Result<(), Problem> {
        let observations = std::mem::take(&mut lines.observations);
        let batch = Batch { source: self.source.id.clone(), at: self.state.now(), observations };
        let ingested = self.state.store.ingest(vec![batch]).await.map_err(failed(&self.trace))?;
        for i in ingested.duplicates {
            lines.said[lines.of[i]].1 = Said::Duplicate;
        }
        for (i, why) in ingested.refused {
            if let Some(place) = lines.of.get(i) {
                lines.said[*place].1 = Said::Refused(why);
            }
        }
        Ok(())
    }

    /// Runs of lines that fared alike.
    fn acknowledge(&mut self, lines: &Lines) -> String {
        let mut text = String::new();
        let mut rest = &lines.said[..];
        while let Some((from, said)) = rest.first() {
            let alike = |(i, other): &(usize, &(u64, Said))| other.1 == *said && other.0 == from + *i as u64;
            let n = rest.iter().enumerate().take_while(alike).count();
            let to = from + n as u64 - 1;
            let _ = write!(text, "{{\"from\":{from},\"to\":{to},\"result\":");
            let total = match said {
                Said::Stored => {
                    text.push_str("\"stored\"}\n");
                    &mut self.done.stored
                }
                Said::Duplicate => {
                    text.push_str("\"duplicate\"}\n");
                    &mut self.done.duplicate
                }
                Said::Refused(why) => {
                    let why = serde_json::Value::from(why.as_str());
                    let _ = writeln!(text, "\"refused\",\"reason\":{why}}}");
                    &mut self.done.refused
                }
            };
            *total += n as u64;
            rest = &rest[n..];
        }
        text
    }

    fn sum_up(&self, text: &mut String, problem: Option<&Problem>) {
        let Totals { stored, duplicate, refused } = self.done;
        self.state.metrics.reported(stored, duplicate, refused);
        let (done, lines) = (problem.is_none(), stored + duplicate + refused);
        let _ = write!(
            text,
            "{{\"done\":{done},\"lines\":{lines},\"stored\":{stored},\"duplicate\":{duplicate},\"refused\":{refused}"
        );
        if let Some(error) = problem.and_then(|problem| serde_json::to_string(&problem.0).ok()) {
            let _ = write!(text, ",\"error\":{error}");
        }
        text.push_str("}\n");
    }

    /// The last line of a report that could not be read to its end.
    fn cut_off(&self, problem: &Problem) -> Bytes {
        let mut text = String::new();
        self.sum_up(&mut text, Some(problem));
        text.into()
    }
}
