"""The patterns of yanex's guide, with `run_multiple` of yanex and with ours: what runs, and what it tells."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Project

INTERPRETER = "SWEEP_TEST_YANEX_PYTHON"
YANEX = os.environ.get(INTERPRETER)  # read now: fixtures of other tests clean the environment

TRAIN = """
import json, sys
import {tool}

config = {tool}.{params}()
with open("seen", "a") as file:
    print(json.dumps([config, sys.argv[1:]]), file=file)
if config.get("random_seed") == 2:
    raise ValueError("diverged")
if config.get("random_seed") == 3:
    sys.exit(7)
if "dropout" in config:  # it imports MLflow here, which takes a second or two
    {tool}.log_metrics({{"accuracy": 0.5}}, step=1)
"""

# Each is a program of the guide, or of what it promises, up to the list of experiments.
GRID = """
learning_rates = [0.001, 0.01, 0.1]
batch_sizes = [16, 32]
experiments = []
for lr in learning_rates:
    for bs in batch_sizes:
        experiments.append(
            {tool}.ExperimentSpec(
                script_path=Path("train.py"),
                config={{"learning_rate": lr, "batch_size": bs, "epochs": 10}},
                name=f"grid-lr{{lr}}-bs{{bs}}".replace(".", "_"),  # yanex refuses a point
                tags=["grid-search"],
                description="one of the grid",
            )
        )
parallel = 3
"""
RANDOM = """
import random
random.seed(5)
experiments = []
for i in range(6):
    lr = 10 ** random.uniform(-4, -1)
    bs = random.choice([16, 32, 64, 128])
    dropout = random.uniform(0.1, 0.5)
    experiments.append(
        {tool}.ExperimentSpec(
            script_path=Path("train.py"),
            config={{"learning_rate": lr, "batch_size": bs, "dropout": dropout}},
            name=f"random-{{i}}",
            tags=["random-search"],
        )
    )
parallel = 0
"""
ENSEMBLE = """
experiments = [
    {tool}.ExperimentSpec(
        script_path=Path("train.py"),
        config={{"learning_rate": 0.001, "random_seed": seed}},
        name=f"ensemble-{{seed}}",
    )
    for seed in range(5)
]
parallel = None
"""
DATASETS = """
experiments = [
    {tool}.ExperimentSpec(
        script_path=Path("train.py"),
        config={{"learning_rate": 0.001}},
        script_args=["--dataset", dataset, "--note", "two words"],
        name=f"train-{{dataset}}",
    )
    for dataset in ["dataset_A", "dataset_B"]
]
parallel = 2
"""
TYPES = """
values = [0, 1.0, True, False, None, "text", "", "ü=,", 10**12, 1e-5, [1, [2]], {{"x": {{"y": 1e-5}}}}]
experiments = [
    {tool}.ExperimentSpec(script_path=Path("train.py"), config={{"number": i, "value": value}})
    for i, value in enumerate(values)
]
parallel = 2
"""
END = """

if __name__ == "__main__":
    for each in {tool}.run_multiple(experiments, parallel=parallel):
        fields = each.experiment_id, each.name, each.status, each.error_message
        print("RESULT", json.dumps(fields))
"""
PROGRAMS = {
    "grid": GRID,
    "random": RANDOM,
    "ensemble": ENSEMBLE,
    "datasets": DATASETS,
    "types": TYPES,
}


def play(project: Project, python: str, tool: str, params: str, program: str) -> tuple[list[Any], list[Any]]:
    """Return the results, and what the scripts have read; what is in neither order is sorted."""
    project.write("train.py", TRAIN.format(tool=tool, params=params))
    project.write("program.py", f"import json\nfrom pathlib import Path\nimport {tool}\n")
    with (project.folder / "program.py").open("a") as file:
        file.write((program + END).format(tool=tool))
    done = subprocess.run(
        [python, "program.py"],
        cwd=project.folder,
        env={**project.env, "HOME": str(project.folder / "home")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = [json.loads(line[7:]) for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    seen = [json.loads(line) for line in (project.folder / "seen").read_text().splitlines()]
    return results, sorted(seen, key=repr)


def ours(project: Project, program: str) -> tuple[list[Any], list[Any]]:
    return play(project, sys.executable, "sweeplib", "params", program)


def shape(results: list[Any]) -> list[Any]:
    """Return name, status, and whether there is no message; identifiers are eight hex digits each."""
    identifiers = [identifier for identifier, *_ in results]
    assert all(re.fullmatch("[0-9a-f]{8}", each) for each in identifiers)
    assert len(set(identifiers)) == len(identifiers)
    return [[name, status, error is None] for _, name, status, error in results]


@pytest.mark.outside
@pytest.mark.skipif(not YANEX, reason=f"{INTERPRETER} names no interpreter that has yanex")
@pytest.mark.parametrize("name", PROGRAMS)
def test_as_yanex_itself(project: Project, name: str) -> None:
    assert YANEX is not None
    subprocess.run(["git", "init", "--quiet", project.folder], check=True)
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a", "commit", "--quiet", "--allow-empty", "-m", "a"],
        cwd=project.folder,
        check=True,
    )
    theirs, read_theirs = play(project, YANEX, "yanex", "get_params", PROGRAMS[name])
    (project.folder / "seen").unlink()
    results, read = ours(project, PROGRAMS[name])
    # yanex's come as they end.
    assert sorted(shape(results), key=repr) == sorted(shape(theirs), key=repr)
    assert read == read_theirs


def test_the_guide(project: Project) -> None:
    """What yanex 0.6.1 gives for these, apart from order and the words of messages."""
    results, read = ours(project, GRID)
    names = [f"grid-lr{lr}-bs{bs}" for lr in ("0_001", "0_01", "0_1") for bs in (16, 32)]
    assert shape(results) == [[name, "completed", True] for name in names]
    grid = [(lr, bs) for lr in (0.001, 0.01, 0.1) for bs in (16, 32)]
    configs = [{"learning_rate": lr, "batch_size": bs, "epochs": 10} for lr, bs in grid]
    assert read == sorted(([config, []] for config in configs), key=repr)


def test_an_ensemble_in_which_some_fail(project: Project) -> None:
    results, read = ours(project, ENSEMBLE)
    assert [each[1:] for each in results] == [
        ["ensemble-0", "completed", None],
        ["ensemble-1", "completed", None],
        ["ensemble-2", "failed", "exit code 1: ValueError: diverged"],
        ["ensemble-3", "failed", "exit code 7, without any output"],
        ["ensemble-4", "completed", None],
    ]
    assert read == [[{"learning_rate": 0.001, "random_seed": seed}, []] for seed in range(5)]


def test_each_type_as_it_was_given(project: Project) -> None:
    results, read = ours(project, TYPES)
    values = [0, 1.0, True, False, None, "text", "", "ü=,", 10**12, 1e-5, [1, [2]], {"x": {"y": 1e-5}}]
    assert shape(results) == [[None, "completed", True]] * len(values)
    assert sorted(config["number"] for config, _ in read) == list(range(len(values)))
    for config, arguments in read:
        assert arguments == []
        value = values[config["number"]]
        assert (type(config["value"]), config["value"]) == (type(value), value)
