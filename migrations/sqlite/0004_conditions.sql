-- What was said about objects, and from when to when. The open segment of a lane is its present.

CREATE TABLE condition_segments (
    id INTEGER PRIMARY KEY,
    object INTEGER NOT NULL,
    ty TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('True', 'False', 'Unknown')),
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    generation INTEGER,
    from_at INTEGER NOT NULL,
    to_at INTEGER,
    from_seq INTEGER NOT NULL,
    to_seq INTEGER
) STRICT;
CREATE UNIQUE INDEX condition_segments_open ON condition_segments (object, ty) WHERE to_at IS NULL;
CREATE INDEX condition_segments_by_object ON condition_segments (object, from_at);
CREATE INDEX condition_segments_closed ON condition_segments (to_at) WHERE to_at IS NOT NULL;

CREATE TABLE verdicts (
    object INTEGER PRIMARY KEY REFERENCES object_keys (id),
    verdict TEXT NOT NULL CHECK (verdict IN
        ('failed', 'stuck', 'unknown', 'degraded', 'waiting', 'converging', 'converged', 'idle')),
    since INTEGER NOT NULL,
    sentence TEXT NOT NULL,
    because TEXT NOT NULL,
    judged_seq INTEGER NOT NULL,
    next_check_at INTEGER
) STRICT;
CREATE INDEX verdicts_next_check ON verdicts (next_check_at) WHERE next_check_at IS NOT NULL;

CREATE TABLE verdict_segments (
    id INTEGER PRIMARY KEY,
    object INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    sentence TEXT NOT NULL,
    generation INTEGER,
    from_at INTEGER NOT NULL,
    to_at INTEGER,
    from_seq INTEGER NOT NULL,
    to_seq INTEGER
) STRICT;
CREATE UNIQUE INDEX verdict_segments_open ON verdict_segments (object) WHERE to_at IS NULL;
CREATE INDEX verdict_segments_by_object ON verdict_segments (object, from_at);
CREATE INDEX verdict_segments_closed ON verdict_segments (to_at) WHERE to_at IS NOT NULL;
