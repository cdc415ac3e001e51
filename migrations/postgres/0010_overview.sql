-- What the overview orders and counts by: kept with each verdict of an env, so that nobody reads all of them.

-- Its place among the verdicts (`Verdict::place`), and since when. 2 is unknown: nobody has judged it yet.
ALTER TABLE envs ADD COLUMN place BIGINT NOT NULL DEFAULT 2;
ALTER TABLE envs ADD COLUMN placed_at BIGINT NOT NULL DEFAULT 0;
UPDATE envs SET placed_at = changed_at;
UPDATE envs SET
    place = (SELECT CASE v.verdict WHEN 'failed' THEN 0 WHEN 'stuck' THEN 1 WHEN 'unknown' THEN 2
        WHEN 'degraded' THEN 3 WHEN 'converging' THEN 4 WHEN 'waiting' THEN 5 WHEN 'converged' THEN 6 ELSE 7 END
        FROM object_keys k JOIN verdicts v ON v.object = k.id WHERE k.kind = 'env' AND k.ext = envs.ext),
    placed_at = (SELECT v.since
        FROM object_keys k JOIN verdicts v ON v.object = k.id WHERE k.kind = 'env' AND k.ext = envs.ext)
    WHERE EXISTS (SELECT 1
        FROM object_keys k JOIN verdicts v ON v.object = k.id WHERE k.kind = 'env' AND k.ext = envs.ext);
-- The last column is always NULL; with it the index answers alone.
CREATE INDEX envs_by_place ON envs (place, placed_at, id, forgotten_at) WHERE forgotten_at IS NULL;
