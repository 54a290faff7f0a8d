"""Tells the length and the last combination of a job's plan, and how long finding them took."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks.runners.noop import tell
from sweeplib.jobs import load
from sweeplib.plan import Plan


def main() -> None:
    began = time.perf_counter()
    plan = Plan(load(Path.cwd()).job(sys.argv[1]))
    length, last = len(plan), dict(plan[-1].parameters)
    tell(seconds=time.perf_counter() - began, length=length, last=last)


if __name__ == "__main__":
    main()
