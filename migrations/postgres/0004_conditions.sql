-- What was said about objects, and from when to when. The open segment of a lane is its present.

CREATE TABLE condition_segments (
    id BIGINT PRIMARY KEY,
    object BIGINT NOT NULL,
    ty TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('True', 'False', 'Unknown')),
    reason TEXT COLLATE "C" NOT NULL,
    message TEXT COLLATE "C" NOT NULL,
    generation BIGINT,
    from_at BIGINT NOT NULL,
    to_at BIGINT,
    from_seq BIGINT NOT NULL,
    to_seq BIGINT
);
CREATE UNIQUE INDEX condition_segments_open ON condition_segments (object, ty) WHERE to_at IS NULL;
CREATE INDEX condition_segments_by_object ON condition_segments (object, from_at);
CREATE INDEX condition_segments_closed ON condition_segments (to_at) WHERE to_at IS NOT NULL;

CREATE TABLE verdicts (
    object BIGINT PRIMARY KEY REFERENCES object_keys (id),
    verdict TEXT COLLATE "C" NOT NULL CHECK (verdict IN
        ('failed', 'stuck', 'unknown', 'degraded', 'waiting', 'converging', 'converged', 'idle')),
    since BIGINT NOT NULL,
    sentence TEXT COLLATE "C" NOT NULL,
    because TEXT COLLATE "C" NOT NULL,
    judged_seq BIGINT NOT NULL,
    next_check_at BIGINT
);
CREATE INDEX verdicts_next_check ON verdicts (next_check_at) WHERE next_check_at IS NOT NULL;

CREATE TABLE verdict_segments (
    id BIGINT PRIMARY KEY,
    object BIGINT NOT NULL,
    verdict TEXT COLLATE "C" NOT NULL,
    sentence TEXT COLLATE "C" NOT NULL,
    generation BIGINT,
    from_at BIGINT NOT NULL,
    to_at BIGINT,
    from_seq BIGINT NOT NULL,
    to_seq BIGINT
);
CREATE UNIQUE INDEX verdict_segments_open ON verdict_segments (object) WHERE to_at IS NULL;
CREATE INDEX verdict_segments_by_object ON verdict_segments (object, from_at);
CREATE INDEX verdict_segments_closed ON verdict_segments (to_at) WHERE to_at IS NOT NULL;
