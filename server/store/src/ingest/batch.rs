//! Applying batches in order: load what they are about in a few statements, go through them, write.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Batch, Condition, Object, ObjectKey, Observation, ObservedObject, SourceId, Ts, observation::NewLogLine,
};

use super::{
    Known, Sources,
    events::{Events, own},
    objects::Objects,
    state,
};
use crate::{
    Ingested, StoreError,
    logs::{self, NewLine},
    pool::{Sql, exec, rows, with_list},
    text::to_json,
    write::Write,
};

/// Longer texts are refused; sources cut what they report.
const MAX_TEXT: usize = 64 * 1024;
/// Names, words and keys.
const MAX_WORD: usize = 500;
/// Conditions of one object that come one by one: each line writes all of them.
const MAX_CONDITIONS: usize = 64;

/// Whose an object is, and where it belongs.
const OWNERS: Sql = with_list!(
    "SELECT o.id, s.ext, o.app, o.env FROM",
    "CROSS JOIN objects o CROSS JOIN sources s WHERE o.id = CAST(j.value ->> 0 AS BIGINT) AND s.id = o.source"
);

/// Why an observation cannot be stored, if so.
fn unfit(observation: &Observation) -> Option<String> {
    let long = |what: &str, max: usize| Some(format!("{what} is longer than {max} bytes"));
    let words = |words: &[&str]| words.iter().any(|word| word.len() > MAX_WORD);
    match observation {
        Observation::Object(object) | Observation::Update(object) => unfit_object(object),
        Observation::Condition { object, condition } => unfit_condition(object, condition),
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
        Observation::Log(_) | Observation::Gone(_) | Observation::Complete { .. } | Observation::Alive => {
            None
        }
    }
}

fn unfit_object(object: &ObservedObject) -> Option<String> {
    if object.name.len() > MAX_TEXT {
        return Some(format!("the name of {} is longer than {MAX_TEXT} bytes", object.key));
    }
    object.conditions.iter().find_map(|condition| unfit_condition(&object.key, condition))
}

fn unfit_condition(key: &ObjectKey, condition: &Condition) -> Option<String> {
    if condition.ty.is_empty() || condition.ty.len() > MAX_WORD {
        return Some(format!("a condition of {key} has no type, or too long a one"));
    }
    let too_long = [&condition.reason, &condition.message].iter().any(|text| text.len() > MAX_TEXT);
    too_long.then(|| format!("a text of {key} is longer than {MAX_TEXT} bytes"))
}

/// What a run of batches mentions.
#[derive(Default)]
struct Mentioned<'a> {
    keys: BTreeSet<&'a ObjectKey>,
    objects: BTreeSet<&'a ObjectKey>,
    /// What sources that may only speak about their own say something about.
    claimed: BTreeSet<&'a ObjectKey>,
    dedupe: Vec<(i64, String)>,
}

impl<'a> Mentioned<'a> {
    fn add(&mut self, source: &Known, observation: &'a Observation) {
        match observation {
            Observation::Object(object) | Observation::Update(object) => {
                self.keys.insert(&object.key);
                self.objects.insert(&object.key);
            }
            Observation::Snapshot { objects, .. } => {
                self.keys.extend(objects.iter().map(|object| &object.key));
                self.objects.extend(objects.iter().map(|object| &object.key));
            }
            Observation::Gone(key) | Observation::Condition { object: key, .. } => {
                self.keys.insert(key);
                self.objects.insert(key);
            }
            Observation::Event(event) => {
                self.mention(source, &event.object);
                self.dedupe.extend(event.dedupe.clone().map(|dedupe| (source.id, own(dedupe))));
            }
            Observation::Log(line) => self.mention(source, &line.object),
            Observation::Complete { .. } | Observation::Alive => {}
        }
    }

    fn mention(&mut self, source: &Known, key: &'a ObjectKey) {
        self.keys.insert(key);
        if source.observed {
            self.claimed.insert(key);
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
            batch.observations.iter().for_each(|observation| mentioned.add(source, observation));
        }
    }
    let Mentioned { keys, objects: wanted, claimed, dedupe } = mentioned;
    let ids = write.keys(&keys).await?;
    let owners = owners(write, &claimed, &ids).await?;
    let (objects, events) = (Objects::default(), Events::default());
    let mut run = Run { objects, events, lines: vec![], ids, owners, done };
    run.events.load(write, &dedupe).await?;
    let wanted: Vec<&ObjectKey> = wanted.into_iter().collect();
    run.objects.load(write, &wanted, &run.ids).await?;
    for (first, Batch { source: id, at, observations }) in batches {
        let Some(source) = sources.get(id.as_str()) else { continue };
        let who = Who { source, id: &id, at };
        for (i, observation) in observations.into_iter().enumerate() {
            match run.observe(write, who, observation).await? {
                Said::News => {}
                Said::Nothing => run.done.duplicates.push(first + i),
                Said::Refused(why) => run.done.refused.push((first + i, why)),
            }
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

/// Whose object it is, and the app and the env that it belongs to.
#[derive(Debug, Clone)]
struct Owner {
    source: String,
    app: Option<String>,
    env: Option<String>,
}

async fn owners(
    write: &mut Write,
    keys: &BTreeSet<&ObjectKey>,
    ids: &BTreeMap<ObjectKey, i64>,
) -> Result<BTreeMap<i64, Owner>, StoreError> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let list: Vec<[i64; 1]> = keys.iter().filter_map(|key| ids.get(*key)).map(|id| [*id]).collect();
    type Row = (i64, String, Option<String>, Option<String>);
    let found = rows!(&mut write.tx, write.op(), Row, OWNERS, to_json(&list))?;
    Ok(found.into_iter().map(|(id, source, app, env)| (id, Owner { source, app, env })).collect())
}

/// Who says something, and when.
#[derive(Clone, Copy)]
struct Who<'a> {
    source: &'a Known,
    id: &'a SourceId,
    at: Ts,
}

/// What became of one observation.
enum Said {
    /// It was written.
    News,
    /// It was known already.
    Nothing,
    /// It cannot be stored.
    Refused(String),
}

impl Said {
    fn news(is_news: bool) -> Self {
        if is_news { Self::News } else { Self::Nothing }
    }
}

struct Run<'d> {
    objects: Objects,
    events: Events,
    lines: Vec<NewLine>,
    ids: BTreeMap<ObjectKey, i64>,
    owners: BTreeMap<i64, Owner>,
    done: &'d mut Ingested,
}

impl Run<'_> {
    async fn observe(
        &mut self,
        write: &mut Write,
        who: Who<'_>,
        observation: Observation,
    ) -> Result<Said, StoreError> {
        Ok(match observation {
            Observation::Alive => Said::News,
            Observation::Object(object) => match self.foreign(who, &object.key) {
                Some(why) => Said::Refused(why),
                None => self.object(write, who, *object).await?,
            },
            Observation::Update(mut object) => match self.foreign(who, &object.key) {
                Some(why) => Said::Refused(why),
                None => {
                    let known = self.present(&object.key).map_or(&[][..], |known| &known.conditions);
                    let kept =
                        known.iter().filter(|old| object.conditions.iter().all(|new| new.ty != old.ty));
                    let kept: Vec<Condition> = kept.cloned().collect();
                    object.conditions.splice(0..0, kept);
                    self.object(write, who, *object).await?
                }
            },
            Observation::Condition { object, condition } => {
                match self.with_condition(who, &object, *condition) {
                    Err(why) => Said::Refused(why),
                    Ok(object) => self.object(write, who, object).await?,
                }
            }
            Observation::Gone(key) => match self.foreign(who, &key) {
                Some(why) => Said::Refused(why),
                None => Said::news(self.gone(write, &key, who.at).await?),
            },
            Observation::Snapshot { kinds, objects } => {
                let mut missing = BTreeSet::new();
                for kind in &kinds {
                    missing.extend(self.objects.load_held(write, who.source.id, kind.as_str()).await?);
                }
                for object in objects {
                    missing.remove(&object.key);
                    self.object(write, who, object).await?;
                }
                self.all_gone(write, who, missing).await?;
                Said::News
            }
            Observation::Complete { kinds, listed } => {
                for kind in &kinds {
                    let missing = self.objects.load_unlisted(write, who.source.id, kind, &listed).await?;
                    self.all_gone(write, who, missing).await?;
                }
                Said::News
            }
            Observation::Event(mut event) => {
                if let Some(why) = self.foreign(who, &event.object) {
                    return Ok(Said::Refused(why));
                }
                let object = self.id(write, &event.object)?;
                if who.source.observed && event.app.is_none() {
                    (event.app, event.env) = self.place(&event.object, event.env.take());
                }
                match self.events.put(write, *event, who.source.id, object).await? {
                    Some(seq) => {
                        self.done.events.push(seq);
                        Said::News
                    }
                    None => Said::Nothing,
                }
            }
            Observation::Log(line) => {
                if let Some(why) = self.foreign(who, &line.object) {
                    return Ok(Said::Refused(why));
                }
                let key = self.id(write, &line.object)?;
                let NewLogLine { at, object, mut app, mut env, stream, line } = line;
                if who.source.observed && app.is_none() {
                    (app, env) = self.place(&object, env);
                }
                let (app, env) = (app.map(own), env.map(own));
                let id = write.next_log();
                self.lines.push(NewLine { id, at: at.0, object: key, app, env, stream, line: own(line) });
                Said::News
            }
        })
    }

    fn id(&self, write: &Write, key: &ObjectKey) -> Result<i64, StoreError> {
        self.ids.get(key).copied().ok_or_else(|| StoreError::damaged(write.op(), "an object's key"))
    }

    fn present(&self, key: &ObjectKey) -> Option<&Object> {
        self.objects.known(key).filter(|object| object.gone_at.is_none())
    }

    fn owner(&self, key: &ObjectKey) -> Option<&Owner> {
        self.ids.get(key).and_then(|id| self.owners.get(id))
    }

    /// Why this source has no say about this object, if so. What was ever another one's stays another one's.
    fn foreign(&self, who: Who<'_>, key: &ObjectKey) -> Option<String> {
        let owner = match self.objects.known(key) {
            Some(known) => Some(known.source.as_str()),
            None => self.owner(key).map(|owner| owner.source.as_str()),
        };
        let foreign = who.source.observed && owner.is_some_and(|owner| owner != who.id.as_str());
        foreign.then(|| format!("{key} belongs to another source"))
    }

    /// The app and the env of an object, for what is said about it without naming them.
    fn place(&self, key: &ObjectKey, env: Option<String>) -> (Option<String>, Option<String>) {
        let (app, known) = match (self.objects.known(key), self.owner(key)) {
            (Some(object), _) => (object.app.clone(), object.env.clone()),
            (None, Some(owner)) => (owner.app.clone(), owner.env.clone()),
            (None, None) => (None, None),
        };
        (app, env.or(known))
    }

    /// The object as it is with this condition.
    fn with_condition(
        &self,
        who: Who<'_>,
        key: &ObjectKey,
        condition: Condition,
    ) -> Result<ObservedObject, String> {
        if let Some(why) = self.foreign(who, key) {
            return Err(why);
        }
        let Some(known) = self.present(key) else {
            return Err(format!("{key} was not reported before this condition"));
        };
        let mut conditions = known.conditions.clone();
        match conditions.iter().position(|other| other.ty == condition.ty) {
            Some(place) => conditions[place] = condition,
            None if conditions.len() >= MAX_CONDITIONS => {
                return Err(format!("{key} has {MAX_CONDITIONS} conditions already"));
            }
            None => conditions.push(condition),
        }
        Ok(ObservedObject {
            key: known.key.clone(),
            name: known.name.clone(),
            app: known.app.clone(),
            env: known.env.clone(),
            generation: known.generation,
            observed_generation: known.observed_generation,
            desired: known.desired.clone(),
            current: known.current.clone(),
            refs: known.refs.clone(),
            conditions,
        })
    }

    async fn object(
        &mut self,
        write: &mut Write,
        who: Who<'_>,
        seen: ObservedObject,
    ) -> Result<Said, StoreError> {
        let next = state::next(self.objects.known(&seen.key), seen, who.id, who.at);
        let is_news = next.is_some();
        if let Some(next) = next {
            self.objects.put(write, next).await?;
            self.done.changed += 1;
        }
        Ok(Said::news(is_news))
    }

    async fn all_gone(
        &mut self,
        write: &mut Write,
        who: Who<'_>,
        missing: impl IntoIterator<Item = ObjectKey>,
    ) -> Result<(), StoreError> {
        for key in missing {
            // It may have gone to another source earlier in this transaction.
            if self.objects.known(&key).is_some_and(|known| known.source == *who.id) {
                self.gone(write, &key, who.at).await?;
            }
        }
        Ok(())
    }

    async fn gone(&mut self, write: &mut Write, key: &ObjectKey, at: Ts) -> Result<bool, StoreError> {
        let gone = self.objects.go(write, key, at).await?;
        self.done.changed += u32::from(gone);
        Ok(gone)
    }
}
