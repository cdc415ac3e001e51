-- What workloads print. Bounded, and outside of the journal.

CREATE TABLE log_lines (
    id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    object BIGINT NOT NULL,
    app TEXT COLLATE "C",
    env TEXT COLLATE "C",
    stream TEXT COLLATE "C" NOT NULL,
    line TEXT COLLATE "C" NOT NULL
);
CREATE INDEX log_lines_by_object ON log_lines (object, id);
CREATE INDEX log_lines_by_env ON log_lines (app, env, id);
CREATE INDEX log_lines_by_at ON log_lines (at);
