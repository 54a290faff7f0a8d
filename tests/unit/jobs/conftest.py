"""A job file in an empty current folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sweeplib.jobs import JobFile, load

Read = Callable[[str], JobFile]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def read(folder: Path) -> Read:
    """Return a function that loads a text as sweeps.yaml."""

    def read_text(text: str) -> JobFile:
        (folder / "sweeps.yaml").write_text(text, encoding="utf-8")
        return load()

    return read_text
