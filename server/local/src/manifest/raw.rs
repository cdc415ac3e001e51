//! The app file as it is written: every value with its place, nothing checked yet.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_saphyr::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct App {
    pub(super) app: Spanned<String>,
    pub(super) env: Spanned<String>,
    #[serde(default)]
    pub(super) artefact: Vec<Spanned<String>>,
    pub(super) processes: Spanned<BTreeMap<String, Spanned<Process>>>,
    pub(super) rollout: Option<Rollout>,
    // Known words that this build cannot serve; read in order to refuse them by name.
    pub(super) endpoints: Option<Spanned<Option<Vec<IgnoredAny>>>>,
    pub(super) volumes: Option<Spanned<Option<Vec<IgnoredAny>>>>,
    pub(super) config: Option<Spanned<Option<Vec<IgnoredAny>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Process {
    pub(super) command: Spanned<Vec<Spanned<String>>>,
    pub(super) workdir: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) environment: BTreeMap<String, Spanned<String>>,
    pub(super) instances: Option<Spanned<i64>>,
    pub(super) port: Option<Spanned<i64>>,
    pub(super) health: Option<Spanned<Health>>,
    pub(super) restart: Option<Spanned<Restart>>,
    pub(super) stop_grace: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Restart {
    pub(super) from: Option<Spanned<String>>,
    pub(super) to: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rollout {
    pub(super) strategy: Option<Spanned<String>>,
    pub(super) max_unavailable: Option<Spanned<i64>>,
}

/// `none`, `tcp`, or a mapping.
pub(super) enum Health {
    Word(String),
    Fields(Box<HealthFields>),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HealthFields {
    pub(super) http: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) tcp: bool,
    pub(super) interval: Option<Spanned<String>>,
    pub(super) timeout: Option<Spanned<String>>,
    pub(super) failures: Option<Spanned<i64>>,
}

impl<'de> Deserialize<'de> for Health {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> Visitor<'de> for Forms {
            type Value = Health;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("`none`, `tcp`, or a mapping like { http: /healthz, interval: 2s }")
            }
            fn visit_str<E>(self, word: &str) -> Result<Health, E> {
                Ok(Health::Word(word.to_owned()))
            }
            fn visit_unit<E>(self) -> Result<Health, E> {
                Ok(Health::Word("none".to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Health, A::Error> {
                HealthFields::deserialize(MapAccessDeserializer::new(map))
                    .map(|fields| Health::Fields(Box::new(fields)))
            }
        }
        deserializer.deserialize_any(Forms)
    }
}
