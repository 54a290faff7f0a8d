-- Version 6: the code that a sweep's commands ran.

-- What it was when the sweep began, and at each time that it was resumed.
CREATE TABLE codes (
    sweep TEXT NOT NULL REFERENCES sweeps (id),
    since REAL NOT NULL,
    code TEXT NOT NULL,  -- JSON object
    PRIMARY KEY (sweep, since)
) WITHOUT ROWID;
