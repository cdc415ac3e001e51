//! Which app, which env, which object: from flags, from the app file of this folder, from what exists.
//!
//! Ids decide, names decorate. What is ambiguous is refused with the candidates; nothing is guessed.

mod lookup;

use std::path::{Path, PathBuf};

use model::{EnvRecord, EnvRef};
use serde::Deserialize;

pub(crate) use self::lookup::{Judged, env, object, object_path, objects, release, release_id};
use crate::{args::Global, error::Error};

/// The name of the app file.
pub(crate) const MANIFEST: &str = "vantage.yaml";
/// The largest app file that is read.
pub(crate) const MAX_MANIFEST: u64 = 1 << 20;

/// The keys of an app file that a client needs; the server reads the rest and has the last word.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Manifest {
    #[serde(default)]
    pub(crate) app: Option<String>,
    #[serde(default)]
    pub(crate) env: Option<String>,
    #[serde(default)]
    pub(crate) artefact: Vec<String>,
}

impl Manifest {
    /// Reads the text of an app file.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        serde_saphyr::from_str(text)
            .map_err(|error| Error::usage(format!("{} cannot be read: {error}", path.display())))
    }
}

/// What the user named, before anybody asked a server.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) app: Option<String>,
    pub(crate) env: Option<String>,
    /// The app file that the app comes from.
    pub(crate) file: Option<PathBuf>,
}

impl Wanted {
    /// The flags; without `--app`, the app file of this folder or a parent.
    pub(crate) fn of(global: &Global) -> Result<Self, Error> {
        let folder = std::env::current_dir().map_err(|source| Error::Read { path: ".".into(), source })?;
        Self::in_folder(global, &folder)
    }

    fn in_folder(global: &Global, folder: &Path) -> Result<Self, Error> {
        let mut wanted = Self { app: global.app.clone(), env: global.env.clone(), file: None };
        let is_decided =
            wanted.app.is_some() || wanted.env.as_ref().is_some_and(|env| env.starts_with("env_"));
        if is_decided {
            return Ok(wanted);
        }
        if let Some(path) = folder.ancestors().map(|folder| folder.join(MANIFEST)).find(|path| path.is_file())
        {
            let manifest = Manifest::parse(&read_manifest(&path)?, &path)?;
            wanted.app = manifest.app;
            wanted.env = wanted.env.or(manifest.env);
            wanted.file = Some(path);
        }
        Ok(wanted)
    }

    /// Whether nothing was named at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.app.is_none() && self.env.is_none()
    }

    pub(crate) fn matches(&self, env: &EnvRecord) -> bool {
        let EnvRef { app_id, app, env_id, env } = &env.target;
        let is = |wanted: &Option<String>, id: &str, name: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == id || wanted == name)
        };
        is(&self.app, app_id.as_str(), app) && is(&self.env, env_id.as_str(), env)
    }

    /// The one env that is meant.
    pub(crate) fn choose<'a>(&self, envs: &'a [EnvRecord]) -> Result<&'a EnvRecord, Error> {
        let found: Vec<&EnvRecord> = envs.iter().filter(|env| self.matches(env)).collect();
        match found[..] {
            [one] => Ok(one),
            [] if envs.is_empty() => Err(Error::not_found(
                "this server has no app yet",
                "`vt apply -f vantage.yaml` makes the first release of one",
            )),
            [] => Err(Error::not_found(
                format!("there is no {}", self.words()),
                format!("there are {}", titles(envs.iter())),
            )),
            _ => {
                let apps_differ = found.iter().any(|env| env.target.app_id != found[0].target.app_id);
                let flag = if apps_differ { "--app" } else { "--env" };
                Err(Error::usage_with(
                    format!("{} could be several: {}", self.words(), titles(found.iter().copied())),
                    format!("name one with {flag}, or with --env and an id"),
                ))
            }
        }
    }

    fn words(&self) -> String {
        match (&self.app, &self.env) {
            (Some(app), Some(env)) => format!("app {app} with an env {env}"),
            (Some(app), None) => format!("app {app}"),
            (None, Some(env)) => format!("env {env}"),
            (None, None) => "app and env".to_owned(),
        }
    }
}

fn titles<'a>(envs: impl Iterator<Item = &'a EnvRecord>) -> String {
    let mut titles: Vec<String> = envs.map(|env| env.target.title()).collect();
    titles.sort();
    let more = titles.len().saturating_sub(10);
    titles.truncate(10);
    match more {
        0 => titles.join(", "),
        more => format!("{} and {more} more", titles.join(", ")),
    }
}

/// Reads an app file, up to a bound.
pub(crate) fn read_manifest(path: &Path) -> Result<String, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(failed)?;
    bounded(file).map_err(failed)?.ok_or_else(|| too_large(path))
}

/// Reads text up to the bound of app files; `None` where there is more.
pub(crate) fn bounded(reader: impl std::io::Read) -> std::io::Result<Option<String>> {
    use std::io::Read as _;
    let mut text = String::new();
    let n = reader.take(MAX_MANIFEST + 1).read_to_string(&mut text)?;
    Ok((u64::try_from(n).is_ok_and(|n| n <= MAX_MANIFEST)).then_some(text))
}

pub(crate) fn too_large(path: &Path) -> Error {
    Error::usage(format!("{} is larger than {MAX_MANIFEST} bytes", path.display()))
}

/// Organisations and projects are words of other servers.
pub(crate) fn refuse_unknown_scopes(global: &Global) -> Result<(), Error> {
    for (flag, value, what) in
        [("--org", &global.org, "organisations"), ("--project", &global.project, "projects")]
    {
        if let Some(value) = value {
            return Err(Error::usage_with(
                format!("this server has no {what}, so none is called {value}"),
                format!("leave out {flag}; apps and envs are named with --app and --env"),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
