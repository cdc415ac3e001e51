-- What kind of object an event is about, beside its key: a filter by kind is driven by an index of its own.

ALTER TABLE events ADD COLUMN kind TEXT COLLATE "C";
UPDATE events SET kind = (SELECT k.kind FROM object_keys k WHERE k.id = events.object);
CREATE INDEX events_by_kind ON events (kind, seq);
