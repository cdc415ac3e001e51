-- The identity of the store, and the one ordered journal.

CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- Renewed by restore, so that cursors of another store are recognised.
    store_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- Raised by retention: nothing older is complete any more.
    recorded_since INTEGER NOT NULL
) STRICT;

-- One row, read and raised under the writer lock. A sequence would leave holes on rollback.
CREATE TABLE journal_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    last_log INTEGER NOT NULL
) STRICT;

CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    recorded_at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN
        ('event', 'object', 'gone', 'verdict', 'env', 'release', 'receipt', 'wait', 'audit', 'source')),
    object INTEGER,
    env INTEGER,
    subject TEXT
) STRICT;
