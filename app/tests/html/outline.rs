//! A parsed page, and its outline: what a reader meets, top to bottom, one thing a line.

use scraper::{ElementRef, Html, Node, Selector};

pub(crate) struct Dom(Html);

fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("tests use valid selectors")
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Dom {
    pub(crate) fn parse(html: &str) -> Self {
        Self(Html::parse_document(html))
    }

    pub(crate) fn count(&self, css: &str) -> usize {
        self.0.select(&selector(css)).count()
    }

    pub(crate) fn texts(&self, css: &str) -> Vec<String> {
        self.0.select(&selector(css)).map(|element| squeeze(&element.text().collect::<String>())).collect()
    }

    pub(crate) fn attributes(&self, css: &str, name: &str) -> Vec<String> {
        self.0
            .select(&selector(css))
            .filter_map(|element| element.attr(name).map(ToOwned::to_owned))
            .collect()
    }

    pub(crate) fn title(&self) -> String {
        self.texts("head > title").concat()
    }

    pub(crate) fn board(&self) -> String {
        self.0.select(&selector("#vt-board")).flat_map(|element| element.text()).collect()
    }
}

/// Blocks of `<main>`: headings, paragraphs, rows, items, fields and buttons, with where links lead.
pub(crate) fn outline(dom: &Dom) -> String {
    let mut lines = vec![dom.title()];
    for main in dom.0.select(&selector("main")) {
        walk(main, &mut lines);
    }
    lines.join("\n")
}

const BLOCKS: [&str; 19] = [
    "h1", "h2", "h3", "p", "tr", "li", "caption", "summary", "article", "input", "select", "button", "dt",
    "dd", "form", "dialog", "svg", "pre", "progress",
];

fn walk(element: ElementRef<'_>, lines: &mut Vec<String>) {
    for child in element.children().filter_map(ElementRef::wrap) {
        let name = child.value().name();
        match name {
            "svg" if child.value().classes().any(|class| class == "lane-bars") => {
                lines.push("svg lanes".to_owned());
            }
            "svg" => {}
            "form" => {
                let attr = |name| child.attr(name).unwrap_or_default();
                lines.push(format!("form {} {}", attr("method"), attr("action")));
                walk(child, lines);
            }
            "input" => {
                let attr = |name| child.attr(name).unwrap_or_default();
                lines.push(format!("input {} = {}", attr("name"), attr("value")));
            }
            "dialog" => {
                lines.push("dialog".to_owned());
                walk(child, lines);
            }
            _ if BLOCKS.contains(&name) && !has_blocks(child) => {
                let text = squeeze(&inline(child));
                if !text.is_empty() {
                    lines.push(format!("{name}: {text}"));
                }
            }
            _ => walk(child, lines),
        }
    }
}

fn has_blocks(element: ElementRef<'_>) -> bool {
    element.descendants().skip(1).filter_map(ElementRef::wrap).any(|inner| {
        BLOCKS.contains(&inner.value().name()) && !["svg", "button"].contains(&inner.value().name())
    })
}

fn inline(element: ElementRef<'_>) -> String {
    let mut out = String::new();
    for child in element.children() {
        match child.value() {
            Node::Text(text) => out.push_str(text),
            Node::Element(_) => {
                let Some(inner) = ElementRef::wrap(child) else { continue };
                let copy = inner.value().classes().any(|class| class == "copy");
                match (inner.value().name(), inner.attr("href")) {
                    ("svg", _) => {}
                    ("button", _) if copy => {}
                    ("a", Some(href)) => out.push_str(&format!("[{}]({href})", squeeze(&inline(inner)))),
                    ("td" | "th" | "span", _) => out.push_str(&format!(" {} ", inline(inner))),
                    _ => out.push_str(&inline(inner)),
                }
            }
            _ => {}
        }
    }
    out
}
