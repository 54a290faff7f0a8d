"""The states of the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.ledger import Sweep
from sweeplib.report.lookup import paths_of
from sweeplib.report.page.code import CodeState, code_of

if TYPE_CHECKING:
    from pathlib import Path


def sweep(project: Path, number: int, patch: bytes | None = None, **git: Any) -> Sweep:
    made = Sweep(
        id=f"S{number}",
        job="train",
        lineage="S1",
        total=1,
        created=0.0,
        tag=f"train-{number}",
        git=git or None,
    )
    if patch is not None:
        paths = paths_of(project, made.id)
        paths.folder.mkdir(parents=True)
        paths.patch.write_bytes(patch)
    return made


def test_sweeps_of_one_state_stand_together(tmp_path: Path) -> None:
    clean = {"commit": "c1", "branch": "main", "dirty": False}
    dirty = {"commit": "c1", "branch": "main", "dirty": True}
    sweeps = [
        sweep(tmp_path, 4),
        sweep(tmp_path, 3, b"-a\n+b\n", **dirty),
        sweep(tmp_path, 2, **clean),
        sweep(tmp_path, 1, **clean),
    ]
    assert code_of(tmp_path, sweeps) == [
        CodeState(
            git="not recorded: there was no git, or no commit", dirty=False, tags=("train-4",), patch=None
        ),
        CodeState(
            git="c1 on main, with uncommitted changes", dirty=True, tags=("train-3",), patch="-a\n+b\n"
        ),
        CodeState(git="c1 on main", dirty=False, tags=("train-2", "train-1"), patch=None),
    ]


@pytest.mark.parametrize("patch", [b"\xff\xfe", b"+" * 50_001])
def test_a_patch_that_is_long_or_no_text_is_not_shown(tmp_path: Path, patch: bytes) -> None:
    one = sweep(tmp_path, 1, patch, commit="c", branch="b", dirty=True)
    (state,) = code_of(tmp_path, [one])
    assert (state.dirty, state.patch) == (True, None)
