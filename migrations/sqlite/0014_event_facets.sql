-- One index for each facet that events are filtered by: the newest events of a rare value are found as fast as
-- those of a frequent one.

CREATE INDEX events_by_app ON events (app, seq);
CREATE INDEX events_by_env_name ON events (env, seq);
CREATE INDEX events_by_controller ON events (controller, seq);
CREATE INDEX events_by_outcome ON events (outcome, seq);
