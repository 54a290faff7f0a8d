"""`sweep report`: which results, where the page goes, what it refuses. The page has tests of its own."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.ledger import SweepState
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from pathlib import Path

KEYS = [letter * 32 for letter in "abcd"]
HEADLINE = "sweep: train: 3 combinations (2 completed, 1 failed); by accuracy, highest first\n"


@pytest.fixture
def trained(history: Any) -> Any:
    """Two sweeps of one lineage, of different commits: two combinations completed, one failed."""
    a, b, c, _ = KEYS
    history.sweep(1, git={"commit": "c1", "branch": "main", "dirty": False})
    history.submit(1, a, b, model=["svc", "knn"], C="1")
    history.end(1, a, metrics={"accuracy": 0.98, "loss": 0.1})
    history.end(1, b, metrics={"accuracy": 0.99, "loss": 0.2})
    history.finish(1, SweepState.COMPLETED)
    history.sweep(2, lineage=1, git={"commit": "c2", "branch": "main", "dirty": True})
    history.submit(2, c, first=2, model="mlp", C="1")
    history.end(2, c, Outcome.FAILED, message="exit code 1", exit_code=1)
    history.finish(2, SweepState.FAILED)
    return history


@pytest.fixture(autouse=True)
def working_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def data(html: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html)
    assert found is not None
    return json.loads(found[1])


def test_a_page_in_the_working_folder(sweep: Any, trained: Any, folder: Path) -> None:
    done = sweep("report", "train")
    assert (done.code, done.out, done.err) == (0, "report.html\n", HEADLINE)
    html = (folder / "report.html").read_text("utf-8")
    held = data(html)
    assert (held["metric"], held["rows"]["key"]) == ("accuracy", [KEYS[1], KEYS[0], KEYS[2]])
    assert held["rows"]["sweep"]["texts"] == ["train-1", "train-2"]
    assert "These results are from different states of the code." in html
    assert sorted(path.name for path in folder.iterdir()) == [".sweep", "report.html", "sweeps.yaml"]


def test_another_file_and_another_metric(sweep: Any, trained: Any, tmp_path: Path) -> None:
    page = tmp_path / "Seite für alle.html"
    page.write_text("old")
    done = sweep("report", "train", "-o", str(page), "--metric", "loss", "--descending")
    assert (done.code, done.out) == (0, f"{page}\n")
    held = data(page.read_text("utf-8"))
    assert (held["metric"], held["ascending"], held["rows"]["key"][0]) == ("loss", False, KEYS[1])


def test_standard_output(sweep: Any, trained: Any, folder: Path) -> None:
    done = sweep("report", "train", "-o", "-")
    assert (done.code, done.err) == (0, HEADLINE)
    assert done.out.startswith("<!DOCTYPE html>\n")
    assert done.out.rstrip().endswith("</html>")
    assert not (folder / "report.html").exists()


def test_a_page_takes_the_place_of_an_earlier_one_alone(sweep: Any, trained: Any, folder: Path) -> None:
    assert sweep("report", "train").code == 0
    assert sweep("report", "train").code == 0
    (folder / "report.html").write_text("<html>mine</html>")
    done = sweep("report", "train")
    assert (done.code, done.out, done.err) == (
        2,
        "",
        "sweep: report.html is there, and is no page of sweep report; -o report.html would replace it\n",
    )
    assert (folder / "report.html").read_text() == "<html>mine</html>"
    assert sweep("report", "train", "-o", "report.html").code == 0


def test_a_part_of_the_results(sweep: Any, trained: Any) -> None:
    done = sweep(
        "report", "train", "-o", "-", "--sweep", "train-2", "--status", "failed", "--name", "model=m*"
    )
    assert data(done.out)["rows"]["key"] == [KEYS[2]]
    assert (
        "Only a part of the job's results: --sweep train-2 --status failed --name &#39;model=m*&#39;"
        in done.out
    )


def test_a_sweep_that_has_only_begun(sweep: Any, history: Any) -> None:
    history.sweep(1)
    done = sweep("report", "train", "-o", "-")
    assert done.code == 0
    assert done.err == "sweep: no combination of job 'train' is on record yet\n"
    assert "No combination is on record yet." in done.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("trian", 2, "sweep: sweeps.yaml has no job 'trian'; did you mean 'train'? (jobs: train, other)\n"),
        ("other", 2, "sweep: job 'other' has no sweep yet; start one with: sweep run other\n"),
        (
            "train -m acuracy",
            2,
            "sweep: there is no metric 'acuracy'; did you mean 'accuracy'? (metrics: accuracy, loss)\n",
        ),
        ("train -o no/where.html", 2, "sweep: no/where.html cannot be written: there is no folder no\n"),
        (
            "train -o sweeps.yaml/a",
            2,
            "sweep: sweeps.yaml/a cannot be written: there is no folder sweeps.yaml\n",
        ),
        (
            "train --tag nope",
            2,
            "sweep: no combination of job 'train' is on record that is so: there is nothing to show\n",
        ),
    ],
)
def test_what_cannot_be_done(sweep: Any, trained: Any, arguments: str, code: int, said: str) -> None:
    done = sweep("report", *arguments.split())
    assert (done.code, done.out) == (code, "")
    assert done.err.removeprefix(HEADLINE) == said


def test_nothing_has_run(sweep: Any) -> None:
    done = sweep("report", "train")
    assert (done.code, done.out) == (2, "")
    assert done.err == "sweep: job 'train' has no sweep yet; start one with: sweep run train\n"
