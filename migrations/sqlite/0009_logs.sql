-- What workloads print. Bounded, and outside of the journal.

CREATE TABLE log_lines (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    object INTEGER NOT NULL,
    app TEXT,
    env TEXT,
    stream TEXT NOT NULL,
    line TEXT NOT NULL
) STRICT;
CREATE INDEX log_lines_by_object ON log_lines (object, id);
CREATE INDEX log_lines_by_env ON log_lines (app, env, id);
CREATE INDEX log_lines_by_at ON log_lines (at);
