//! What the server acknowledged: it has to be there for ever after.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::deploy::ENV;
use crate::serving::client::Client;

/// Everything that was acknowledged. Shared by the loops that write.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Book>);

#[derive(Default)]
pub(super) struct Book {
    /// Receipts by id, with their generation.
    pub(super) receipts: BTreeMap<String, i64>,
    /// Releases by id.
    pub(super) releases: BTreeSet<String>,
    /// Events that a client was shown: their place in the journal and their reason.
    pub(super) events: BTreeMap<i64, String>,
    /// Writes whose answer never came.
    pub(super) lost: Vec<Sent>,
    /// Receipts that no restarted server was asked for yet.
    new: Vec<String>,
}

/// A write, so that it can be sent again.
#[derive(Clone)]
pub(super) struct Sent {
    pub(super) path: String,
    pub(super) key: String,
    pub(super) body: Value,
}

impl Ledger {
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers an accepted write: a receipt, or an answer that has one beside its release.
    pub(super) fn accepted(&self, answer: &Value) -> Result<()> {
        let (receipt, release) = match answer.get("receipt") {
            Some(receipt) => (receipt, answer["release"]["id"].as_str()),
            None => (answer, None),
        };
        let id = receipt["id"].as_str().with_context(|| format!("an answer without a receipt: {answer}"))?;
        let generation = receipt["generation"].as_i64().context("a receipt without a generation")?;
        let mut book = self.book();
        if let Some(before) = book.receipts.insert(id.to_owned(), generation)
            && before != generation
        {
            bail!("{id} had generation {before} and has {generation} now");
        }
        book.new.push(format!("/api/v1/receipts/{id}"));
        if let Some(release) = release {
            book.releases.insert(release.to_owned());
        }
        Ok(())
    }

    /// Asks for what was acknowledged since the last restart.
    pub(super) fn check_new(&self, client: &Client) -> Result<()> {
        let new = std::mem::take(&mut self.book().new);
        new.iter().try_for_each(|path| there(client, path))?;
        let wanted = self.book().releases.clone();
        if wanted.is_empty() {
            return Ok(());
        }
        let listed = client.list(&format!("{ENV}/releases"))?;
        let listed: BTreeSet<&str> = listed.iter().filter_map(|row| row["release"]["id"].as_str()).collect();
        match wanted.iter().find(|id| !listed.contains(id.as_str())) {
            Some(lost) => bail!("acknowledged and lost: {lost} is not among the releases"),
            None => Ok(()),
        }
    }

    /// Asks for every receipt.
    pub(super) fn check_all(&self, client: &Client) -> Result<()> {
        self.check_new(client)?;
        let receipts: Vec<String> = self.book().receipts.keys().cloned().collect();
        receipts.iter().try_for_each(|id| there(client, &format!("/api/v1/receipts/{id}")))
    }

    pub(super) fn summary(&self) -> String {
        let book = self.book();
        format!(
            "{} receipts, {} releases, {} events",
            book.receipts.len(),
            book.releases.len(),
            book.events.len()
        )
    }
}

fn there(client: &Client, path: &str) -> Result<()> {
    let answer = client.get(path)?;
    if answer.status != 200 {
        bail!("acknowledged and lost: {path} is answered with {}: {}", answer.status, answer.body);
    }
    Ok(())
}
