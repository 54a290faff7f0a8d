"""HydraFlow's own job files load as they are and mean what its documents say.

The YAML is that of HydraFlow's guide to multi-run workflows and of its tutorial on automation; the
commands are those that the guide shows, in the order of a product, last parameter fastest.
"""

from itertools import product
from pathlib import Path

import pytest

from sweeplib.jobs import Job, load

BASIC = """\
jobs:
  train:
    run: python train.py
    sets:
      # First independent parameter set
      - each: >-
          model=small,large
          learning_rate=0.1,0.2

      # Second independent parameter set
      - each: >-
          optimizer=adam,sgd
          dropout=0.1,0.2
"""

EACH_ALL_ADD = """\
jobs:
  train:
    run: python train.py
    add: hydra/launcher=joblib hydra.launcher.n_jobs=2  # Job-level add
    sets:
      # First set - uses job-level add
      - each: model=small  # Creates a command
      - all: seed=42       # Included in the command

      # Second set - merges job-level add with set-level add
      - each: model=large
      - all: seed=43
      - add: hydra/launcher=submitit hydra.job.num_nodes=1  # Merges with job-level add
"""

SUBMIT = """\
jobs:
  train:
    submit: python batch_processor.py
    sets:
      - each: >-
          model=small,large
          learning_rate=0.1,0.2
      - all: seed=42
"""

TUTORIAL = """\
jobs:
  job_sequential:
    run: python example.py
    sets:
      - each: width=100,300
        all: height=100:300:100
  job_parallel:
    run: python example.py
    add: >-
      hydra/launcher=joblib
      hydra.launcher.n_jobs=3
    sets:
      - each: width=200,400
        all: height=100:300:100
  job_submit:
    submit: python submit.py example.py
    sets:
      - each: width=250:350:100
        all: height=150,250
"""


@pytest.fixture
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Job]:
    """Return the jobs of the document that the test is parametrized with, read as hydraflow.yaml."""
    (tmp_path / "hydraflow.yaml").write_text(request.param)
    return dict(load(tmp_path).jobs)


def combinations(job: Job) -> list[str]:
    """Return what each set appends to the command, as text."""
    return [
        " ".join([f"{cell.key}={cell.value}" for cell in (*row, *set_.cells)] + set_.extra)
        for set_ in job.sets
        for row in product(*set_.arguments)
    ]


@pytest.mark.parametrize("jobs", [BASIC], indirect=True)
def test_sets_are_independent(jobs: dict[str, Job]) -> None:
    assert jobs["train"].command == ("run", "python train.py")
    assert combinations(jobs["train"]) == [
        "model=small learning_rate=0.1",
        "model=small learning_rate=0.2",
        "model=large learning_rate=0.1",
        "model=large learning_rate=0.2",
        "optimizer=adam dropout=0.1",
        "optimizer=adam dropout=0.2",
        "optimizer=sgd dropout=0.1",
        "optimizer=sgd dropout=0.2",
    ]


@pytest.mark.parametrize("jobs", [EACH_ALL_ADD], indirect=True)
def test_each_all_and_add_on_items_of_their_own_make_two_sets(jobs: dict[str, Job]) -> None:
    assert [(set_.each, set_.all, set_.add) for set_ in jobs["train"].sets] == [
        ("model=small", "seed=42", ""),
        ("model=large", "seed=43", "hydra/launcher=submitit hydra.job.num_nodes=1"),
    ]
    assert combinations(jobs["train"]) == [
        "model=small seed=42 hydra/launcher=joblib hydra.launcher.n_jobs=2",
        "model=large seed=43 hydra/launcher=submitit hydra.launcher.n_jobs=2 hydra.job.num_nodes=1",
    ]


@pytest.mark.parametrize("jobs", [SUBMIT], indirect=True)
def test_submit(jobs: dict[str, Job]) -> None:
    assert jobs["train"].command == ("submit", "python batch_processor.py")
    assert len(jobs["train"].sets) == 1
    assert combinations(jobs["train"]) == [
        "model=small learning_rate=0.1 seed=42",
        "model=small learning_rate=0.2 seed=42",
        "model=large learning_rate=0.1 seed=42",
        "model=large learning_rate=0.2 seed=42",
    ]


@pytest.mark.parametrize("jobs", [TUTORIAL], indirect=True)
def test_the_tutorial(jobs: dict[str, Job]) -> None:
    assert {name: (job.name, job.style, *job.command) for name, job in jobs.items()} == {
        "job_sequential": ("job_sequential", "hydra", "run", "python example.py"),
        "job_parallel": ("job_parallel", "hydra", "run", "python example.py"),
        "job_submit": ("job_submit", "hydra", "submit", "python submit.py example.py"),
    }
    assert {name: combinations(job) for name, job in jobs.items()} == {
        "job_sequential": ["width=100 height=100,200,300", "width=300 height=100,200,300"],
        "job_parallel": [
            "width=200 height=100,200,300 hydra/launcher=joblib hydra.launcher.n_jobs=3",
            "width=400 height=100,200,300 hydra/launcher=joblib hydra.launcher.n_jobs=3",
        ],
        "job_submit": ["width=250 height=150,250", "width=350 height=150,250"],
    }


@pytest.mark.parametrize("jobs", [TUTORIAL], indirect=True)
def test_the_tutorial_counts_sixteen_runs(jobs: dict[str, Job]) -> None:
    runs = [
        len(list(product(*set_.arguments))) * (cell.value.count(",") + 1)
        for job in jobs.values()
        for set_ in job.sets
        for cell in set_.cells
    ]
    assert sum(runs) == 16
