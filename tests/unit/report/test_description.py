"""Jobs as they are understood."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from sweeplib.command import lines
from sweeplib.jobs import load
from sweeplib.plan import Plan
from sweeplib.report.description import describe, jobs_columns
from sweeplib.report.table import plain_lines

if TYPE_CHECKING:
    from pathlib import Path

FILE = r"""
defaults: {retries: 1, retry_delay: [10s, 1m]}
clusters: {big: tcp://10.0.0.1:8786}
jobs:
  app:
    run: python app.py --title 'a b'
    add: hydra/launcher=joblib
    parallel: 4
    timeout: 1h30m
    max_failures: 10%
    env: {A: x y, B: 1}
    tags: [one, two]
    cluster: {class: distributed.LocalCluster, n_workers: 2}
    where: big
    task_runs: 2000
    preload: [mlflow, sklearn]
    tracking: false
    sets:
      - each: model=small,large lr=1:3:k
        all: seed=42,43 'note="x y"'
        add: hydra.launcher.n_jobs=2
        where: {pool: night}
      - each: a=1,2|b=3 i=1:1000000000
  called:
    call: package.module.train
    style: kwargs
    cluster: tcp://127.0.0.1:8786
    sets: [{each: "model=svc,'x y' C=1"}]
  listed:
    call: package.module.train --fast
    style: plain
    preload: false
    sets: [{all: model=svc}]
  queue:
    submit: sbatch it.sh
    style: flags
    retries: 0
    retry_delay: []
    sets: [{each: a=1:3}]
  picked:
    run: "true"
    style: plain
    retries: 0
    retry_delay: []
    sets:
      - each: a=1:3 b=1:3 c=1:3 d=1:3
        exclude: a == 3 and b > 1
        cover: 2
        include: a=9
      - each: a=1:2 b=1:2
        cover: 2
      - each: a=1:2000
        sample: 1000
        seed: 7
  huge:
    run: "true"
    sets: [{each: "a=1:4000000000 b=1:4000000000 c=1"}]
"""

APP = """\
app
  run           python app.py --title 'a b'
  style         hydra
  add           hydra/launcher=joblib
  parallel      4 at once
  timeout       1h 30m
  retries       1
  retry_delay   10 s, 1m 00s
  max_failures  10%
  env           'A=x y' B=1
  tags          one, two
  cluster       distributed.LocalCluster(n_workers=2)
  where         cluster big, tcp://10.0.0.1:8786
  task_runs     up to 2,000
  preload       mlflow, sklearn
  tracking      off

set 1: 6 combinations
  each          model = small, large
                lr = 1e3, 2e3, 3e3
  all           seed=42,43
                note="x y"
  add           hydra/launcher=joblib hydra.launcher.n_jobs=2
  where         pool night

set 2: 2,000,000,000 combinations
  each          a=1,2 | b=3
                i = 1, 2, 3, 4, 5, 6, …, 1000000000 (1,000,000,000 values)
  add           hydra/launcher=joblib

2,000,000,006 combinations in all
  first         python app.py --title 'a b' --multirun model=small lr=1e3 seed=42,43 'note="x y"' \
hydra.job.name=app hydra.sweep.dir=multirun/ULID hydra/launcher=joblib hydra.launcher.n_jobs=2
  last          python app.py --title 'a b' --multirun b=3 i=1000000000 \
hydra.job.name=app hydra.sweep.dir=multirun/ULID hydra/launcher=joblib
"""

CALLED = """\
called
  call          package.module.train
  style         kwargs
  retries       1
  retry_delay   10 s, 1m 00s
  cluster       tcp://127.0.0.1:8786

set 1: 2 combinations
  each          model = svc, 'x y'
                C = 1

2 combinations in all
  first         package.module.train(model='svc', C=1)
  last          package.module.train(model='x y', C=1)
"""

LISTED = """\
listed
  call          package.module.train --fast
  style         plain
  retries       1
  retry_delay   10 s, 1m 00s
  preload       off

set 1: 1 combination
  all           model=svc

1 combination in all
  only          package.module.train(['--fast', 'model=svc'])
"""

QUEUE = """\
queue
  submit        sbatch it.sh
  style         flags

set 1: 3 combinations
  each          a = 1, 2, 3

3 combinations in all, in one file with a line each
  first         --a=1
  last          --a=3
"""

PICKED = """\
picked
  run           true
  style         plain

set 1: 11 combinations
  each          a = 1, 2, 3
                b = 1, 2, 3
                c = 1, 2, 3
                d = 1, 2, 3
  exclude       a == 3 and b > 1
  cover         2 (11 of 63 combinations)

set 1, included: 1 combination
  each          a = 9

set 2: 4 combinations
  each          a = 1, 2
                b = 1, 2
  cover         2 (4 of 4 combinations)

set 3: 1,000 combinations
  each          a = 1, 2, 3, 4, 5, 6, …, 2000 (2,000 values)
  sample        1,000 at random, seed 7

1,016 combinations in all
  first         true a=1 b=1 c=1 d=1
  last          true a=1999
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sweeps.yaml").write_text(FILE, "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text"),
    [("app", APP), ("called", CALLED), ("listed", LISTED), ("queue", QUEUE), ("picked", PICKED)],
)
def test_a_job_is_told_as_it_is_understood(folder: Path, name: str, text: str) -> None:
    plan = Plan(load(folder).job(name))
    assert "\n".join(describe(plan)) + "\n" == text


@pytest.mark.parametrize("name", ["app", "called", "listed"])
def test_the_first_command_is_the_one_that_a_dry_run_begins_with(folder: Path, name: str) -> None:
    plan = Plan(load(folder).job(name))
    first = re.sub(r"multirun/\w{26}", "multirun/ULID", next(lines(plan)))
    assert first in [line.partition("  ")[2].lstrip().partition("  ")[2].lstrip() for line in describe(plan)]


def test_jobs_are_listed_with_their_counts(folder: Path) -> None:
    assert list(plain_lines(jobs_columns(load(folder).jobs.values()))) == [
        "job     kind     combinations  command",
        "app     run     2,000,000,006  python app.py --title 'a b'",
        "called  call                2  package.module.train",
        "listed  call                1  package.module.train --fast",
        "queue   submit              3  sbatch it.sh",
        "picked  run             1,016  true",
        "huge    run          too many  true",
    ]
