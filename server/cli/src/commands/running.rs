//! Which instances run a release: the filter of `--release`, where the server filters by object.
//!
//! An instance is looked up when it first appears, so instances that start later are found as well.

use std::collections::BTreeMap;

use model::{ObjectKey, ObjectKind, ReleaseId, view::ObjectView};

use crate::{client::Client, error::Error, scope};

/// How many answers are remembered; beyond it, they are asked for again.
const MAX_KNOWN: usize = 10_000;

/// A release and the instances that run it.
#[derive(Debug)]
pub(super) struct Running {
    release: ObjectKey,
    known: BTreeMap<ObjectKey, bool>,
}

impl Running {
    pub(super) fn new(release: &ReleaseId) -> Self {
        Self { release: ObjectKey::release(release), known: BTreeMap::new() }
    }

    /// Whether this object is the release, or an instance that runs it.
    pub(super) async fn includes(&mut self, client: &Client, key: &ObjectKey) -> Result<bool, Error> {
        if *key == self.release {
            return Ok(true);
        }
        if key.kind().as_str() != ObjectKind::INSTANCE {
            return Ok(false);
        }
        if let Some(known) = self.known.get(key) {
            return Ok(*known);
        }
        let view: Option<ObjectView> = client.find(&scope::object_path(key)).await?;
        let runs = view.is_some_and(|view| view.object.refs.iter().any(|other| other.to == self.release));
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
        }
        self.known.insert(key.clone(), runs);
        Ok(runs)
    }
}
