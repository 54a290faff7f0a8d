"""The example of a benchmark: variants with packages of their own, one table, one plot."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest
from uv import find_uv_bin

from tests.acceptance.documents import ROOT, blocks, document

if TYPE_CHECKING:
    from tests.conftest import Project

EXAMPLE = ROOT / "examples" / "benchmark"
README = "examples/benchmark/README.md"
REQUIRED = "SWEEP_TEST_PACKAGES" in os.environ  # read now: fixtures of other tests clean the environment
BACKENDS = ["duckdb threads=1", "duckdb threads=2", "pandas", "polars threads=1", "polars threads=2"]


@pytest.fixture(autouse=True)
def index() -> None:
    """Skip where no index of packages can be reached, unless there must be one."""
    ask = [find_uv_bin(), "pip", "install", "--dry-run", "--no-deps", "--python", sys.executable]
    # One that is not installed here: what is would need no index.
    done = subprocess.run([*ask, "duckdb==1.4.4"], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode and not REQUIRED:
        pytest.skip(f"uv reaches no index of packages: {done.stderr.strip()}")


def measured(project: Project) -> dict[tuple[str, str], dict[str, Any]]:
    """Return what is known of each combination, by its rows and its backend."""
    text = project.sweep("results", "benchmark", "--format", "json", check=0).stdout
    found = {}
    for each in json.loads(text):
        parameters = each["parameters"]
        threads = f" threads={parameters['threads']}" if "threads" in parameters else ""
        found[parameters["rows"], parameters["backend"] + threads] = each
    return found


def plot(project: Project, results: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "plot.py"],
        cwd=project.folder,
        env=project.env,
        input=results,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.outside
def test_the_whole_of_it(project: Project) -> None:
    shutil.copytree(EXAMPLE, project.folder, dirs_exist_ok=True)
    jobs = (project.folder / "sweeps.yaml").read_text()
    small = jobs.replace("rows=1e5,3e5,1e6", "rows=1e3,1e4").replace("repeats=9", "repeats=2")
    assert small != jobs
    (project.folder / "sweeps.yaml").write_text(small)
    project.sweep("run", "benchmark", check=0)
    found = measured(project)
    assert sorted(found) == [(rows, backend) for rows in ("1e3", "1e4") for backend in BACKENDS]
    assert all(each["metrics"]["seconds"] > 0 for each in found.values())
    for rows in ("1e3", "1e4"):
        assert len({found[rows, backend]["metrics"]["checksum"] for backend in BACKENDS}) == 1
    with open(found["1e3", "pandas"]["log"]) as log:
        assert log.read().startswith("pandas 2.3.3: 1,000 rows in ")
    assert version("pandas") != "2.3.3"
    done = project.sweep("results", "benchmark", "--name", "rows=1e4 *", check=0)
    head, *rows = done.stdout.splitlines()
    assert head.split()[:6] == ["rank", "key", "backend", "threads", "seconds", "checksum"]
    assert len(rows) == 5

    # Another backend is a file and its module.
    (module,) = [block.text for block in blocks(document(README)) if block.language == "python"]
    project.write("backends/plain.yaml", "")
    project.write("backends/plain.py", module)
    done = project.sweep("run", "benchmark", check=0)
    assert "10 of 12 combinations done, 2 to go" in done.stderr
    found = measured(project)
    for rows in ("1e3", "1e4"):
        same = {found[rows, backend]["metrics"]["checksum"] for backend in ("plain", *BACKENDS)}
        assert len(same) == 1

    drawn = plot(project, json.dumps(list(found.values())))
    assert (drawn.returncode, drawn.stdout, drawn.stderr) == (0, "wrote benchmark.png\n", "")
    assert (project.folder / "benchmark.png").read_bytes().startswith(b"\x89PNG")
    found["1e3", "plain"]["metrics"]["checksum"] += 1
    drawn = plot(project, json.dumps(list(found.values())))
    assert drawn.returncode == 1
    assert drawn.stderr == "plot.py: the backends do not agree about 1,000 rows in 1,000 groups\n"
    drawn = plot(project, "")
    assert drawn.stderr == "plot.py: there is no result yet; run: sweep run benchmark\n"
