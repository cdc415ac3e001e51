-- Who reports, up to when we heard them, and when nobody watched.

CREATE TABLE sources (
    id INTEGER PRIMARY KEY,
    ext TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    interval_us INTEGER NOT NULL,
    registered_at INTEGER NOT NULL,
    -- The watermark.
    last_seen_at INTEGER,
    error TEXT
) STRICT;

CREATE TABLE recording_gaps (
    source INTEGER NOT NULL REFERENCES sources (id),
    from_at INTEGER NOT NULL,
    to_at INTEGER NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('silent', 'server_down')),
    PRIMARY KEY (source, from_at)
) STRICT;
