//! Things that have a desired and a current state.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{AppId, Condition, EnvId, SourceId, Ts, as_text::as_text};

/// Named values of a spec or a status. Ordered, so that both sides of the wire iterate alike.
pub type Fields = BTreeMap<String, serde_json::Value>;

/// A kind of object: `env`, `release`, `instance`, or a word that a source brings along.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKind(String);

impl ObjectKind {
    /// The app of the embedded platform.
    pub const APP: &'static str = "app";
    /// An app in one environment.
    pub const ENV: &'static str = "env";
    /// A release.
    pub const RELEASE: &'static str = "release";
    /// A copy of a process.
    pub const INSTANCE: &'static str = "instance";

    /// The env kind.
    #[must_use]
    pub fn env() -> Self {
        Self(Self::ENV.to_owned())
    }

    /// The release kind.
    #[must_use]
    pub fn release() -> Self {
        Self(Self::RELEASE.to_owned())
    }

    /// The instance kind.
    #[must_use]
    pub fn instance() -> Self {
        Self(Self::INSTANCE.to_owned())
    }

    /// The app kind.
    #[must_use]
    pub fn app() -> Self {
        Self(Self::APP.to_owned())
    }

    /// The wire form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that cannot name an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Kinds are short lower-case words.
    #[error("a kind is 1 to 40 lower-case letters, digits or dashes")]
    Kind,
    /// Ids are printable and bounded.
    #[error("an object id is 1 to 200 printable characters")]
    Id,
    /// The form is `kind:id`.
    #[error("expected kind:id")]
    Form,
}

impl FromStr for ObjectKind {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.is_empty() || text.len() > 40 || !text.bytes().all(plain) {
            return Err(KeyError::Kind);
        }
        Ok(Self(text.to_owned()))
    }
}

/// Names one object of one kind. The id is opaque text that its source chose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    kind: ObjectKind,
    id: String,
}

impl ObjectKey {
    /// Checks the id: 1 to 200 characters, none of them a control character.
    ///
    /// # Errors
    /// [`KeyError::Id`] where the id is empty, too long or not printable.
    pub fn new(kind: ObjectKind, id: impl Into<String>) -> Result<Self, KeyError> {
        let id = id.into();
        if id.is_empty() || id.chars().count() > 200 || id.chars().any(char::is_control) {
            return Err(KeyError::Id);
        }
        Ok(Self { kind, id })
    }

    /// The key of an env.
    #[must_use]
    pub fn env(id: &EnvId) -> Self {
        Self { kind: ObjectKind::env(), id: id.to_string() }
    }

    /// The key of a release.
    #[must_use]
    pub fn release(id: &crate::ReleaseId) -> Self {
        Self { kind: ObjectKind::release(), id: id.to_string() }
    }

    /// The key of an instance.
    #[must_use]
    pub fn instance(id: &crate::InstanceId) -> Self {
        Self { kind: ObjectKind::instance(), id: id.to_string() }
    }

    /// The key of an app.
    #[must_use]
    pub fn app(id: &AppId) -> Self {
        Self { kind: ObjectKind::app(), id: id.to_string() }
    }

    /// Which kind of object.
    #[must_use]
    pub fn kind(&self) -> &ObjectKind {
        &self.kind
    }

    /// Which one.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

impl FromStr for ObjectKey {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (kind, id) = text.split_once(':').ok_or(KeyError::Form)?;
        Self::new(kind.parse()?, id)
    }
}

as_text!(ObjectKind, pattern(Some("^[a-z0-9-]{1,40}$")));
as_text!(ObjectKey, pattern(Some("^[a-z0-9-]{1,40}:[^\\x00-\\x1f\\x7f-\\x9f]{1,200}$")));

/// A named relation from one object to another: `part_of`, `runs`, `owns`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ref {
    /// What the relation is.
    pub rel: String,
    /// The other object.
    pub to: ObjectKey,
}

/// An app in an env, by id and by name. Ids decide, names decorate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvRef {
    /// Id of the app.
    pub app_id: AppId,
    /// Name of the app.
    pub app: String,
    /// Id of the env.
    pub env_id: EnvId,
    /// Name of the env.
    pub env: String,
}

impl EnvRef {
    /// The canonical path of its page.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/a/{}~{}/{}~{}", self.app_id, self.app, self.env_id, self.env)
    }

    /// `checkout/prod`.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{}/{}", self.app, self.env)
    }
}

/// The newest recorded state of one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Object {
    /// Which object.
    pub key: ObjectKey,
    /// What people call it.
    pub name: String,
    /// The app it belongs to, by name.
    pub app: Option<String>,
    /// The env it belongs to, by name.
    pub env: Option<String>,
    /// Who reports it.
    pub source: SourceId,
    /// Version of the desired state.
    pub generation: i64,
    /// Version of the desired state that the current state is about; `None` is "not reported".
    pub observed_generation: Option<i64>,
    /// What is wanted.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub desired: Fields,
    /// What is.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub current: Fields,
    /// Relations to other objects.
    pub refs: Vec<Ref>,
    /// What its controllers say about it.
    pub conditions: Vec<Condition>,
    /// First seen.
    pub created_at: Ts,
    /// Last reported.
    pub updated_at: Ts,
    /// When it was found to be gone.
    pub gone_at: Option<Ts>,
}

impl Object {
    /// The condition of this type, if it was ever reported.
    #[must_use]
    pub fn condition(&self, ty: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.ty == ty)
    }

    /// The path of its page.
    #[must_use]
    pub fn path(&self) -> String {
        object_path(&self.key)
    }

    /// Other objects that stand in this relation.
    pub fn related<'a>(&'a self, rel: &'a str) -> impl Iterator<Item = &'a ObjectKey> {
        self.refs.iter().filter(move |r| r.rel == rel).map(|r| &r.to)
    }

    /// A text field of the current state.
    #[must_use]
    pub fn current_text(&self, field: &str) -> Option<&str> {
        self.current.get(field).and_then(serde_json::Value::as_str)
    }

    /// A number of the current state.
    #[must_use]
    pub fn current_number(&self, field: &str) -> Option<i64> {
        self.current.get(field).and_then(serde_json::Value::as_i64)
    }
}

/// The path of an object's page. Ids that sources chose are percent-encoded.
#[must_use]
pub fn object_path(key: &ObjectKey) -> String {
    format!("/o/{}/{}", key.kind(), crate::view_state::encode(key.id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_round_trip_and_ids_may_hold_colons() {
        let key: ObjectKey = "machine:a:b c".parse().expect("valid");
        assert_eq!(key.id(), "a:b c");
        assert_eq!(key.to_string().parse(), Ok(key));
    }

    #[test]
    fn impossible_keys_are_refused() {
        for text in ["", "machine", "machine:", "Machine:a", "ma/chine:a", "machine:a\nb"] {
            assert!(text.parse::<ObjectKey>().is_err(), "{text:?}");
        }
    }
}
