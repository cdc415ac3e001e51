-- The identity of the store, and the one ordered journal.

CREATE TABLE meta (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    -- Renewed by restore, so that cursors of another store are recognised.
    store_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    -- Raised by retention: nothing older is complete any more.
    recorded_since BIGINT NOT NULL
);

-- One row, read and raised under the writer lock. A sequence would leave holes on rollback.
CREATE TABLE journal_head (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    last_id BIGINT NOT NULL,
    last_log BIGINT NOT NULL
);

CREATE TABLE journal (
    seq BIGINT PRIMARY KEY,
    recorded_at BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN
        ('event', 'object', 'gone', 'verdict', 'env', 'release', 'receipt', 'wait', 'audit', 'source')),
    object BIGINT,
    env BIGINT,
    subject TEXT COLLATE "C"
);
