//! Every future of the store can move to another thread, or no server could await it. Checked by compiling.
#![allow(missing_docs)]

use model::{Batch, EnvId, EventFilter, ObjectKey, Wait};
use store::{AuditEntry, Cutoffs, EnvWrite, Options, Reader, Store, StoreUrl, VerdictPut};

fn sent<T: Send>(_: T) {}

#[expect(dead_code, reason = "compiling it is the test")]
fn writes(store: &Store, env: &EnvId, wait: &Wait, cutoffs: &Cutoffs, url: &StoreUrl, options: Options) {
    sent(Store::open(url, options));
    sent(store.ingest(Vec::<Batch>::new()));
    sent(store.verdicts_put(Vec::<VerdictPut>::new()));
    sent(store.env_forget(env));
    sent(store.wait_update(wait, wait, None));
    sent(store.retention(cutoffs));
}

#[expect(dead_code, reason = "compiling it is the test")]
fn commands(store: &Store, write: EnvWrite, entry: AuditEntry) {
    sent(store.env_submit(write));
    sent(store.audit_insert(entry));
}

#[expect(dead_code, reason = "compiling it is the test")]
fn reads(reader: &mut Reader, filter: &EventFilter, keys: &[ObjectKey]) {
    sent(reader.event_sample(filter));
    sent(reader.judgements(keys));
}
