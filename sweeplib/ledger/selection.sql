-- Version 2: what a sweep was asked to run of its job, and the sweeps of a flow run.

-- Sweep syntax; empty: all of the job.
ALTER TABLE sweeps ADD COLUMN selection TEXT NOT NULL DEFAULT '';

CREATE INDEX sweeps_of_flow_run ON sweeps (flow_run_id) WHERE flow_run_id IS NOT NULL;
