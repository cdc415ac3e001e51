//! `vantage.toml`: keys that are settings, and values as they would be typed behind the flag.

use std::{collections::BTreeMap, path::Path};

use toml::de::{DeTable, DeValue};

/// More than any such file needs.
const MAX: u64 = 64 * 1024;
/// Names that are less alike than this are not offered.
const ALIKE: f64 = 0.7;

/// A settings file that is not accepted. Nothing of it is used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It could not be read.
    #[error("cannot read {path}")]
    Read {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is larger than any such file.
    #[error("{path} is larger than {MAX} bytes; is it a settings file?")]
    Huge {
        /// Which file.
        path: String,
    },
    /// It is not TOML.
    #[error("{path}:{line}: {message}")]
    Syntax {
        /// Which file.
        path: String,
        /// Where.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A key is not a setting.
    #[error("{path}:{line}: there is no setting {key}{}", near(.nearest.as_deref()))]
    Unknown {
        /// Which file.
        path: String,
        /// Where.
        line: usize,
        /// The key.
        key: String,
        /// The setting whose name is most like it.
        nearest: Option<String>,
    },
    /// A value makes no sense for its setting.
    #[error("{path}:{line}: {key}: {message}")]
    Value {
        /// Which file.
        path: String,
        /// Where.
        line: usize,
        /// The setting.
        key: String,
        /// What is wrong.
        message: String,
    },
}

fn near(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean {name}?"))
}

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) line: usize,
    /// As typed behind the flag; several where the setting takes several.
    pub(super) values: Vec<String>,
}

pub(super) fn read(path: &Path, known: &[String]) -> Result<BTreeMap<String, Entry>, FileError> {
    let shown = path.display().to_string();
    let failed = |source| FileError::Read { path: shown.clone(), source };
    if std::fs::metadata(path).map_err(failed)?.len() > MAX {
        return Err(FileError::Huge { path: shown });
    }
    parse(&std::fs::read_to_string(path).map_err(failed)?, &shown, known)
}

fn parse(text: &str, path: &str, known: &[String]) -> Result<BTreeMap<String, Entry>, FileError> {
    let line_of = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
    let table = DeTable::parse(text).map_err(|error| FileError::Syntax {
        path: path.to_owned(),
        line: error.span().map_or(1, |span| line_of(span.start)),
        message: error.message().to_owned(),
    })?;
    let mut entries = BTreeMap::new();
    for (key, value) in table.get_ref() {
        let (line, key) = (line_of(key.span().start), key.get_ref().to_string());
        if !known.contains(&key) {
            let nearest = nearest(&key, known);
            return Err(FileError::Unknown { path: path.to_owned(), line, key, nearest });
        }
        let Some(values) = texts(value.get_ref()) else {
            let message = "expected a text, a number, true or false, or a list of texts".to_owned();
            return Err(FileError::Value { path: path.to_owned(), line, key, message });
        };
        entries.insert(key, Entry { line, values });
    }
    Ok(entries)
}

fn nearest(key: &str, known: &[String]) -> Option<String> {
    let likeness = |name: &String| strsim::jaro_winkler(&key.replace('-', "_").to_lowercase(), name);
    let best = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) >= ALIKE).then(|| best.clone())
}

fn texts(value: &DeValue<'_>) -> Option<Vec<String>> {
    Some(vec![match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().replace('_', ""),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Array(list) => {
            let one = |value: &DeValue<'_>| match value {
                DeValue::String(text) => Some(text.to_string()),
                _ => None,
            };
            return list.iter().map(|value| one(value.get_ref())).collect();
        }
        _ => return None,
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<BTreeMap<String, Entry>, String> {
        let known = ["listen", "public_url", "allowed_host", "demo", "keep_log_lines"].map(str::to_owned);
        parse(text, "vantage.toml", &known).map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_what_one_would_type_behind_the_flag() {
        let entries = read(
            "# ours\nlisten = \"[::1]:80\"\ndemo = true\nkeep_log_lines = 5_000\nallowed_host = [\"a\", \"b:1\"]",
        );
        let entries = entries.expect("accepted");
        let values = |key: &str| entries[key].values.join(" ");
        assert_eq!((values("listen").as_str(), entries["listen"].line), ("[::1]:80", 2));
        assert_eq!((values("demo"), values("keep_log_lines")), ("true".to_owned(), "5000".to_owned()));
        assert_eq!(values("allowed_host"), "a b:1");
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_the_nearest_name() {
        assert_eq!(
            read("demo = true\npublic-url = \"x\"").unwrap_err(),
            "vantage.toml:2: there is no setting public-url; did you mean public_url?"
        );
        assert_eq!(
            read("lisen = 1").unwrap_err(),
            "vantage.toml:1: there is no setting lisen; did you mean listen?"
        );
        assert_eq!(read("zzz = 1").unwrap_err(), "vantage.toml:1: there is no setting zzz");
        assert!(read("[serve]\nlisten = \"x\"").unwrap_err().contains("no setting serve"));
    }

    #[test]
    fn what_is_no_toml_or_no_value_is_refused_with_its_line() {
        assert!(read("\nlisten = ").unwrap_err().starts_with("vantage.toml:2: "));
        assert!(read("listen = 1.5").unwrap_err().contains("vantage.toml:1: listen: expected"));
        assert!(read("listen = [1]").unwrap_err().contains("vantage.toml:1: listen: expected"));
    }
}
