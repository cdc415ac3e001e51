//! Texts that mean harm, from elements that run to marks that turn the direction of what follows. Browser tests read
//! the same file.

/// All of them.
///
/// # Panics
/// When the file is not a list of texts.
#[must_use]
pub fn hostile() -> Vec<String> {
    serde_json::from_str(include_str!("hostile.json")).expect("a list of texts")
}
