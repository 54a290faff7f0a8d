"""Packages of a command's own: environments that uv makes once, on top of the interpreter's."""

from __future__ import annotations

import fcntl
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.run import packages
from sweeplib.run.attempt import run_attempt
from sweeplib.run.marker import read_marker
from sweeplib.run.model import Outcome, SweepPaths, Work
from tests.wheels import wheel

if TYPE_CHECKING:
    from sweeplib.run.model import Attempt

SHOW = """
import sys
try:
    from shade import VERSION
except ImportError:
    VERSION = None
import click, yaml
print(VERSION, getattr(click, "VERSION", "own"), sys.prefix, sys.argv[1:])
"""


@pytest.fixture(autouse=True)
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder that uv finds packages in."""
    folder = tmp_path / "wheels"
    for version in ("1.0", "2.0"):
        wheel(folder, "shade", version, f"VERSION = '{version}'\n")
    wheel(folder, "click", "99.0", "VERSION = 'ours'\n")
    wheel(folder, "needy", "1.0", "", requires="shade==9.0")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    monkeypatch.setattr(packages, "_failed", {})
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / ".sweep" / "sweeps" / "01").mkdir(parents=True)
    (folder / "show.py").write_text(SHOW)
    return folder


def work(project: Path, key: str, *required: str, argv: tuple[str, ...] = ("python", "show.py")) -> Work:
    folder = project / ".sweep" / "sweeps" / "01"
    return Work("01", "train", key * 8, 0, key, argv, str(project), str(folder), packages=required)


def output(attempt: Attempt) -> list[str]:
    with open(attempt.log) as file:
        return file.read().split()


def environments(project: Path) -> list[Path]:
    return sorted(path for path in (project / ".sweep" / "environments").iterdir() if path.is_dir())


def test_packages_stand_before_what_the_interpreter_has(project: Path) -> None:
    plain = run_attempt(work(project, "a"))
    assert output(plain)[:3] == ["None", "own", sys.prefix]
    for key, version in (("b", "1.0"), ("c", "2.0")):
        attempt = run_attempt(work(project, key, f"shade=={version}"))
        assert attempt.outcome is Outcome.COMPLETED, attempt.message
        assert output(attempt)[:2] == [version, "own"]
    first, second = environments(project)
    assert output(attempt)[2] in (str(first), str(second))
    both = run_attempt(work(project, "d", "click==99.0", "shade"))
    assert output(both)[:2] == ["2.0", "ours"]


@pytest.mark.parametrize(
    "argv",
    [
        ("sh", "-c", "python show.py x"),
        (sys.executable, "show.py", "x"),
        ("python3", "-X", "utf8", "show.py", "x"),
    ],
)
def test_every_command_finds_them(project: Path, argv: tuple[str, ...]) -> None:
    attempt = run_attempt(work(project, "a", "shade==1.0", argv=argv))
    (home,) = environments(project)
    assert output(attempt) == ["1.0", "own", str(home), "['x']"]


def test_a_package_from_a_file_of_the_project(project: Path) -> None:
    wheel(project / "own", "mine", "3.0", "NAME = 'mine'\n")
    argv = ("python", "-c", "import mine; print(mine.NAME)")
    attempt = run_attempt(work(project, "a", "./own/mine-3.0-py3-none-any.whl", argv=argv))
    assert output(attempt) == ["mine"]


def test_one_environment_is_made_once(project: Path) -> None:
    notes: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        works = [work(project, key, "shade==1.0") for key in "abcd"]
        attempts = list(pool.map(lambda each: run_attempt(each, on_output=notes.append), works))
    assert [attempt.outcome for attempt in attempts] == [Outcome.COMPLETED] * 4
    assert len(environments(project)) == 1
    assert [note for note in notes if note.startswith("installing")] == ["installing shade==1.0"]


def test_one_that_was_interrupted_is_made_again(project: Path) -> None:
    run_attempt(work(project, "a", "shade==1.0"))
    (home,) = environments(project)
    (home / ".ready").unlink()
    (home / "bin" / "python").unlink()
    attempt = run_attempt(work(project, "b", "shade==1.0"))
    assert output(attempt)[0] == "1.0"
    assert environments(project) == [home]


def test_what_cannot_be_resolved_fails_with_the_reason(project: Path) -> None:
    attempt = run_attempt(work(project, "a", "needy"))
    assert (attempt.outcome, attempt.exit_code, attempt.number) == (Outcome.FAILED, None, 1)
    assert attempt.message.startswith("packages: No solution found when resolving dependencies: Because ")
    assert "shade==9.0" in attempt.message
    assert output(attempt) == attempt.message.split()
    marker = SweepPaths(project / ".sweep" / "sweeps" / "01").marker("a" * 8, 1)
    assert read_marker(marker) == attempt
    # The next one is told without another try; others are as they would have been.
    notes: list[str] = []
    again = run_attempt(work(project, "b", "needy"), on_output=notes.append)
    assert again.message == attempt.message
    assert notes == []
    assert run_attempt(work(project, "c", "shade")).outcome is Outcome.COMPLETED


def test_what_is_no_interpreter(project: Path) -> None:
    attempt = run_attempt(work(project, "a", "shade", argv=("./python", "show.py")))
    program = project / "python"
    assert attempt.message == f"there is no interpreter {program}: no such file or directory"


def test_a_sweep_that_is_stopped_waits_for_nobody(project: Path) -> None:
    run_attempt(work(project, "a", "shade==1.0"))
    (home,) = environments(project)
    (home / ".ready").unlink()
    found: list[Any] = []
    with home.with_suffix(".lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = work(project, "b", "shade==1.0")
        thread = threading.Thread(target=lambda: found.append(run_attempt(waiting, tick=0.05)))
        thread.start()
        log = SweepPaths(project / ".sweep" / "sweeps" / "01").log("b" * 8, 1)
        while not log.exists():
            assert thread.is_alive()
        (project / ".sweep" / "sweeps" / "01" / "stop").touch()
        thread.join(20)
    (attempt,) = found
    assert (attempt.outcome, attempt.number) == (Outcome.CANCELLED, 0)
    assert not log.exists()


@pytest.mark.parametrize("gone", ["", ".ready", "bin/python", "lib/python3.11/site-packages/_sweep_base.pth"])
def test_an_environment_that_has_been_damaged_is_made_again(tmp_path: Path, gone: str) -> None:
    for name in (".ready", "bin/python", "lib/python3.11/site-packages/_sweep_base.pth"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    environment = packages._Environment(tmp_path, packages._Base(sys.executable, "", ()), ())
    assert environment.is_ready
    if gone:
        (tmp_path / gone).unlink()
        assert not environment.is_ready
