"""Answers with the lines that batchrun makes; runs in the interpreter that batchrun is installed in.

One JSON text a line on standard input, the text of a grid specification; on standard output the list of its
lines.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from batchrun.cli import generate_commands
from batchrun.spec import parse_spec


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "grid.yml")
        for line in sys.stdin:
            path.write_text(json.loads(line), encoding="utf-8")
            sys.stdout.write(json.dumps(generate_commands(parse_spec(path))) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
