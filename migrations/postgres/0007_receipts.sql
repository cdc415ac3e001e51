-- What people asked for, what became of it, and who waits for it.

CREATE TABLE receipts (
    id BIGINT PRIMARY KEY,
    ext TEXT COLLATE "C" NOT NULL UNIQUE,
    env BIGINT NOT NULL REFERENCES envs (id),
    verb TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    phase TEXT COLLATE "C" NOT NULL CHECK (phase IN
        ('accepted', 'applying', 'converged', 'failed', 'superseded', 'timed_out')),
    -- Why it failed, or what superseded it.
    phase_detail TEXT COLLATE "C",
    phase_at BIGINT NOT NULL,
    accepted_at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    trace_id TEXT COLLATE "C" NOT NULL,
    wait TEXT COLLATE "C",
    checked_by TEXT COLLATE "C",
    checked_at BIGINT,
    plan TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX receipts_by_env ON receipts (env, generation);
CREATE INDEX receipts_open ON receipts (env) WHERE phase IN ('accepted', 'applying');

CREATE TABLE waits (
    id BIGINT PRIMARY KEY,
    ext TEXT COLLATE "C" NOT NULL UNIQUE,
    object BIGINT NOT NULL REFERENCES object_keys (id),
    title TEXT COLLATE "C" NOT NULL,
    env BIGINT REFERENCES envs (id),
    until TEXT COLLATE "C" NOT NULL,
    receipt TEXT COLLATE "C",
    generation BIGINT,
    owner TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    deadline BIGINT NOT NULL,
    phase TEXT COLLATE "C" NOT NULL CHECK (phase IN
        ('waiting', 'converged', 'failed', 'superseded', 'timed_out', 'stopped')),
    phase_detail TEXT COLLATE "C",
    ended_at BIGINT,
    items TEXT COLLATE "C" NOT NULL,
    blind_since BIGINT
);
CREATE INDEX waits_open ON waits (env) WHERE phase = 'waiting';

CREATE TABLE idempotency_keys (
    actor TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    request_hash TEXT COLLATE "C" NOT NULL,
    -- The receipt or the wait that the first use made.
    subject TEXT COLLATE "C" NOT NULL,
    used_at BIGINT NOT NULL,
    PRIMARY KEY (actor, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (used_at);

CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    recorded_at BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    action TEXT COLLATE "C" NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    env TEXT COLLATE "C",
    reason TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    receipt TEXT COLLATE "C",
    trace_id TEXT COLLATE "C" NOT NULL
);
