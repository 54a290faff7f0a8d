-- Version 4: the chunks by which a large sweep is shown in Prefect.

-- The number of the chunk in its sweep; NULL: a task run of its own.
ALTER TABLE combinations ADD COLUMN chunk INTEGER;

CREATE INDEX combinations_of_chunk ON combinations (sweep, chunk) WHERE chunk IS NOT NULL;
