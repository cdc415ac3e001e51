//! The port that pages are rendered from. The server implements it over the store; tests over fixtures.

use async_trait::async_trait;
use model::{
    Receipt, Verb, ViewState, Wait,
    audit::{AuditState, AuditView},
    doctor::DoctorView,
    plan::Ask,
    search::Found,
    source::{SourceView, SourcesView},
    view::{EventsView, ObjectView},
};

use super::reference::Reference;
use super::{
    EnvPage, HelpPage, OverviewPage, Page, PageError, PlanPage, ReceiptPage, ReleasesPage, Rows,
    SettingsPage, Viewer,
};

/// One method a page. Every method reads in one snapshot, and checks what `who` may see.
///
/// Texts that name things come from URLs as they are: `app_7f3k~checkout`, `checkout`, `rc_…`. The
/// implementation parses them; what does not parse is [`PageError::NotFound`].
#[async_trait]
pub trait Backend: Send + Sync {
    /// `/`; with `state.sel` the app-env that it names, beside the list.
    async fn overview(&self, who: &Viewer, state: &ViewState) -> Result<Page<OverviewPage>, PageError>;

    /// `/a/{app}/{env}`; with `state.open` the plan that it names.
    async fn env(
        &self,
        who: &Viewer,
        app: &str,
        env: &str,
        state: &ViewState,
    ) -> Result<Page<EnvPage>, PageError>;

    /// `/a/{app}/{env}/releases`
    async fn releases(&self, who: &Viewer, app: &str, env: &str) -> Result<Page<ReleasesPage>, PageError>;

    /// `/o/{kind}/{id}`; something that is gone is found, and says so.
    async fn object(
        &self,
        who: &Viewer,
        kind: &str,
        id: &str,
        state: &ViewState,
    ) -> Result<Page<ObjectView>, PageError>;

    /// `/events`
    async fn events(&self, who: &Viewer, state: &ViewState) -> Result<Page<EventsView>, PageError>;

    /// `/actions/{verb}/plan?env=…`
    async fn plan(&self, who: &Viewer, verb: Verb, env: &str, ask: &Ask)
    -> Result<Page<PlanPage>, PageError>;

    /// `/receipts`
    async fn receipts(&self, who: &Viewer, state: &ViewState) -> Result<Page<Rows<Receipt>>, PageError>;

    /// `/receipts/{id}`
    async fn receipt(&self, who: &Viewer, id: &str) -> Result<Page<ReceiptPage>, PageError>;

    /// `/waits`
    async fn waits(&self, who: &Viewer, state: &ViewState) -> Result<Page<Rows<Wait>>, PageError>;

    /// `/waits/{id}`
    async fn wait(&self, who: &Viewer, id: &str) -> Result<Page<Wait>, PageError>;

    /// `/sources`
    async fn sources(&self, who: &Viewer) -> Result<Page<SourcesView>, PageError>;

    /// `/sources/{id}`
    async fn source(&self, who: &Viewer, id: &str) -> Result<Page<SourceView>, PageError>;

    /// `/audit`
    async fn audit(&self, who: &Viewer, state: &AuditState) -> Result<Page<AuditView>, PageError>;

    /// `/settings`
    async fn settings(&self, who: &Viewer) -> Result<Page<SettingsPage>, PageError>;

    /// `/doctor`
    async fn doctor(&self, who: &Viewer) -> Result<Page<DoctorView>, PageError>;

    /// `/search?q=`
    async fn search(&self, who: &Viewer, q: &str) -> Result<Page<Found>, PageError>;

    /// `/help/keys` and `/codes`
    async fn help(&self, who: &Viewer, page: HelpPage) -> Result<Page<HelpPage>, PageError>;

    /// What the API answers.
    async fn reference(&self, who: &Viewer) -> Result<Page<Reference>, PageError>;
}
