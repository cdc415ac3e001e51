//! What the server counts of itself. Values that somebody keeps already are asked for when `/metrics` is read;
//! only what nobody else knows is counted here.
//!
//! Written as text by hand: eight families need no registry, and no dependency.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::http::Method;
use store::{STEPS_US, Timed};

/// The counters. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    requests: Mutex<BTreeMap<Request, u64>>,
    stored: AtomicU64,
    duplicate: AtomicU64,
    refused: AtomicU64,
}

/// A kind of request: never more than there are routes, methods and statuses of ours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Request {
    route: String,
    method: &'static str,
    status: u16,
}

impl Metrics {
    /// A request was answered. `route` is its pattern; `None` where there is none.
    pub fn answered(&self, method: &Method, route: Option<&str>, status: u16) {
        // Anybody can make up a method; they share one name.
        let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
        let method = known.into_iter().find(|known| *known == method.as_str()).unwrap_or("OTHER");
        let request = Request { route: route.unwrap_or("none").to_owned(), method, status };
        *self.0.requests.lock().unwrap_or_else(PoisonError::into_inner).entry(request).or_default() += 1;
    }

    /// Lines of a report were acknowledged.
    pub fn reported(&self, stored: u64, duplicate: u64, refused: u64) {
        for (counter, n) in
            [(&self.0.stored, stored), (&self.0.duplicate, duplicate), (&self.0.refused, refused)]
        {
            counter.fetch_add(n, Ordering::Relaxed);
        }
    }

    /// Writes what is counted here.
    pub fn write(&self, page: &mut Page) {
        page.family("vantage_http_requests_total", "counter", "Requests by route and status.");
        for (Request { route, method, status }, n) in
            &*self.0.requests.lock().unwrap_or_else(PoisonError::into_inner)
        {
            page.value(&[("route", route), ("method", method), ("status", &status.to_string())], n);
        }
        page.family("vantage_observation_lines_total", "counter", "Reported lines by what became of them.");
        for (result, counter) in
            [("stored", &self.0.stored), ("duplicate", &self.0.duplicate), ("refused", &self.0.refused)]
        {
            page.value(&[("result", result)], counter.load(Ordering::Relaxed));
        }
    }
}

/// A page of metrics in the text format of Prometheus.
#[derive(Debug, Default)]
pub struct Page {
    text: String,
    name: &'static str,
}

impl Page {
    /// Begins a family; the values after it belong to it.
    pub fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A value of the family.
    pub fn value(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.line("", labels, value);
    }

    /// A histogram of the family.
    pub fn timed(&mut self, labels: &[(&str, &str)], timed: &Timed) {
        let ends = STEPS_US.map(seconds).into_iter().chain(["+Inf".to_owned()]);
        for (end, n) in ends.zip(timed.steps.iter().chain([&timed.count])) {
            let labels: Vec<_> = labels.iter().copied().chain([("le", end.as_str())]).collect();
            self.line("_bucket", &labels, n);
        }
        self.line("_sum", labels, seconds(timed.sum_us));
        self.line("_count", labels, timed.count);
    }

    fn line(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let _ = write!(self.text, "{}{suffix}", self.name);
        for (i, (name, value)) in labels.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = write!(self.text, "{}{name}=\"{value}\"", if i == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.text, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    /// All of it.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }
}

/// Microseconds as seconds, exactly.
fn seconds(us: u64) -> String {
    let text = format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_the_text_that_prometheus_reads() {
        let metrics = Metrics::default();
        for method in ["GET", "GET", "BREW", "STEW"] {
            metrics.answered(&method.parse().unwrap(), Some("/o/{kind}/{id}"), 200);
        }
        metrics.reported(3, 0, 1);
        let mut page = Page::default();
        metrics.write(&mut page);
        page.family("t", "histogram", "Times.");
        page.timed(
            &[("of", "a\"b\\c\nd")],
            &Timed { steps: [0, 0, 0, 0, 0, 1, 1, 1], count: 2, sum_us: 1_500_000 },
        );
        let text = page.into_text();
        for line in [
            r#"vantage_http_requests_total{route="/o/{kind}/{id}",method="GET",status="200"} 2"#,
            r#"vantage_http_requests_total{route="/o/{kind}/{id}",method="OTHER",status="200"} 2"#,
            r#"vantage_observation_lines_total{result="stored"} 3"#,
            "# TYPE t histogram",
            r#"t_bucket{of="a\"b\\c\nd",le="0.0005"} 0"#,
            r#"t_bucket{of="a\"b\\c\nd",le="10"} 1"#,
            r#"t_bucket{of="a\"b\\c\nd",le="+Inf"} 2"#,
            r#"t_sum{of="a\"b\\c\nd"} 1.5"#,
            r#"t_count{of="a\"b\\c\nd"} 2"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
    }
}
