"""Resources of a running command: its memory, and devices that it has to itself."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from sweeplib.amounts import Amounts
from sweeplib.run import leases, machine, notices
from sweeplib.run.attempt import run_attempt
from sweeplib.run.client import Guard
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Sweep

# Fills memory, as its own or with a child that shares it, says so, and waits.
FILL = """
import os, sys, time
block = bytearray(os.urandom(1 << 20)) * int(sys.argv[1])
if sys.argv[2:]:
    for _ in range(int(sys.argv[2])):
        if os.fork() == 0:
            time.sleep(1)
            os._exit(0)
    time.sleep(1)
else:
    time.sleep(float(os.environ.get("STAY", "30")))
"""
MB = 1_000_000


def test_a_command_that_takes_more_than_its_memory_is_ended(sweep: Sweep) -> None:
    attempt = run_attempt(sweep.python(FILL, "200", amounts=Amounts(memory=100 * MB)))
    assert attempt.outcome is Outcome.FAILED
    assert attempt.exit_code is None
    assert attempt.message.startswith("used ")
    assert attempt.message.endswith(" MB of memory, more than the 100 MB of its resources: ended")
    assert attempt.ended - attempt.started < 20


def test_the_memory_of_children_counts(sweep: Sweep) -> None:
    script = f'"{os.sys.executable}" -S -c "$0" 150 & wait'
    work = sweep.work("sh", "-c", script, FILL, amounts=Amounts(memory=100 * MB))
    assert "more than the 100 MB" in run_attempt(work).message


def test_what_processes_share_counts_once(sweep: Sweep) -> None:
    attempt = run_attempt(sweep.python(FILL, "60", "4", amounts=Amounts(memory=150 * MB)))
    assert attempt.outcome is Outcome.COMPLETED, attempt.message


def test_a_command_within_its_memory(sweep: Sweep) -> None:
    work = sweep.python(FILL, "20", amounts=Amounts(memory=200 * MB), env={"STAY": "0.5"})
    assert run_attempt(work).outcome is Outcome.COMPLETED


def test_more_memory_than_there_is(sweep: Sweep) -> None:
    attempt = run_attempt(sweep.work("true", amounts=Amounts(memory=10**16)))
    assert attempt.outcome is Outcome.FAILED
    assert attempt.message.startswith("needs 1e+04 TB of memory (resources), and this machine has ")


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give this machine two devices that no other test has."""
    names = [f"test-{uuid4().hex[:12]}-{number}" for number in range(2)]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ",".join(names))
    return names


TELL = 'echo "$CUDA_VISIBLE_DEVICES" > "$0"; read line < "$1"'


class Held:
    """Commands that have their devices and wait to be let go."""

    def __init__(self, sweep: Sweep, folder: Path, tick: float = 1.0) -> None:
        self.sweep = sweep
        self.folder = folder
        self.tick = tick
        self.threads: dict[str, threading.Thread] = {}

    def begin(self, key: str, gpu: float) -> None:
        gate = self.folder / f"gate-{key}"
        os.mkfifo(gate)
        work = self.sweep.work(
            "sh", "-c", TELL, str(self.folder / key), str(gate), key=key * 8, amounts=Amounts(gpu=gpu)
        )
        self.threads[key] = threading.Thread(target=run_attempt, args=(work,), kwargs={"tick": self.tick})
        self.threads[key].start()

    def visible(self, key: str) -> str:
        """Wait until a command has begun; return the devices that it sees."""
        path = self.folder / key
        while not path.exists() or not path.read_text().endswith("\n"):
            assert self.threads[key].is_alive()
        return path.read_text().strip()

    def waits(self, key: str) -> bool:
        """Tell whether a command has not begun, though the guard has had the time to start it."""
        self.threads[key].join(0.3)
        return not (self.folder / key).exists()

    def end(self, key: str) -> None:
        (self.folder / f"gate-{key}").write_text("go\n")
        self.threads[key].join(20)
        assert not self.threads[key].is_alive()


def test_each_command_has_its_own_devices(sweep: Sweep, devices: list[str], tmp_path: Path) -> None:
    held = Held(sweep, tmp_path)
    held.begin("a", 1)
    held.begin("b", 1)
    assert {held.visible("a"), held.visible("b")} == set(devices)
    held.begin("c", 2)
    held.end("a")
    assert held.waits("c")
    held.end("b")
    assert held.visible("c") == ",".join(devices)
    held.end("c")


def test_shares_of_a_device(sweep: Sweep, devices: list[str], tmp_path: Path) -> None:
    held = Held(sweep, tmp_path)
    for key in "abc":
        held.begin(key, 1 / 3)
        held.visible(key)
    assert len({held.visible(key) for key in "abc"}) == 1, "so that another stays whole"
    held.begin("d", 1)
    assert held.visible("d") not in held.visible("a")
    held.begin("e", 0.5)
    assert held.waits("e")
    held.end("a")
    assert held.waits("e")
    held.end("b")
    assert held.visible("e") == held.visible("c")
    for key in "cde":
        held.end(key)


@pytest.mark.parametrize(
    ("gpu", "notice"),
    [
        (1, "waiting for a GPU: other commands on this machine have leased too many of the 2"),
        (2, "waiting for 2 GPUs: other commands on this machine have leased too many of the 2"),
        (0.3, "waiting for 0.3 of a GPU: other commands on this machine have leased too many of the 2"),
    ],
)
def test_who_waits_for_long_says_so_once(
    sweep: Sweep,
    devices: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    gpu: float,
    notice: str,
) -> None:
    monkeypatch.setattr("sweeplib.run.attempt._PATIENCE", 0.05)
    held = Held(sweep, tmp_path, tick=0.05)
    held.begin("a", 2)
    held.visible("a")
    for key in "bc":
        held.begin(key, gpu)
    found: list[str] = []
    while not found:
        assert held.waits("b")
        found = notices.take(sweep.paths)
    assert found == [notice]
    held.end("a")
    ends = [threading.Thread(target=held.end, args=(key,)) for key in "bc"]  # whichever begins first
    for each in ends:
        each.start()
    for each in ends:
        each.join()
    assert set(notices.take(sweep.paths)) <= {notice}


def test_who_does_not_wait_says_nothing(
    sweep: Sweep, devices: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeplib.run.attempt._PATIENCE", 0.0)
    held = Held(sweep, tmp_path, tick=0.01)
    held.begin("a", 2)
    held.visible("a")
    held.threads["a"].join(0.1)
    held.end("a")
    assert notices.take(sweep.paths) == []


def test_devices_come_back_after_a_crash(sweep: Sweep, devices: list[str], tmp_path: Path) -> None:
    held = Held(sweep, tmp_path)
    held.begin("a", 2)
    held.visible("a")
    guard = Guard.shared().pid
    assert guard is not None
    os.kill(guard, signal.SIGKILL)
    held.threads["a"].join(20)
    held.begin("b", 2)
    assert held.visible("b") == ",".join(devices)
    held.end("b")


@pytest.mark.parametrize(
    ("visible", "gpu", "message"),
    [
        (
            "",
            1,
            "needs a GPU (resources), and this machine has none; CUDA_VISIBLE_DEVICES names those to use",
        ),
        ("0", 2, "needs 2 GPUs (resources), and this machine has 1"),
    ],
)
def test_more_devices_than_there_are(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch, visible: str, gpu: float, message: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    attempt = run_attempt(sweep.work("true", amounts=Amounts(gpu=gpu)))
    assert (attempt.outcome, attempt.message) == (Outcome.FAILED, message)


def test_parts_of_a_device(tmp_path: Path) -> None:
    folder = str(tmp_path / "leases")
    first = leases.lease(folder, ["0"], 0.3)
    others = [leases.lease(folder, ["0"], 0.3) for _ in range(2)]
    assert first
    assert all(others)
    assert leases.lease(folder, ["0"], 0.3) is None
    rest = leases.lease(folder, ["0"], 0.1)
    assert rest
    assert leases.lease(folder, ["0"], 0.01) is None
    first.close()
    again = leases.lease(folder, ["0"], 0.3)
    assert again
    for each in (again, rest, *others):
        assert each is not None
        each.close()
    whole = leases.lease(folder, ["0"], 1)
    assert whole
    assert whole.devices == ["0"]
    whole.close()


def test_who_waits_for_several_devices_is_not_passed_by(tmp_path: Path) -> None:
    folder, devices = str(tmp_path / "leases"), ["0", "1"]
    first = leases.Asking(folder, devices, 1).lease()
    assert first
    both, one = leases.Asking(folder, devices, 2), leases.Asking(folder, ["1"], 1)
    assert both.lease() is None
    assert one.lease() is None, "though a device is free: it is not its turn"
    first.close()
    assert one.lease() is None
    held = both.lease()
    assert held
    assert held.devices == devices
    assert one.lease() is None
    held.close()
    last = one.lease()
    assert last
    last.close()


def test_who_goes_away_leaves_its_turn(tmp_path: Path) -> None:
    folder = str(tmp_path / "leases")
    held = leases.Asking(folder, ["0"], 1).lease()
    assert held
    gone, next_ = leases.Asking(folder, ["0"], 1), leases.Asking(folder, ["0"], 0.5)
    assert gone.lease() is None
    gone.close()
    held.close()
    share = next_.lease()
    assert share
    share.close()


def test_what_this_machine_has() -> None:
    assert machine.processors() >= 1
    assert 10**8 < machine.memory() < 10**14


@pytest.mark.parametrize(
    ("named", "devices"),
    [
        ("0, GPU-8f6", ("0", "GPU-8f6")),
        ("5,5", ("5",)),
        ("1,0,1,2,0", ("1", "0", "2")),
        ("6,-1,3", ("6",)),
        ("0,,1", ("0",)),
        ("-1", ()),
        ("", ()),
    ],
)
def test_devices_that_are_named(named: str, devices: tuple[str, ...]) -> None:
    assert machine.devices({"CUDA_VISIBLE_DEVICES": named}) == devices


@pytest.mark.parametrize("gpu", [0.3, 1])
def test_a_device_that_is_named_twice(sweep: Sweep, devices: list[str], gpu: float) -> None:
    work = sweep.work(
        "sh",
        "-c",
        f'test "$CUDA_VISIBLE_DEVICES" = {devices[0]}',
        env={"CUDA_VISIBLE_DEVICES": f"{devices[0]},{devices[0]}"},
        amounts=Amounts(gpu=gpu),
    )
    assert run_attempt(work).outcome is Outcome.COMPLETED
    two = run_attempt(replace(work, key="b" * 8, amounts=Amounts(gpu=2)))
    assert two.message == "needs 2 GPUs (resources), and this machine has 1"
