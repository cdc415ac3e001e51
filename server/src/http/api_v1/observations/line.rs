//! One line of a report: JSON into the vocabulary of sources. Pure; what is wrong with a line is said in words.
//!
//! Text is borrowed from the line until it is known what the line is about.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use model::{
    Condition, ConditionStatus, Fields, NewEvent, ObjectKey, ObjectKind, Observation, ObservedObject,
    Outcome, Ref, SourceId, Span, Ts, observation::NewLogLine,
};
use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny},
};
use sha2::{Digest, Sha256};

/// Kinds that only the embedded platform reports: the rules judge them by what it wants.
const RESERVED: [&str; 4] = [ObjectKind::APP, ObjectKind::ENV, ObjectKind::RELEASE, ObjectKind::INSTANCE];
/// The longest name of an app or an env, and the longest key of an event.
const MAX_NAME: usize = 200;
/// Relations and inline conditions of one object.
const MAX_LIST: usize = 64;
/// A clock may be wrong; a time further ahead than this is no time of ours.
const MAX_AHEAD: Span = Span::minutes(24 * 60);

/// What a line says.
#[derive(Debug, PartialEq)]
pub(super) enum Report {
    /// Something to store.
    Observation(Observation),
    /// What follows lists all objects of these kinds.
    Begin(Vec<ObjectKind>),
    /// The list is complete.
    End,
}

/// Text that stays where it is, unless it has escapes.
#[derive(Debug, Clone)]
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// Every field of every type of line: one flat struct is read without buffering, whatever the order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(rename = "type", borrow)]
    ty: Text<'a>,
    #[serde(borrow)]
    at: Option<Text<'a>>,
    #[serde(borrow)]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    app: Option<Text<'a>>,
    #[serde(borrow)]
    env: Option<Text<'a>>,
    generation: Option<i64>,
    observed_generation: Option<i64>,
    desired: Option<Fields>,
    current: Option<Fields>,
    #[serde(borrow)]
    refs: Option<Vec<RefLine<'a>>>,
    #[serde(borrow)]
    conditions: Option<Vec<ConditionLine<'a>>>,
    #[serde(borrow)]
    condition: Option<Text<'a>>,
    status: Option<ConditionStatus>,
    #[serde(borrow)]
    key: Option<Text<'a>>,
    #[serde(borrow)]
    controller: Option<Text<'a>>,
    #[serde(borrow)]
    action: Option<Text<'a>>,
    outcome: Option<Outcome>,
    #[serde(borrow)]
    reason: Option<Text<'a>>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
    attempt: Option<u32>,
    #[serde(borrow)]
    trace_id: Option<Text<'a>>,
    #[serde(borrow)]
    stream: Option<Text<'a>>,
    #[serde(borrow)]
    line: Option<Text<'a>>,
    #[serde(borrow)]
    kinds: Option<Vec<Text<'a>>>,
    // Metric lines are refused by name below, not for their fields.
    #[serde(rename = "metric")]
    _metric: Option<IgnoredAny>,
    #[serde(rename = "arm")]
    _arm: Option<IgnoredAny>,
    #[serde(rename = "n")]
    _n: Option<IgnoredAny>,
    #[serde(rename = "bad")]
    _bad: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefLine<'a> {
    #[serde(borrow)]
    rel: Text<'a>,
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionLine<'a> {
    #[serde(borrow)]
    condition: Text<'a>,
    status: ConditionStatus,
    #[serde(borrow)]
    reason: Option<Text<'a>>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
    observed_generation: Option<i64>,
    #[serde(borrow)]
    at: Option<Text<'a>>,
}

/// Who reports, and when the line was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard<'a> {
    pub(super) source: &'a SourceId,
    pub(super) name: &'a str,
    pub(super) now: Ts,
}

/// Reads one line.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn read(line: &[u8], heard: Heard<'_>) -> Result<Report, String> {
    let line: Line<'_> =
        serde_json::from_slice(line).map_err(|error| format!("not a line of ours: {error}"))?;
    match &*line.ty.0 {
        "event" => event(line, heard).map(|event| Report::Observation(Observation::Event(Box::new(event)))),
        "object" => object(line, heard).map(Report::Observation),
        "condition" => {
            let object = key(&line)?;
            let condition = condition(
                ConditionLine {
                    condition: required("condition", line.condition)?,
                    status: required("status", line.status)?,
                    reason: line.reason,
                    message: line.message,
                    observed_generation: line.observed_generation,
                    at: line.at,
                },
                heard.now,
            )?;
            Ok(Report::Observation(Observation::Condition { object, condition: Box::new(condition) }))
        }
        "log" => {
            let at = instant(line.at.as_ref(), heard.now)?.unwrap_or(heard.now);
            let stream = line.stream.as_ref().map_or("stdout", |stream| &stream.0);
            if !["stdout", "stderr"].contains(&stream) {
                return Err("stream: expected stdout or stderr".to_owned());
            }
            Ok(Report::Observation(Observation::Log(NewLogLine {
                at,
                object: key(&line)?,
                stream: stream.to_owned(),
                app: label("app", line.app)?,
                env: label("env", line.env)?,
                line: required("line", line.line)?.0.into_owned(),
            })))
        }
        "gone" => Ok(Report::Observation(Observation::Gone(key(&line)?))),
        "snapshot_begin" => {
            let kinds = required("kinds", line.kinds)?;
            if kinds.is_empty() || kinds.len() > MAX_LIST {
                return Err(format!("kinds: expected 1 to {MAX_LIST} kinds"));
            }
            kinds.iter().map(|text| kind(&text.0)).collect::<Result<_, _>>().map(Report::Begin)
        }
        "snapshot_end" => Ok(Report::End),
        "metric" => Err("metric lines are not recorded by this build".to_owned()),
        _ => {
            Err("type: expected object, condition, event, log, gone, snapshot_begin or snapshot_end"
                .to_owned())
        }
    }
}

fn required<T>(name: &str, value: Option<T>) -> Result<T, String> {
    value.ok_or_else(|| format!("{name} is missing"))
}

fn kind(text: &str) -> Result<ObjectKind, String> {
    if RESERVED.contains(&text) {
        return Err(format!("kind: {text} is a kind of the embedded platform; use a word of your own"));
    }
    text.parse().map_err(|error| format!("kind: {error}"))
}

fn key(line: &Line<'_>) -> Result<ObjectKey, String> {
    let (Some(text), Some(id)) = (&line.kind, &line.id) else {
        return Err("kind and id name an object; one of them is missing".to_owned());
    };
    ObjectKey::new(kind(&text.0)?, &*id.0).map_err(|error| format!("id: {error}"))
}

/// The name of an app or of an env.
fn label(field: &str, text: Option<Text<'_>>) -> Result<Option<String>, String> {
    let Some(Text(text)) = text else { return Ok(None) };
    if text.is_empty() || text.len() > MAX_NAME || text.chars().any(char::is_control) {
        return Err(format!("{field}: expected 1 to {MAX_NAME} printable characters"));
    }
    Ok(Some(text.into_owned()))
}

fn instant(text: Option<&Text<'_>>, now: Ts) -> Result<Option<Ts>, String> {
    let Some(Text(text)) = text else { return Ok(None) };
    let at: Ts = text.parse().map_err(|error| format!("at: {error}"))?;
    if at - now > MAX_AHEAD {
        return Err("at: more than a day ahead of the server's clock".to_owned());
    }
    Ok(Some(at))
}

fn owned(text: Option<Text<'_>>) -> String {
    text.map(|text| text.0.into_owned()).unwrap_or_default()
}

fn condition(line: ConditionLine<'_>, now: Ts) -> Result<Condition, String> {
    Ok(Condition {
        since: instant(line.at.as_ref(), now)?.unwrap_or(now),
        ty: line.condition.0.into_owned(),
        status: line.status,
        reason: owned(line.reason),
        message: owned(line.message),
        observed_generation: line.observed_generation,
    })
}

/// An object. With `conditions` they are all it has; without, those that are known stay.
fn object(line: Line<'_>, heard: Heard<'_>) -> Result<Observation, String> {
    let key = key(&line)?;
    // Not used: an object is as of now. A time that makes no sense is still a mistake.
    instant(line.at.as_ref(), heard.now)?;
    let (refs, conditions) = (line.refs.unwrap_or_default(), line.conditions);
    if refs.len() > MAX_LIST || conditions.as_ref().is_some_and(|all| all.len() > MAX_LIST) {
        return Err(format!("refs and conditions: at most {MAX_LIST} each"));
    }
    let refs = refs.into_iter().map(|RefLine { rel, kind, id }| {
        let kind = kind.0.parse().map_err(|error| format!("refs: {error}"))?;
        let to = ObjectKey::new(kind, &*id.0).map_err(|error| format!("refs: {error}"))?;
        let rel = label("refs", Some(rel))?.unwrap_or_default();
        Ok(Ref { rel, to })
    });
    let refs = refs.collect::<Result<_, String>>()?;
    let is_all = conditions.is_some();
    let conditions = conditions.unwrap_or_default().into_iter().map(|line| condition(line, heard.now));
    let object = Box::new(ObservedObject {
        name: line.name.map_or_else(|| key.id().to_owned(), |name| name.0.into_owned()),
        key,
        app: label("app", line.app)?,
        env: label("env", line.env)?,
        generation: line.generation.unwrap_or(0),
        observed_generation: line.observed_generation,
        desired: line.desired.unwrap_or_default(),
        current: line.current.unwrap_or_default(),
        refs,
        conditions: conditions.collect::<Result<_, _>>()?,
    });
    Ok(if is_all { Observation::Object(object) } else { Observation::Update(object) })
}

fn event(line: Line<'_>, heard: Heard<'_>) -> Result<NewEvent, String> {
    let at = required("at", instant(line.at.as_ref(), heard.now)?)?;
    let dedupe = match &line.key {
        Some(Text(key)) if key.is_empty() || key.len() > MAX_NAME => {
            return Err(format!("key: expected 1 to {MAX_NAME} bytes"));
        }
        Some(Text(key)) => format!("k:{key}"),
        None => fingerprint(&line, at),
    };
    let object = key(&line)?;
    let trace_id = line.trace_id.map(|Text(text)| text.parse().map_err(|error| format!("trace_id: {error}")));
    Ok(NewEvent {
        at,
        source: heard.source.clone(),
        object,
        controller: line
            .controller
            .map_or_else(|| heard.name.to_owned(), |controller| controller.0.into_owned()),
        app: label("app", line.app)?,
        env: label("env", line.env)?,
        action: required("action", line.action)?.0.into_owned(),
        outcome: required("outcome", line.outcome)?,
        reason: owned(line.reason),
        message: owned(line.message),
        attempt: line.attempt,
        trace_id: trace_id.transpose()?,
        dedupe: Some(dedupe),
    })
}

/// What makes an event without a key the same event: everything that it says.
fn fingerprint(line: &Line<'_>, at: Ts) -> String {
    let mut digest = Sha256::new();
    digest.update(at.0.to_le_bytes());
    digest.update(line.attempt.map_or(0, |attempt| u64::from(attempt) + 1).to_le_bytes());
    digest.update(line.outcome.map_or("", Outcome::as_str));
    let texts = [
        &line.kind,
        &line.id,
        &line.app,
        &line.env,
        &line.controller,
        &line.action,
        &line.reason,
        &line.message,
        &line.trace_id,
    ];
    for text in texts {
        // The length keeps neighbours apart; nothing is not the same as an empty text.
        let length = text.as_ref().map_or(u64::MAX, |text| text.0.len() as u64);
        digest.update(length.to_le_bytes());
        digest.update(text.as_ref().map_or("", |text| &text.0));
    }
    format!("h:{}", URL_SAFE_NO_PAD.encode(&digest.finalize()[..18]))
}

#[cfg(test)]
mod tests;
