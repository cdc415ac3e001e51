-- The events of one app-env are what people look at first, and they are spread over the whole table: ten thousand of
-- them would be ten thousand pages to read. This index has all that is counted, drawn and offered to filter by.

DROP INDEX events_by_env;
CREATE INDEX events_by_env ON events (app, env, seq, at, outcome, controller, reason, kind);
