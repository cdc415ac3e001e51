//! Commands: plan, then submit. A submit re-plans over one snapshot and writes intent, receipt, wait, audit row
//! and event in one transaction, or nothing.
//!
//! Refusals are values ([`Submitted`]), not errors. Roles are checked here and not in views. No platform is
//! touched: the rollout reconciler does that, woken after the commit; if we crash before, its timer finds it.

mod apply;
mod write;

use std::collections::BTreeMap;

use model::{
    Actor, EnvId, EnvRecord, EnvRef, Freshness, ObjectKey, ObjectKind, Plan, Receipt, Role, SourceId, Span,
    TraceId, Ts, Verb, plan::Ask,
};
use rules::command::{Refusal, Situation};
use store::{Reader, Store, StoreError};

pub use apply::{Applied, Apply};

use crate::{Activator, Clock, Random, views};

/// Plans and submits commands.
#[derive(Clone)]
pub struct Commands {
    store: Store,
    clock: Clock,
    random: Random,
    rollout: Activator,
    /// Who the events of people are recorded under.
    source: SourceId,
}

/// One command, confirmed.
#[derive(Debug, Clone)]
pub struct Submit {
    /// Who.
    pub actor: Actor,
    /// To which env.
    pub env: EnvId,
    /// What.
    pub verb: Verb,
    /// What exactly.
    pub ask: Ask,
    /// The generation that the plan was made for.
    pub generation: i64,
    /// The plan that was read; another one is shown instead of being carried out.
    pub plan_hash: String,
    /// Why, for the audit log. Hostile text.
    pub reason: String,
    /// Whether to wait for convergence, and how long at most.
    pub wait: Option<Span>,
    /// Makes it repeatable.
    pub key: String,
    /// The request.
    pub trace_id: TraceId,
}

/// How a command came out.
#[derive(Debug, Clone, PartialEq)]
pub enum Submitted {
    /// It is recorded.
    Accepted(Box<Receipt>),
    /// The same request was recorded before.
    Repeated(Box<Receipt>),
    /// The plan is another one now; nothing was written.
    PlanChanged(Box<Plan>),
    /// The plan must not be carried out; nothing was written.
    Blocked(Box<Plan>),
    /// The role does not allow it; nothing but an audit row was written.
    Forbidden {
        /// What it takes.
        needs: Role,
    },
    /// The key was used for another request.
    KeyReused,
    /// The question makes no sense here.
    Refused(Refusal),
    /// There is no such env.
    NoSuchEnv,
}

/// Why a command could be neither accepted nor refused.
#[derive(Debug, thiserror::Error)]
#[error("the store did not answer")]
pub struct CommandError(#[from] pub StoreError);

/// The longest reason that is kept, in characters.
pub const MAX_REASON: usize = 500;
/// The longest idempotency key, in bytes.
pub const MAX_KEY: usize = 200;

impl Commands {
    /// Commands over this store; `rollout` is rung after every accepted one.
    #[must_use]
    pub fn new(store: Store, clock: Clock, random: Random, rollout: Activator, source: SourceId) -> Self {
        Self { store, clock, random, rollout, source }
    }

    /// Plans one command. `Ok(None)` where there is no such env.
    ///
    /// # Errors
    /// [`CommandError`] where the store does not answer.
    pub async fn plan(
        &self,
        actor: &Actor,
        env: &EnvId,
        verb: Verb,
        ask: &Ask,
    ) -> Result<Option<Result<Plan, Refusal>>, CommandError> {
        let mut reader = self.store.read().await?;
        let Some(facts) = Facts::load(&mut reader, env, (self.clock)()).await? else { return Ok(None) };
        Ok(Some(rules::command::plan(verb, ask, &facts.situation(actor))))
    }

    /// Submits one confirmed command.
    ///
    /// # Errors
    /// [`CommandError`] where the store does not answer; nothing was written then.
    pub async fn submit(&self, submit: Submit) -> Result<Submitted, CommandError> {
        if submit.actor.role < Role::Operator {
            self.audit_refusal(&submit, "refused: needs the operator role").await?;
            return Ok(Submitted::Forbidden { needs: Role::Operator });
        }
        let request_hash = write::request_hash(&submit);
        let facts = {
            let mut reader = self.store.read().await?;
            // A repeated key answers before anything is planned: by now the plan would be another one.
            if let Some(used) = reader.receipt_by_key(&submit.actor.name, &submit.key).await? {
                return Ok(match used.request_hash == request_hash {
                    true => Submitted::Repeated(Box::new(used.receipt)),
                    false => Submitted::KeyReused,
                });
            }
            Facts::load(&mut reader, &submit.env, (self.clock)()).await?
        };
        let Some(facts) = facts else { return Ok(Submitted::NoSuchEnv) };
        let plan = match rules::command::plan(submit.verb, &submit.ask, &facts.situation(&submit.actor)) {
            Ok(plan) => plan,
            Err(refusal) => return Ok(Submitted::Refused(refusal)),
        };
        if plan.expected_generation != submit.generation || plan.hash != submit.plan_hash {
            return Ok(Submitted::PlanChanged(Box::new(plan)));
        }
        if plan.blocked().is_some() {
            self.audit_refusal(&submit, "refused: blocked").await?;
            return Ok(Submitted::Blocked(Box::new(plan)));
        }
        Box::pin(self.write(submit, plan, None, None, request_hash)).await
    }
}

/// What a plan is made from, loaded in one snapshot.
struct Facts {
    env: EnvRecord,
    releases: Vec<model::Release>,
    running: BTreeMap<i64, u32>,
    freshness: Freshness,
    open_receipt: Option<model::ReceiptId>,
    now: Ts,
}

impl Facts {
    async fn load(reader: &mut Reader, id: &EnvId, now: Ts) -> Result<Option<Self>, StoreError> {
        let Some(env) = reader.env(id).await? else { return Ok(None) };
        let instances =
            views::scene::of_env(reader, &env.target.app, &env.target.env, ObjectKind::instance()).await?;
        let mut running = BTreeMap::new();
        for object in &instances {
            let number = object.current_text("release").and_then(|name| name.strip_prefix("r-"));
            if let Some(number) = number.and_then(|number| number.parse().ok()) {
                *running.entry(number).or_default() += 1;
            }
        }
        let object = reader.object(&ObjectKey::env(id)).await?;
        let source = match &object {
            Some(object) => reader.source(&object.source).await?,
            None => None,
        };
        Ok(Some(Self {
            releases: reader.releases(id).await?,
            open_receipt: views::env::open_receipt(reader, id).await?,
            // An env that no controller has reported yet has no source that could be silent.
            freshness: source.map_or(Freshness::Live, |source| {
                Freshness::of_source(source.last_seen_at, source.interval, now)
            }),
            running,
            env,
            now,
        }))
    }

    /// An env that does not exist yet.
    fn declared(target: EnvRef, now: Ts) -> Self {
        let intent = model::plan::Intent {
            release: None,
            scale: BTreeMap::new(),
            run: model::RunState::Running,
            restarts: 0,
        };
        let env = EnvRecord {
            target,
            generation: 0,
            intent,
            changed_at: now,
            changed_by: String::new(),
            changed_by_verb: None,
        };
        Self {
            env,
            releases: vec![],
            running: BTreeMap::new(),
            freshness: Freshness::Live,
            open_receipt: None,
            now,
        }
    }

    fn situation<'a>(&'a self, actor: &'a Actor) -> Situation<'a> {
        Situation {
            actor,
            env: &self.env,
            releases: &self.releases,
            running: &self.running,
            freshness: self.freshness,
            open_receipt: self.open_receipt.as_ref(),
            now: self.now,
        }
    }
}
