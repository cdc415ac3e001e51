-- Desired state: apps, envs and their releases.

CREATE TABLE apps (
    id INTEGER PRIMARY KEY,
    ext TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE envs (
    id INTEGER PRIMARY KEY,
    ext TEXT NOT NULL UNIQUE,
    app INTEGER NOT NULL REFERENCES apps (id),
    name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    -- The intent.
    release_ext TEXT,
    scale TEXT NOT NULL,
    run TEXT NOT NULL CHECK (run IN ('running', 'stopped', 'deleted')),
    restarts INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    changed_by_verb TEXT,
    -- When it was deleted and its last instance was gone; its name is free again.
    forgotten_at INTEGER
) STRICT;
CREATE UNIQUE INDEX envs_by_name ON envs (app, name) WHERE forgotten_at IS NULL;

CREATE TABLE releases (
    id INTEGER PRIMARY KEY,
    ext TEXT NOT NULL UNIQUE,
    env INTEGER NOT NULL REFERENCES envs (id),
    number INTEGER NOT NULL,
    spec TEXT NOT NULL,
    files TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    converged_at INTEGER,
    held_until INTEGER,
    UNIQUE (env, number)
) STRICT;
