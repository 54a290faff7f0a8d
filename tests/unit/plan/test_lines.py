"""The plan of a file of shell lines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from sweeplib.command import argv, lines
from sweeplib.errors import JobFileError, PlanError
from sweeplib.jobs import Job, load
from sweeplib.jobs.schema import Mistakes
from sweeplib.plan import Plan

if TYPE_CHECKING:
    from pathlib import Path


def plan(folder: Path, *texts: str) -> Plan:
    path = folder / "runfile"
    path.write_text("\n".join(texts), encoding="utf-8")
    return Plan(Job(name="batch", launch=str(path)))


def test_a_line_is_for_the_shell(tmp_path: Path) -> None:
    found = plan(tmp_path, "sleep 1; echo 'a  b'", "# no", "ls | wc")
    assert list(lines(found)) == ["sleep 1; echo 'a  b'", "ls | wc"]
    assert argv(found, found[1], "ULID") == ("/bin/sh", "-c", "ls | wc")
    assert [(one.position, one.label) for one in found] == [(0, "sleep 1; echo 'a  b'"), (1, "ls | wc")]
    assert list(found) == [found[0], found[1]] == found[:]


def test_a_line_is_known_by_its_text(tmp_path: Path) -> None:
    texts = ["echo 1", "echo 1.0", "echo  1", "echo 1,1.0", "echo 1,1"]
    keys = {one.key for one in plan(tmp_path, *texts)}
    assert len(keys) == 5
    assert {one.key for one in plan(tmp_path, *reversed(texts), "echo more")} > keys


def test_parameters_are_what_looks_like_options(tmp_path: Path) -> None:
    found = plan(tmp_path, "python a.py --alpha=1 --b='x y' --flag -c=3 # --d=4", "echo 'open", "true")
    assert [one.parameters for one in found] == [
        {"alpha": "1", "b": "x y"},
        {"command": "echo 'open"},
        {"command": "true"},
    ]
    (one,) = plan(tmp_path, "a --lr=2; b --k=3|c --m=4>out && d --p='5;6' --q=$HOME/x-1.2*")
    assert one.parameters == {"lr": "2", "k": "3", "m": "4", "p": "5;6", "q": "$HOME/x-1.2*"}


def test_a_line_of_a_megabyte_is_not_looked_through(tmp_path: Path) -> None:
    text = "echo --a=1 " + "x" * 1_000_000
    (one,) = plan(tmp_path, text)
    began = time.process_time()
    assert one.parameters == {"command": text}
    assert time.process_time() - began < 1


def test_a_long_line_has_a_short_label(tmp_path: Path) -> None:
    (one,) = plan(tmp_path, "echo " + "x" * 300)
    assert (len(one.label), one.label[-1]) == (160, "…")


def test_a_job_file_may_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "commands.txt").write_text("echo 1\necho 2\n")
    (tmp_path / "sweeps.yaml").write_text(
        "defaults: {style: flags, preload: [json]}\njobs: {batch: {launch: commands.txt, retries: 1}}\n"
    )
    job = load(tmp_path).job("batch")
    assert (job.kind, job.style, job.retries, job.preloaded) == ("launch", "plain", 1, ())
    assert [one.label for one in Plan(job)] == ["echo 1", "echo 2"]
    assert job.written()["launch"] == "commands.txt"


@pytest.mark.parametrize(
    ("arguments", "only", "what"),
    [(["x", "y"], "", "arguments (x y)"), ([], "a=1", "selection (a=1)")],
)
def test_a_line_takes_nothing_more(tmp_path: Path, arguments: list[str], only: str, what: str) -> None:
    (tmp_path / "runfile").write_text("true\n")
    job = Job(name="batch", launch="runfile", folder=str(tmp_path))
    with pytest.raises(PlanError) as caught:
        Plan(job, arguments, only)
    assert str(caught.value) == f"job 'batch' runs the lines of runfile as they are, and takes no {what}"


def test_a_file_of_lines_has_no_sets() -> None:
    with pytest.raises(Mistakes) as caught:
        Job(name="batch", launch="x", sets=[{"each": "a=1"}])
    assert str(caught.value) == "sets: the lines of a 'launch' job are its combinations; take the sets out"


def test_a_file_of_lines_has_no_groups(tmp_path: Path) -> None:
    (tmp_path / "run.txt").write_text("true\n")
    file = tmp_path / "sweeps.yaml"
    file.write_text("jobs:\n  l:\n    launch: run.txt\n    groups: {v: v/}\n")
    with pytest.raises(JobFileError) as caught:
        load(tmp_path)
    assert str(caught.value) == (
        f"{file}:4: jobs.l.groups: are for parameters of sets, and a 'launch' job has none; take the key out"
    )
    file.write_text("defaults: {groups: {v: v/}}\njobs: {l: {launch: run.txt}}\n")
    assert load(tmp_path).job("l").groups == {}, "those of other jobs"


def test_amounts_by_the_parameters_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "run.txt"
    job = Job(name="batch", launch="run.txt", folder=str(tmp_path), resources={"gpu": "${g}"})
    path.write_text("python a.py\npython a.py --g=2 # and --h=1\n")
    made = Plan(job)
    assert [made.needs(line).resources.of(line.parameters).gpu for line in made] == [None, 2]
    path.write_text("python a.py --gg=1\necho g\n")
    with pytest.raises(PlanError) as caught:
        Plan(Job(name="batch", launch="run.txt", folder=str(tmp_path), resources={"gpu": "${g}"}))
    assert str(caught.value) == "job 'batch': resources: gpu is ${g}, and no line of run.txt has --g=…"


def test_packages_take_part_in_the_key_of_a_line(tmp_path: Path) -> None:
    def key(*packages: str) -> str:
        path = tmp_path / "runfile"
        path.write_text("python a.py", encoding="utf-8")
        return Plan(Job(name="batch", launch=str(path), packages=packages))[0].key

    assert key() == plan(tmp_path, "python a.py")[0].key
    assert len({key(), key("rich==13.9"), key("rich==14.0")}) == 3
    assert key("rich", "numpy") == key("numpy", "rich")
