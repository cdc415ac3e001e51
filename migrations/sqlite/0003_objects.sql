-- Identities, newest states, and every state that was ever recorded.

CREATE TABLE object_keys (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    ext TEXT NOT NULL,
    UNIQUE (kind, ext)
) STRICT;

CREATE TABLE objects (
    id INTEGER PRIMARY KEY REFERENCES object_keys (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    app TEXT,
    env TEXT,
    source INTEGER NOT NULL REFERENCES sources (id),
    generation INTEGER NOT NULL,
    observed_generation INTEGER,
    desired TEXT NOT NULL,
    current TEXT NOT NULL,
    refs TEXT NOT NULL,
    conditions TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    gone_at INTEGER,
    -- The journal row of its newest version, and how many versions there are.
    seq INTEGER NOT NULL,
    n_versions INTEGER NOT NULL,
    -- 1 while nobody has judged the newest version.
    unjudged INTEGER NOT NULL CHECK (unjudged IN (0, 1))
) STRICT;
CREATE INDEX objects_by_kind ON objects (kind, id);
CREATE INDEX objects_by_env ON objects (app, env, id);
CREATE INDEX objects_by_source ON objects (source, kind) WHERE gone_at IS NULL;
CREATE INDEX objects_unjudged ON objects (seq) WHERE unjudged = 1;

-- The refs of `objects`, the other way round.
CREATE TABLE object_refs (
    target INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    PRIMARY KEY (target, origin)
) STRICT;
CREATE INDEX object_refs_by_origin ON object_refs (origin);

-- A full copy every 16 versions, differences between.
CREATE TABLE object_versions (
    object INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    is_full INTEGER NOT NULL CHECK (is_full IN (0, 1)),
    doc TEXT NOT NULL,
    PRIMARY KEY (object, seq)
) STRICT;
CREATE INDEX object_versions_full ON object_versions (object, seq) WHERE is_full = 1;
CREATE INDEX object_versions_by_age ON object_versions (recorded_at);
