"""SIGKILL again and again: nothing that completed runs again, nothing survives, nothing is lost."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

from sweeplib.run.locks import is_unused
from sweeplib.run.marker import read_markers
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from conftest import Sweep

COMBINATIONS = 60
WORKER = """
import pickle, sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from sweeplib.run.attempt import run_attempt
work = pickle.loads(bytes.fromhex(sys.argv[1]))
def run(i):
    run_attempt(replace(work, key=f"k{i}", argv=(*work.argv, f"k{i}")), tick=0.05)
    print(i, flush=True)
with ThreadPoolExecutor(4) as pool:
    list(pool.map(run, range(int(sys.argv[2]))))
"""


def start(sweep: Sweep) -> subprocess.Popen[str]:
    # One line when a command begins, one when it is through: what ran too often shows.
    script = (
        f'echo "begin $0" >> {sweep.paths.folder}/ran; sleep 0.05; echo "end $0" >> {sweep.paths.folder}/ran'
    )
    work = sweep.work("sh", "-c", script)
    argv = [sys.executable, "-c", WORKER, pickle.dumps(work).hex(), str(COMBINATIONS)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def test_kills_again_and_again(sweep: Sweep, python_path: None) -> None:
    chance = random.Random(2)  # noqa: S311
    completed: set[str] = set()
    for _ in range(5):
        with start(sweep) as worker:
            assert worker.stdout
            for _ in range(len(completed) + chance.randint(1, 10)):
                worker.stdout.readline()
            worker.kill()
            worker.communicate()
        while is_unused(sweep.paths.workers_lock) is False:
            pass
        keys = [f"k{i}" for i in range(COMBINATIONS)]
        now = {
            key
            for key in keys
            if any(each.outcome is Outcome.COMPLETED for each in read_markers(sweep.paths, key))
        }
        assert completed <= now
        completed = now
        assert sweep.survivors() == []
    assert len(completed) < COMBINATIONS

    with start(sweep) as worker:
        worker.communicate(timeout=60)
    ran = Counter((sweep.paths.folder / "ran").read_text().splitlines())
    for key in (f"k{i}" for i in range(COMBINATIONS)):
        attempts = read_markers(sweep.paths, key)
        assert Counter(attempt.outcome for attempt in attempts)[Outcome.COMPLETED] == 1
        assert attempts[-1].outcome is Outcome.COMPLETED
        assert not sweep.paths.log(key, attempts[-1].number + 1).exists()
        assert ran[f"end {key}"] <= ran[f"begin {key}"] <= attempts[-1].number
