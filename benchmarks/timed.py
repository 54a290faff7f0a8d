"""A script that runs a command, its output thrown away, and prints its cost as one line of JSON.

It is a process of its own, and a small one: on Linux the peak memory of a process begins with what its parent
had when it started it, so a grown parent would hide what a small child takes.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main(command: list[str]) -> int:
    """Run `command`; print its start (since the epoch), seconds and peak bytes; return its exit code.

    If it fails, only what it wrote to standard error comes out: the reason.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, nowhere, 0), (os.POSIX_SPAWN_DUP2, nowhere, 1)]
    began, clock = time.time(), time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - clock
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        print(json.dumps({"began": began, "seconds": seconds, "peak": peak}))
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
