-- Every statement of the ledger. A block begins with its name; parameters are named.
-- Lists of keys come as one JSON text, which spares building statements.

-- Sweeps ---------------------------------------------------------------------------------------

-- name: add_sweep
INSERT INTO sweeps (
    id, job, tag, lineage, isolated, state, total, done_before, arguments, spec, created, ended,
    host, pid, flow_run_id, tracking, git, cancel_requested, selection, reported
) VALUES (
    :id, :job, :tag, :lineage, :isolated, :state, :total, :done_before, :arguments, :spec, :created, :ended,
    :host, :pid, :flow_run_id, :tracking, :git, :cancel_requested, :selection, :reported
);

-- name: sweeps_by_prefix
SELECT * FROM sweeps WHERE id >= :prefix AND id < :beyond ORDER BY id LIMIT :limit;

-- name: all_sweeps
SELECT * FROM sweeps ORDER BY id DESC LIMIT :limit;

-- name: sweeps_of_job
SELECT * FROM sweeps WHERE job = :job ORDER BY id DESC LIMIT :limit;

-- name: sweeps_of_flow_run
SELECT * FROM sweeps WHERE flow_run_id = :flow_run AND job = :job ORDER BY id DESC LIMIT 1;

-- name: running_sweeps
SELECT * FROM sweeps WHERE state = 'running' AND (:job IS NULL OR job = :job) ORDER BY id;

-- name: tracked_sweeps
SELECT id FROM sweeps WHERE tracking IS NOT NULL AND (:job IS NULL OR job = :job) ORDER BY id;

-- name: latest_lineage
SELECT lineage FROM sweeps WHERE job = :job AND (NOT isolated OR :isolated) ORDER BY id DESC LIMIT 1;

-- name: lineage_of
SELECT lineage FROM sweeps WHERE id = :id;

-- name: resume_sweep
-- any state → running
UPDATE sweeps SET
    state = 'running', ended = NULL, cancel_requested = 0, host = :host, pid = :pid,
    reported = (flow_run_id IS NULL)
WHERE id = :id;

-- name: finish_sweep
-- running → a final state
UPDATE sweeps SET state = :state, ended = :ended WHERE id = :id AND state = 'running';

-- name: request_cancel
UPDATE sweeps SET cancel_requested = 1 WHERE id = :id AND state = 'running';

-- name: cancel_requested
SELECT cancel_requested FROM sweeps WHERE id = :id;

-- name: unreported
SELECT * FROM sweeps WHERE reported = 0 AND state <> 'running' ORDER BY id DESC LIMIT :limit;

-- name: set_reported
UPDATE sweeps SET reported = 1 WHERE id = :id;

-- name: set_done_before
UPDATE sweeps SET done_before = :done_before WHERE id = :id;

-- name: add_code
INSERT INTO codes (sweep, since, code) VALUES (:sweep, :since, :code)
ON CONFLICT (sweep, since) DO UPDATE SET code = excluded.code;

-- name: codes_of
SELECT since, code FROM codes WHERE sweep = :sweep ORDER BY since;

-- Combinations: written while a sweep runs -----------------------------------------------------

-- name: submit
-- nothing → submitted; any outcome but completed → submitted
-- It stays in the chunk that it was in: in Prefect it is still there.
INSERT INTO combinations (
    sweep, key, lineage, position, label, parameters, command, tags, description, run_id, chunk
)
VALUES (
    :sweep, :key, :lineage, :position, :label, :parameters, :command, :tags, :description, :run_id, :chunk
)
ON CONFLICT (sweep, key) DO UPDATE SET
    position = excluded.position, label = excluded.label, parameters = excluded.parameters,
    command = excluded.command, outcome = NULL, exit_code = NULL, started = NULL, ended = NULL, log = '', message = '',
    run_id = COALESCE(excluded.run_id, run_id), metrics = NULL, tracked = 0
WHERE outcome <> 'completed';  -- not true either while the outcome is NULL

-- name: record_attempt
-- The same attempt again changes nothing, unless it tells more than is known.
INSERT INTO attempts (sweep, key, number, outcome, exit_code, started, ended, log, message, metrics)
VALUES (:sweep, :key, :number, :outcome, :exit_code, :started, :ended, :log, :message, :metrics)
ON CONFLICT (sweep, key, number) DO UPDATE SET
    outcome = excluded.outcome, exit_code = excluded.exit_code, started = excluded.started,
    ended = excluded.ended, log = excluded.log, message = excluded.message, metrics = excluded.metrics
WHERE attempts.outcome <> excluded.outcome
    AND (
        attempts.outcome = 'lost' OR excluded.outcome = 'completed'
        OR (attempts.outcome = 'cancelled' AND attempts.exit_code IS NULL
            AND excluded.outcome IN ('failed', 'timed out'))
    );

-- name: decide
-- submitted or any outcome but completed → the outcome of the attempt that decides: a completed one,
-- or else the last.
UPDATE combinations SET
    (outcome, exit_code, started, ended, log, message, metrics) = (
        SELECT outcome, exit_code, started, ended, log, message, metrics
        FROM attempts
        WHERE sweep = :sweep AND key = :key
        ORDER BY outcome = 'completed' DESC, number DESC
        LIMIT 1
    ),
    tracked = 0
WHERE sweep = :sweep AND key = :key AND outcome IS NOT 'completed';

-- name: is_open
SELECT 1 FROM combinations WHERE sweep = :sweep AND key = :key AND outcome IS NULL;

-- name: last_attempt
SELECT COALESCE(MAX(number), 0) FROM attempts WHERE sweep = :sweep AND key = :key;

-- name: count_attempts
UPDATE combinations SET attempts = (
    SELECT COUNT(*) FROM attempts WHERE sweep = :sweep AND key = :key
)
WHERE sweep = :sweep AND key = :key;

-- name: set_tracked
-- A combination that was submitted again meanwhile will have more to tell.
UPDATE combinations SET
    run_id = COALESCE(:run_id, run_id), metrics = COALESCE(:metrics, metrics),
    tracked = (outcome IS NOT NULL)
WHERE sweep = :sweep AND key = :key;

-- name: done
SELECT key FROM combinations
WHERE key IN (SELECT value FROM json_each(:keys)) AND lineage = :lineage AND outcome = 'completed';

-- name: done_in
-- SQLite takes the other columns from the row that has the maximum: the newest sweep that completed a key.
SELECT key, MAX(sweep) AS sweep, started FROM combinations
WHERE key IN (SELECT value FROM json_each(:keys)) AND lineage = :lineage AND outcome = 'completed'
GROUP BY key;

-- name: history
SELECT key, sweep, outcome, attempts, started, ended, message FROM combinations
WHERE key IN (SELECT value FROM json_each(:keys)) AND lineage = :lineage
ORDER BY key, sweep;

-- name: last_known
-- Of a key in any lineage, of any job: the newest that completed, or else the newest.
SELECT key, sweep, outcome, attempts, started, ended, message, MAX((outcome IS 'completed') || sweep)
FROM combinations
WHERE key IN (SELECT value FROM json_each(:keys))
GROUP BY key;

-- name: ran_after
SELECT key, parameters FROM combinations
WHERE sweep = :sweep AND key > :key AND outcome IN ('completed', 'failed', 'timed out')
ORDER BY key
LIMIT :limit;

-- name: values_of
SELECT DISTINCT each.key, each.value
FROM sweeps AS s CROSS JOIN combinations AS c ON c.sweep = s.id CROSS JOIN json_each(c.parameters) AS each
WHERE s.job = :job;

-- name: failed
-- SQLite takes the other columns from the row that has the maximum.
SELECT key FROM (
    SELECT key, outcome, MAX(sweep)
    FROM combinations
    WHERE key IN (SELECT value FROM json_each(:keys)) AND lineage = :lineage
    GROUP BY key
)
WHERE outcome IN ('failed', 'timed out');

-- name: count_done
-- Keys count that no plan has any more, and each sweep that completed a key (as after --rerun) counts.
SELECT COUNT(*)
FROM sweeps AS s CROSS JOIN combinations AS c ON c.sweep = s.id
WHERE s.lineage = :lineage AND c.outcome = 'completed';

-- name: chunks_of
SELECT key, chunk FROM combinations
WHERE sweep = :sweep AND key IN (SELECT value FROM json_each(:keys));

-- name: combinations_of_chunk
SELECT * FROM combinations WHERE sweep = :sweep AND chunk = :chunk ORDER BY position, key;

-- name: tags_of
SELECT DISTINCT tag.value
FROM combinations, json_each(combinations.tags) AS tag
WHERE sweep = :sweep AND tags <> '[]';

-- name: last_chunk
SELECT COALESCE(MAX(chunk), 0) FROM combinations WHERE sweep = :sweep AND chunk IS NOT NULL;

-- name: claimed
-- The oldest claim last, so that it wins in a mapping.
SELECT c.key, c.sweep
FROM sweeps AS s
CROSS JOIN json_each(:keys) AS k
CROSS JOIN combinations AS c ON c.sweep = s.id AND c.key = k.value
WHERE s.lineage = :lineage AND s.state = 'running' AND s.id IS NOT :besides AND c.outcome IS NULL
ORDER BY c.sweep DESC;

-- Combinations: asked for ----------------------------------------------------------------------

-- name: counts
SELECT outcome, COUNT(*) AS number FROM combinations WHERE sweep = :sweep GROUP BY outcome;

-- name: result_rows
-- Which sweep decides each key of a lineage, in the order of the newest sweep that has the key.
SELECT sweep, key
FROM (
    SELECT
        c.sweep, c.key,
        ROW_NUMBER() OVER (
            PARTITION BY c.key ORDER BY c.outcome IS 'completed' DESC, c.sweep DESC
        ) AS rank,
        FIRST_VALUE(c.position) OVER (PARTITION BY c.key ORDER BY c.sweep DESC) AS place
    FROM sweeps AS s CROSS JOIN combinations AS c ON c.sweep = s.id
    WHERE s.lineage = :lineage AND s.job = :job
)
WHERE rank = 1
ORDER BY place, key;

-- name: combinations_at
-- The rows of [sweep, key] pairs, in the order of the pairs.
SELECT c.*
FROM json_each(:pairs) AS p
CROSS JOIN combinations AS c
    ON c.sweep = json_extract(p.value, '$[0]') AND c.key = json_extract(p.value, '$[1]')
ORDER BY p.key;

-- name: combinations_after
SELECT * FROM combinations
WHERE sweep = :sweep AND (position, key) > (:position, :key)
ORDER BY position, key
LIMIT :limit;

-- name: combinations_of_outcome_after
SELECT * FROM combinations
WHERE sweep = :sweep AND outcome IS :outcome AND (position, key) > (:position, :key)
ORDER BY position, key
LIMIT :limit;

-- name: sample
-- Keys are hashes: the first ones are a sample at random, and the same at every look. A key counts once,
-- as the newest sweep has it, and not at all if it ended badly in the sweep :but.
SELECT c.*, chosen.total
FROM (
    SELECT MAX(c.sweep) AS sweep, c.key, COUNT(*) OVER () AS total
    FROM sweeps AS s CROSS JOIN combinations AS c ON c.sweep = s.id
    WHERE s.lineage = :lineage AND (:sweep IS NULL OR s.id = :sweep)
        AND c.outcome IN (SELECT value FROM json_each(:outcomes))
        AND c.key NOT IN (
            SELECT key FROM combinations
            WHERE sweep = :but AND outcome IN ('failed', 'timed out', 'lost')
        )
    GROUP BY c.key
    ORDER BY c.key
    LIMIT :limit
) AS chosen CROSS JOIN combinations AS c ON c.sweep = chosen.sweep AND c.key = chosen.key
ORDER BY c.position, c.key;

-- name: untracked_after
SELECT * FROM combinations
WHERE sweep = :sweep AND tracked = 0 AND outcome IS NOT NULL AND (position, key) > (:position, :key)
ORDER BY position, key
LIMIT :limit;

-- name: durations
-- How long the newest combinations of a job took. Keys are hashes: of a sweep in part they are a sample.
SELECT c.key, c.parameters, c.command, c.ended - c.started AS seconds
FROM sweeps AS s CROSS JOIN combinations AS c ON c.sweep = s.id
WHERE s.job = :job AND s.arguments = :arguments
    AND c.outcome = 'completed' AND c.ended IS NOT NULL AND c.started IS NOT NULL
ORDER BY s.id DESC, c.key
LIMIT :limit;

-- name: keys_by_prefix
SELECT DISTINCT c.key
FROM combinations AS c CROSS JOIN sweeps AS s ON s.id = c.sweep
WHERE c.key >= :prefix AND c.key < :beyond AND (:job IS NULL OR s.job = :job)
ORDER BY c.key
LIMIT :limit;

-- name: newest_of_key
SELECT c.*
FROM combinations AS c CROSS JOIN sweeps AS s ON s.id = c.sweep
WHERE c.key = :key AND (:job IS NULL OR s.job = :job)
ORDER BY c.sweep DESC
LIMIT 1;

-- name: jobs_of_key
SELECT s.job
FROM combinations AS c CROSS JOIN sweeps AS s ON s.id = c.sweep
WHERE c.key = :key
GROUP BY s.job
ORDER BY max(c.sweep) DESC;

-- name: attempts_of
SELECT * FROM attempts WHERE sweep = :sweep AND key = :key ORDER BY number;
