//! `vt apply`: makes a release from an app file and deploys it, both in one transaction.

use std::collections::BTreeMap;

use model::{
    Actor, AppId, AppSpec, EnvId, EnvRef, Plan, Release, ReleaseId, Role, Span, TraceId, Verb, plan::Ask,
    spec::FilePin,
};

use store::StoreError;

use super::{CommandError, Commands, Facts, Submit, Submitted, write::apply_hash};

/// One app file to apply.
#[derive(Debug, Clone)]
pub struct Apply {
    /// Who.
    pub actor: Actor,
    /// The app file, read and checked.
    pub spec: AppSpec,
    /// Its pinned files; the platform has them all.
    pub files: BTreeMap<String, FilePin>,
    /// Only plan.
    pub dry_run: bool,
    /// Why.
    pub reason: String,
    /// Whether to wait for convergence, and how long at most.
    pub wait: Option<Span>,
    /// Makes it repeatable.
    pub key: String,
    /// The request.
    pub trace_id: TraceId,
}

/// What applying comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// The release, with the number that it has or would get.
    pub release: Release,
    /// What deploying it does.
    pub plan: Plan,
    /// How it came out; `None` for a dry run.
    pub submitted: Option<Submitted>,
}

/// How often an app file is planned before its sender is told that others are always faster.
const TRIES: u32 = 8;

impl Commands {
    /// Plans the app file, and submits it unless it is a dry run. The same file again makes no new release.
    ///
    /// Nobody has read a plan here, so where somebody else was faster, the file is planned again over what they left.
    ///
    /// # Errors
    /// [`CommandError`] where the store does not answer; nothing was written then.
    pub async fn apply(&self, apply: Apply) -> Result<Result<Applied, Submitted>, CommandError> {
        for _ in 1..TRIES {
            match Box::pin(self.apply_once(apply.clone())).await {
                Ok(Ok(Applied { submitted: Some(Submitted::PlanChanged(_)), .. })) => {}
                // Somebody else has just made an app or an env of this name.
                Err(CommandError(StoreError::Conflict { .. })) => {}
                other => return other,
            }
        }
        Box::pin(self.apply_once(apply)).await
    }

    async fn apply_once(&self, apply: Apply) -> Result<Result<Applied, Submitted>, CommandError> {
        let now = (self.clock)();
        let (facts, declare) = {
            let mut reader = self.store.read().await?;
            match reader.env_by_name(&apply.spec.app, &apply.spec.env).await? {
                Some(env) => {
                    let facts = Facts::load(&mut reader, &env.target.env_id, now).await?;
                    let Some(facts) = facts else { return Ok(Err(Submitted::NoSuchEnv)) };
                    (facts, None)
                }
                None => {
                    let app_id = match reader.app_by_name(&apply.spec.app).await? {
                        Some(id) => id,
                        None => AppId::mint((self.random)()),
                    };
                    let target = EnvRef {
                        app_id,
                        app: apply.spec.app.clone(),
                        env_id: EnvId::mint((self.random)()),
                        env: apply.spec.env.clone(),
                    };
                    (Facts::declared(target.clone(), now), Some(target))
                }
            }
        };
        let same = facts.releases.iter().find(|r| r.spec == apply.spec && r.files == apply.files).cloned();
        let is_new = same.is_none();
        let release = same.unwrap_or_else(|| Release {
            id: ReleaseId::mint((self.random)()),
            number: facts.releases.iter().map(|r| r.number).max().unwrap_or(0) + 1,
            target: facts.env.target.clone(),
            spec: apply.spec.clone(),
            files: apply.files.clone(),
            created_at: now,
            created_by: apply.actor.name.clone(),
            converged_at: None,
            held_until: None,
        });
        let mut facts = facts;
        if is_new {
            facts.releases.push(release.clone());
        }
        let ask = Ask { release: Some(release.id.clone()), ..Ask::default() };
        let plan = match rules::command::plan(Verb::Deploy, &ask, &facts.situation(&apply.actor)) {
            Ok(plan) => plan,
            Err(refusal) => return Ok(Err(Submitted::Refused(refusal))),
        };
        if apply.dry_run {
            return Ok(Ok(Applied { release, plan, submitted: None }));
        }
        let submit = Submit {
            actor: apply.actor,
            env: plan.target.env_id.clone(),
            verb: Verb::Deploy,
            ask,
            generation: plan.expected_generation,
            plan_hash: plan.hash.clone(),
            reason: apply.reason,
            wait: apply.wait,
            key: apply.key,
            trace_id: apply.trace_id,
        };
        let submitted = Box::pin(self.submit_apply(submit, &plan, declare, &release, is_new)).await?;
        Ok(Ok(Applied { release, plan, submitted: Some(submitted) }))
    }

    async fn submit_apply(
        &self,
        submit: Submit,
        plan: &Plan,
        declare: Option<EnvRef>,
        release: &Release,
        is_new: bool,
    ) -> Result<Submitted, CommandError> {
        if submit.actor.role < Role::Operator {
            self.audit_refusal(&submit, "refused: needs the operator role").await?;
            return Ok(Submitted::Forbidden { needs: Role::Operator });
        }
        // Ids are minted per try, and generations move on: the file itself is what makes two requests the same.
        let request_hash = apply_hash(release);
        let used = self.store.read().await?.receipt_by_key(&submit.actor.name, &submit.key).await?;
        if let Some(used) = used {
            return Ok(match used.request_hash == request_hash {
                true => Submitted::Repeated(Box::new(used.receipt)),
                false => Submitted::KeyReused,
            });
        }
        if plan.blocked().is_some() {
            return Ok(Submitted::Blocked(Box::new(plan.clone())));
        }
        let new_release = is_new.then(|| release.clone());
        Box::pin(self.write(submit, plan.clone(), declare, new_release, request_hash)).await
    }
}
