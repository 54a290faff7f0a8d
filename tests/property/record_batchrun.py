"""Writes batchrun-lines.json: grid specifications, and the lines that batchrun makes of each.

    python -m tests.property.record_batchrun INTERPRETER

from the project's folder; INTERPRETER has batchrun 0.0.14.
"""

from __future__ import annotations

import json
import sys

from tests.property.batchrun_cases import RECORDED, Batchrun, grids
from tests.property.peer import drawn

COUNT = 40
LONGEST = 16  # lines of a grid that is kept


def main(interpreter: str) -> None:
    with Batchrun(interpreter) as batchrun:
        found = [{"grid": text, "lines": batchrun.lines(text)} for text in drawn(grids(), 14, 4 * COUNT)]
    kept = [each for each in found if len(each["lines"]) <= LONGEST][:COUNT]
    RECORDED.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
