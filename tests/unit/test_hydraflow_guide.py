"""Every job file that HydraFlow's guide and tutorial show makes the commands that they say it makes.

The documents leave out what both programs generate for Hydra (``--multirun``, ``hydra.job.name`` and
``hydra.sweep.dir``). So a document's lines are compared with ours without that, and once more, to the
letter, with ``style: plain``. Ours come in the order of a product, last parameter fastest, as those
of HydraFlow 0.23.2 do; some of its pages print another order.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from sweeplib.cli.app import cli
from sweeplib.command import lines
from sweeplib.jobs import load
from sweeplib.plan import Plan

if TYPE_CHECKING:
    from pathlib import Path

GENERATED = re.compile(r"--multirun|hydra\.job\.name=.*|hydra\.sweep\.dir=multirun/[0-9A-HJKMNP-TV-Z]{26}")


def written(line: str) -> str:
    """Return a command as the documents write it: without what is generated."""
    return shlex.join([word for word in shlex.split(line) if not GENERATED.fullmatch(word)])


def dry_run(folder: Path, *arguments: str) -> list[str]:
    """Return what `sweep run` prints on standard output."""
    done = CliRunner().invoke(cli, ["-C", str(folder), "run", *arguments], catch_exceptions=False)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout.splitlines()


def commands(folder: Path, text: str, job: str = "train") -> list[str]:
    """Return a job's commands as the documents write them, the same in both styles."""
    file = folder / "hydraflow.yaml"
    file.write_text(text, encoding="utf-8")
    ours = [written(line) for line in lines(Plan(load(folder).job(job)))]
    file.write_text(re.sub(r"^( +)(run|submit): ", r"\1style: plain\n\1\2: ", text, flags=re.MULTILINE))
    assert list(lines(Plan(load(folder).job(job)))) == ours
    return ours


def shown(text: str) -> list[str]:
    """Return the commands of a document's listing."""
    return [line.removeprefix("$ ") for line in text.splitlines() if line and not line.startswith("#")]


# Sweep syntax.

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

# As the guide prints it: first parameter fastest.
BASIC_SHOWN = """\
# First set commands
$ python train.py model=small learning_rate=0.1
$ python train.py model=large learning_rate=0.1
$ python train.py model=small learning_rate=0.2
$ python train.py model=large learning_rate=0.2

# Second set commands (completely independent from first set)
$ python train.py optimizer=adam dropout=0.1
$ python train.py optimizer=sgd dropout=0.1
$ python train.py optimizer=adam dropout=0.2
$ python train.py optimizer=sgd dropout=0.2
"""


def test_independent_sets(tmp_path: Path) -> None:
    found = commands(tmp_path, BASIC)
    assert found == [
        "python train.py model=small learning_rate=0.1",
        "python train.py model=small learning_rate=0.2",
        "python train.py model=large learning_rate=0.1",
        "python train.py model=large learning_rate=0.2",
        "python train.py optimizer=adam dropout=0.1",
        "python train.py optimizer=adam dropout=0.2",
        "python train.py optimizer=sgd dropout=0.1",
        "python train.py optimizer=sgd dropout=0.2",
    ]
    for one_set in (slice(0, 4), slice(4, 8)):
        assert sorted(found[one_set]) == sorted(shown(BASIC_SHOWN)[one_set])


@pytest.mark.parametrize(
    ("each", "made"),
    [
        ("model=small,medium,large", ["model=small", "model=medium", "model=large"]),
        ("batch_size=16:128:16", [f"batch_size={size}" for size in range(16, 129, 16)]),
        ("use_augmentation=true,false", ["use_augmentation=true", "use_augmentation=false"]),
        (
            "model=small,large learning_rate=0.1,0.01,0.001",
            [
                "model=small learning_rate=0.1",
                "model=small learning_rate=0.01",
                "model=small learning_rate=0.001",
                "model=large learning_rate=0.1",
                "model=large learning_rate=0.01",
                "model=large learning_rate=0.001",
            ],
        ),
        (
            "model.type=cnn,transformer model.layers=2,4,8",
            [
                "model.type=cnn model.layers=2",
                "model.type=cnn model.layers=4",
                "model.type=cnn model.layers=8",
                "model.type=transformer model.layers=2",
                "model.type=transformer model.layers=4",
                "model.type=transformer model.layers=8",
            ],
        ),
        # The page says 0.0001; HydraFlow itself hands the text on as it is, and so it is here.
        ("weight_decay=0,1e-4,1e-5", ["weight_decay=0", "weight_decay=1e-4", "weight_decay=1e-5"]),
    ],
)
def test_values_of_each(tmp_path: Path, each: str, made: list[str]) -> None:
    """The examples of the guide's page on sweep syntax that HydraFlow 0.23.2 does make."""
    text = f"jobs:\n  train:\n    run: python train.py\n    sets:\n      - each: {each}\n"
    assert commands(tmp_path, text) == [f"python train.py {parameters}" for parameters in made]


# `each`, `all` and `add`.

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

EACH_ALL_ADD_SHOWN = """\
# First set - uses job-level add
$ python train.py model=small seed=42 hydra/launcher=joblib hydra.launcher.n_jobs=2

# Second set - merges job-level add with set-level add (hydra/launcher is overridden)
$ python train.py model=large seed=43 hydra/launcher=submitit hydra.launcher.n_jobs=2 hydra.job.num_nodes=1
"""


def test_each_all_and_add(tmp_path: Path) -> None:
    assert commands(tmp_path, EACH_ALL_ADD) == shown(EACH_ALL_ADD_SHOWN)


def test_each_all_and_add_in_one_item_mean_the_same(tmp_path: Path) -> None:
    text = EACH_ALL_ADD.replace("- all:", "  all:").replace("- add:", "  add:")
    assert text.count("      - ") == 2
    assert commands(tmp_path, text) == shown(EACH_ALL_ADD_SHOWN)


def test_add_of_a_set_under_that_of_the_job(tmp_path: Path) -> None:
    """The guide's page on job configuration: the set's value wins, the rest of the job's `add` stays."""
    text = """\
jobs:
  train:
    run: python train.py
    add: hydra/launcher=joblib hydra.launcher.n_jobs=2
    sets:
      - each: model=small,medium
      - each: model=large,xlarge
        add: hydra/launcher=submitit hydra.launcher.submitit.cpus_per_task=8
"""
    of_job = "hydra/launcher=joblib hydra.launcher.n_jobs=2"
    merged = "hydra/launcher=submitit hydra.launcher.n_jobs=2 hydra.launcher.submitit.cpus_per_task=8"
    assert commands(tmp_path, text) == [
        f"python train.py model=small {of_job}",
        f"python train.py model=medium {of_job}",
        f"python train.py model=large {merged}",
        f"python train.py model=xlarge {merged}",
    ]


# `run`, `call` and `submit`.

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


JOBLIB = "hydra/launcher=joblib hydra.launcher.n_jobs=3"


def test_submit(tmp_path: Path) -> None:
    assert commands(tmp_path, SUBMIT) == [
        "python batch_processor.py submit.txt",
        "model=small learning_rate=0.1 seed=42",
        "model=small learning_rate=0.2 seed=42",
        "model=large learning_rate=0.1 seed=42",
        "model=large learning_rate=0.2 seed=42",
    ]


@pytest.mark.parametrize(
    ("job", "made"),
    [
        (
            "job_sequential",
            [
                "python example.py width=100 height=100,200,300",
                "python example.py width=300 height=100,200,300",
            ],
        ),
        (
            "job_parallel",
            [
                f"python example.py width=200 height=100,200,300 {JOBLIB}",
                f"python example.py width=400 height=100,200,300 {JOBLIB}",
            ],
        ),
        (
            "job_submit",
            [
                "python submit.py example.py submit.txt",
                "width=250 height=150,250",
                "width=350 height=150,250",
            ],
        ),
    ],
)
def test_the_tutorial(tmp_path: Path, job: str, made: list[str]) -> None:
    assert commands(tmp_path, TUTORIAL, job) == made


def test_the_tutorial_counts_sixteen_runs(tmp_path: Path) -> None:
    (tmp_path / "hydraflow.yaml").write_text(TUTORIAL)
    runs = 0
    for job in load(tmp_path).jobs.values():
        for combination in Plan(job):
            runs += sum(cell.value.count(",") + 1 for cell in combination.cells if cell.key == "height")
    assert runs == 16


@pytest.mark.parametrize("job", ["job_sequential", "job_parallel"])
def test_what_is_generated_for_hydra(tmp_path: Path, job: str) -> None:
    """The tutorial: the job's name, and a unique but time-ordered directory for each job."""
    (tmp_path / "hydraflow.yaml").write_text(TUTORIAL)
    found = dry_run(tmp_path, job, "--dry-run")
    words = [shlex.split(line) for line in found]
    assert [one[2] for one in words] == ["--multirun"] * 2
    assert [one[5] for one in words] == [f"hydra.job.name={job}"] * 2
    directories = [one[6].removeprefix("hydra.sweep.dir=multirun/") for one in words]
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", name) for name in directories)
    assert directories == sorted(set(directories))


def test_call(tmp_path: Path) -> None:
    """The guide's page on job configuration: the function gets the list of arguments that `run` appends."""
    text = "jobs: {train: {call: my_module.train_function, sets: [{each: 'model=small,large'}]}}"
    (tmp_path / "hydraflow.yaml").write_text(text)
    found = dry_run(tmp_path, "train", "--dry-run")
    generated = "'hydra.job.name=train', 'hydra.sweep.dir=multirun/ULID'"
    assert [re.sub(r"multirun/\w{26}", "multirun/ULID", line) for line in found] == [
        f"my_module.train_function(['--multirun', 'model=small', {generated}])",
        f"my_module.train_function(['--multirun', 'model=large', {generated}])",
    ]


# Extra command-line arguments: `hydraflow run <job_name> [overrides]`.


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["a=1"], "a=1"),
        (["a=1", "b=x,y"], "a=1 b=x,y"),
        (["--", "a=1"], "a=1"),
        (["--", "--config-name=other", "-x", "a=1"], "--config-name=other -x a=1"),
        (["--", "--dry-run", "--help"], "--dry-run --help"),
        (["--", "--", "a=1"], "-- a=1"),
        (["--config-name=other", "a=1"], "--config-name=other a=1"),
        (["-x"], "-x"),
        (["two words"], "'two words'"),
        (["model='a b'"], "'model='\"'\"'a b'\"'\"''"),
    ],
)
@pytest.mark.parametrize("style", ["hydra", "plain"])
def test_overrides(tmp_path: Path, arguments: list[str], given: str, style: str) -> None:
    (tmp_path / "hydraflow.yaml").write_text(TUTORIAL.replace("run:", f"style: {style}\n    run:"))
    assert list(map(written, dry_run(tmp_path, "job_sequential", "--dry-run", *arguments))) == [
        f"python example.py {given} width=100 height=100,200,300",
        f"python example.py {given} width=300 height=100,200,300",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--dry-run", "job_sequential", "a=1", "--", "-x"],
        ["job_sequential", "--dry-run", "a=1", "--", "-x"],
        ["job_sequential", "a=1", "--dry-run", "--", "-x"],
        ["--", "job_sequential", "a=1", "-x"],
    ],
)
def test_where_the_option_stands(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "hydraflow.yaml").write_text(TUTORIAL)
    if "--dry-run" not in arguments:
        arguments = ["--dry-run", *arguments]
    assert list(map(written, dry_run(tmp_path, *arguments))) == [
        "python example.py a=1 -x width=100 height=100,200,300",
        "python example.py a=1 -x width=300 height=100,200,300",
    ]


def test_overrides_of_a_submit_job(tmp_path: Path) -> None:
    (tmp_path / "hydraflow.yaml").write_text(TUTORIAL)
    found = dry_run(tmp_path, "job_submit", "a=1", "--dry-run", "--", "--partition=gpu")
    assert list(map(written, found)) == [
        "python submit.py example.py a=1 --partition=gpu submit.txt",
        "width=250 height=150,250",
        "width=350 height=150,250",
    ]


def test_overrides_of_a_call_job(tmp_path: Path) -> None:
    text = "jobs: {train: {call: package.train, style: plain, sets: [{each: 'model=small,large'}]}}"
    (tmp_path / "hydraflow.yaml").write_text(text)
    assert dry_run(tmp_path, "train", "--dry-run", "a=1", "--", "--fast") == [
        "package.train(['a=1', '--fast', 'model=small'])",
        "package.train(['a=1', '--fast', 'model=large'])",
    ]
