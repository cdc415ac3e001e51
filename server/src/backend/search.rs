//! `/search` and the palette: from a few characters to the page of a thing.
//!
//! Ids are more reliable than names: what is exactly an id comes first. Names are found by how they begin,
//! app-envs by any part. Everything is one snapshot and a bounded number of indexed reads.

use app::{
    api::{Page, PageError, Viewer},
    pages::PLACES,
};
use model::{
    ErrorCode, EventId, ObjectKind, TraceId,
    object::object_path,
    search::{Found, Hit},
    view_state::encode,
};
use store::{FoundObject, Reader, StoreError};

use super::Pages;

/// Hits of one group.
const MAX_GROUP: u32 = 10;
/// The longest text that is looked for, in characters.
const MAX_Q: usize = 200;

impl Pages {
    pub(super) async fn load_search(&self, who: &Viewer, q: &str) -> Result<Page<Found>, PageError> {
        let mut reader = self.reader().await?;
        let found = find(&mut reader, q).await.map_err(|error| self.failed(&error))?;
        self.page(&mut reader, who, found).await
    }
}

/// Looks for a text; nothing is found for an empty one.
///
/// # Errors
/// [`StoreError`] where the store does not answer.
pub async fn find(reader: &mut Reader, q: &str) -> Result<Found, StoreError> {
    let q: String = q.trim().chars().take(MAX_Q).collect();
    let mut hits = Vec::new();
    if !q.is_empty() {
        exact(reader, &q, &mut hits).await?;
        let envs = reader.envs_by_part(&q, MAX_GROUP).await?;
        add_objects(envs, "App-envs", &mut hits);
        let begin = reader.objects_by_begin(&q, MAX_GROUP * 2).await?;
        let (apps, others): (Vec<_>, Vec<_>) =
            begin.into_iter().partition(|found| found.key.kind().as_str() == ObjectKind::APP);
        add_objects(apps, "Apps", &mut hits);
        add_objects(others, "Objects", &mut hits);
        named(&q, &mut hits);
        hits.push(hit("Events", format!("Events that contain {q}"), "", format!("/events?q={}", encode(&q))));
    }
    Ok(Found { q, hits })
}

fn hit(group: &str, title: impl Into<String>, detail: impl Into<String>, href: impl Into<String>) -> Hit {
    let (title, detail, href) = (title.into(), detail.into(), href.into());
    Hit { group: group.to_owned(), title, detail, href, verdict: None }
}

/// What is exactly this id, whatever it is an id of.
async fn exact(reader: &mut Reader, q: &str, hits: &mut Vec<Hit>) -> Result<(), StoreError> {
    const GROUP: &str = "Exact id";
    add_objects(reader.objects_by_id(q, MAX_GROUP).await?, GROUP, hits);
    if let Ok(id) = q.parse()
        && let Some(receipt) = reader.receipt(&id).await?
    {
        hits.push(hit(GROUP, receipt.title(), format!("receipt {id}"), receipt.path()));
    }
    if let Ok(id) = q.parse()
        && let Some(wait) = reader.wait(&id).await?
    {
        hits.push(hit(GROUP, wait.title.clone(), format!("wait {id}"), wait.path()));
    }
    if let Ok(id) = q.parse()
        && let Some(source) = reader.source(&id).await?
    {
        hits.push(hit(GROUP, source.name, format!("source {id}"), format!("/sources/{id}")));
    }
    if let Ok(id) = q.parse::<EventId>()
        && let Some(event) = reader.event(id).await?
    {
        hits.push(hit(
            GROUP,
            format!("{} {}", event.controller, event.action),
            format!("event {id}"),
            event_path(id),
        ));
    }
    if let Ok(trace) = q.parse() {
        traced(reader, &trace, hits).await?;
    }
    Ok(())
}

fn event_path(id: EventId) -> String {
    format!("/events?sel={id}#{id}")
}

async fn traced(reader: &mut Reader, trace: &TraceId, hits: &mut Vec<Hit>) -> Result<(), StoreError> {
    const GROUP: &str = "Exact trace id";
    let traced = reader.traced(trace, MAX_GROUP).await?;
    for id in traced.receipts {
        hits.push(hit(GROUP, format!("Receipt {id}"), "what the request made", format!("/receipts/{id}")));
    }
    for id in traced.events {
        hits.push(hit(GROUP, format!("Event {id}"), "what happened in the request", event_path(id)));
    }
    for seq in traced.audit {
        let href = format!("/audit?before={}&sel={seq}#row-{seq}", seq.0 + 1);
        hits.push(hit(GROUP, "Row of the audit log", "who made the request", href));
    }
    Ok(())
}

fn add_objects(found: Vec<FoundObject>, group: &str, hits: &mut Vec<Hit>) {
    for object in found {
        let href = object_path(&object.key);
        if hits.iter().any(|hit| hit.href == href) {
            continue;
        }
        let FoundObject { key, name, app, env, verdict, is_gone } = object;
        let place = match (app, env) {
            (Some(app), Some(env)) if key.kind().as_str() != ObjectKind::ENV => format!(" of {app}/{env}"),
            _ => String::new(),
        };
        let gone = if is_gone { ", gone" } else { "" };
        let detail = format!("{}{place}{gone}", key.kind());
        hits.push(Hit { verdict, ..hit(group, name, detail, href) });
    }
}

/// Error codes and pages, by any part of their name.
fn named(q: &str, hits: &mut Vec<Hit>) {
    let q = q.to_lowercase();
    for code in ErrorCode::ALL.into_iter().filter(|code| code.as_str().contains(&q)) {
        hits.push(hit("Error codes", code.as_str(), code.meaning(), format!("/codes#{}", code.as_str())));
    }
    for (title, path) in PLACES.iter().filter(|(title, _)| title.to_lowercase().contains(&q)) {
        hits.push(hit("Pages", *title, *path, *path));
    }
}
