//! What a server has to be asked to know: the env, the release, the object that is meant.

use model::{
    AppId, EnvId, EnvRecord, EnvRef, InstanceId, Judgement, Object, ObjectKey, ObjectKind, ReleaseId,
    view::{ObjectView, ReleaseRow},
    view_state::encode,
};
use serde::{Deserialize, Serialize};

use super::Wanted;
use crate::{args::Global, client::Client, error::Error};

/// The env that the flags mean.
pub(crate) async fn env(client: &Client, global: &Global) -> Result<EnvRecord, Error> {
    let wanted = Wanted::of(global)?;
    let envs: Vec<EnvRecord> = client.list("/envs").await?;
    wanted.choose(&envs).cloned()
}

/// The query parts that lists of objects and lines understand.
fn query(target: &EnvRef) -> String {
    format!("app={}&env={}", encode(&target.app), encode(&target.env))
}

/// The API path of an object.
pub(crate) fn object_path(key: &ObjectKey) -> String {
    format!("/objects/{}/{}", key.kind(), encode(key.id()))
}

/// The release that an id, `r-2` or `2` means, and the env it belongs to. An id needs no flags.
pub(crate) async fn release(
    client: &Client,
    global: &Global,
    text: &str,
) -> Result<(EnvRecord, ReleaseId), Error> {
    if let Ok(id) = text.parse::<ReleaseId>() {
        let env = env_of(client, &ObjectKey::release(&id)).await?;
        let flags = Wanted { app: global.app.clone(), env: global.env.clone(), file: None };
        if !flags.matches(&env) {
            let place = env.target.title();
            return Err(Error::usage_with(
                format!("{id} is a release of {place}"),
                "leave out --app and --env, or name a release of theirs",
            ));
        }
        return Ok((env, id));
    }
    let number: i64 = text
        .strip_prefix("r-")
        .unwrap_or(text)
        .parse()
        .map_err(|_| Error::usage(format!("{text} is not a release: expected rel_7f3k9, r-2 or 2")))?;
    let env = env(client, global).await?;
    let rows: Vec<ReleaseRow> = client.list(&format!("/envs/{}/releases", env.target.env_id)).await?;
    match rows.iter().find(|row| row.release.number == number) {
        Some(row) => Ok((env, row.release.id.clone())),
        None => Err(Error::not_found(
            format!("{} has no release r-{number}", env.target.title()),
            "`vt releases list` shows those that exist",
        )),
    }
}

/// The release alone; an id is taken as it is.
pub(crate) async fn release_id(client: &Client, global: &Global, text: &str) -> Result<ReleaseId, Error> {
    match text.parse() {
        Ok(id) => Ok(id),
        Err(_) => Ok(release(client, global, text).await?.1),
    }
}

/// The env that an object belongs to.
async fn env_of(client: &Client, key: &ObjectKey) -> Result<EnvRecord, Error> {
    let view: ObjectView = client.get(&object_path(key)).await?;
    let envs: Vec<EnvRecord> = client.list("/envs").await?;
    let target = view.target.map(|target| target.env_id);
    envs.into_iter().find(|env| target.as_ref() == Some(&env.target.env_id)).ok_or_else(|| {
        Error::not_found(format!("{key} belongs to no env that exists"), "`vt status --all` lists envs")
    })
}

/// An object in a list.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Judged {
    pub(crate) object: Object,
    /// Absent until a controller has looked at it.
    pub(crate) judgement: Option<Judgement>,
}

/// Objects of one kind, in an env or everywhere.
pub(crate) async fn objects(
    client: &Client,
    kind: &ObjectKind,
    target: Option<&EnvRef>,
) -> Result<Vec<Judged>, Error> {
    let place = target.map(|target| format!("&{}", query(target))).unwrap_or_default();
    client.list(&format!("/objects?kind={kind}{place}")).await
}

/// The object that an id means, or a name where it is unique: under the flags first, then everywhere.
pub(crate) async fn object(
    client: &Client,
    global: &Global,
    kind: &ObjectKind,
    text: &str,
) -> Result<ObjectKey, Error> {
    if kind.as_str() == ObjectKind::RELEASE {
        return release_id(client, global, text).await.map(|id| ObjectKey::release(&id));
    }
    let key = ObjectKey::new(kind.clone(), text).map_err(|error| Error::usage(error.to_string()))?;
    if is_own_id(kind, text) {
        return Ok(key);
    }
    if kind.as_str() == ObjectKind::ENV {
        let (app, name) =
            text.split_once('/').map_or((global.app.clone(), text), |(app, name)| (Some(app.into()), name));
        let wanted = Wanted::of(&Global { app, env: Some(name.to_owned()), ..Global::default() })?;
        let envs: Vec<EnvRecord> = client.list("/envs").await?;
        return Ok(ObjectKey::env(&wanted.choose(&envs)?.target.env_id));
    }
    let all = objects(client, kind, None).await?;
    choose(&key, global, all.iter().map(|row| &row.object))
}

fn choose<'a>(
    key: &ObjectKey,
    global: &Global,
    all: impl Iterator<Item = &'a Object>,
) -> Result<ObjectKey, Error> {
    let (kind, name) = (key.kind(), key.id());
    let mut named: Vec<&Object> = Vec::new();
    for object in all {
        if object.key == *key {
            return Ok(key.clone());
        }
        if object.name == name {
            named.push(object);
        }
    }
    let is = |wanted: &Option<String>, name: &Option<String>| wanted.is_none() || wanted == name;
    let here: Vec<&Object> = named
        .iter()
        .copied()
        .filter(|object| is(&global.app, &object.app) && is(&global.env, &object.env))
        .collect();
    match (&here[..], &named[..]) {
        // Flags may hold ids, which objects do not carry: a name that exists once is clear all the same.
        ([one], _) | ([], [one]) => Ok(one.key.clone()),
        ([], []) => Err(Error::not_found(
            format!("there is no {kind} {name}"),
            "`vt status --all` lists what there is; `vt events query --object KIND:ID` remembers what is gone",
        )),
        _ => {
            let ids: Vec<&str> = named.iter().take(10).map(|object| object.key.id()).collect();
            Err(Error::usage_with(
                format!("several {kind}s are called {name}: {}", ids.join(", ")),
                "use an id",
            ))
        }
    }
}

/// Ids of the embedded platform need no look-up.
fn is_own_id(kind: &ObjectKind, text: &str) -> bool {
    match kind.as_str() {
        ObjectKind::APP => text.parse::<AppId>().is_ok(),
        ObjectKind::ENV => text.parse::<EnvId>().is_ok(),
        ObjectKind::INSTANCE => text.parse::<InstanceId>().is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use model::fixtures;

    use super::*;

    fn named(id: &str, name: &str, app: &str) -> Object {
        Object { name: name.into(), app: Some(app.into()), ..fixtures::object("instance", id) }
    }

    fn chosen(text: &str, app: Option<&str>) -> Result<String, u8> {
        let all = [
            named("ins_1", "i-1", "checkout"),
            named("ins_2", "i-1", "search"),
            named("ins_3", "i-3", "search"),
        ];
        let key = ObjectKey::new(ObjectKind::instance(), text).expect("valid");
        let global = Global { app: app.map(Into::into), ..Global::default() };
        choose(&key, &global, all.iter())
            .map(|key| key.id().to_owned())
            .map_err(|error| error.report().exit.code())
    }

    #[test]
    fn a_name_is_taken_where_it_is_unique_and_an_id_always() {
        assert_eq!(chosen("ins_2", None), Ok("ins_2".into()));
        assert_eq!(chosen("i-3", None), Ok("ins_3".into()));
        assert_eq!(chosen("i-1", Some("search")), Ok("ins_2".into()));
        assert_eq!(chosen("i-3", Some("app_7f3k9")), Ok("ins_3".into()));
        assert_eq!(chosen("i-1", None), Err(2));
        assert_eq!(chosen("i-9", None), Err(4));
    }
}
