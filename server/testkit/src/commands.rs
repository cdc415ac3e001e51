//! What people do with apps, in one line each.

use std::{collections::BTreeMap, time::Duration};

use model::{EnvRef, Plan, Receipt, Release, Verb, Verdict, plan::Ask, spec::FilePin, view::EnvView};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Client, Response, until};

/// How long a real process may take to be what was asked for, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// An app file to apply.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Apply {
    /// The text of `vantage.yaml`.
    pub manifest: String,
    /// Pinned files.
    pub files: BTreeMap<String, FilePin>,
    /// Only plan.
    pub dry_run: bool,
    /// Why.
    pub reason: String,
    /// Wait for convergence, so many seconds at most.
    pub wait_s: Option<i64>,
}

/// What applying came to.
#[derive(Debug, Clone, Deserialize)]
pub struct Applied {
    /// The release.
    pub release: Release,
    /// What deploying it does.
    pub plan: Plan,
    /// `None` for a dry run.
    pub receipt: Option<Receipt>,
}

impl Apply {
    /// An app file and nothing else.
    #[must_use]
    pub fn of(manifest: &str) -> Self {
        Self { manifest: manifest.to_owned(), ..Self::default() }
    }
}

impl Client {
    /// Applies an app file.
    pub async fn apply(&self, apply: &Apply) -> Response<Applied> {
        self.post("/api/v1/apply", apply).await
    }

    /// Applies an app file and waits until it has converged.
    ///
    /// # Panics
    /// When it does not.
    pub async fn apply_and_converge(&self, manifest: &str) -> Applied {
        let applied = self.apply(&Apply::of(manifest)).await.good();
        self.converged(&applied.release.target).await;
        applied
    }

    /// The app-env's page as JSON.
    pub async fn env(&self, target: &EnvRef) -> EnvView {
        self.read(&format!("/api/v1/envs/{}", target.env_id)).await
    }

    /// Plans a command.
    pub async fn plan(&self, target: &EnvRef, verb: Verb, ask: &Ask) -> Response<Plan> {
        self.post(&format!("/api/v1/envs/{}/plans/{}", target.env_id, verb.as_str()), ask).await
    }

    /// Submits a plan as it was read.
    pub async fn act(&self, plan: &Plan, key: &str) -> Response<Receipt> {
        self.act_and_wait(plan, key, None).await
    }

    /// Submits a plan as it was read, and asks the server to wait for so many seconds.
    pub async fn act_and_wait(&self, plan: &Plan, key: &str, wait_s: Option<i64>) -> Response<Receipt> {
        let path = format!("/api/v1/envs/{}/actions/{}", plan.target.env_id, plan.verb.as_str());
        let (generation, hash) = (plan.expected_generation, &plan.hash);
        let body = json!({
            "ask": plan.ask, "generation": generation, "plan_hash": hash, "reason": "a test", "wait_s": wait_s,
        });
        self.keyed(Method::POST, &path, key, &body).await
    }

    /// Plans a command and submits the plan.
    ///
    /// # Panics
    /// When either is refused.
    pub async fn command(&self, target: &EnvRef, verb: Verb, ask: &Ask) -> Receipt {
        let plan = self.plan(target, verb, ask).await.good();
        self.act(&plan, &Self::key()).await.good()
    }

    /// Waits until an app-env has this verdict, and answers its page.
    ///
    /// # Panics
    /// When it does not get it.
    pub async fn has_verdict(&self, target: &EnvRef, verdict: Verdict, bound: Duration) -> EnvView {
        let what = format!("{} to be {}", target.title(), verdict.word());
        until(&what, bound, || async {
            let view = self.env(target).await;
            if view.judgement.verdict == verdict { Ok(view) } else { Err(view.judgement) }
        })
        .await
    }

    /// Waits until an app-env has converged.
    ///
    /// # Panics
    /// When it does not.
    pub async fn converged(&self, target: &EnvRef) -> EnvView {
        self.has_verdict(target, Verdict::Converged, PATIENCE).await
    }

    /// Waits until a receipt is closed.
    ///
    /// # Panics
    /// When it stays open.
    pub async fn closed(&self, receipt: &Receipt) -> Receipt {
        until(&format!("{} to be closed", receipt.id), PATIENCE, || async {
            let receipt: Receipt = self.read(&format!("/api/v1/receipts/{}", receipt.id)).await;
            if receipt.phase.is_open() { Err(receipt.phase) } else { Ok(receipt) }
        })
        .await
    }
}
