-- Version 5: the command of a combination.

-- As a shell would take it; empty for a combination of before.
ALTER TABLE combinations ADD COLUMN command TEXT NOT NULL DEFAULT '';
