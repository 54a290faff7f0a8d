"""What the tests of the benchmarks share: an environment in which nothing leads to another server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from benchmarks.processes import isolate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def isolated(tmp_path: Path) -> Iterator[Path]:
    """The environment that benchmarks measure in, and a folder to work in."""
    before = dict(os.environ)
    folder = tmp_path.resolve()
    isolate(folder / "home")
    yield folder
    os.environ.clear()
    os.environ.update(before)
