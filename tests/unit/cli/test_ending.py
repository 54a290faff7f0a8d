"""How a process ends that has run a flow."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys
from sweeplib.cli import ending

class Late:
    def __del__(self):
        print("taken apart")

atexit.register(print, "earlier")
ending.prepare()
late = Late()
atexit.register(print, "registered later")
print("done", end=", ")
if sys.argv[1:]:
    ending.ends_with(int(sys.argv[1]))
sys.exit(3)
"""


@pytest.mark.parametrize(
    ("arguments", "code", "printed"),
    [
        ([], 3, "done, registered later\nearlier\ntaken apart\n"),
        (["3"], 3, "done, registered later\n"),
        (["0"], 0, "done, registered later\n"),
    ],
)
def test_all_that_is_to_be_done_at_the_exit_is_done(arguments: list[str], code: int, printed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, printed, "")
