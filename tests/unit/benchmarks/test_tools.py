"""Tools that take a file of commands: real ones where they are there, and what is read from their logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchmarks import peers, tools
from benchmarks.model import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JOBS = "jobs: {touch: {run: touch, style: plain, sets: [{each: 'a=1,2 b=x,y'}]}}\n"
MADE = ["a=1", "a=2", "b=x", "b=y"]


@pytest.fixture
def commands(isolated: Path) -> tools.Commands:
    """Four commands that make two files each, named after their parameters."""
    project = isolated / "project"
    project.mkdir()
    (project / "sweeps.yaml").write_text(JOBS, encoding="utf-8")
    return tools.prepare(project, "touch", isolated / "forms")


def test_commands_in_the_forms_that_peers_take(commands: tools.Commands) -> None:
    assert commands.count == 4
    assert commands.lines.read_text(encoding="utf-8").splitlines()[1] == "touch a=1 b=y"
    assert json.loads(commands.argvs.read_text(encoding="utf-8"))[1] == ["touch", "a=1", "b=y"]


@pytest.mark.parametrize(
    ("there", "run"), [(peers.gnu_parallel, tools.gnu_parallel), (peers.xargs, tools.xargs)]
)
def test_a_tool_of_the_system(
    commands: tools.Commands,
    there: Callable[[], str],
    run: Callable[[tools.Commands, int], tools.Spent],
) -> None:
    try:
        there()
    except UnavailableError as error:
        pytest.skip(str(error))
    spent = run(commands, 2)
    assert 0 < spent.span <= spent.wall < 60
    assert sorted(path.name for path in commands.project.glob("?=?")) == MADE


BATCHRUN = """\
#!/bin/sh
[ "$1 $3 $4 $5 $6 $7" = "launch --n_jobs 2 --mode overwrite --accounting_dir" ] && [ -s "$2" ] || exit 2
mkdir "$8"
echo '{"a": {"start": 100.5, "runtime": 2.0}, "b": {"start": 101.0, "runtime": 0.25}}' > "$8/metadata.json"
"""


def test_the_span_that_batchrun_recorded(commands: tools.Commands, isolated: Path) -> None:
    program = isolated / "batchrun"
    program.write_text(BATCHRUN, encoding="utf-8")
    program.chmod(0o755)
    for _ in range(2):  # each time as for the first time
        assert tools.batchrun(commands, 2, str(program)).span == 2.0
