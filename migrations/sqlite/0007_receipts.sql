-- What people asked for, what became of it, and who waits for it.

CREATE TABLE receipts (
    id INTEGER PRIMARY KEY,
    ext TEXT NOT NULL UNIQUE,
    env INTEGER NOT NULL REFERENCES envs (id),
    verb TEXT NOT NULL,
    generation INTEGER NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN
        ('accepted', 'applying', 'converged', 'failed', 'superseded', 'timed_out')),
    -- Why it failed, or what superseded it.
    phase_detail TEXT,
    phase_at INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    wait TEXT,
    checked_by TEXT,
    checked_at INTEGER,
    plan TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX receipts_by_env ON receipts (env, generation);
CREATE INDEX receipts_open ON receipts (env) WHERE phase IN ('accepted', 'applying');

CREATE TABLE waits (
    id INTEGER PRIMARY KEY,
    ext TEXT NOT NULL UNIQUE,
    object INTEGER NOT NULL REFERENCES object_keys (id),
    title TEXT NOT NULL,
    env INTEGER REFERENCES envs (id),
    until TEXT NOT NULL,
    receipt TEXT,
    generation INTEGER,
    owner TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN
        ('waiting', 'converged', 'failed', 'superseded', 'timed_out', 'stopped')),
    phase_detail TEXT,
    ended_at INTEGER,
    items TEXT NOT NULL,
    blind_since INTEGER
) STRICT;
CREATE INDEX waits_open ON waits (env) WHERE phase = 'waiting';

CREATE TABLE idempotency_keys (
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    -- The receipt or the wait that the first use made.
    subject TEXT NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (actor, key)
) STRICT;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (used_at);

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    recorded_at INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    env TEXT,
    reason TEXT NOT NULL,
    outcome TEXT NOT NULL,
    receipt TEXT,
    trace_id TEXT NOT NULL
) STRICT;
