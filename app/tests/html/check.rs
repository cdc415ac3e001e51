//! How tests get a page, and what every page promises.

use app::{
    api::Page,
    layout::Look,
    looks::Looks,
    pages::{Screen, render},
    shell::AssetNames,
};
use model::{ViewState, live::Board};

use crate::outline::Dom;

pub(crate) fn with_look<T>(f: impl FnOnce(&Look<'_>) -> T) -> T {
    let assets = AssetNames::default();
    f(&Look {
        nonce: "n0nce",
        assets: &assets,
        looks: Looks::default(),
        form_token: "ft_1",
        idempotency_key: "ik_1",
        path: "/",
    })
}

pub(crate) fn html<T: Screen>(page: Page<T>, query: &str) -> String {
    let (state, strange) = ViewState::parse(query);
    let page = Page { unknown_keys: strange.into_iter().map(|part| part.0).collect(), ..page };
    with_look(|look| render(page, state, look))
}

/// What every page promises, whatever it shows.
pub(crate) fn promises(html: &str) -> Dom {
    let dom = Dom::parse(html);
    let headings = dom.texts("h1");
    assert_eq!(headings.len(), 1, "one sentence: {headings:?}");
    assert!(!headings[0].trim().is_empty());
    assert!(dom.count("[data-fresh] time[datetime]") > 0, "freshness has a time");
    assert!(dom.count("main#main") == 1 && dom.count("a.skip[href='#main']") == 1);
    assert!(!html.contains("<table") || html.matches("<table").count() == html.matches("<tbody").count());
    assert_eq!(dom.count("[style]"), 0, "the policy forbids inline style");
    assert!(dom.attributes("script", "type").iter().all(|ty| ty != "text/javascript"));
    for href in dom.attributes("[href]", "href").iter().chain(&dom.attributes("[action]", "action")) {
        assert!(!href.to_lowercase().contains("javascript:"), "{href}");
    }
    for href in dom.attributes("a[href]", "href") {
        assert!(href.starts_with(['/', '#', '?']), "a link of a page leads to a page of ours: {href}");
    }
    for id in dom.attributes("[id]", "id") {
        assert_eq!(
            dom.attributes("[id]", "id").iter().filter(|other| **other == id).count(),
            1,
            "id {id} is unique"
        );
    }
    for tag in ["p", "div", "span", "tr", "li", "form", "details", "a", "section", "article", "leptos-island"]
    {
        // Where a browser repairs the page, hydration does not find what it looks for.
        let written = html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
        assert_eq!(dom.count(tag), written, "<{tag}> is where it may be");
    }
    let script = dom.board();
    assert!(!script.contains('<'), "the board cannot end its element");
    let board: Board = serde_json::from_str(&script).expect("islands can read the board");
    assert!(!board.build_id.is_empty() || board.topic.is_none());
    dom
}
