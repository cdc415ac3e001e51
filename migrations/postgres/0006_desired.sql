-- Desired state: apps, envs and their releases.

CREATE TABLE apps (
    id BIGINT PRIMARY KEY,
    ext TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE envs (
    id BIGINT PRIMARY KEY,
    ext TEXT COLLATE "C" NOT NULL UNIQUE,
    app BIGINT NOT NULL REFERENCES apps (id),
    name TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    -- The intent.
    release_ext TEXT COLLATE "C",
    scale TEXT COLLATE "C" NOT NULL,
    run TEXT COLLATE "C" NOT NULL CHECK (run IN ('running', 'stopped', 'deleted')),
    restarts BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT COLLATE "C" NOT NULL,
    changed_by_verb TEXT COLLATE "C",
    -- When it was deleted and its last instance was gone; its name is free again.
    forgotten_at BIGINT
);
CREATE UNIQUE INDEX envs_by_name ON envs (app, name) WHERE forgotten_at IS NULL;

CREATE TABLE releases (
    id BIGINT PRIMARY KEY,
    ext TEXT COLLATE "C" NOT NULL UNIQUE,
    env BIGINT NOT NULL REFERENCES envs (id),
    number BIGINT NOT NULL,
    spec TEXT COLLATE "C" NOT NULL,
    files TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    converged_at BIGINT,
    held_until BIGINT,
    UNIQUE (env, number)
);
