-- Version 3: whether Prefect has recorded all that a sweep's flow run has to tell.

-- A sweep of before counts as reported.
ALTER TABLE sweeps ADD COLUMN reported INTEGER NOT NULL DEFAULT 1 CHECK (reported IN (0, 1));

CREATE INDEX sweeps_unreported ON sweeps (id) WHERE reported = 0;
