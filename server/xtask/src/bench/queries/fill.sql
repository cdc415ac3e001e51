-- Fills a store that no server serves: `:events` events of `:objects` objects, spread over ten days before `:now`,
-- `:recent` of them over the last 24 hours. Values are frequent, but one in 500,000 has a facet value of its own, and
-- one in 20,000 the word "needle".

CREATE TEMP TABLE head AS SELECT seq, last_id FROM journal_head;
INSERT INTO sources (id, ext, name, kind, interval_us, registered_at, last_seen_at)
    SELECT last_id + 1, 'src_fill', 'fill', 'observed', 3600000000, :now, :now FROM head;
-- The last one is of a kind of its own.
INSERT INTO object_keys (id, kind, ext)
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :objects)
    SELECT head.last_id + 2 + i,
        CASE WHEN i = :objects THEN 'lighthouse' ELSE
            CASE i % 5 WHEN 0 THEN 'machine' WHEN 1 THEN 'volume' WHEN 2 THEN 'cluster' WHEN 3 THEN 'route' ELSE 'certificate' END
        END,
        printf('o-%04d', i)
    FROM n, head;
INSERT INTO events (seq, at, recorded_at, source, controller, object, kind, app, env, action, outcome, reason, message,
    attempt, dedupe)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :events),
    drawn (i, h, at) AS (SELECT i, (i * 2654435761) % 4294967296, :now - CASE WHEN i > :events - :recent
        THEN (:events - i) * (86400000000 / :recent)
        ELSE 86400000000 + (:events - :recent - i) * (777600000000 / (:events - :recent)) END FROM n),
    about (i, h, at, o) AS (SELECT i, h, at, CASE WHEN i % 500000 = 11 THEN :objects ELSE (h >> 8) % :objects END FROM drawn)
    SELECT head.seq + i, at, at, head.last_id + 1,
        CASE WHEN i % 500000 = 17 THEN 'keeper' ELSE
            CASE (h >> 4) % 6 WHEN 0 THEN 'upgrader' WHEN 1 THEN 'scheduler' WHEN 2 THEN 'kubelet' WHEN 3 THEN 'autoscaler'
            WHEN 4 THEN 'dns' ELSE 'issuer' END END,
        head.last_id + 2 + o,
        CASE WHEN o = :objects THEN 'lighthouse' ELSE
            CASE o % 5 WHEN 0 THEN 'machine' WHEN 1 THEN 'volume' WHEN 2 THEN 'cluster' WHEN 3 THEN 'route' ELSE 'certificate' END
        END,
        CASE WHEN i % 500000 = 13 THEN 'island' ELSE printf('app-%02d', o % 20) END,
        CASE o / 20 % 3 WHEN 0 THEN 'prod' WHEN 1 THEN 'staging' ELSE 'test' END,
        CASE (h >> 6) % 4 WHEN 0 THEN 'Drain' WHEN 1 THEN 'Attach' WHEN 2 THEN 'Scale' ELSE 'Renew' END,
        CASE WHEN (h >> 9) % 100 = 0 THEN 'failed' ELSE
            CASE (h >> 10) % 3 WHEN 0 THEN 'started' WHEN 1 THEN 'info' ELSE 'done' END END,
        CASE WHEN i % 500000 = 7 THEN 'Lightning' ELSE printf('Reason%02d', (h >> 5) % 50) END,
        printf('request %08x of o-%04d was answered after %d ms by node-%03d%s', h, o, h % 9000, h % 400,
            CASE WHEN i % 20000 = 19 THEN ', needle' ELSE '' END),
        CASE WHEN h % 3 = 0 THEN h % 5 + 1 END,
        printf('h:%016x%08x', i, h)
    FROM about, head;
INSERT INTO journal (seq, recorded_at, kind, object)
    SELECT seq, recorded_at, 'event', object FROM events WHERE seq > (SELECT seq FROM head);
UPDATE journal_head SET seq = (SELECT max(seq) FROM journal), recorded_at = max(recorded_at, :now),
    last_id = (SELECT max(id) FROM object_keys);
