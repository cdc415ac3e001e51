-- Identities, newest states, and every state that was ever recorded.

CREATE TABLE object_keys (
    id BIGINT PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    ext TEXT COLLATE "C" NOT NULL,
    UNIQUE (kind, ext)
);

CREATE TABLE objects (
    id BIGINT PRIMARY KEY REFERENCES object_keys (id),
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    app TEXT COLLATE "C",
    env TEXT COLLATE "C",
    source BIGINT NOT NULL REFERENCES sources (id),
    generation BIGINT NOT NULL,
    observed_generation BIGINT,
    desired TEXT COLLATE "C" NOT NULL,
    current TEXT COLLATE "C" NOT NULL,
    refs TEXT COLLATE "C" NOT NULL,
    conditions TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    gone_at BIGINT,
    -- The journal row of its newest version, and how many versions there are.
    seq BIGINT NOT NULL,
    n_versions BIGINT NOT NULL,
    -- 1 while nobody has judged the newest version.
    unjudged BIGINT NOT NULL CHECK (unjudged IN (0, 1))
);
CREATE INDEX objects_by_kind ON objects (kind, id);
CREATE INDEX objects_by_env ON objects (app, env, id);
CREATE INDEX objects_by_source ON objects (source, kind) WHERE gone_at IS NULL;
CREATE INDEX objects_unjudged ON objects (seq) WHERE unjudged = 1;

-- The refs of `objects`, the other way round.
CREATE TABLE object_refs (
    target BIGINT NOT NULL,
    origin BIGINT NOT NULL,
    PRIMARY KEY (target, origin)
);
CREATE INDEX object_refs_by_origin ON object_refs (origin);

-- A full copy every 16 versions, differences between.
CREATE TABLE object_versions (
    object BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    is_full BIGINT NOT NULL CHECK (is_full IN (0, 1)),
    doc TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (object, seq)
);
CREATE INDEX object_versions_full ON object_versions (object, seq) WHERE is_full = 1;
CREATE INDEX object_versions_by_age ON object_versions (recorded_at);
