-- Version 5: the command of a combination, and what its user calls it by.

-- As a shell would take it; empty for a combination of before.
ALTER TABLE combinations ADD COLUMN command TEXT NOT NULL DEFAULT '';

-- Of its own, besides those of the job: a JSON list of texts, and a sentence.
ALTER TABLE combinations ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE combinations ADD COLUMN description TEXT NOT NULL DEFAULT '';
