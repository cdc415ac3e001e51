-- Who reports, up to when we heard them, and when nobody watched.

CREATE TABLE sources (
    id BIGINT PRIMARY KEY,
    ext TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    interval_us BIGINT NOT NULL,
    registered_at BIGINT NOT NULL,
    -- The watermark.
    last_seen_at BIGINT,
    error TEXT COLLATE "C"
);

CREATE TABLE recording_gaps (
    source BIGINT NOT NULL REFERENCES sources (id),
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    reason TEXT COLLATE "C" NOT NULL CHECK (reason IN ('silent', 'server_down')),
    PRIMARY KEY (source, from_at)
);
