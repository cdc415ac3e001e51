//! `vt logs tail|query`: what workloads print.

use model::{ObjectKey, ObjectKind, view::LogLine, view_state::encode};

use super::{Context, Outcome, events, follow, running::Running};
use crate::{
    args::{LogFilter, Logs},
    client::{Client, Lines},
    error::{Error, Exit},
    output::{Terminal, log_line},
    scope,
};

/// How many lines a query shows unless told.
const LIMIT: u32 = 500;
/// How many lines a tail begins with unless told.
const TAIL: u32 = 20;

/// `vt logs …`.
pub(super) async fn run(context: &mut Context<'_>, logs: Logs) -> Outcome {
    let (filter, limit, follows) = match logs {
        Logs::Tail(filter) => (filter, TAIL, true),
        Logs::Query { filter, follow } => (filter, LIMIT, follow),
    };
    let LogFilter { instance, release, all } = filter;
    let (app, env) = events::place(context, &all, instance.is_some() || release.is_some()).await?;
    let object = match &instance {
        Some(id) => Some(scope::object(&context.client, context.global, &ObjectKind::instance(), id).await?),
        None => None,
    };
    let running = match &release {
        Some(text) => Some(Running::new(&scope::release_id(&context.client, context.global, text).await?)),
        None => None,
    };
    let mut feed = Feed { query: query(app, env, object.as_ref()), running, last: 0 };
    let lines = feed.history(context, context.global.limit.unwrap_or(limit)).await?;
    match (follows, context.terminal.json()) {
        (false, true) => context.terminal.document(&lines)?,
        _ => lines.iter().try_for_each(|line| print(context.terminal, line))?,
    }
    if !follows {
        if lines.is_empty() && context.terminal.is_terminal() && !context.terminal.json() {
            context.terminal.note("no lines under these filters");
        }
        return Ok(Exit::Done);
    }
    context.terminal.flush()?;
    follow::follow(context, &mut feed).await
}

fn query(app: Option<String>, env: Option<String>, object: Option<&ObjectKey>) -> String {
    [("app", app), ("env", env), ("object", object.map(ToString::to_string))]
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key}={}&", encode(&value?))))
        .collect()
}

fn print(terminal: &mut Terminal, line: &LogLine) -> Result<(), Error> {
    if terminal.json() { terminal.object(line) } else { log_line(terminal, line) }
}

/// Lines under a filter, after a position.
struct Feed {
    query: String,
    running: Option<Running>,
    last: i64,
}

impl Feed {
    async fn wants(&mut self, client: &Client, line: &LogLine) -> Result<bool, Error> {
        match &mut self.running {
            Some(running) => running.includes(client, &line.object).await,
            None => Ok(true),
        }
    }

    /// The newest lines, oldest first.
    async fn history(&mut self, context: &Context<'_>, limit: u32) -> Result<Vec<LogLine>, Error> {
        let since = context.global.since.map(|since| format!("since={since}&")).unwrap_or_default();
        let path = format!("/logs?{}{since}limit={limit}", self.query);
        let mut lines: Vec<LogLine> = context.client.get(&path).await?;
        lines.sort_by_key(|line| line.id);
        self.last = lines.last().map_or(0, |line| line.id);
        let mut wanted = Vec::with_capacity(lines.len());
        for line in lines {
            if self.wants(&context.client, &line).await? {
                wanted.push(line);
            }
        }
        Ok(wanted)
    }
}

impl follow::Feed for Feed {
    fn path(&self) -> String {
        format!("/logs?{}follow=true&after={}", self.query, self.last)
    }

    fn opened(&mut self, _: &mut Terminal, _: &Lines) {}

    async fn take(&mut self, client: &Client, terminal: &mut Terminal, line: &str) -> Result<(), Error> {
        let line: LogLine = serde_json::from_str(line)
            .map_err(|source| Error::Answer { path: "/logs".to_owned(), source })?;
        if line.id <= self.last {
            return Ok(());
        }
        if self.wants(client, &line).await? {
            print(terminal, &line)?;
            terminal.flush()?;
        }
        self.last = line.id;
        Ok(())
    }

    fn position(&self) -> String {
        format!("after line {}", self.last)
    }
}
