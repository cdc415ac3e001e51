//! The pages' port over the real store: parses what URLs say, reads one snapshot, computes views.

pub mod audit;
mod doctor;
mod list;
mod overview;
mod reference;
pub mod search;
mod settings;
mod sources;

pub use overview::{Part, Rollup};

use std::collections::BTreeMap;

use app::api::reference::Reference;
use app::api::{
    Backend, Chrome, EnvPage, HelpPage, OverviewPage, Page, PageError, PlanPage, ReceiptPage, ReleasesPage,
    Rows, SettingsPage, Viewer,
};
use async_trait::async_trait;
use control::views::{self, env::Range};
use model::{
    Actor, EnvRecord, Freshness, ObjectKey, Plan, Receipt, ReleaseId, Seq, TraceId, Ts, Verb, ViewState,
    Wait,
    audit::{AuditState, AuditView},
    doctor::DoctorView,
    plan::Ask,
    search::Found,
    source::{SourceView, SourcesView},
    view::{ActionState, EventsView, ObjectView},
};
use store::{Reader, StoreError};

use crate::state::AppState;

/// How many receipts their page shows.
const RECEIPTS: u32 = 200;
/// How many waits; each is a card.
const WAITS: u32 = 50;

/// One request's view of the store.
pub struct Pages {
    state: AppState,
    trace: TraceId,
}

impl Pages {
    /// Pages for one request.
    #[must_use]
    pub fn new(state: AppState, trace: TraceId) -> Self {
        Self { state, trace }
    }

    async fn reader(&self) -> Result<Reader, PageError> {
        self.state.store.read().await.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &StoreError) -> PageError {
        tracing::error!(trace.id = %self.trace, error = %control::chain(error), "a page could not be read");
        PageError::Unavailable { what: "The store does not answer.".to_owned(), trace_id: self.trace.clone() }
    }

    async fn page<T>(&self, reader: &mut Reader, who: &Viewer, data: T) -> Result<Page<T>, PageError> {
        let now = self.state.now();
        let chrome = self.chrome(reader, now).await?;
        Ok(self.page_of(who, data, chrome, (reader.as_of(), now)))
    }

    /// What the top bar counts.
    async fn chrome(&self, reader: &mut Reader, now: Ts) -> Result<Chrome, PageError> {
        let failed = |error| self.failed(&error);
        let sources = reader.sources().await.map_err(failed)?;
        let silent = sources.iter().filter(|source| {
            matches!(Freshness::of_source(source.last_seen_at, source.interval, now), Freshness::Stale { .. })
        });
        let (open_waits, open_receipts) = reader.open_counts().await.map_err(failed)?;
        let silent_sources = u32::try_from(silent.count()).unwrap_or(u32::MAX);
        Ok(Chrome { open_waits, open_receipts, silent_sources })
    }

    /// A page of what was read up to this row of the journal, at this instant.
    fn page_of<T>(&self, who: &Viewer, data: T, chrome: Chrome, (as_of, now): (Seq, Ts)) -> Page<T> {
        Page {
            data,
            as_of,
            now,
            store_id: self.state.store.store_id().to_owned(),
            build_id: self.state.site.names().build_id,
            viewer: who.clone(),
            chrome,
            unknown_keys: vec![],
        }
    }

    async fn find_env(&self, reader: &mut Reader, app: &str, env: &str) -> Result<EnvRecord, PageError> {
        // `env_p9~prod`: the id decides, the slug is decoration. A bare name is looked up.
        let found = match env.split('~').next().unwrap_or_default().parse() {
            Ok(id) => reader.env(&id).await,
            Err(_) => {
                let app = app.split_once('~').map_or(app, |(_, name)| name);
                reader.env_by_name(app, env).await
            }
        };
        let missing = || PageError::NotFound { what: format!("{app}/{env}") };
        found.map_err(|error| self.failed(&error))?.ok_or_else(missing)
    }

    async fn plan_page(
        &self,
        who: &Viewer,
        env: &EnvRecord,
        verb: Verb,
        ask: &Ask,
    ) -> Result<PlanPage, PageError> {
        let actor = Actor { name: who.name.clone(), role: who.role };
        let planned = self.state.commands.plan(&actor, &env.target.env_id, verb, ask).await;
        match planned.map_err(|error| self.failed(&error.0))? {
            Some(Ok(plan)) => self.around(env, plan, None, String::new()).await,
            Some(Err(refusal)) => Err(PageError::Invalid { what: refusal.to_string() }),
            None => Err(PageError::NotFound { what: env.target.title() }),
        }
    }

    /// A scale that names no number yet asks for the number that is wanted now, so that its page has a form.
    ///
    /// # Errors
    /// [`PageError`] where the env is unknown or the store does not answer.
    pub async fn present_scale(&self, env: &str, ask: Ask) -> Result<Ask, PageError> {
        let mut reader = self.reader().await?;
        let env = self.find_env(&mut reader, "", env).await?;
        let release = match &env.intent.release {
            Some(id) => reader.release(id).await.map_err(|error| self.failed(&error))?,
            None => None,
        };
        let Some(release) = release else { return Ok(ask) };
        let first = release.spec.processes.keys().next().cloned();
        let process = ask.process.clone().or(first);
        let instances =
            process.as_ref().map(|process| rules::rollout::wanted(&env.intent, &release, process));
        Ok(Ask { process, instances, ..ask })
    }

    /// What a plan's page shows beside the plan.
    ///
    /// # Errors
    /// [`PageError::Unavailable`] where the store does not answer.
    pub async fn around(
        &self,
        env: &EnvRecord,
        plan: Plan,
        notice: Option<String>,
        reason: String,
    ) -> Result<PlanPage, PageError> {
        let mut reader = self.reader().await?;
        let releases = reader.releases(&env.target.env_id).await.map_err(|error| self.failed(&error))?;
        let current = env.intent.release.as_ref().and_then(|id| releases.iter().find(|r| &r.id == id));
        let processes: BTreeMap<String, u32> = current
            .map(|release| {
                let count = |p: &String| (p.clone(), rules::rollout::wanted(&env.intent, release, p));
                release.spec.processes.keys().map(count).collect()
            })
            .unwrap_or_default();
        let others = releases
            .iter()
            .filter(|release| Some(&release.id) != env.intent.release.as_ref())
            .map(|release| (release.id.clone(), release.name()))
            .collect();
        Ok(PlanPage { plan, processes, releases: others, notice, reason })
    }

    /// A plan that is shown again after it was refused.
    ///
    /// # Errors
    /// [`PageError`] where the env is gone or the store does not answer.
    pub async fn plan_again(
        &self,
        who: &Viewer,
        plan: Plan,
        notice: &str,
        reason: String,
    ) -> Result<Page<PlanPage>, PageError> {
        let mut reader = self.reader().await?;
        let id = plan.target.env_id.to_string();
        let env = self.find_env(&mut reader, "", &id).await?;
        let data = self.around(&env, plan, Some(notice.to_owned()), reason).await?;
        self.page(&mut reader, who, data).await
    }

    /// Which instant a page is about. Before time travel lands only "now" can be shown.
    fn only_now(&self, state: &ViewState) -> Result<(), PageError> {
        match state.at {
            None => Ok(()),
            Some(at) => Err(PageError::Invalid {
                what: format!("{at} cannot be shown: this build shows only now. Recorded history is kept."),
            }),
        }
    }
}

fn range(state: &ViewState, now: Ts) -> Range {
    Range { from: state.from.map(|when| when.resolve(now)), to: state.to.map(|when| when.resolve(now)) }
}

/// `rollback:rel_118`, `scale:`, `restart`.
fn opened(open: &str) -> Option<(Verb, Ask)> {
    let (verb, rest) = open.split_once(':').unwrap_or((open, ""));
    let release: Option<ReleaseId> = match rest {
        "" => None,
        text => Some(text.parse().ok()?),
    };
    Some((Verb::parse(verb)?, Ask { release, ..Ask::default() }))
}

#[async_trait]
impl Backend for Pages {
    async fn overview(&self, who: &Viewer, state: &ViewState) -> Result<Page<OverviewPage>, PageError> {
        self.only_now(state)?;
        self.load_overview(who, state).await
    }

    async fn env(
        &self,
        who: &Viewer,
        app: &str,
        env: &str,
        state: &ViewState,
    ) -> Result<Page<EnvPage>, PageError> {
        self.only_now(state)?;
        let mut reader = self.reader().await?;
        let record = self.find_env(&mut reader, app, env).await?;
        let now = self.state.now();
        let id = &record.target.env_id;
        let view = views::env::load(&mut reader, id, range(state, now), &self.state.limits, now)
            .await
            .map_err(|error| self.failed(&error))?
            .ok_or_else(|| PageError::NotFound { what: record.target.title() })?;
        let open = match state.open.as_deref().and_then(opened) {
            // An impossible plan is not a reason to hide the page: it is shown without the dialog.
            Some((verb, ask)) => self.plan_page(who, &record, verb, &ask).await.ok(),
            None => None,
        };
        self.page(&mut reader, who, EnvPage { view, open }).await
    }

    async fn releases(&self, who: &Viewer, app: &str, env: &str) -> Result<Page<ReleasesPage>, PageError> {
        let page = self.env(who, app, env, &ViewState::default()).await?;
        let view = page.data.view;
        let data = ReleasesPage { target: view.target, judgement: view.judgement, rows: view.releases };
        let mut reader = self.reader().await?;
        self.page(&mut reader, who, data).await
    }

    async fn object(
        &self,
        who: &Viewer,
        kind: &str,
        id: &str,
        state: &ViewState,
    ) -> Result<Page<ObjectView>, PageError> {
        self.only_now(state)?;
        let missing = || PageError::NotFound { what: format!("{kind} {id}") };
        let key = kind.parse().ok().and_then(|kind| ObjectKey::new(kind, id).ok()).ok_or_else(missing)?;
        let mut reader = self.reader().await?;
        let now = self.state.now();
        let view = views::object::load(&mut reader, &key, range(state, now), &self.state.limits, now)
            .await
            .map_err(|error| self.failed(&error))?
            .ok_or_else(missing)?;
        self.page(&mut reader, who, view).await
    }

    async fn events(&self, who: &Viewer, state: &ViewState) -> Result<Page<EventsView>, PageError> {
        self.only_now(state)?;
        let mut reader = self.reader().await?;
        let view = views::events::load(&mut reader, state, views::events::PAGE, self.state.now())
            .await
            .map_err(|error| self.failed(&error))?;
        self.page(&mut reader, who, view).await
    }

    async fn plan(
        &self,
        who: &Viewer,
        verb: Verb,
        env: &str,
        ask: &Ask,
    ) -> Result<Page<PlanPage>, PageError> {
        let mut reader = self.reader().await?;
        let record = self.find_env(&mut reader, "", env).await?;
        let data = self.plan_page(who, &record, verb, ask).await?;
        self.page(&mut reader, who, data).await
    }

    async fn receipts(&self, who: &Viewer, state: &ViewState) -> Result<Page<Rows<Receipt>>, PageError> {
        self.only_now(state)?;
        let after = list::after(state)?;
        let failed = |error| self.failed(&error);
        let mut reader = self.reader().await?;
        let page = reader.receipts_page(None, after.as_ref(), RECEIPTS + 1).await.map_err(failed)?;
        let open = match after {
            Some(_) => vec![],
            None => reader.receipts_open(RECEIPTS).await.map_err(failed)?,
        };
        let rows = list::rows(open, page, RECEIPTS, after.is_some(), |receipt| receipt.id.to_string());
        self.page(&mut reader, who, rows).await
    }

    async fn receipt(&self, who: &Viewer, id: &str) -> Result<Page<ReceiptPage>, PageError> {
        let failed = |error| self.failed(&error);
        let missing = || PageError::NotFound { what: format!("receipt {id}") };
        let mut reader = self.reader().await?;
        let parsed = id.parse().map_err(|_| missing())?;
        let receipt = reader.receipt(&parsed).await.map_err(failed)?.ok_or_else(missing)?;
        let wait = match &receipt.wait {
            Some(wait) => reader.wait(wait).await.map_err(failed)?,
            None => None,
        };
        let env = reader.env(&receipt.target.env_id).await.map_err(failed)?;
        let releases = reader.releases(&receipt.target.env_id).await.map_err(failed)?;
        let undo = env.and_then(|env| undo(&env, &releases, &receipt));
        self.page(&mut reader, who, ReceiptPage { receipt, wait, undo }).await
    }

    async fn waits(&self, who: &Viewer, state: &ViewState) -> Result<Page<Rows<Wait>>, PageError> {
        self.only_now(state)?;
        let after = list::after(state)?;
        let failed = |error| self.failed(&error);
        let mut reader = self.reader().await?;
        let page = reader.waits_page(false, after.as_ref(), WAITS + 1).await.map_err(failed)?;
        let open = match after {
            Some(_) => vec![],
            None => reader.waits_page(true, None, WAITS).await.map_err(failed)?,
        };
        let rows = list::rows(open, page, WAITS, after.is_some(), |wait| wait.id.to_string());
        self.page(&mut reader, who, rows).await
    }

    async fn wait(&self, who: &Viewer, id: &str) -> Result<Page<Wait>, PageError> {
        let missing = || PageError::NotFound { what: format!("wait {id}") };
        let mut reader = self.reader().await?;
        let parsed = id.parse().map_err(|_| missing())?;
        let wait = reader.wait(&parsed).await.map_err(|error| self.failed(&error))?.ok_or_else(missing)?;
        self.page(&mut reader, who, wait).await
    }

    async fn sources(&self, who: &Viewer) -> Result<Page<SourcesView>, PageError> {
        self.load_sources(who).await
    }

    async fn source(&self, who: &Viewer, id: &str) -> Result<Page<SourceView>, PageError> {
        self.load_source(who, id).await
    }

    async fn audit(&self, who: &Viewer, state: &AuditState) -> Result<Page<AuditView>, PageError> {
        self.load_audit(who, state).await
    }

    async fn settings(&self, who: &Viewer) -> Result<Page<SettingsPage>, PageError> {
        self.load_settings(who).await
    }

    async fn doctor(&self, who: &Viewer) -> Result<Page<DoctorView>, PageError> {
        self.load_doctor(who).await
    }

    async fn search(&self, who: &Viewer, q: &str) -> Result<Page<Found>, PageError> {
        self.load_search(who, q).await
    }

    async fn help(&self, who: &Viewer, page: HelpPage) -> Result<Page<HelpPage>, PageError> {
        let mut reader = self.reader().await?;
        self.page(&mut reader, who, page).await
    }

    async fn reference(&self, who: &Viewer) -> Result<Page<Reference>, PageError> {
        let mut reader = self.reader().await?;
        self.page(&mut reader, who, reference::reference(crate::http::document())).await
    }
}

/// What takes a command back: the release that was desired before it, while its own is still the desired one.
fn undo(env: &EnvRecord, releases: &[model::Release], receipt: &model::Receipt) -> Option<ActionState> {
    let change = receipt.plan.will_change.iter().find(|change| change.field == "desired release")?;
    let before = releases.iter().find(|release| release.name() == change.from)?;
    let still = env.generation == receipt.generation;
    Some(ActionState {
        verb: Verb::Deploy,
        label: format!("Return to {}…", before.name()),
        href: format!("/actions/deploy/plan?env={}&release={}", env.target.env_id, before.id),
        disabled: (!still).then(|| "desired state has changed since".to_owned()),
    })
}
