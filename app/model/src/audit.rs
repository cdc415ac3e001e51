//! The audit log as people read and filter it.

use serde::{Deserialize, Serialize};

use crate::{Receipt, Role, Seq, Ts, view_state};

/// One row: who did what, when, with what result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditLine {
    /// Its place in the journal.
    pub seq: Seq,
    /// When.
    pub at: Ts,
    /// Who.
    pub actor: String,
    /// With which role.
    pub role: Role,
    /// What they did: `deploy`, `wait.stop`, `token.create`.
    pub action: String,
    /// To what, said for people.
    pub target: String,
    /// Why, in their words. Hostile text.
    pub reason: String,
    /// `accepted`, `refused: …`.
    pub outcome: String,
    /// The receipt, where there is one.
    pub receipt: Option<String>,
    /// The request.
    pub trace_id: String,
}

/// Which rows. Empty fields mean any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFilter {
    /// Who, exactly.
    pub actor: String,
    /// What they did, exactly.
    pub verb: String,
    /// To what, exactly.
    pub target: String,
    /// How the outcome begins: `accepted`, `refused`.
    pub result: String,
}

/// Longest value of a filter, in characters.
const MAX_VALUE: usize = 200;

impl AuditFilter {
    /// The fields with their query keys, in canonical order.
    #[must_use]
    pub fn fields(&self) -> [(&'static str, &str); 4] {
        [("actor", &self.actor), ("verb", &self.verb), ("target", &self.target), ("result", &self.result)]
    }

    /// The same filter with one field set; an unknown key changes nothing.
    #[must_use]
    pub fn with(&self, key: &str, value: &str) -> Self {
        let mut filter = self.clone();
        if let Some(field) = filter.field(key) {
            value.clone_into(field);
        }
        filter
    }

    fn field(&mut self, key: &str) -> Option<&mut String> {
        match key {
            "actor" => Some(&mut self.actor),
            "verb" => Some(&mut self.verb),
            "target" => Some(&mut self.target),
            "result" => Some(&mut self.result),
            _ => None,
        }
    }

    /// How many fields are set.
    #[must_use]
    pub fn n_set(&self) -> usize {
        self.fields().iter().filter(|(_, value)| !value.is_empty()).count()
    }

    /// A path with this filter as its query, continued before a row where one is given.
    #[must_use]
    pub fn link(&self, path: &str, before: Option<Seq>) -> String {
        let mut pairs: Vec<String> = self
            .fields()
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| format!("{key}={}", view_state::encode(value)))
            .collect();
        pairs.extend(before.map(|before| format!("before={before}")));
        if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
    }
}

/// Everything in the query of the audit page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditState {
    /// Which rows.
    pub filter: AuditFilter,
    /// Continue before this row.
    pub before: Option<Seq>,
    /// The row that is opened.
    pub sel: Option<Seq>,
}

impl AuditState {
    /// Reads a query; what was not understood is returned beside it.
    #[must_use]
    pub fn parse(query: &str) -> (Self, Vec<String>) {
        let mut state = Self::default();
        let mut strange = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let understood = view_state::decode(value).is_some_and(|value| state.set(key, &value));
            if !understood && strange.len() < 20 {
                let shown = view_state::decode(pair).unwrap_or_else(|| pair.to_owned());
                strange.push(shown.chars().take(80).collect());
            }
        }
        (state, strange)
    }

    fn set(&mut self, key: &str, value: &str) -> bool {
        if let Some(field) = self.filter.field(key) {
            let fits = value.chars().count() <= MAX_VALUE;
            if fits {
                *field = value.trim().to_owned();
            }
            return fits;
        }
        let slot = match key {
            "before" => &mut self.before,
            "sel" => &mut self.sel,
            _ => return false,
        };
        *slot = value.parse().ok().map(Seq);
        value.is_empty() || slot.is_some()
    }
}

/// `/audit`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditView {
    /// Which rows were asked for.
    pub filter: AuditFilter,
    /// Newest first.
    pub rows: Vec<AuditLine>,
    /// Rows under this filter, counted up to 10 000.
    pub total: i64,
    /// Continue before this row; `None` at the end.
    pub older: Option<Seq>,
    /// Whether this is not the newest page.
    pub continued: bool,
    /// The row that is opened, with the plan that was confirmed.
    pub selected: Option<(AuditLine, Option<Receipt>)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_round_trips_and_what_is_strange_is_said() {
        let (state, strange) = AuditState::parse("actor=mira&result=refused&before=7&foo=1&sel=x");
        assert_eq!(state.filter.link("/audit", state.before), "/audit?actor=mira&result=refused&before=7");
        assert_eq!(strange, ["foo=1", "sel=x"]);
        assert_eq!(state.filter.with("actor", "").n_set(), 1);
        assert_eq!(AuditState::parse("actor=&before="), (AuditState::default(), vec![]));
    }
}
