"""What a process takes, and what one that fails says."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from benchmarks.model import UnavailableError
from benchmarks.processes import cost

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
