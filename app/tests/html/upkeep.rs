//! Pages about Vantage itself: sources, audit, settings, doctor.

use std::collections::BTreeMap;

use app::api::{ServerSetting, SettingsPage};
use model::{
    Role, Seq, Span,
    audit::{AuditFilter, AuditLine, AuditView},
    doctor::{Check, DoctorView, Outcome},
    fixtures::source,
    object::ObjectKey,
    source::{Named, Outage, SourceRow, SourceView, SourcesView},
    view::SourceState,
};

use crate::{
    HOSTILE,
    check::{html, promises},
    stories::{ago, now, page},
};

fn row(name: &str, silent: bool) -> SourceRow {
    let last = if silent { ago(6) } else { now() - Span::seconds(1) };
    let outages = if silent {
        vec![
            Outage { from: ago(120), to: Some(ago(118)), server_down: true },
            Outage { from: ago(6), to: None, server_down: false },
        ]
    } else {
        vec![]
    };
    SourceRow {
        state: SourceState {
            id: source(),
            name: name.into(),
            kind: "local".into(),
            interval: Span::seconds(5),
            last_seen_at: Some(last),
            error: silent.then(|| HOSTILE.into()),
        },
        registered_at: ago(600),
        objects: BTreeMap::from([("env".to_owned(), 1), ("instance".to_owned(), 4)]),
        lag: Some(Span::millis(340)),
        outages,
    }
}

fn line(seq: i64, outcome: &str) -> AuditLine {
    AuditLine {
        seq: Seq(seq),
        at: ago(3),
        actor: "mira".into(),
        role: Role::Operator,
        action: "rollback".into(),
        target: "checkout/prod".into(),
        reason: HOSTILE.into(),
        outcome: outcome.into(),
        receipt: Some("rc_7".into()),
        trace_id: "tr_1".into(),
    }
}

#[test]
fn sources_say_who_is_silent_and_what_goes_blind() {
    let rows = vec![row("provider", true), row("this machine", false)];
    let dom = promises(&html(page(SourcesView { rows }), ""));
    let said = &dom.texts("h1")[0];
    assert!(
        said.contains("1 of 2 sources reporting") && said.contains("provider is silent for 6 min"),
        "{said}"
    );
    assert!(said.contains("1 app-env is unknown because of it"), "{said}");
    let first = &dom.texts("tbody tr")[0];
    assert!(first.contains("2 gaps") && first.contains("0.3 s") && first.contains("⟨U+202E⟩"), "{first}");
    assert_eq!(dom.count("svg .blind"), 2);
    let quiet = promises(&html(page(SourcesView { rows: vec![row("this machine", false)] }), ""));
    assert!(quiet.texts("h1")[0].contains("The one source reports."));
    assert!(quiet.texts("tbody tr")[0].contains("no gap"));
}

#[test]
fn without_a_source_nothing_is_healthy_and_the_way_in_is_shown() {
    let dom = promises(&html(page(SourcesView { rows: vec![] }), ""));
    assert!(dom.texts("h1")[0].contains("nothing can be known"));
    assert!(dom.texts("main")[0].contains("vt apply"));
}

#[test]
fn a_source_lists_its_gaps_and_who_depends_on_it() {
    let env = ObjectKey::new("env".parse().expect("a kind"), "env_1").expect("a key");
    let envs = vec![Named { key: env, name: "checkout/prod".into(), verdict: None }];
    let dom = promises(&html(page(SourceView { row: row("provider", true), envs }), ""));
    let gaps = dom.texts("#watch li");
    assert!(gaps[0].contains("– now") && gaps[0].contains("the source was silent"), "{gaps:?}");
    assert!(gaps[1].contains("2 min 00 s") && gaps[1].contains("this server was down"), "{gaps:?}");
    assert!(dom.texts("#blind li")[0].contains("checkout/prod"));
}

#[test]
fn the_audit_log_shows_refusals_and_its_filters_are_links() {
    let rows = vec![line(9, "refused: needs the operator role"), line(8, "accepted")];
    let filter = AuditFilter::default().with("actor", "mira");
    let selected = Some((rows[1].clone(), None));
    let view = AuditView { filter, rows, total: 1204, older: Some(Seq(8)), continued: false, selected };
    let dom = promises(&html(page(view), ""));
    assert!(
        dom.texts("h1")[0].contains("1 204 rows") && dom.texts("h1")[0].contains("1 of these were refused")
    );
    assert_eq!(dom.attributes("a[rel=next]", "href"), ["/audit?actor=mira&before=8"]);
    assert_eq!(dom.attributes("a[download]", "href"), ["/audit.csv?actor=mira", "/audit.json?actor=mira"]);
    assert!(dom.attributes("td a.cell", "href").contains(&"/audit?actor=mira&verb=rollback".to_owned()));
    assert!(dom.texts(".detail")[0].contains("tr_1"));
    assert_eq!(dom.attributes("th a", "href")[0], "/audit?actor=mira&before=10&sel=9#row-9");
}

#[test]
fn an_empty_audit_log_and_a_filter_without_match_are_two_texts() {
    let view =
        |filter| AuditView { filter, rows: vec![], total: 0, older: None, continued: false, selected: None };
    let empty = promises(&html(page(view(AuditFilter::default())), ""));
    assert!(empty.texts(".empty")[0].contains("Nobody has done anything yet."));
    let none = promises(&html(page(view(AuditFilter::default().with("verb", "x"))), ""));
    assert!(none.texts(".empty")[0].contains("No rows match 1 filter."));
    assert_eq!(none.attributes(".filter-chip", "href"), ["/audit"]);
}

#[test]
fn settings_offer_every_choice_and_lock_what_is_for_admins() {
    let setting = |value| ServerSetting { title: "Stuck after", how: "--stuck-after", value };
    let dom = promises(&html(page(SettingsPage { server: vec![setting(None)] }), ""));
    let chosen = dom.attributes("form[action='/settings'] input[checked]", "value");
    assert_eq!(chosen, ["system", "comfortable", "utc", "on", "system"]);
    assert!(dom.texts("#all")[0].contains("locked"));
    let open = promises(&html(page(SettingsPage { server: vec![setting(Some("60 s".into()))] }), ""));
    assert!(open.texts("#all")[0].contains("60 s"));
}

#[test]
fn the_doctor_counts_what_fails_and_every_failing_check_ends_with_a_fix() {
    let checks = vec![
        Check::fine("source", "Source provider", HOSTILE).but(Outcome::Fails, "Look whether it runs."),
        Check { outcome: Outcome::Browser, ..Check::fine("clock", "Clock", "needs JavaScript") },
        Check::fine("store", "Store", "answered in 1 ms"),
    ];
    let view = DoctorView { version: "0.1.0".into(), build_id: "b".into(), at: now(), checks };
    let dom = promises(&html(page(view.clone()), ""));
    assert!(dom.texts("h1")[0].contains("1 of 2 checks fails."));
    assert_eq!(dom.texts("[data-tone=bad] p"), ["Look whether it runs."]);
    assert!(dom.texts("#check-clock")[0].contains("needs JavaScript"));
    let report: DoctorView =
        serde_json::from_str(&dom.attributes("[data-copy]", "data-copy")[0]).expect("the report is JSON");
    assert_eq!(report, view);
}
