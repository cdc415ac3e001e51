//! Every recorded state of an object: a full copy every 16 versions, differences between.
//!
//! A difference is a list of `[path, [value]]` (set) and `[path, []]` (removed), with paths of one or two fields.
//! It is our own form because merge patches cannot tell a field that is null from one that is not there.

use model::{Object, ObjectKey, Seq};
use serde_json::{Map, Value};

use crate::{
    Reader, StoreError,
    pool::rows,
    text::{clean, from_json, to_json},
};

/// Every so many versions one is a full copy.
const FULL_EVERY: i64 = 16;
/// Fields whose own fields are compared one by one.
const DEEP: [&str; 2] = ["desired", "current"];

type Change = (Vec<String>, Vec<Value>);

/// What is stored as version `n` (from 0), and whether that is a full copy.
pub(crate) fn encode(n: i64, before: Option<&Object>, now: &Object) -> (bool, String) {
    match before {
        Some(before) if n % FULL_EVERY != 0 => (false, to_json(&diff(&fields(before), &fields(now)))),
        _ => (true, to_json(now)),
    }
}

fn fields(object: &Object) -> Map<String, Value> {
    match serde_json::to_value(object) {
        Ok(Value::Object(map)) => map,
        _ => unreachable!("an object is a struct of plain data"),
    }
}

fn diff(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<Change> {
    let mut changes = vec![];
    for (name, value) in new {
        match (old.get(name), value) {
            (Some(same), _) if same == value => {}
            (Some(Value::Object(before)), Value::Object(after)) if DEEP.contains(&name.as_str()) => {
                let path = |inner: &String| vec![name.clone(), inner.clone()];
                let set = after.iter().filter(|(inner, value)| before.get(*inner) != Some(value));
                changes.extend(set.map(|(inner, value)| (path(inner), vec![value.clone()])));
                let removed = before.keys().filter(|inner| !after.contains_key(*inner));
                changes.extend(removed.map(|inner| (path(inner), vec![])));
            }
            _ => changes.push((vec![name.clone()], vec![value.clone()])),
        }
    }
    let removed = old.keys().filter(|name| !new.contains_key(*name));
    changes.extend(removed.map(|name| (vec![name.clone()], vec![])));
    changes
}

fn apply(doc: &mut Map<String, Value>, changes: Vec<Change>) -> Option<()> {
    for (mut path, mut value) in changes {
        let last = path.pop()?;
        let place = match path.pop() {
            None => &mut *doc,
            Some(outer) => doc.get_mut(&outer)?.as_object_mut()?,
        };
        match value.pop() {
            Some(value) => place.insert(last, value),
            None => place.remove(&last),
        };
    }
    Some(())
}

// From the last full copy at or before the wanted one.
const UP_TO: &str = "SELECT v.is_full, v.doc FROM object_keys k JOIN object_versions v ON v.object = k.id \
    WHERE k.kind = $1 AND k.ext = $2 AND v.seq <= $3 AND v.seq >= (SELECT max(f.seq) FROM object_versions f \
    WHERE f.object = k.id AND f.is_full = 1 AND f.seq <= $3) ORDER BY v.seq";

impl Reader {
    /// The state of an object as it was recorded at this place of the journal; `None` before its first one.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn object_at(&mut self, key: &ObjectKey, seq: Seq) -> Result<Option<Object>, StoreError> {
        const OP: &str = "read an earlier state of an object";
        let id = clean(key.id()).into_owned();
        let found = rows!(&mut self.tx, OP, (i64, String), UP_TO, key.kind().as_str(), id, seq.0)?;
        let damaged = || StoreError::damaged(OP, "a version");
        let mut versions = found.into_iter();
        let Some((1, full)) = versions.next() else { return Ok(None) };
        let mut doc: Map<String, Value> = from_json(OP, "a version", &full)?;
        for (_, changes) in versions {
            let changes: Vec<Change> = from_json(OP, "a version", &changes)?;
            apply(&mut doc, changes).ok_or_else(damaged)?;
        }
        serde_json::from_value(Value::Object(doc)).map(Some).map_err(|_| damaged())
    }
}

#[cfg(test)]
mod tests {
    use model::{Ts, fixtures};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_leads_from_one_state_to_the_next_and_null_is_a_value() {
        let mut old = fixtures::object("instance", "ins_1");
        old.current.insert("state".into(), json!("starting"));
        old.current.insert("exit".into(), json!(null));
        let mut new = old.clone();
        new.current.insert("state".into(), json!(null));
        new.current.remove("exit");
        new.desired.insert("n".into(), json!({"deep": [1]}));
        new.gone_at = Some(Ts(5));
        new.app = None;
        let mut doc = fields(&old);
        let (full, text) = encode(1, Some(&old), &new);
        assert!(!full);
        apply(&mut doc, serde_json::from_str(&text).expect("ours")).expect("fits");
        assert_eq!(doc, fields(&new));
        assert!(encode(16, Some(&old), &new).0 && encode(0, None, &new).0);
    }
}
