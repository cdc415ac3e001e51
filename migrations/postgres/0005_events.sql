-- What controllers did. An event's key is its place in the journal.

CREATE TABLE events (
    seq BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    source BIGINT NOT NULL,
    controller TEXT COLLATE "C" NOT NULL,
    object BIGINT NOT NULL,
    app TEXT COLLATE "C",
    env TEXT COLLATE "C",
    action TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL CHECK (outcome IN ('started', 'done', 'failed', 'info')),
    reason TEXT COLLATE "C" NOT NULL,
    message TEXT COLLATE "C" NOT NULL,
    attempt BIGINT,
    trace_id TEXT COLLATE "C",
    dedupe TEXT COLLATE "C",
    -- What free text is searched in, in lower case, where one of its parts is not ASCII; the engines only
    -- agree about the lower case of ASCII.
    folded TEXT COLLATE "C"
);
CREATE INDEX events_by_object ON events (object, seq);
CREATE INDEX events_by_env ON events (app, env, seq);
CREATE INDEX events_by_reason ON events (reason, seq);
CREATE INDEX events_by_at ON events (at);
CREATE UNIQUE INDEX events_dedupe ON events (source, dedupe) WHERE dedupe IS NOT NULL;
