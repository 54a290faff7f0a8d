"""Answers with what `hydraflow run` prints; runs in the interpreter that HydraFlow is installed in.

One JSON object a line on standard input, one on standard output: from ``{"file": the text of
hydraflow.yaml, "arguments": [...]}`` to ``{"code": exit code, "lines": [...]}``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from hydraflow.cli import app
from typer.testing import CliRunner


def main() -> None:
    runner = CliRunner()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for line in sys.stdin:
            request = json.loads(line)
            Path("hydraflow.yaml").write_text(request["file"], encoding="utf-8")
            result = runner.invoke(app, ["run", *request["arguments"]])
            answer = {"code": result.exit_code, "lines": result.stdout.splitlines()}
            if result.exception is not None and result.exit_code:
                answer["lines"] = [repr(result.exception), result.output]
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
