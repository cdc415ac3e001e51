-- What controllers did. An event's key is its place in the journal.

CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    source INTEGER NOT NULL,
    controller TEXT NOT NULL,
    object INTEGER NOT NULL,
    app TEXT,
    env TEXT,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('started', 'done', 'failed', 'info')),
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    attempt INTEGER,
    trace_id TEXT,
    dedupe TEXT,
    -- What free text is searched in, in lower case, where one of its parts is not ASCII; the engines only
    -- agree about the lower case of ASCII.
    folded TEXT
) STRICT;
CREATE INDEX events_by_object ON events (object, seq);
CREATE INDEX events_by_env ON events (app, env, seq);
CREATE INDEX events_by_reason ON events (reason, seq);
CREATE INDEX events_by_at ON events (at);
CREATE UNIQUE INDEX events_dedupe ON events (source, dedupe) WHERE dedupe IS NOT NULL;
