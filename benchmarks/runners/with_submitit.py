"""The first N of the commands under submitit's local executor, a Python process each.

It starts at once whatever it is given, an array of jobs too: so it gets two, and two more when both have
ended.
"""

from __future__ import annotations

import sys

from submitit import LocalExecutor  # type: ignore[import-not-found, unused-ignore]

from benchmarks.runners.noop import argvs, run, tell_span


def main() -> None:
    executor = LocalExecutor(folder=sys.argv[3])
    commands = argvs()[: int(sys.argv[2])]
    spans = []
    for place in range(0, len(commands), 2):
        jobs = executor.map_array(run, commands[place : place + 2])
        spans += [job.result() for job in jobs]
    tell_span(spans)


if __name__ == "__main__":
    main()
