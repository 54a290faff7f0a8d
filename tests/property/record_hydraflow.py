"""Writes hydraflow-dry-runs.json: job files, and what HydraFlow prints for each.

    python -m tests.property.record_hydraflow INTERPRETER

from the project's folder; INTERPRETER has HydraFlow 0.23.2. Run it again where the cases of
`tests.property.hydraflow_cases` have changed; what is drawn is the same for the same cases.
"""

from __future__ import annotations

import json
import sys

from tests.property.hydraflow_cases import RECORDED, HydraFlow, cases
from tests.property.peer import drawn

COUNT = 60
LONGEST = 16  # lines of a dry run that is kept


def main(interpreter: str) -> None:
    found = []
    with HydraFlow(interpreter) as hydraflow:
        for case in drawn(cases(), 23, 6 * COUNT):
            lines = hydraflow.dry_run(case)
            if len(lines) <= LONGEST:
                found.append({"file": case.file, "arguments": case.arguments, "lines": lines})
    text = json.dumps(found[:: len(found) // COUNT][:COUNT], indent=1, ensure_ascii=False)
    RECORDED.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
