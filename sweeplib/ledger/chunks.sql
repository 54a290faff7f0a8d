-- Version 4: the chunks by which a large sweep is shown in Prefect.

-- The number of the chunk in its sweep; NULL: a task run of its own.
ALTER TABLE combinations ADD COLUMN chunk INTEGER;
