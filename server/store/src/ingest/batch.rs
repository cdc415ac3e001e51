//! Applying batches in order: load what they are about in a few statements, go through them, write.

use std::collections::{BTreeMap, BTreeSet};

use model::{Batch, ObjectKey, Observation, ObservedObject, SourceId, Ts, observation::NewLogLine};

use super::{
    Known, Sources,
    events::{Events, own},
    objects::Objects,
    state,
};
use crate::{
    Ingested, StoreError,
    logs::{self, NewLine},
    pool::exec,
    text::to_json,
    write::Write,
};

/// Longer texts are refused; sources cut what they report.
const MAX_TEXT: usize = 64 * 1024;
/// Names, words and keys.
const MAX_WORD: usize = 500;

/// Why an observation cannot be stored, if so.
fn unfit(observation: &Observation) -> Option<String> {
    let long = |what: &str, max: usize| Some(format!("{what} is longer than {max} bytes"));
    let words = |words: &[&str]| words.iter().any(|word| word.len() > MAX_WORD);
    match observation {
        Observation::Object(object) => unfit_object(object),
        Observation::Snapshot { objects, .. } => objects.iter().find_map(unfit_object),
        Observation::Event(event) => {
            let optional = [&event.app, &event.env, &event.dedupe].map(|text| text.as_deref().unwrap_or(""));
            match event {
                event if event.message.len() > MAX_TEXT => long("the message", MAX_TEXT),
                event if words(&[&event.controller, &event.action, &event.reason]) || words(&optional) => {
                    long("a word of the event", MAX_WORD)
                }
                _ => None,
            }
        }
        Observation::Log(line) if line.line.len() > MAX_TEXT => long("the line", MAX_TEXT),
        Observation::Log(line) if !["stdout", "stderr", "vt"].contains(&line.stream.as_str()) => {
            Some("the stream is not stdout, stderr or vt".into())
        }
        Observation::Log(_) | Observation::Gone(_) | Observation::Alive => None,
    }
}

fn unfit_object(object: &ObservedObject) -> Option<String> {
    let key = &object.key;
    if object.conditions.iter().any(|condition| condition.ty.is_empty() || condition.ty.len() > MAX_WORD) {
        return Some(format!("a condition of {key} has no type, or too long a one"));
    }
    let texts = object.conditions.iter().flat_map(|condition| [&condition.reason, &condition.message]);
    let too_long = texts.chain([&object.name]).any(|text| text.len() > MAX_TEXT);
    too_long.then(|| format!("a text of {key} is longer than {MAX_TEXT} bytes"))
}

/// What a run of batches mentions.
#[derive(Default)]
struct Mentioned<'a> {
    keys: BTreeSet<&'a ObjectKey>,
    objects: BTreeSet<&'a ObjectKey>,
    dedupe: Vec<(i64, String)>,
}

impl<'a> Mentioned<'a> {
    fn add(&mut self, source: i64, observation: &'a Observation) {
        match observation {
            Observation::Object(object) => {
                self.keys.insert(&object.key);
                self.objects.insert(&object.key);
            }
            Observation::Snapshot { objects, .. } => {
                self.keys.extend(objects.iter().map(|object| &object.key));
                self.objects.extend(objects.iter().map(|object| &object.key));
            }
            Observation::Gone(key) => {
                self.keys.insert(key);
                self.objects.insert(key);
            }
            Observation::Event(event) => {
                self.keys.insert(&event.object);
                self.dedupe.extend(event.dedupe.clone().map(|dedupe| (source, own(dedupe))));
            }
            Observation::Log(line) => {
                self.keys.insert(&line.object);
            }
            Observation::Alive => {}
        }
    }
}

/// Applies batches of registered sources; each comes with the number of its first observation.
pub(super) async fn apply(
    write: &mut Write,
    sources: &Sources,
    mut batches: Vec<(usize, Batch)>,
    done: &mut Ingested,
) -> Result<(), StoreError> {
    for (first, batch) in &mut batches {
        for (i, observation) in batch.observations.iter_mut().enumerate() {
            if let Some(why) = unfit(observation) {
                done.refused.push((*first + i, why));
                *observation = Observation::Alive;
            }
        }
    }
    let mut mentioned = Mentioned::default();
    for (_, batch) in &batches {
        if let Some(source) = sources.get(batch.source.as_str()) {
            batch.observations.iter().for_each(|observation| mentioned.add(source.id, observation));
        }
    }
    let Mentioned { keys, objects: wanted, dedupe } = mentioned;
    let ids = write.keys(&keys).await?;
    let mut run = Run { objects: Objects::default(), events: Events::default(), lines: vec![], ids, done };
    run.events.load(write, &dedupe).await?;
    let wanted: Vec<&ObjectKey> = wanted.into_iter().collect();
    run.objects.load(write, &wanted, &run.ids).await?;
    for (_, Batch { source: id, at, observations }) in batches {
        let Some(source) = sources.get(id.as_str()) else { continue };
        for observation in observations {
            run.observe(write, source, &id, at, observation).await?;
        }
    }
    let Run { objects, events, lines, .. } = run;
    objects.flush(write, sources).await?;
    events.flush(write).await?;
    if !lines.is_empty() {
        exec!(&mut write.tx, write.op(), logs::INSERT, to_json(&lines))?;
    }
    Ok(())
}

struct Run<'d> {
    objects: Objects,
    events: Events,
    lines: Vec<NewLine>,
    ids: BTreeMap<ObjectKey, i64>,
    done: &'d mut Ingested,
}

impl Run<'_> {
    async fn observe(
        &mut self,
        write: &mut Write,
        source: &Known,
        id: &SourceId,
        at: Ts,
        observation: Observation,
    ) -> Result<(), StoreError> {
        match observation {
            Observation::Alive => {}
            Observation::Object(object) => self.object(write, id, at, *object).await?,
            Observation::Gone(key) => self.gone(write, &key, at).await?,
            Observation::Snapshot { kinds, objects } => {
                let mut missing = BTreeSet::new();
                for kind in &kinds {
                    missing.extend(self.objects.load_held(write, source.id, kind.as_str()).await?);
                }
                for object in objects {
                    missing.remove(&object.key);
                    self.object(write, id, at, object).await?;
                }
                for key in missing {
                    // It may have gone to another source earlier in this transaction.
                    if self.objects.known(&key).is_some_and(|known| known.source == *id) {
                        self.gone(write, &key, at).await?;
                    }
                }
            }
            Observation::Event(event) => {
                let object = self.id(write, &event.object)?;
                match self.events.put(write, *event, source.id, object).await? {
                    Some(seq) => self.done.events.push(seq),
                    None => self.done.duplicates += 1,
                }
            }
            Observation::Log(line) => {
                let object = self.id(write, &line.object)?;
                let NewLogLine { at, object: _, app, env, stream, line } = line;
                let (app, env) = (app.map(own), env.map(own));
                let id = write.next_log();
                self.lines.push(NewLine { id, at: at.0, object, app, env, stream, line: own(line) });
            }
        }
        Ok(())
    }

    fn id(&self, write: &Write, key: &ObjectKey) -> Result<i64, StoreError> {
        self.ids.get(key).copied().ok_or_else(|| StoreError::damaged(write.op(), "an object's key"))
    }

    async fn object(
        &mut self,
        write: &mut Write,
        source: &SourceId,
        at: Ts,
        seen: ObservedObject,
    ) -> Result<(), StoreError> {
        if let Some(next) = state::next(self.objects.known(&seen.key), seen, source, at) {
            self.objects.put(write, next).await?;
            self.done.changed += 1;
        }
        Ok(())
    }

    async fn gone(&mut self, write: &mut Write, key: &ObjectKey, at: Ts) -> Result<(), StoreError> {
        self.done.changed += u32::from(self.objects.go(write, key, at).await?);
        Ok(())
    }
}
