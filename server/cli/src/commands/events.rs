//! `vt events tail|query`: what controllers did, on what, and why it failed.

use model::{
    EnvRecord, Event, ObjectKey, ObjectKind, ViewState,
    view::EventsView,
    view_state::{Facet, When},
};

use super::{Context, Outcome, follow, running::Running};
use crate::{
    args::{All, EventFilter, Events},
    client::{Answer, Client, Lines},
    error::{Error, Exit},
    output::{Terminal, event_line, event_table},
    scope::{self, Wanted},
};

/// How many events a query shows unless told.
const LIMIT: u32 = 100;
/// How many pages of answers a query reads at most, where it filters them itself.
const MAX_PAGES: u32 = 100;

/// `vt events …`.
pub(super) async fn run(context: &mut Context<'_>, events: Events) -> Outcome {
    let (filter, is_query, follows) = match events {
        Events::Tail(filter) => (filter, false, true),
        Events::Query { filter, follow } => (filter, true, follow),
    };
    let (state, running) = resolve(context, &filter).await?;
    let mut feed = Feed { state, running, last: 0 };
    if follows {
        // Everything after this position comes from the stream, everything before it from the query.
        feed.last = head(&context.client).await?;
    }
    if is_query || context.global.since.is_some() {
        let events = feed.history(context).await?;
        feed.last = feed.last.max(events.last().map_or(0, |event| event.seq.0));
        match (follows, context.terminal.json()) {
            (false, true) => context.terminal.document(&events)?,
            (false, false) => {
                let table = event_table(&events);
                context.terminal.table(&table, "no events under these filters")?;
            }
            (true, _) => events.iter().try_for_each(|event| print(context.terminal, event))?,
        }
    }
    if follows { follow::follow(context, &mut feed).await } else { Ok(Exit::Done) }
}

/// The app and the env to look at, by name. With no word about either, and with `--all`, there is no limit.
pub(super) async fn place(
    context: &mut Context<'_>,
    all: &All,
    has_object: bool,
) -> Result<(Option<String>, Option<String>), Error> {
    let wanted = if all.all { Wanted::default() } else { Wanted::of(context.global)? };
    if wanted.is_empty() || (has_object && wanted.file.is_some()) {
        // An object that was named decides by itself, whatever folder this is.
        return Ok((None, None));
    }
    let envs: Vec<EnvRecord> = context.client.list("/envs").await?;
    if has_object && wanted.app.is_none() {
        let is_meant = |env: &&EnvRecord| wanted.env.as_deref() == Some(env.target.env_id.as_str());
        let env = envs.iter().find(is_meant).map(|env| env.target.env.clone());
        return Ok((None, env.or(wanted.env)));
    }
    if let (Some(app), None) = (&wanted.app, &wanted.env) {
        let found = envs.iter().find(|env| env.target.app == *app || env.target.app_id.as_str() == app);
        if let Some(env) = found {
            return Ok((Some(env.target.app.clone()), None));
        }
    }
    let target = &wanted.choose(&envs)?.target;
    if let Some(file) = &wanted.file {
        let (title, file) = (target.title(), file.display());
        context.terminal.note(&format!("{title}, as {file} says; --all for everything"));
    }
    Ok((Some(target.app.clone()), Some(target.env.clone())))
}

async fn resolve(
    context: &mut Context<'_>,
    filter: &EventFilter,
) -> Result<(ViewState, Option<Running>), Error> {
    let EventFilter { release, instance, endpoint, object, controller, reason, outcome, all } = filter;
    let has_object = [release, instance, endpoint].iter().any(|id| id.is_some()) || !object.is_empty();
    let (app, env) = place(context, all, has_object).await?;
    let mut objects: Vec<ObjectKey> = object.clone();
    for (kind, id) in [(ObjectKind::INSTANCE, instance), ("endpoint", endpoint)] {
        if let Some(id) = id {
            let kind: ObjectKind = kind.parse().expect("these kinds are lower-case words");
            objects.push(scope::object(&context.client, context.global, &kind, id).await?);
        }
    }
    let running = match release {
        Some(text) => Some(Running::new(&scope::release_id(&context.client, context.global, text).await?)),
        None => None,
    };
    let facets = [
        (Facet::App, app.into_iter().collect()),
        (Facet::Env, env.into_iter().collect()),
        (Facet::Object, objects.iter().map(ToString::to_string).collect()),
        (Facet::Controller, controller.clone()),
        (Facet::Reason, reason.clone()),
        (Facet::Outcome, outcome.iter().map(ToString::to_string).collect::<Vec<_>>()),
    ];
    let mut state = ViewState { ungrouped: true, ..ViewState::default() };
    for (facet, values) in facets {
        for value in values {
            let (not, value) = value.strip_prefix('-').map_or((false, value.as_str()), |rest| (true, rest));
            state = state.with(facet, value, not);
        }
    }
    Ok((state, running))
}

/// Where the journal stands.
async fn head(client: &Client) -> Result<i64, Error> {
    let Answer { value, seq } = client.read::<EventsView>("/events?limit=1").await?;
    let newest = value.groups.first().map(|group| group.event.seq);
    Ok(seq.or(newest).unwrap_or_default().0)
}

fn print(terminal: &mut Terminal, event: &Event) -> Result<(), Error> {
    if terminal.json() { terminal.object(event) } else { event_line(terminal, event) }
}

/// Events under a filter, after a position.
struct Feed {
    state: ViewState,
    running: Option<Running>,
    last: i64,
}

impl Feed {
    async fn wants(&mut self, client: &Client, event: &Event) -> Result<bool, Error> {
        match &mut self.running {
            Some(running) => running.includes(client, &event.object).await,
            None => Ok(true),
        }
    }

    /// What happened, oldest first.
    async fn history(&mut self, context: &Context<'_>) -> Result<Vec<Event>, Error> {
        let limit = usize::try_from(context.global.limit.unwrap_or(LIMIT)).unwrap_or(usize::MAX);
        let mut state = self.state.clone();
        state.from = context.global.since.map(When::Ago);
        let mut events = Vec::new();
        for _ in 0..MAX_PAGES {
            let n = limit - events.len();
            let view: EventsView =
                context.client.get(&format!("{}&limit={n}", state.link("/events"))).await?;
            for group in view.groups {
                if events.len() < limit && self.wants(&context.client, &group.event).await? {
                    events.push(group.event);
                }
            }
            match view.older {
                Some(older) if events.len() < limit => state.before = Some(model::EventId(older)),
                _ => break,
            }
        }
        events.reverse();
        Ok(events)
    }
}

impl follow::Feed for Feed {
    fn path(&self) -> String {
        let query = ViewState { ungrouped: false, ..self.state.clone() }.to_query();
        format!("/events?follow=true&after={}&{query}", self.last).trim_end_matches('&').to_owned()
    }

    /// Says what looks wrong and keeps the position: printing an event twice would be worse than waiting.
    fn opened(&mut self, terminal: &mut Terminal, lines: &Lines) {
        if lines.seq().is_some_and(|head| head.0 < self.last) {
            let last = self.last;
            terminal
                .note(&format!("the journal ends before ev_{last}; if this is another store, start again"));
        }
    }

    async fn take(&mut self, client: &Client, terminal: &mut Terminal, line: &str) -> Result<(), Error> {
        let event: Event = serde_json::from_str(line)
            .map_err(|source| Error::Answer { path: "/events".to_owned(), source })?;
        if event.seq.0 <= self.last {
            return Ok(());
        }
        if self.wants(client, &event).await? {
            print(terminal, &event)?;
        }
        self.last = event.seq.0;
        Ok(())
    }

    fn position(&self) -> String {
        format!("after ev_{}", self.last)
    }
}
