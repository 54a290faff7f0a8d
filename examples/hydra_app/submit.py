"""Runs an application for each line of a file of arguments, one after the other, as a scheduler would."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path


def main(application: str, file: str) -> int:
    """Run the application with the arguments of each line; return 1 if any failed."""
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    codes = [subprocess.call([sys.executable, application, *shlex.split(line)]) for line in lines]
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
