//! `/audit`: who did what, and its export.

use app::api::{Page, PageError, Viewer};
use model::{
    Role, Seq,
    audit::{AuditFilter, AuditLine, AuditState, AuditView},
};
use store::{AuditEntry, AuditRow, Reader};

use super::Pages;

/// Rows of one page.
const PAGE: u32 = 100;
/// Counting stops there.
const MAX_COUNTED: u32 = 10_000;
/// Rows of one export.
pub const MAX_EXPORT: u32 = 10_000;
/// Who may read the audit log.
const READER: Role = Role::Operator;

impl Pages {
    pub(super) async fn load_audit(
        &self,
        who: &Viewer,
        state: &AuditState,
    ) -> Result<Page<AuditView>, PageError> {
        let failed = |error| self.failed(&error);
        let mut reader = self.audit_reader(who).await?;
        let mut rows = reader.audit(&state.filter, state.before, PAGE + 1).await.map_err(failed)?;
        let more = rows.len() > PAGE as usize;
        rows.truncate(PAGE as usize);
        let rows: Vec<AuditLine> = rows.into_iter().map(line).collect();
        let total = reader.audit_count(&state.filter, MAX_COUNTED).await.map_err(failed)?;
        let chosen = state.sel.and_then(|sel| rows.iter().find(|row| row.seq == sel).cloned());
        let selected = match chosen {
            Some(row) => {
                let receipt = match row.receipt.as_deref().and_then(|id| id.parse().ok()) {
                    Some(id) => reader.receipt(&id).await.map_err(failed)?,
                    None => None,
                };
                Some((row, receipt))
            }
            None => None,
        };
        let view = AuditView {
            filter: state.filter.clone(),
            older: rows.last().map(|row| row.seq).filter(|_| more),
            continued: state.before.is_some(),
            rows,
            total,
            selected,
        };
        self.page(&mut reader, who, view).await
    }

    /// The rows of an export, and before which row the next one continues.
    ///
    /// # Errors
    /// [`PageError`] where `who` may not read them or the store does not answer.
    pub async fn audit_export(
        &self,
        who: &Viewer,
        filter: &AuditFilter,
        before: Option<Seq>,
    ) -> Result<(Vec<AuditLine>, Option<Seq>), PageError> {
        let mut reader = self.audit_reader(who).await?;
        let found = reader.audit(filter, before, MAX_EXPORT).await.map_err(|error| self.failed(&error))?;
        let rest = found.last().map(|row| row.seq).filter(|_| found.len() == MAX_EXPORT as usize);
        Ok((found.into_iter().map(line).collect(), rest))
    }

    async fn audit_reader(&self, who: &Viewer) -> Result<Reader, PageError> {
        if who.role >= READER {
            return self.reader().await;
        }
        let now = self.state.now();
        let tokens = self.state.store.tokens().await.map_err(|error| self.failed(&error))?;
        let may = tokens.into_iter().filter(|token| token.is_valid(now) && token.role >= READER);
        Err(PageError::Forbidden {
            what: "the audit log".to_owned(),
            needs: READER,
            holders: may.map(|token| token.name).take(20).collect(),
        })
    }
}

/// A row as readers get it. `recorded_at` is left out: they want to know when it was done; the env is in the
/// target's name.
pub fn line(row: AuditRow) -> AuditLine {
    let AuditRow { seq, recorded_at: _, entry } = row;
    let AuditEntry { at, actor, action, target, env: _, reason, outcome, receipt, trace_id } = entry;
    AuditLine {
        seq,
        at,
        actor: actor.name,
        role: actor.role,
        action,
        target,
        reason,
        outcome,
        receipt: receipt.map(|id| id.to_string()),
        trace_id: trace_id.to_string(),
    }
}
