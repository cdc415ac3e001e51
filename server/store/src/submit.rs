//! The one transaction of a command: desired state, release, receipt, wait, event and audit row, or nothing.

use model::{EnvRef, Receipt, ReceiptId, Release, Ts, plan::Intent};

use crate::{
    EnvWrite, IdempotencyKey, JournalKind, Store, StoreError, Submitted, audit,
    desired::{ENV, EnvRow},
    ingest::insert_event,
    pool::{exec, row},
    receipts,
    text::{clean, to_json},
    waits,
    write::Write,
};

const KEY: &str = "SELECT request_hash, subject FROM idempotency_keys WHERE actor = $1 AND key = $2";
const KEY_INSERT: &str =
    "INSERT INTO idempotency_keys (actor, key, request_hash, subject, used_at) VALUES ($1, $2, $3, $4, $5)";
const APP: &str = "SELECT id, ext FROM apps WHERE name = $1";
const APP_INSERT: &str = "INSERT INTO apps (id, ext, name) VALUES ($1, $2, $3)";
const ENV_INSERT: &str = "INSERT INTO envs (id, ext, app, name, generation, scale, run, restarts, changed_at, changed_by, placed_at) \
    VALUES ($1, $2, $3, $4, 0, '{}', 'stopped', 0, $5, $6, $5)";
const ENV_UPDATE: &str = "UPDATE envs SET generation = $2, release_ext = $3, scale = $4, run = $5, restarts = $6, \
    changed_at = $7, changed_by = $8, changed_by_verb = $9 WHERE id = $1";
const NEXT_NUMBER: &str = "SELECT coalesce(max(number), 0) + 1 FROM releases WHERE env = $1";
const RELEASE_INSERT: &str = "INSERT INTO releases (id, ext, env, number, spec, files, created_at, created_by) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// How a key is used.
pub(crate) enum Use {
    /// For the first time; it is taken now.
    First,
    /// Again, by the same request; this is what the first use made.
    Repeated(String),
    /// Again, by another request.
    Reused,
}

/// Takes an idempotency key for what is about to be made.
pub(crate) async fn use_key(
    write: &mut Write,
    key: Option<&IdempotencyKey>,
    subject: &str,
) -> Result<Use, StoreError> {
    let Some(IdempotencyKey { actor, key, request_hash }) = key else { return Ok(Use::First) };
    let (op, now) = (write.op(), write.now.0);
    let [actor, key, request_hash] = [actor, key, request_hash].map(|text| clean(text).into_owned());
    match row!(&mut write.tx, op, (String, String), KEY, &actor, &key)? {
        Some((hash, subject)) if hash == request_hash => Ok(Use::Repeated(subject)),
        Some(_) => Ok(Use::Reused),
        None => {
            exec!(&mut write.tx, op, KEY_INSERT, &actor, &key, &request_hash, subject, now)?;
            Ok(Use::First)
        }
    }
}

impl Store {
    /// Writes a command: compares and sets the generation, and stores everything that goes with it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the env or the event's source does not exist,
    /// [`StoreError::Conflict`] when a name or an id is taken.
    pub async fn env_submit(&self, command: EnvWrite) -> Result<Submitted, StoreError> {
        const OP: &str = "write a command";
        let EnvWrite {
            declare,
            new_release,
            env_id,
            expected_generation,
            intent,
            verb,
            mut receipt,
            wait,
            audit: entry,
            event,
            idempotency,
        } = command;
        let mut write = self.write(OP).await?;
        match use_key(&mut write, idempotency.as_ref(), receipt.id.as_str()).await? {
            Use::First => {}
            Use::Reused => return Ok(Submitted::KeyReused),
            Use::Repeated(subject) => {
                return match receipts::find(&mut write, &subject).await? {
                    Some(row) => Ok(Submitted::Repeated(Box::new(row.into_receipt(OP)?))),
                    // The key made something else.
                    None => Ok(Submitted::KeyReused),
                };
            }
        }
        if let Some(target) = &declare {
            if target.env_id != env_id {
                return Err(StoreError::refused(OP, "the declared env is another one"));
            }
            self::declare(&mut write, target, &receipt).await?;
        }
        let env =
            row!(&mut write.tx, OP, EnvRow, ENV, env_id.as_str())?.ok_or(StoreError::NotFound { op: OP })?;
        if env.generation != expected_generation {
            return Ok(Submitted::Stale { current: env.generation });
        }
        let target = env.target(OP)?;
        let generation = expected_generation + 1;
        let release = match new_release {
            Some(release) => Some(add_release(&mut write, env.id, &target, release).await?),
            None => None,
        };
        let Intent { release: wanted, scale, run, restarts } = &intent;
        let (wanted, actor) = (wanted.as_ref().map(ToString::to_string), clean(&receipt.actor).into_owned());
        let Ts(changed_at) = receipt.accepted_at;
        exec!(
            &mut write.tx,
            OP,
            ENV_UPDATE,
            env.id,
            generation,
            &wanted,
            to_json(scale),
            run.as_str(),
            restarts,
            changed_at,
            &actor,
            verb.as_str()
        )?;
        write.journal(JournalKind::Env, None, Some(env.id), Some(env_id.to_string()));
        supersede(&mut write, env.id, &receipt.id).await?;
        receipt.generation = generation;
        receipt.target = target;
        receipts::insert(&mut write, env.id, &mut receipt).await?;
        if let Some(wait) = &wait {
            waits::insert(&mut write, wait).await?;
        }
        insert_event(&mut write, event).await?;
        audit::insert(&mut write, &entry).await?;
        write.commit().await?;
        Ok(Submitted::Accepted { receipt: Box::new(receipt), release: release.map(Box::new) })
    }
}

async fn supersede(write: &mut Write, env: i64, by: &ReceiptId) -> Result<(), StoreError> {
    receipts::supersede(write, env, by).await?;
    waits::supersede(write, env, by).await
}

/// Makes the app and the env where they are new.
async fn declare(write: &mut Write, target: &EnvRef, receipt: &Receipt) -> Result<(), StoreError> {
    let op = write.op();
    if let Some(known) = row!(&mut write.tx, op, EnvRow, ENV, target.env_id.as_str())? {
        let same = known.target(op)? == *target;
        return if same { Ok(()) } else { Err(StoreError::refused(op, "the declared env has other names")) };
    }
    let (name, env_name) = (clean(&target.app).into_owned(), clean(&target.env).into_owned());
    let app = match row!(&mut write.tx, op, (i64, String), APP, &name)? {
        Some((app, id)) if id == target.app_id.as_str() => app,
        Some(_) => return Err(StoreError::refused(op, "the app has another id")),
        None => {
            let app = write.next_id();
            exec!(&mut write.tx, op, APP_INSERT, app, target.app_id.as_str(), &name)?;
            app
        }
    };
    let env = write.next_id();
    let by = clean(&receipt.actor).into_owned();
    exec!(
        &mut write.tx,
        op,
        ENV_INSERT,
        env,
        target.env_id.as_str(),
        app,
        &env_name,
        receipt.accepted_at.0,
        &by
    )?;
    Ok(())
}

/// Adds a release under the next number of its env.
async fn add_release(
    write: &mut Write,
    env: i64,
    target: &EnvRef,
    mut release: Release,
) -> Result<Release, StoreError> {
    let op = write.op();
    let (number,) = row!(&mut write.tx, op, (i64,), NEXT_NUMBER, env)?.unwrap_or((1,));
    release.number = number;
    release.target = target.clone();
    release.converged_at = None;
    release.held_until = None;
    let by = clean(&release.created_by).into_owned();
    let key = write.next_id();
    exec!(
        &mut write.tx,
        op,
        RELEASE_INSERT,
        key,
        release.id.as_str(),
        env,
        number,
        to_json(&release.spec),
        to_json(&release.files),
        release.created_at.0,
        &by
    )?;
    write.journal(JournalKind::Release, None, Some(env), Some(release.id.to_string()));
    Ok(release)
}
