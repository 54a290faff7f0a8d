"""What a process takes, and what one that fails says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from benchmarks.model import UnavailableError
from benchmarks.processes import ROOT, cost

if TYPE_CHECKING:
    from pathlib import Path


def test_cost(tmp_path: Path) -> None:
    before = time.time()
    found = cost([sys.executable, "-c", "import time; spent = b'.' * 10**8; time.sleep(0.2)"], tmp_path)
    assert before < found.began < time.time() - 0.2
    assert 0.2 < found.seconds < 60
    assert 100 < found.megabytes < 200


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    script = "import sys; print('lost'); print('first', file=sys.stderr); sys.exit('no such thing')"
    with pytest.raises(UnavailableError) as raised:
        cost([sys.executable, "-c", script], tmp_path)
    assert str(raised.value) == "failed: exit code 1: no such thing"


def test_a_command_that_a_signal_ends(tmp_path: Path) -> None:
    script = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    with pytest.raises(UnavailableError) as raised:
        cost([sys.executable, "-c", script], tmp_path)
    assert str(raised.value) == "failed: exit code 143: no message"


def test_who_is_ended_ends_what_he_runs(tmp_path: Path) -> None:
    """A benchmark that is ended must not leave a sweep running."""
    script = f"""
from pathlib import Path
from benchmarks.processes import ROOT, cost
from benchmarks.session import begin
with begin():
    cost(["/bin/sh", "-c", "echo $$ > pid; exec sleep 60"], Path({str(tmp_path)!r}))
"""
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    pid = tmp_path / "pid"
    while not (pid.exists() and pid.read_text(encoding="utf-8").endswith("\n")):
        time.sleep(0.02)
    process.terminate()
    assert process.wait(60) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text(encoding="utf-8")), 0)
