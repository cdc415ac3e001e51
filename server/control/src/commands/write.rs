//! The one transaction of a command, and the audit row of a refused one.

use model::{
    EnvRef, NewEvent, ObjectKey, Outcome, Plan, Receipt, ReceiptId, ReceiptPhase, Release, Until, Verb, Wait,
    WaitId, WaitPhase,
};
use sha2::{Digest, Sha256};
use store::{AuditEntry, EnvWrite, IdempotencyKey, StoreError};

use super::{CommandError, Commands, MAX_REASON, Submit, Submitted};

/// Hash over what makes two requests the same request. The trace and the reason differ between tries.
pub(super) fn request_hash(submit: &Submit) -> String {
    hash(&serde_json::json!([submit.env, submit.verb, submit.ask, submit.generation, submit.plan_hash]))
}

/// The same for an app file: its content, and the files that it pins.
pub(super) fn apply_hash(release: &Release) -> String {
    hash(&serde_json::json!(["apply", release.spec, release.files]))
}

fn hash(essence: &serde_json::Value) -> String {
    let digest = Sha256::digest(essence.to_string().as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Commands {
    pub(super) async fn write(
        &self,
        submit: Submit,
        plan: Plan,
        declare: Option<EnvRef>,
        new_release: Option<Release>,
        request_hash: String,
    ) -> Result<Submitted, CommandError> {
        let now = (self.clock)();
        let is_stored = declare.is_none() && new_release.is_none();
        let target = plan.target.clone();
        let generation = plan.expected_generation + 1;
        let reason: String = submit.reason.chars().take(MAX_REASON).collect();
        let until = if plan.verb == Verb::Delete { Until::Gone } else { Until::converged_at(generation) };
        let wait = submit.wait.map(|span| Wait {
            id: WaitId::mint((self.random)()),
            object: ObjectKey::env(&target.env_id),
            title: wait_title(&plan),
            target: Some(target.clone()),
            items: until.unmet(),
            until,
            receipt: None,
            generation: Some(generation),
            owner: submit.actor.name.clone(),
            created_at: now,
            deadline: now + span,
            phase: WaitPhase::Waiting,
            ended_at: None,
            blind_since: None,
        });
        let id = ReceiptId::mint((self.random)());
        let receipt = Receipt {
            id: id.clone(),
            verb: plan.verb,
            target: target.clone(),
            generation,
            phase: ReceiptPhase::Accepted,
            phase_at: now,
            accepted_at: now,
            actor: submit.actor.name.clone(),
            reason: reason.clone(),
            trace_id: submit.trace_id.clone(),
            wait: wait.as_ref().map(|wait| wait.id.clone()),
            checked: None,
            plan: plan.clone(),
        };
        let event = NewEvent {
            at: now,
            source: self.source.clone(),
            controller: "user".to_owned(),
            object: ObjectKey::env(&target.env_id),
            app: Some(target.app.clone()),
            env: Some(target.env.clone()),
            action: plan.verb.label().replace(' ', ""),
            outcome: Outcome::Info,
            reason: "Requested".to_owned(),
            message: match reason.is_empty() {
                true => format!("{} by {}", receipt.title(), submit.actor.name),
                false => format!("{} by {}: {reason}", receipt.title(), submit.actor.name),
            },
            attempt: None,
            trace_id: Some(submit.trace_id.clone()),
            dedupe: Some(format!("receipt:{id}")),
        };
        let audit = AuditEntry {
            at: now,
            actor: submit.actor.clone(),
            action: plan.verb.as_str().to_owned(),
            target: target.title(),
            env: Some(target.env_id.clone()),
            reason,
            outcome: "accepted".to_owned(),
            receipt: Some(id.clone()),
            trace_id: submit.trace_id.clone(),
        };
        let write = EnvWrite {
            declare,
            new_release,
            env_id: target.env_id.clone(),
            expected_generation: plan.expected_generation,
            intent: plan.intent.clone(),
            verb: plan.verb,
            receipt,
            wait: wait.map(|wait| Wait { receipt: Some(id), ..wait }),
            audit,
            event,
            idempotency: Some(IdempotencyKey {
                actor: submit.actor.name.clone(),
                key: submit.key.clone(),
                request_hash,
            }),
        };
        Ok(match self.store.env_submit(write).await? {
            store::Submitted::Accepted { receipt, .. } => {
                self.rollout.activate();
                Submitted::Accepted(receipt)
            }
            store::Submitted::Repeated(receipt) => Submitted::Repeated(receipt),
            store::Submitted::KeyReused => Submitted::KeyReused,
            // Somebody was faster between our snapshot and our transaction: say what the plan is now.
            store::Submitted::Stale { .. } if !is_stored => Submitted::PlanChanged(Box::new(plan)),
            store::Submitted::Stale { .. } => {
                match self.plan(&submit.actor, &target.env_id, plan.verb, &plan.ask).await? {
                    Some(Ok(plan)) => Submitted::PlanChanged(Box::new(plan)),
                    Some(Err(refusal)) => Submitted::Refused(refusal),
                    None => Submitted::NoSuchEnv,
                }
            }
        })
    }

    /// Refusals are audited too: who tried what.
    pub(super) async fn audit_refusal(&self, submit: &Submit, outcome: &str) -> Result<(), StoreError> {
        let env = self.store.read().await?.env(&submit.env).await?;
        let entry = AuditEntry {
            at: (self.clock)(),
            actor: submit.actor.clone(),
            action: submit.verb.as_str().to_owned(),
            target: env.as_ref().map_or_else(|| submit.env.to_string(), |env| env.target.title()),
            env: env.map(|env| env.target.env_id),
            reason: submit.reason.chars().take(MAX_REASON).collect(),
            outcome: outcome.to_owned(),
            receipt: None,
            trace_id: submit.trace_id.clone(),
        };
        self.store.audit_insert(entry).await.map(drop)
    }
}

fn wait_title(plan: &Plan) -> String {
    let target = plan.target.title();
    match plan.verb {
        Verb::Delete => format!("{target} to be gone"),
        Verb::Stop => format!("{target} to stop"),
        Verb::Restart => format!("{target} to restart"),
        Verb::Deploy | Verb::Rollback | Verb::Scale => {
            let what = plan.will_change.first().map(|change| format!(" ({} {})", change.field, change.to));
            format!("{target} to converge{}", what.unwrap_or_default())
        }
    }
}
