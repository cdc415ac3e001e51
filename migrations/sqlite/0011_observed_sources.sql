-- Sources that report over the API: found by name, and tokens that speak for one of them only.

CREATE UNIQUE INDEX sources_by_name ON sources (name);

-- The source's own id, not its key: ids stay when a store is moved.
ALTER TABLE tokens ADD COLUMN source TEXT;
