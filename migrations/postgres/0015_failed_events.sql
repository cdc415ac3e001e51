-- What failed is looked for most and is rare: its newest events are spread over the whole table, and each would be a
-- page of its own to read. This index has all that is counted and filtered; it costs next to nothing to keep.

CREATE INDEX events_failed ON events (outcome, seq, at, controller, reason, kind, app, env) WHERE outcome = 'failed';
