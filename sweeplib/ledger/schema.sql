-- The ledger: what was swept, what was submitted, how every attempt ended.
--
-- Times are seconds since the epoch. JSON is kept as text and never searched. What must hold for
-- ever is held here, by keys, checks and triggers, so that no program can write otherwise.

-- One execution of a plan.
--
--               finish_sweep
--     running ────────────────► completed | failed | cancelled | lost
--        ▲                                     │
--        └─────────────────────────────────────┘
--               resume_sweep (of this very sweep, by a new owner)
--
-- A final state never turns into another final state.
CREATE TABLE sweeps (
    id TEXT NOT NULL PRIMARY KEY,  -- ULID: the order of ids is the order of time
    job TEXT NOT NULL,
    tag TEXT NOT NULL,
    lineage TEXT NOT NULL REFERENCES sweeps (id),  -- the sweep that began the lineage, maybe itself
    isolated INTEGER NOT NULL CHECK (isolated IN (0, 1)),
    state TEXT NOT NULL CHECK (state IN ('running', 'completed', 'failed', 'cancelled', 'lost')),
    total INTEGER NOT NULL,
    done_before INTEGER NOT NULL,
    arguments TEXT NOT NULL,  -- JSON list of texts
    spec TEXT NOT NULL,  -- JSON
    created REAL NOT NULL,
    ended REAL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    flow_run_id TEXT,
    tracking TEXT,  -- JSON object; NULL: tracking is off
    git TEXT,  -- JSON object
    cancel_requested INTEGER NOT NULL CHECK (cancel_requested IN (0, 1))
);

CREATE INDEX sweeps_of_job ON sweeps (job, id);
CREATE INDEX sweeps_of_lineage ON sweeps (lineage);
CREATE INDEX sweeps_running ON sweeps (job) WHERE state = 'running';

CREATE TRIGGER a_final_state_is_final BEFORE UPDATE OF state ON sweeps
WHEN OLD.state <> 'running' AND NEW.state NOT IN ('running', OLD.state)
BEGIN
    SELECT RAISE(ABORT, 'an ended sweep can only be resumed');
END;

-- One combination in one sweep; its outcome is NULL while it is submitted.
--
--        submit                record
--     ─────────► submitted ──────────────► completed
--                  ▲   │       record
--                  │   └───────► failed | timed out | cancelled | lost
--                  │                  │              │
--                  └──────────────────┘              └──► any outcome, by record of a later
--                    submit, in a resumed sweep            attempt, or of what a lost one came to
--
-- Nothing leads out of completed.
CREATE TABLE combinations (
    sweep TEXT NOT NULL REFERENCES sweeps (id),
    key TEXT NOT NULL,
    lineage TEXT NOT NULL,  -- the sweep's, here too so that one index finds what is done
    position INTEGER NOT NULL,
    label TEXT NOT NULL,
    parameters TEXT NOT NULL,  -- JSON object
    outcome TEXT CHECK (outcome IN ('completed', 'failed', 'timed out', 'cancelled', 'lost')),
    attempts INTEGER NOT NULL DEFAULT 0,
    exit_code INTEGER,  -- this and what follows is of the attempt that decided the outcome
    started REAL,
    ended REAL,
    log TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    run_id TEXT,
    metrics TEXT,  -- JSON object
    tracked INTEGER NOT NULL DEFAULT 0 CHECK (tracked IN (0, 1)),
    PRIMARY KEY (sweep, key)
) WITHOUT ROWID;

-- Is a key done in a lineage, and where is a key at all.
CREATE INDEX combinations_of_key ON combinations (key, lineage);
-- Counts, and the combinations of one outcome in order.
CREATE INDEX combinations_by_outcome ON combinations (sweep, outcome, position);
CREATE INDEX combinations_by_position ON combinations (sweep, position);
CREATE INDEX combinations_untracked ON combinations (sweep, position)
WHERE tracked = 0 AND outcome IS NOT NULL;

CREATE TRIGGER completed_is_final BEFORE UPDATE OF outcome ON combinations
WHEN OLD.outcome = 'completed' AND NEW.outcome IS NOT 'completed'
BEGIN
    SELECT RAISE(ABORT, 'a completed combination stays completed');
END;

-- One try at one combination. Rows are added and stay; only knowledge can grow: an attempt that was
-- thought lost may turn out to have ended in some way, and any may turn out to have completed.
CREATE TABLE attempts (
    sweep TEXT NOT NULL,
    key TEXT NOT NULL,
    number INTEGER NOT NULL,
    outcome TEXT NOT NULL
    CHECK (outcome IN ('completed', 'failed', 'timed out', 'cancelled', 'lost')),
    exit_code INTEGER,
    started REAL NOT NULL,
    ended REAL NOT NULL,
    log TEXT NOT NULL,
    message TEXT NOT NULL,
    metrics TEXT,  -- JSON object
    PRIMARY KEY (sweep, key, number),
    FOREIGN KEY (sweep, key) REFERENCES combinations (sweep, key)
) WITHOUT ROWID;
