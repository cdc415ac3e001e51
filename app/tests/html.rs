//! Pages as people get them: parsed, checked for what every page promises, and kept as readable outlines.

#[path = "html/check.rs"]
mod check;
#[path = "html/outline.rs"]
mod outline;
#[path = "html/stories.rs"]
mod stories;
#[path = "html/upkeep.rs"]
mod upkeep;
#[path = "html/writes.rs"]
mod writes;

use app::{
    api::PageError,
    pages::{render_error, render_sign_in},
};
use check::{html, promises, with_look};
use model::{
    ReceiptId, TraceId, Verdict,
    live::Board,
    view::{Counts, Group, GroupPage},
};
use outline::outline;
use stories::{env_page, events_page, now, object_page, overview_page, page};
use writes::{plan_page, receipt_page, receipts_page, wait_page};

pub(crate) const HOSTILE: &str = "</script><script>alert(1)</script> \u{202e}gnp.exe\0 <b onmouseover=x>";

#[test]
fn the_overview_says_what_needs_attention_and_why() {
    let dom = promises(&html(overview_page(Verdict::Stuck), ""));
    assert!(dom.texts("#attention .env-row")[0].contains("exited with code 1, attempt 14"));
    assert_eq!(dom.title(), "(1) Overview · Vantage");
    insta::assert_snapshot!(outline(&dom));
}

#[test]
fn a_large_group_shows_its_begin_and_leads_to_the_rest() {
    let mut page = overview_page(Verdict::Stuck);
    page.data.view.rows.pop();
    page.data.view.counts = Counts { total: 10_000, attention: 951, converged: 9049, ..Counts::default() };
    let dom = promises(&html(page, ""));
    assert_eq!(dom.texts("#attention a.button"), ["Show 950 more"]);
    assert_eq!(dom.texts("#quiet a.button"), ["Show all 9 049"]);
    assert!(dom.attributes("#attention a.button", "href").contains(&"/?show=attention".to_owned()));
}

#[test]
fn a_page_of_one_group_says_which_and_leads_on() {
    let mut page = overview_page(Verdict::Stuck);
    page.data.view.counts = Counts { total: 951, attention: 951, ..Counts::default() };
    page.data.view.only = Some(GroupPage { group: Some(Group::Attention), page: 2, pages: 10 });
    let dom = promises(&html(page, "show=attention&page=2"));
    assert_eq!(dom.texts("nav[aria-label=Pages] a"), ["Before", "Next", "All groups"]);
    let to = dom.attributes("nav[aria-label=Pages] a", "href");
    assert_eq!(to, ["/?show=attention", "/?show=attention&page=3", "/"]);
    assert_eq!(dom.count("#quiet"), 0);
}

#[test]
fn the_grid_has_a_cell_for_each_app_env_and_says_what_was_said_of_it() {
    let mut page = overview_page(Verdict::Stuck);
    page.data.view.only = Some(GroupPage { group: None, page: 2, pages: 3 });
    let past = [vec![None; 3], vec![Some(Verdict::Converged); 7], vec![Some(Verdict::Stuck); 2]].concat();
    page.data.view.rows[0].history = past;
    page.data.peek = Some(env_page(Verdict::Stuck).data.view);
    let dom = promises(&html(page, "view=grid&page=2&sel=env_1"));
    insta::assert_snapshot!(outline(&dom));
    assert_eq!(dom.texts("nav[aria-label=View] a[aria-current]"), ["Grid"]);
    assert_eq!(dom.attributes("nav[aria-label=View] a", "href"), ["/", "/?view=grid"]);
    assert_eq!(dom.attributes("nav[aria-label=Pages] a", "href"), ["/?view=grid", "/?view=grid&page=3"]);
    assert_eq!(dom.attributes(".peek .close", "href"), ["/?view=grid&page=2"]);
    assert!(dom.attributes(".env-cell", "data-peek")[0].ends_with("&view=grid&page=2"));
}

#[test]
fn a_row_is_looked_at_beside_the_list_without_script() {
    let mut page = overview_page(Verdict::Stuck);
    page.data.peek = Some(env_page(Verdict::Stuck).data.view);
    let dom = promises(&html(page, "sel=env_1"));
    assert!(dom.texts(".peek")[0].contains("exited with code 1"));
    assert_eq!(dom.attributes(".peek .close", "href"), ["/"]);
    assert_eq!(dom.count(".env-row[data-peek^='/?sel=env_']"), 2);
    assert!(dom.attributes(".row-second a", "href").iter().any(|href| href.starts_with("/?sel=env_")));
}

#[test]
fn an_empty_overview_is_neither_healthy_nor_an_outage() {
    let mut page = overview_page(Verdict::Idle);
    page.data.view.rows.clear();
    page.data.view.counts = Counts::default();
    page.data.view.changes.clear();
    page.data.view.sentence = "Nothing is declared here.".into();
    let dom = promises(&html(page, ""));
    let main = dom.texts("main")[0].clone();
    assert!(main.contains("Nothing is declared here.") && main.contains("vt apply"));
    assert!(!main.to_lowercase().contains("healthy") && !main.contains("Converged"));
}

#[test]
fn a_stuck_env_shows_the_four_answers_in_order() {
    let dom = promises(&html(env_page(Verdict::Stuck), ""));
    assert!(dom.texts("h1")[0].contains("Stuck"));
    assert_eq!(dom.title(), "⧗ Stuck · checkout/prod · Vantage");
    let order: Vec<String> = dom.attributes("main section[id]", "id");
    assert_eq!(order, ["gap", "timeline", "instances", "changes", "events", "releases"]);
    insta::assert_snapshot!(outline(&dom));
}

#[test]
fn a_converged_env_is_quiet() {
    let dom = promises(&html(env_page(Verdict::Converged), ""));
    assert!(dom.texts("#gap")[0].contains("Desired = current for"));
    assert_eq!(dom.count(".gap-table"), 0);
}

#[test]
fn a_converging_env_shows_what_is_under_way() {
    let dom = promises(&html(env_page(Verdict::Converging), ""));
    assert!(dom.texts("h1")[0].contains("Converging"));
    assert_eq!(dom.count("tr[data-state=moving]"), 1);
    assert_eq!(dom.count(".lamp[data-lamp=moving]"), 1);
}

#[test]
fn a_stale_env_says_last_known_and_since_when() {
    let mut page = env_page(Verdict::Unknown);
    page.data.view.stale_since = Some(now() - model::Span::minutes(14));
    let dom = promises(&html(page, ""));
    let sentence = &dom.texts("h1")[0];
    assert!(sentence.contains("Unknown") && sentence.contains("Last known 14 min ago"), "{sentence}");
}

#[test]
fn a_past_instant_is_framed_and_offers_no_action() {
    let dom = promises(&html(env_page(Verdict::Stuck), "at=2026-02-18T12:31:07Z&open=rollback:rel_1"));
    assert_eq!(dom.count("[data-as-of='2026-02-18T12:31:07Z']"), 1);
    assert_eq!(dom.count("main form[method=post]"), 0);
    assert_eq!(dom.count("main dialog"), 0);
    assert!(dom.texts(".action")[0].contains("Return to now to act."));
    assert_eq!(dom.count(".action a[href]"), 0);
    let board: Board = serde_json::from_str(&dom.board()).expect("readable");
    assert_eq!(board.topic, None, "the past does not move");
}

#[test]
fn filters_that_were_not_understood_are_named() {
    let dom = promises(&html(overview_page(Verdict::Stuck), "verdit=stuck&foo=1"));
    assert!(dom.texts(".banner")[0].contains("2 filters in this link were not understood"));
    assert!(dom.texts(".banner")[0].contains("verdit=stuck"));
}

#[test]
fn an_open_plan_is_a_dialog_whose_form_works_without_script() {
    let mut page = env_page(Verdict::Stuck);
    page.data.open = Some(plan_page(false));
    let dom = promises(&html(page, "open=rollback"));
    assert_eq!(dom.count("dialog[open] form[method=post][action='/actions/rollback']"), 1);
    let fields = dom.attributes("dialog form.confirm input", "name");
    assert_eq!(
        fields,
        ["form_token", "idempotency_key", "env", "generation", "plan_hash", "release", "reason", "wait"]
    );
}

#[test]
fn a_plan_page_says_what_will_and_what_will_not_change() {
    let dom = promises(&html(page(plan_page(false)), ""));
    insta::assert_snapshot!(outline(&dom));
}

#[test]
fn a_blocked_plan_has_a_reason_where_the_button_was() {
    let dom = promises(&html(page(plan_page(true)), ""));
    assert_eq!(dom.count("form.confirm"), 0);
    assert!(dom.texts(".blocked")[0].contains("another action is under way"));
}

#[test]
fn a_viewer_sees_the_plan_and_cannot_confirm_it() {
    let mut page = page(plan_page(false));
    page.viewer.role = model::Role::Viewer;
    let dom = promises(&html(page, ""));
    assert_eq!(dom.count("form.confirm"), 0);
    assert!(dom.texts(".blocked")[0].contains("operator"));
}

#[test]
fn an_object_lists_the_standard_conditions_even_when_they_are_not_reported() {
    let dom = promises(&html(object_page(), ""));
    let rows = dom.texts(".conditions tbody tr");
    assert_eq!(rows.len(), 4);
    assert!(rows[3].starts_with("Stalled") && rows[3].contains("not reported"));
    insta::assert_snapshot!(outline(&dom));
}

#[test]
fn something_gone_has_a_tombstone_that_leads_to_the_moment_before() {
    let mut page = object_page();
    page.data.object.gone_at = Some(now());
    let dom = promises(&html(page, ""));
    assert!(
        dom.attributes(".banner a", "href")[0].contains("?at=2026-02-18T11"),
        "{:?}",
        dom.attributes(".banner a", "href")
    );
}

#[test]
fn events_fold_and_the_selected_one_is_shown_in_the_flow() {
    let dom = promises(&html(events_page(), "outcome=failed&sel=ev_20"));
    assert!(dom.texts("#ev_20")[0].contains("×14"), "{:?}", dom.texts("#ev_20"));
    assert!(dom.texts(".event-detail")[0].contains("exited with code 1"));
    assert_eq!(dom.attributes("a.filter-chip", "href"), ["/events?sel=ev_20"]);
    insta::assert_snapshot!(outline(&dom));
}

#[test]
fn no_match_quiet_and_not_recorded_are_three_texts() {
    let empty = || {
        let mut page = events_page();
        page.data.groups.clear();
        page.data.selected = None;
        page.data.total = 0;
        page.data.failed = 0;
        page.data.older = None;
        page
    };
    let title = |query: &str| promises(&html(empty(), query)).texts(".empty-title")[0].clone();
    assert_eq!(title("q=x&reason=Exited"), "No events match 2 filters.");
    assert_eq!(title(""), "Quiet.");
    assert_eq!(title("from=2020-01-01T00:00:00Z"), "Not recorded.");
}

#[test]
fn a_receipt_keeps_accepted_converged_and_checked_apart() {
    let dom = promises(&html(receipt_page(), ""));
    assert_eq!(dom.attributes(".lamp", "data-lamp"), ["on", "on", "off"]);
    assert_eq!(dom.count("form[action$='/check']"), 1);
    insta::assert_snapshot!(outline(&dom));
}

#[test]
fn a_list_that_is_not_whole_never_counts_as_if_it_were() {
    let whole = promises(&html(receipts_page(false), ""));
    assert_eq!(whole.texts("h1"), ["3 receipts · 1 under way"]);
    assert_eq!(whole.count("a[rel='next']"), 0);
    let newest = promises(&html(receipts_page(true), ""));
    assert_eq!(newest.texts("h1"), ["The newest receipts · 1 200 under way"]);
    assert_eq!(
        newest.attributes("a[rel='next']", "href"),
        [format!("/receipts?after={}", ReceiptId::mint(1))]
    );
}

#[test]
fn a_wait_that_timed_out_offers_events_status_and_describe_in_this_order() {
    let dom = promises(&html(wait_page(model::WaitPhase::TimedOut), ""));
    let next = dom.texts(".wait a.button");
    assert!(
        next[0].starts_with("Events since") && next[1] == "Status" && next[2].starts_with("Describe"),
        "{next:?}"
    );
    let running = promises(&html(wait_page(model::WaitPhase::Waiting), ""));
    assert_eq!(running.title(), "◔ 1/2 · checkout/prod r-1 · Vantage");
    assert_eq!(running.count("form[action$='/stop'], form[action$='/extend']"), 2);
}

#[test]
fn errors_say_what_happened_and_what_to_do() {
    let errors = [
        PageError::NotFound { what: HOSTILE.into() },
        PageError::Forbidden {
            what: "tokens".into(),
            needs: model::Role::Admin,
            holders: vec!["mira".into()],
        },
        PageError::Invalid { what: HOSTILE.into() },
        PageError::Unavailable { what: "The store does not answer.".into(), trace_id: TraceId::mint(7) },
    ];
    let statuses: Vec<u16> = errors.iter().map(PageError::status).collect();
    assert_eq!(statuses, [404, 403, 400, 503]);
    for error in &errors {
        let html = with_look(|look| render_error(error, now(), look));
        promises(&html);
        assert!(!html.contains("<script>alert"));
    }
    let last = with_look(|look| render_error(&errors[3], now(), look));
    assert!(last.contains(TraceId::mint(7).as_str()));
    let sign_in = with_look(|look| render_sign_in("/a/x?y=1", None, Some("Wrong token."), now(), look));
    let dom = promises(&sign_in);
    assert_eq!(dom.attributes("main input[name=return_to]", "value"), ["/a/x?y=1"]);
    assert!(dom.texts("[role=alert]")[0].contains("Wrong token."));
}

#[test]
fn hostile_text_is_inert_visible_and_bounded() {
    let mut long = HOSTILE.to_owned();
    long.push_str(&"x".repeat(1_000_000));
    let mut env = env_page(Verdict::Stuck);
    env.data.view.judgement.sentence = HOSTILE.into();
    env.data.view.gap.rows[0].current = Some(HOSTILE.into());
    env.data.view.gap.evidence[0].href = "javascript:alert(1)".into();
    env.data.view.events[0].message = long.clone();
    env.data.view.instances[0].text = long.clone();
    env.data.view.last_reconcile_error = Some(long.clone());
    env.data.view.changes[0].title = HOSTILE.into();
    env.data.view.changes[0].href = "//evil.example".into();
    let mut events = events_page();
    events.data.groups[0].event.message = long.clone();
    events.data.groups[0].event.reason = HOSTILE.into();
    let mut object = object_page();
    object.data.object.name = HOSTILE.into();
    object.data.object.conditions[0].message = long.clone();
    if let Some(logs) = &mut object.data.logs {
        logs[0].line = long.clone();
    }
    for html in [html(env, ""), html(events, "sel=ev_20"), html(object, "")] {
        let dom = promises(&html);
        assert!(html.len() < 200_000, "{} bytes", html.len());
        assert!(!html.contains("<script>alert") && !html.contains("<b onmouseover"));
        assert_eq!(dom.count("script:not([type])"), 0);
        let shown = dom.texts("main")[0].clone();
        assert!(shown.contains("⟨U+202E⟩") && shown.contains('␀'));
        assert!(!shown.contains('\u{202e}') && !shown.contains('\0'));
        assert!(!dom.title().contains('\u{202e}'));
    }
}

#[test]
fn one_render_is_like_the_next() {
    assert_eq!(html(env_page(Verdict::Stuck), "sel=seg_2"), html(env_page(Verdict::Stuck), "sel=seg_2"));
}
