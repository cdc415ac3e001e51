//! The URL is the state: one typed value for everything that changes what a page shows.
//!
//! Parsing never fails and never drops silently: what was not understood is returned beside the state, so
//! that the page can say so. Printing is canonical: fixed key order, defaults omitted.

use std::{collections::BTreeMap, fmt};

use crate::{EventFilter, EventId, ObjectKind, Outcome, Span, Ts, Verdict, view::Group};

/// A facet that lists can be filtered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facet {
    /// App name.
    App,
    /// Env name.
    Env,
    /// Kind of object.
    Kind,
    /// Verdict.
    Verdict,
    /// Outcome of an event.
    Outcome,
    /// Controller.
    Controller,
    /// Reason.
    Reason,
    /// One object, `kind:id`.
    Object,
    /// A release id or name.
    Release,
    /// A source.
    Source,
    /// A person or token.
    Actor,
}

impl Facet {
    /// Every facet in canonical order.
    pub const ALL: [Facet; 11] = [
        Self::App,
        Self::Env,
        Self::Kind,
        Self::Verdict,
        Self::Outcome,
        Self::Controller,
        Self::Reason,
        Self::Object,
        Self::Release,
        Self::Source,
        Self::Actor,
    ];

    /// The query key.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Env => "env",
            Self::Kind => "kind",
            Self::Verdict => "verdict",
            Self::Outcome => "outcome",
            Self::Controller => "controller",
            Self::Reason => "reason",
            Self::Object => "object",
            Self::Release => "release",
            Self::Source => "source",
            Self::Actor => "actor",
        }
    }

    fn accepts(self, value: &str) -> bool {
        match self {
            Self::Verdict => Verdict::parse(value).is_some(),
            Self::Outcome => Outcome::parse(value).is_some(),
            Self::Kind => value.parse::<ObjectKind>().is_ok(),
            Self::Object => value.parse::<crate::ObjectKey>().is_ok(),
            _ => !value.is_empty(),
        }
    }
}

/// One value of a facet, wanted or not wanted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FacetValue {
    /// Whether matching things are left out.
    pub not: bool,
    /// The value.
    pub value: String,
}

/// A point in time that is either fixed or moves with the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// So long before now: `-30m`.
    Ago(Span),
    /// Exactly then.
    At(Ts),
}

impl When {
    /// The instant, given now.
    #[must_use]
    pub fn resolve(self, now: Ts) -> Ts {
        match self {
            Self::Ago(span) => now - span,
            Self::At(at) => at,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix('-') {
            Some(span) => span.parse().ok().map(Self::Ago),
            // The fields of a form give no zone; every time of the console is UTC.
            None => [text, &format!("{text}Z"), &format!("{text}:00Z")]
                .iter()
                .find_map(|text| text.parse().ok())
                .map(Self::At),
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ago(span) => write!(f, "-{span}"),
            Self::At(at) => at.fmt(f),
        }
    }
}

/// Everything in the query of a page. Absent means default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ViewState {
    /// Free text.
    pub q: Option<String>,
    /// Facet filters: values of one facet are combined with OR, facets with AND.
    pub facets: BTreeMap<Facet, Vec<FacetValue>>,
    /// Begin of the range.
    pub from: Option<When>,
    /// End of the range.
    pub to: Option<When>,
    /// As-of instant; absent is now.
    pub at: Option<Ts>,
    /// The selected thing: `ev_42`, `seg_7`.
    pub sel: Option<String>,
    /// The open dialog: `rollback:rel_118`.
    pub open: Option<String>,
    /// Whether equal neighbours are folded; absent is yes.
    pub ungrouped: bool,
    /// Whether live updates are off.
    pub paused: bool,
    /// The order, `-since`.
    pub sort: Option<String>,
    /// `list` or `grid`.
    pub view: Option<String>,
    /// Continue before this event.
    pub before: Option<EventId>,
    /// Continue behind this row of a list.
    pub after: Option<String>,
    /// Only this group of the overview.
    pub show: Option<Group>,
    /// Which page of it, from 2; the first needs no word.
    pub page: Option<u32>,
}

/// A part of a query that was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUnderstood(pub String);

/// Longest text that one value may have, in characters; longer ones are not understood.
const MAX_VALUE: usize = 500;
/// How many values one facet may have, however often its key is repeated.
const MAX_VALUES: usize = 50;

impl ViewState {
    /// Reads the query part of a URL, without `?`.
    #[must_use]
    pub fn parse(query: &str) -> (Self, Vec<NotUnderstood>) {
        let mut state = Self::default();
        let mut strange = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let understood = decode(value).is_some_and(|value| state.set(key, &value));
            if !understood && strange.len() < 20 {
                let shown: String = decode(pair).unwrap_or_else(|| pair.to_owned());
                strange.push(NotUnderstood(shown.chars().take(80).collect()));
            }
        }
        state.take_facets_from_text();
        (state, strange)
    }

    /// A state that asks for nothing but these values.
    #[must_use]
    pub fn only(values: &[(Facet, &str)]) -> Self {
        values.iter().fold(Self::default(), |state, (facet, value)| state.with(*facet, value, false))
    }

    /// The same state within this range, from its first page on.
    #[must_use]
    pub fn within(&self, from: Option<When>, to: Option<When>) -> Self {
        Self { from, to, before: None, ..self.clone() }
    }

    /// Free text may name facets: `outcome:failed -reason:PullBackoff image`. A word that names no facet, or a value
    /// that its facet does not have, stays text.
    fn take_facets_from_text(&mut self) {
        let Some(q) = self.q.take() else { return };
        let is_facet = |state: &mut Self, word: &str| {
            let (not, word) = word.strip_prefix('-').map_or((false, word), |word| (true, word));
            let Some((key, values)) = word.split_once(':') else { return false };
            let Some(facet) = Facet::ALL.into_iter().find(|facet| facet.as_str() == key) else {
                return false;
            };
            let mut values = split(values);
            values.iter_mut().for_each(|value| value.not |= not);
            state.set_facet(facet, &join(&values))
        };
        let words: Vec<&str> = q.split(' ').collect();
        let rest: Vec<&str> = words.iter().copied().filter(|word| !is_facet(self, word)).collect();
        // Untouched text keeps its spaces.
        let text = if rest.len() == words.len() { q.clone() } else { rest.join(" ").trim().to_owned() };
        self.q = (!text.is_empty()).then_some(text);
    }

    fn set(&mut self, key: &str, value: &str) -> bool {
        if value.is_empty() {
            // An empty field of a filter form means "no filter".
            return KEYS.contains(&key) || Facet::ALL.iter().any(|facet| facet.as_str() == key);
        }
        if let Some(facet) = Facet::ALL.into_iter().find(|facet| facet.as_str() == key) {
            return self.set_facet(facet, value);
        }
        if is_long(value) {
            return false;
        }
        fn put<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
            let ok = value.is_some();
            if ok {
                *slot = value;
            }
            ok
        }
        let text = || Some(value.to_owned());
        match (key, value) {
            ("q", _) => put(&mut self.q, text()),
            ("from", _) => put(&mut self.from, When::parse(value)),
            ("to", _) => put(&mut self.to, When::parse(value)),
            ("at", _) => put(&mut self.at, value.parse().ok()),
            ("sel", _) => put(&mut self.sel, is_token(value).then(|| value.to_owned())),
            ("open", _) => put(&mut self.open, is_token(value).then(|| value.to_owned())),
            ("sort", _) => put(&mut self.sort, is_token(value).then(|| value.to_owned())),
            ("view", "list" | "grid") => put(&mut self.view, text()),
            ("before", _) => put(&mut self.before, value.parse().ok()),
            ("after", _) => put(&mut self.after, is_token(value).then(|| value.to_owned())),
            ("show", _) => put(&mut self.show, Group::parse(value)),
            ("page", _) => put(&mut self.page, value.parse().ok().filter(|page| (2..100_000).contains(page))),
            ("group", "0" | "1") => {
                self.ungrouped = value == "0";
                true
            }
            ("live", "0" | "1") => {
                self.paused = value == "0";
                true
            }
            _ => false,
        }
    }

    fn set_facet(&mut self, facet: Facet, value: &str) -> bool {
        let mut all = split(value);
        if all.is_empty() || !all.iter().all(|value| facet.accepts(&value.value) && !is_long(&value.value)) {
            return false;
        }
        all.extend(self.facets.get(&facet).cloned().unwrap_or_default());
        all.sort();
        all.dedup();
        let understood = all.len() <= MAX_VALUES;
        if understood {
            self.facets.insert(facet, all);
        }
        understood
    }

    /// The canonical query, without `?`; empty for the default state.
    #[must_use]
    pub fn to_query(&self) -> String {
        let mut pairs: Vec<(&str, String)> = Vec::new();
        let mut push = |key, value: Option<String>| {
            if let Some(value) = value {
                pairs.push((key, value));
            }
        };
        push("q", self.q.clone());
        for (facet, values) in &self.facets {
            push(facet.as_str(), (!values.is_empty()).then(|| join(values)));
        }
        push("from", self.from.map(|when| when.to_string()));
        push("to", self.to.map(|when| when.to_string()));
        push("at", self.at.map(|at| at.to_string()));
        push("sel", self.sel.clone());
        push("open", self.open.clone());
        push("group", self.ungrouped.then(|| "0".to_owned()));
        push("live", self.paused.then(|| "0".to_owned()));
        push("sort", self.sort.clone());
        push("view", self.view.clone());
        push("before", self.before.map(|before| before.to_string()));
        push("after", self.after.clone());
        push("show", self.show.map(|group| group.as_str().to_owned()));
        push("page", self.page.map(|page| page.to_string()));
        let pairs: Vec<String> =
            pairs.into_iter().map(|(key, value)| format!("{key}={}", encode(&value))).collect();
        pairs.join("&")
    }

    /// A path with this state as its query.
    #[must_use]
    pub fn link(&self, path: &str) -> String {
        match self.to_query() {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }

    /// The wanted values of a facet.
    #[must_use]
    pub fn wanted(&self, facet: Facet) -> Vec<String> {
        self.values(facet, false)
    }

    /// The unwanted values of a facet.
    #[must_use]
    pub fn unwanted(&self, facet: Facet) -> Vec<String> {
        self.values(facet, true)
    }

    fn values(&self, facet: Facet, not: bool) -> Vec<String> {
        let values = self.facets.get(&facet).map(Vec::as_slice).unwrap_or_default();
        values.iter().filter(|value| value.not == not).map(|value| value.value.clone()).collect()
    }

    /// The same state without one value of one facet: what the × of a chip links to.
    #[must_use]
    pub fn without(&self, facet: Facet, value: &FacetValue) -> Self {
        let mut state = Self { before: None, ..self.clone() };
        if let Some(values) = state.facets.get_mut(&facet) {
            values.retain(|other| other != value);
            if values.is_empty() {
                state.facets.remove(&facet);
            }
        }
        state
    }

    /// The same state with one more value of one facet: what clicking a cell links to.
    #[must_use]
    pub fn with(&self, facet: Facet, value: &str, not: bool) -> Self {
        let mut state = Self { before: None, sel: None, ..self.clone() };
        let values = state.facets.entry(facet).or_default();
        values.push(FacetValue { not, value: value.to_owned() });
        values.sort();
        values.dedup();
        state
    }

    /// The filter that this state asks of events.
    #[must_use]
    pub fn event_filter(&self, now: Ts) -> EventFilter {
        EventFilter {
            app: self.wanted(Facet::App),
            env: self.wanted(Facet::Env),
            kind: self.wanted(Facet::Kind).iter().filter_map(|kind| kind.parse().ok()).collect(),
            object: self.wanted(Facet::Object).iter().filter_map(|key| key.parse().ok()).collect(),
            controller: self.wanted(Facet::Controller),
            reason: self.wanted(Facet::Reason),
            not_reason: self.unwanted(Facet::Reason),
            outcome: self.wanted(Facet::Outcome).iter().filter_map(|text| Outcome::parse(text)).collect(),
            q: self.q.clone(),
            from: self.from.map(|when| when.resolve(now)),
            to: self.to.map(|when| when.resolve(now)),
        }
    }

    /// Whether the overview is asked for as a grid.
    #[must_use]
    pub fn is_grid(&self) -> bool {
        self.view.as_deref() == Some("grid")
    }

    /// The state of a page of the grid.
    #[must_use]
    pub fn grid(page: u32) -> Self {
        Self { view: Some("grid".to_owned()), page: (page > 1).then_some(page), ..Self::default() }
    }

    /// How many filters are set; the empty state names the number.
    #[must_use]
    pub fn n_filters(&self) -> usize {
        self.facets.values().map(Vec::len).sum::<usize>() + usize::from(self.q.is_some())
    }
}

const KEYS: [&str; 15] = [
    "q", "from", "to", "at", "sel", "open", "group", "live", "sort", "view", "before", "after", "quiet",
    "show", "page",
];

fn is_long(value: &str) -> bool {
    value.chars().count() > MAX_VALUE
}

/// The values of a facet as one text, as links and forms carry it: `a,-b`. A comma or backslash within a value
/// and a dash at its begin are escaped with a backslash, because other systems choose such names.
#[must_use]
pub fn join(values: &[FacetValue]) -> String {
    let one = |value: &FacetValue| {
        let not = if value.not { "-" } else { "" };
        let dash = if value.value.starts_with('-') { "\\" } else { "" };
        format!("{not}{dash}{}", value.value.replace('\\', "\\\\").replace(',', "\\,"))
    };
    values.iter().map(one).collect::<Vec<_>>().join(",")
}

/// Undoes [`join`]. A backslash that escapes nothing stands for itself; empty parts are left out.
fn split(text: &str) -> Vec<FacetValue> {
    let empty = || FacetValue { not: false, value: String::new() };
    let mut values = vec![empty()];
    let mut chars = text.chars().peekable();
    let mut begins = true;
    while let Some(c) = chars.next() {
        let last = values.last_mut().expect("it begins with one and only grows");
        match c {
            ',' => values.push(empty()),
            '-' if begins => last.not = true,
            '\\' => last.value.push(chars.next_if(|next| matches!(next, '\\' | ',' | '-')).unwrap_or('\\')),
            other => last.value.push(other),
        }
        begins = c == ',';
    }
    values.retain(|value| value.not || !value.value.is_empty());
    values
}

/// Ids, segment names and `verb:id`: what `sel`, `open` and `sort` may hold.
fn is_token(value: &str) -> bool {
    value.len() <= 100 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-:.~".contains(&b))
}

/// Percent-encodes everything but unreserved characters and `,:~`, which stay readable in a query.
#[must_use]
pub fn encode(text: &str) -> String {
    use fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~,:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Undoes [`encode`], and reads `+` as a space as forms write it. `None` for broken escapes or UTF-8.
#[must_use]
pub fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = char::from(bytes.next()?).to_digit(16)?;
                let low = char::from(bytes.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_reported_and_the_rest_is_kept() {
        let (state, strange) =
            ViewState::parse("verdit=stuck&verdict=stuck,failed&at=yesterday&foo=1&q=a+b%20c");
        assert_eq!(state.wanted(Facet::Verdict), ["failed", "stuck"]);
        assert_eq!(state.q.as_deref(), Some("a b c"));
        let strange: Vec<&str> = strange.iter().map(|part| part.0.as_str()).collect();
        assert_eq!(strange, ["verdit=stuck", "at=yesterday", "foo=1"]);
    }

    #[test]
    fn defaults_are_omitted_and_order_is_canonical() {
        assert_eq!(ViewState::default().to_query(), "");
        let (state, _) = ViewState::parse("group=0&from=-30m&reason=-PullBackoff&app=web&group=0");
        assert_eq!(state.to_query(), "app=web&reason=-PullBackoff&from=-30m&group=0");
        assert_eq!(ViewState::parse("group=1&live=1&q=").0, ViewState::default());
    }

    #[test]
    fn free_text_may_name_facets() {
        let parsed = |q: &str| ViewState::parse(&format!("q={}", encode(q))).0.to_query();
        assert_eq!(
            parsed("outcome:failed -reason:PullBackoff image pull"),
            "q=image%20pull&outcome=failed&reason=-PullBackoff"
        );
        assert_eq!(parsed("outcome:failed,done"), "outcome=done,failed");
        assert_eq!(parsed("-controller:a,b"), "controller=-a,-b");
        for text in ["http://registry.example", "outcome:strange", "-", ":", "error: no such file", "a  b"] {
            assert_eq!(ViewState::parse(&format!("q={}", encode(text))).0.q.as_deref(), Some(text));
        }
        assert_eq!(
            ViewState::only(&[(Facet::App, "a,b"), (Facet::Env, "-x")]).link("/events"),
            "/events?app=a%5C,b&env=%5C-x"
        );
    }

    #[test]
    fn a_facet_value_can_be_added_and_taken_away() {
        let with = ViewState::default().with(Facet::Reason, "Exited", false);
        let value = with.facets[&Facet::Reason][0].clone();
        assert_eq!(with.link("/events"), "/events?reason=Exited");
        assert_eq!(with.without(Facet::Reason, &value), ViewState::default());
    }

    #[test]
    fn broken_escapes_and_impossible_values_never_panic() {
        for query in ["%", "q=%zz", "q=%ff", "kind=UPPER", "object=nocolon", "sel=<b>", "=", "&&", "=&="] {
            let (state, _) = ViewState::parse(query);
            assert_eq!(state, ViewState::default(), "{query}");
        }
    }
}
