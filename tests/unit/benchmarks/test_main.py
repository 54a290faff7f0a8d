"""The command line, with the one case that needs nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchmarks.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path


def test_a_table_and_json_in_a_new_folder(isolated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = isolated / "build" / "bench.json"
    assert main(["--only", "c", "--repeat", "1", "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "(c) the length and the last combination of a plan of 1,000,000,000\n" in printed
    found = json.loads(file.read_text(encoding="utf-8"))
    assert [row["tool"] for row in found["rows"]] == ["sweep", "sweep"]
    assert "Peers" not in found["machine"]


def test_no_such_case(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "a,z"])
    assert "no such case: z; there are a, b, c, d, e, f, g, h, i" in capsys.readouterr().err
