//! What an app file may say. Collects every mistake of content instead of stopping at the first.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    AppSpec, Span,
    error::Detail,
    spec::{Health, ProcessSpec, Restart, Rollout, Strategy},
};
use serde_saphyr::{Location, Spanned};

use super::{detail, raw};

const MAX_PROCESSES: usize = 20;
const MAX_INSTANCES: i64 = 100;
const MAX_ARGUMENTS: usize = 200;
const MAX_TEXT: usize = 4096;
const SHORTEST: Span = Span::millis(10);
const LONGEST: Span = Span::minutes(60);

/// What is wrong so far.
#[derive(Default)]
struct Faults(Vec<Detail>);

impl Faults {
    fn at(&mut self, place: Location, message: impl Into<String>) {
        self.0.push(detail(place.line().max(1), place.column().max(1), message.into()));
    }

    fn name(&mut self, what: &str, name: &str, place: Location) {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || name.len() > 40 || !name.bytes().all(plain) {
            self.at(place, format!("{what} must be 1 to 40 lower-case letters, digits or dashes"));
        }
    }

    fn span(&mut self, what: &str, text: Option<&Spanned<String>>, default: Span, from: Span) -> Span {
        let Some(text) = text else { return default };
        match text.value.parse::<Span>() {
            Ok(span) if span >= from && span <= LONGEST => return span,
            Ok(_) => self.at(text.referenced, format!("{what} must be between {from} and {LONGEST}")),
            Err(error) => self.at(text.referenced, format!("{what}: {error}")),
        }
        default
    }

    fn number<T: TryFrom<i64>>(
        &mut self,
        what: &str,
        n: Option<&Spanned<i64>>,
        range: (i64, i64),
    ) -> Option<T> {
        let n = n?;
        let (from, to) = range;
        let number = T::try_from(n.value).ok().filter(|_| (from..=to).contains(&n.value));
        if number.is_none() {
            self.at(n.referenced, format!("{what} must be between {from} and {to}"));
        }
        number
    }
}

pub(super) fn app(raw: raw::App) -> Result<AppSpec, Vec<Detail>> {
    let raw::App { app, env, artefact, processes, rollout, endpoints, volumes, config } = raw;
    let mut faults = Faults::default();
    faults.name("the app name", &app.value, app.referenced);
    faults.name("the env name", &env.value, env.referenced);
    for (what, list) in [("endpoints", endpoints), ("volumes", volumes), ("config", config)] {
        if let Some(list) = list.filter(|list| list.value.as_ref().is_some_and(|list| !list.is_empty())) {
            let (are, line) = (if what == "config" { "is" } else { "are" }, list.referenced.line());
            faults.at(list.referenced, format!("{what} {are} not supported by this build yet (line {line})"));
        }
    }
    let artefact = paths(&mut faults, artefact);
    if processes.value.is_empty() || processes.value.len() > MAX_PROCESSES {
        faults.at(processes.referenced, format!("an app has 1 to {MAX_PROCESSES} processes"));
    }
    let mut checked = BTreeMap::new();
    for (name, raw) in processes.value.into_iter().take(MAX_PROCESSES) {
        faults.name("the name of a process", &name, raw.referenced);
        checked.insert(name, process(&mut faults, raw));
    }
    let rollout = rollout.map_or_else(Rollout::default, |raw| self::rollout(&mut faults, raw));
    if !faults.0.is_empty() {
        return Err(faults.0);
    }
    Ok(AppSpec { app: app.value, env: env.value, artefact, processes: checked, config: vec![], rollout })
}

fn paths(faults: &mut Faults, raw: Vec<Spanned<String>>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    for path in &raw {
        let plain = path.value.strip_suffix('/').unwrap_or(&path.value);
        if !is_inside(plain) {
            faults.at(
                path.referenced,
                "an artefact path is relative to the app file and stays inside its folder",
            );
        } else if !seen.insert(plain) {
            faults.at(path.referenced, "this artefact path is listed twice");
        }
    }
    raw.into_iter().map(|path| path.value).collect()
}

/// Whether a path names something below the folder that it is relative to.
fn is_inside(path: &str) -> bool {
    crate::artefact::safe_path(path).is_ok()
}

fn process(faults: &mut Faults, raw: Spanned<raw::Process>) -> ProcessSpec {
    let raw::Process { command, workdir, environment, instances, port, health, restart, stop_grace } =
        raw.value;
    let documented = port.is_some();
    let port = faults.number::<u16>("port", port.as_ref(), (1, 65_535));
    arguments(faults, &command, documented);
    if let Some(workdir) = &workdir
        && !(workdir.value == "." || is_inside(&workdir.value) || is_absolute(&workdir.value))
    {
        faults.at(workdir.referenced, "workdir is a path inside the artefact, or an absolute path");
    }
    for (name, value) in &environment {
        variable(faults, name, value);
    }
    let (restart_at, restart) = match restart {
        Some(raw) => (raw.referenced, raw.value),
        None => (Location::UNKNOWN, raw::Restart { from: None, to: None }),
    };
    let default = Restart::default();
    let from = faults.span("restart.from", restart.from.as_ref(), default.from, SHORTEST);
    let to = faults.span("restart.to", restart.to.as_ref(), default.to.max(from), SHORTEST);
    if from > to {
        faults.at(restart_at, format!("restart.from ({from}) is longer than restart.to ({to})"));
    }
    ProcessSpec {
        command: command.value.into_iter().map(|argument| argument.value).collect(),
        workdir: workdir.map(|workdir| workdir.value),
        env: environment.into_iter().map(|(name, value)| (name, value.value)).collect(),
        instances: faults.number("instances", instances.as_ref(), (0, MAX_INSTANCES)).unwrap_or(1),
        port,
        health: health.map_or_else(|| plain_health(false), |raw| self::health(faults, raw, documented)),
        restart: Restart { from, to },
        stop_grace: faults.span("stop_grace", stop_grace.as_ref(), Span::seconds(10), Span::ZERO),
    }
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') && path.len() <= MAX_TEXT && !path.chars().any(char::is_control)
}

fn arguments(faults: &mut Faults, command: &Spanned<Vec<Spanned<String>>>, has_port: bool) {
    if command.value.first().is_none_or(|program| program.value.trim().is_empty()) {
        faults.at(command.referenced, "command is empty");
    }
    if command.value.len() > MAX_ARGUMENTS {
        faults.at(command.referenced, format!("command has more than {MAX_ARGUMENTS} arguments"));
    }
    for argument in &command.value {
        if argument.value.len() > MAX_TEXT || argument.value.contains('\0') {
            faults.at(argument.referenced, format!("an argument is at most {MAX_TEXT} bytes, without NUL"));
        }
        if !has_port && crate::port::mentions(&argument.value) {
            faults.at(argument.referenced, "the command uses $PORT, but the process declares no port");
        }
    }
}

fn variable(faults: &mut Faults, name: &str, value: &Spanned<String>) {
    let letter = |b: u8| b.is_ascii_alphabetic() || b == b'_';
    let plain =
        name.bytes().next().is_some_and(letter) && name.bytes().all(|b| letter(b) || b.is_ascii_digit());
    if !plain || name.len() > 200 {
        faults.at(
            value.referenced,
            "the name of a variable is letters, digits and _, and starts with no digit",
        );
    } else if name == "PORT" || name.starts_with("VT_") {
        faults.at(value.referenced, format!("{name} is set by the platform"));
    }
    if value.value.len() > MAX_TEXT || value.value.contains('\0') {
        faults.at(
            value.referenced,
            format!("the value of {name} is longer than {MAX_TEXT} bytes or has a NUL"),
        );
    }
}

fn plain_health(tcp: bool) -> Health {
    let (interval, timeout) = (Span::seconds(2), Span::seconds(1));
    Health { http: None, tcp, interval, timeout, failures: 3 }
}

fn health(faults: &mut Faults, raw: Spanned<raw::Health>, has_port: bool) -> Health {
    let place = raw.referenced;
    let fields = match raw.value {
        raw::Health::Word(word) => {
            match word.as_str() {
                "none" => return plain_health(false),
                "tcp" => {}
                _ => faults
                    .at(place, "health is `none`, `tcp`, or a mapping like { http: /healthz, interval: 2s }"),
            }
            raw::HealthFields { tcp: true, ..raw::HealthFields::default() }
        }
        raw::Health::Fields(fields) => *fields,
    };
    if let Some(path) = &fields.http {
        let printable = path.value.bytes().all(|b| b.is_ascii_graphic());
        if !path.value.starts_with('/') || !printable || path.value.len() > 1000 {
            faults.at(path.referenced, "health.http is a path that starts with / and has no spaces");
        }
        if fields.tcp {
            faults.at(path.referenced, "health is either http or tcp");
        }
    }
    if !has_port && (fields.http.is_some() || fields.tcp) {
        faults.at(place, "a health check over the network needs a port");
    }
    let default = plain_health(fields.tcp);
    Health {
        http: fields.http.map(|path| path.value),
        tcp: fields.tcp,
        interval: faults.span("health.interval", fields.interval.as_ref(), default.interval, SHORTEST),
        timeout: faults.span("health.timeout", fields.timeout.as_ref(), default.timeout, SHORTEST),
        failures: faults
            .number("health.failures", fields.failures.as_ref(), (1, 100))
            .unwrap_or(default.failures),
    }
}

fn rollout(faults: &mut Faults, raw: raw::Rollout) -> Rollout {
    let mut checked = Rollout::default();
    if let Some(strategy) = &raw.strategy {
        checked.strategy = match strategy.value.as_str() {
            "rolling" => Strategy::Rolling,
            "all_at_once" | "all-at-once" => Strategy::AllAtOnce,
            "canary" | "bluegreen" | "blue-green" | "blue_green" => {
                let (name, line) = (&strategy.value, strategy.referenced.line());
                let text =
                    format!("the rollout strategy {name} is not supported by this build yet (line {line})");
                faults.at(strategy.referenced, text);
                checked.strategy
            }
            _ => {
                faults.at(strategy.referenced, "rollout.strategy is rolling or all_at_once");
                checked.strategy
            }
        };
    }
    let most = (1, MAX_INSTANCES);
    if let Some(n) = faults.number("rollout.max_unavailable", raw.max_unavailable.as_ref(), most) {
        checked.max_unavailable = n;
    }
    checked
}
