-- What search looks things up by: an id of whatever kind, how a name begins, and the trace of a request.

CREATE INDEX object_keys_by_ext ON object_keys (ext);
CREATE INDEX objects_by_name ON objects (lower(name));
CREATE INDEX receipts_by_trace ON receipts (trace_id);
CREATE INDEX audit_by_trace ON audit (trace_id);
CREATE INDEX events_by_trace ON events (trace_id, seq) WHERE trace_id IS NOT NULL;
