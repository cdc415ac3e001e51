//! What a page is made of.

use std::collections::{BTreeMap, BTreeSet};

use scraper::{Html, Node};
use testkit::Response;

/// Attributes that lead somewhere.
const LINKS: [&str; 10] =
    ["href", "src", "action", "formaction", "poster", "data", "srcset", "xlink:href", "cite", "background"];

/// An element and one of its attributes, or none.
type Part = (String, String);

/// What pages were made of.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) pages: usize,
    /// Each part, and the page where it was seen first.
    pub(crate) made_of: BTreeMap<Part, String>,
}

impl Seen {
    /// Looks at a page and answers all its texts: of its nodes and of its attributes.
    pub(crate) fn look(&mut self, page: &Response, path: &str) -> String {
        self.pages += 1;
        let dom = Html::parse_document(page.text());
        let mut texts = String::new();
        let mut titles = 0;
        for node in dom.tree.nodes() {
            match node.value() {
                Node::Element(element) => {
                    let name = element.name().to_owned();
                    titles += usize::from(name == "title" && is_html(element));
                    self.note((name.clone(), String::new()), path);
                    for (attribute, value) in element.attrs() {
                        self.note((name.clone(), attribute.to_owned()), path);
                        texts.push_str(value);
                        texts.push('\n');
                        // Our own picture, the same on every page.
                        let icon = name == "link" && element.attr("rel") == Some("icon");
                        if LINKS.contains(&attribute) && !icon {
                            leads_to_us(value, path);
                        }
                    }
                    if name == "script" {
                        let inner: String = node
                            .children()
                            .filter_map(|child| child.value().as_text().map(|text| text.to_string()))
                            .collect();
                        is_ours(element, &inner, path);
                    }
                }
                Node::Text(text) => {
                    texts.push_str(text);
                    let data = node.parent().and_then(|parent| parent.value().as_element().map(|e| e.name()))
                        == Some("script");
                    if !data {
                        has_no_marks(text, path);
                    }
                }
                Node::Comment(comment) => {
                    assert!(comment.len() < 20, "{path:.300}: a comment {:.200}", &**comment);
                }
                Node::ProcessingInstruction(_) => panic!("{path:.300}: a processing instruction"),
                Node::Doctype(_) | Node::Document | Node::Fragment => {}
            }
        }
        assert_eq!(titles, 1, "{path:.300}: one title");
        texts
    }

    fn note(&mut self, part: Part, path: &str) {
        self.made_of.entry(part).or_insert_with(|| path.to_owned());
    }

    /// Insists that these pages have nothing that those have not.
    #[track_caller]
    pub(crate) fn is_made_of_nothing_but(&self, known: &BTreeMap<Part, String>) {
        let known: BTreeSet<&Part> = known.keys().collect();
        assert!(known.len() > 40, "{} parts are too few to tell anything", known.len());
        let strange: Vec<_> = self.made_of.iter().filter(|(part, _)| !known.contains(part)).collect();
        assert!(strange.is_empty(), "texts have become markup: {strange:#.300?}");
    }
}

fn is_html(element: &scraper::node::Element) -> bool {
    &*element.name.ns == "http://www.w3.org/1999/xhtml"
}

/// A link of a page leads to a page of ours, whatever it is made of.
fn leads_to_us(value: &str, path: &str) {
    let ours = value.is_empty() || value.starts_with(['/', '#', '?']);
    let host = value.starts_with("//") || value.starts_with("/\\");
    assert!(ours && !host, "{path:.300}: leads to {value:.300}");
    assert!(!value.chars().any(char::is_control), "{path:.300}: a control character in {value:.300}");
}

/// Scripts carry the nonce of their page, or are data that can be read.
fn is_ours(element: &scraper::node::Element, inner: &str, path: &str) {
    if element.attr("type") == Some("application/json") {
        assert!(!inner.contains('<'), "{path:.300}: data can end its element");
        let read: Result<serde_json::Value, _> = serde_json::from_str(inner);
        assert!(read.is_ok(), "{path:.300}: data that cannot be read: {read:?}");
    } else {
        assert!(element.attr("nonce").is_some_and(|nonce| !nonce.is_empty()), "{path:.300}: a script");
    }
}

/// What would act instead of being read.
fn has_no_marks(text: &str, path: &str) {
    let acts = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
            || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if let Some(at) = text.find(acts) {
        panic!("{path:.300}: U+{:04X} in {:.300?}", u32::from(text[at..].chars().next().unwrap()), text);
    }
}
