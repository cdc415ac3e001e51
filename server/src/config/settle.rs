//! What is in force, and where each value came from.
//!
//! Values of the file become defaults of the arguments, so that they pass the same checks as flags and lose against
//! flags and variables.

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgMatches, Args as _, Command, FromArgMatches as _, parser::ValueSource};
use serde::Serialize;

use super::{
    Serve, data_folder,
    file::{self, Entry, FileError},
};

/// The one setting that every command of `vt` has.
const DATA: &str = "data";
/// What names the file cannot stand in it.
const CONFIG: &str = "config";

/// Settings that are not accepted.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is at fault.
    #[error(transparent)]
    File(#[from] FileError),
    /// A flag or a variable is.
    #[error("the command line is not understood")]
    Line(#[from] clap::Error),
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A flag.
    Flag,
    /// A variable.
    Variable,
    /// The settings file.
    File,
    /// Nobody said anything.
    Default,
}

/// One setting as it is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its name, as in the file.
    pub name: String,
    /// Its value, without passwords; `None` where it is not set.
    pub value: Option<String>,
    /// Where the value came from.
    pub source: Source,
    /// Which flag, variable or line of which file.
    pub place: Option<String>,
}

/// Everything that `vt serve` goes by.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The settings.
    pub serve: Serve,
    /// The data folder.
    pub data: PathBuf,
    /// The same for people, by name.
    pub settings: Vec<Setting>,
}

/// Reads the command line again, with the file that it names behind it. `path` leads to the subcommand that has the
/// arguments of [`Serve`].
///
/// # Errors
/// [`ConfigError`] says which file and line, or which flag.
pub fn settle(command: &Command, path: &[&str], line: &[OsString]) -> Result<Settled, ConfigError> {
    let matches = command.clone().try_get_matches_from(line)?;
    let file = at(&matches, path).get_one::<PathBuf>(CONFIG).cloned();
    let (mut command, mut entries) = (command.clone(), std::collections::BTreeMap::new());
    if let Some(file) = &file {
        let shown = file.display().to_string();
        entries = file::read(file, &names())?;
        for (key, entry) in &entries {
            let with = behind(command.clone(), path, key, entry);
            // One at a time, so that an error has a line.
            with.clone().try_get_matches_from(line).map_err(|error| FileError::Value {
                path: shown.clone(),
                line: entry.line,
                key: key.clone(),
                message: first_line(&error),
            })?;
            command = with;
        }
    }
    let matches = command.try_get_matches_from(line)?;
    let matches = at(&matches, path);
    let serve = Serve::from_arg_matches(matches)?;
    let data = data_folder(matches.get_one::<PathBuf>(DATA).map(PathBuf::as_path));
    let settings = names()
        .into_iter()
        .map(|name| {
            let entry = entries.get(&name);
            let file = file.as_deref().map(|file| file.display().to_string()).unwrap_or_default();
            let (source, place) = match (matches.value_source(&name), entry) {
                (Some(ValueSource::CommandLine), _) => {
                    (Source::Flag, Some(format!("--{}", name.replace('_', "-"))))
                }
                (Some(ValueSource::EnvVariable), _) => {
                    (Source::Variable, Some(format!("VT_{}", name.to_uppercase())))
                }
                (_, Some(entry)) => (Source::File, Some(format!("{file}:{}", entry.line))),
                _ => (Source::Default, None),
            };
            let value = match name.as_str() {
                DATA => Some(data.display().to_string()),
                // Without its password.
                "database" => Some(serve.store(&data).to_string()),
                _ => shown(matches, &name),
            };
            Setting { name, value, source, place }
        })
        .collect();
    Ok(Settled { serve, data, settings })
}

/// The names of all settings.
fn names() -> Vec<String> {
    let serve = Serve::augment_args(Command::new("serve"));
    let own = serve.get_arguments().map(|arg| arg.get_id().as_str().to_owned());
    own.filter(|name| name != CONFIG).chain([DATA.to_owned()]).collect()
}

fn at<'a>(matches: &'a ArgMatches, path: &[&str]) -> &'a ArgMatches {
    path.iter()
        .fold(matches, |matches, name| matches.subcommand_matches(name).expect("the line was parsed as this"))
}

/// The command with an entry of the file as a default.
fn behind(command: Command, path: &[&str], key: &str, entry: &Entry) -> Command {
    let values = entry.values.clone();
    let set = |command: Command| command.mut_arg(key, |arg| arg.default_values(values));
    match path.split_first() {
        // The data folder belongs to every command.
        _ if key == DATA => set(command),
        None => set(command),
        Some((first, rest)) => command.mut_subcommand(*first, |inner| behind(inner, rest, key, entry)),
    }
}

fn shown(matches: &ArgMatches, name: &str) -> Option<String> {
    let values: Vec<String> =
        matches.get_raw(name)?.map(|value| value.to_string_lossy().into_owned()).collect();
    let text = values.join(",");
    (!text.is_empty()).then_some(text)
}

fn first_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Vt {
        #[arg(long, global = true)]
        data: Option<PathBuf>,
        #[command(subcommand)]
        command: Which,
    }

    #[derive(clap::Subcommand)]
    enum Which {
        Serve(Serve),
    }

    fn settled(file: &str, flags: &str) -> Result<Settled, String> {
        use clap::CommandFactory as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vantage.toml");
        std::fs::write(&path, file).unwrap();
        let line = format!("vt serve --config {} {flags}", path.display());
        let line: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let Which::Serve(_) = Vt::try_parse_from(&line).unwrap().command;
        settle(&Vt::command(), &["serve"], &line)
            .map_err(|error| error.to_string().replace(path.to_str().unwrap(), "F"))
    }

    fn find(settled: &Settled, name: &str) -> (Option<String>, Source) {
        let setting = settled.settings.iter().find(|setting| setting.name == name).unwrap();
        (setting.value.clone(), setting.source.clone())
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let file = "listen = \"127.0.0.1:1\"\nstuck_after = \"5m\"\ndemo = true\ntrusted_proxy = [\"10.0.0.0/8\", \"::1\"]\ndata = \"/srv/x\"";
        let settled = settled(file, "--listen 127.0.0.1:2").unwrap();
        assert_eq!(settled.serve.listen.port(), 2);
        assert_eq!(find(&settled, "listen"), (Some("127.0.0.1:2".into()), Source::Flag));
        assert_eq!(find(&settled, "stuck_after"), (Some("5m".into()), Source::File));
        assert_eq!(find(&settled, "keep_logs"), (Some("3d".into()), Source::Default));
        assert_eq!(find(&settled, "anonymous"), (None, Source::Default));
        assert!(settled.serve.demo && settled.serve.trusted_proxy.len() == 2);
        assert_eq!(settled.data, PathBuf::from("/srv/x"));
    }

    #[test]
    fn a_value_of_the_file_passes_the_same_checks_as_a_flag() {
        let error = settled("demo = true\nlisten = \"nowhere\"", "").unwrap_err();
        assert!(error.starts_with("F:2: listen: invalid value 'nowhere'"), "{error}");
        let error = settled("anonymous = \"admin\"", "").unwrap_err();
        assert!(error.starts_with("F:1: anonymous: invalid value 'admin'"), "{error}");
    }

    #[test]
    fn a_password_is_never_shown() {
        let settled =
            settled("database = \"postgres://vt:hunter2@db/vantage?password=hunter2\"", "").unwrap();
        assert!(
            matches!(&settled.serve.database, Some(store::StoreUrl::Postgres(url)) if url.contains("hunter2"))
        );
        assert_eq!(find(&settled, "database").0.as_deref(), Some("postgres://vt@db/vantage"));
        assert!(!format!("{settled:?}").contains("hunter2"));
    }
}
