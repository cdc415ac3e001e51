//! Every public method of the store, on both engines, as one suite.
//!
//! The engines share one text per query where they can; this suite is what keeps them from drifting apart where
//! they cannot. The last test fails when a public method is not called here.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

#[path = "conformance/access.rs"]
mod access;
#[path = "conformance/desired.rs"]
mod desired;
#[path = "conformance/events.rs"]
mod events;
#[path = "conformance/filter.rs"]
mod filter;
#[path = "conformance/journal.rs"]
mod journal;
#[path = "conformance/overview.rs"]
mod overview;
#[path = "support/place.rs"]
pub mod place;
#[path = "conformance/retention.rs"]
mod retention;
#[path = "conformance/search.rs"]
mod search;
#[path = "conformance/state.rs"]
mod state;
#[path = "conformance/timeline.rs"]
mod timeline;

#[test]
fn every_public_method_is_called_by_this_suite() {
    fn read(folder: &std::path::Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, text);
            } else {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut source, mut suite) = (String::new(), String::new());
    read(&root.join("src"), &mut source);
    read(&root.join("tests"), &mut suite);
    let methods: Vec<&str> =
        source.split("pub async fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next()).collect();
    assert!(methods.len() > 60, "{methods:?}");
    let missing: Vec<&&str> = methods
        .iter()
        .filter(|name| !suite.contains(&format!(".{name}(")) && !suite.contains(&format!("::{name}(")))
        .collect();
    assert!(missing.is_empty(), "not called: {missing:?}");
}
