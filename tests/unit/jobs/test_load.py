"""Finding a job file, reading it, and what its models then say."""

import json
import pickle
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from decimal import Decimal
from pathlib import Path

import pytest

from sweeplib.errors import InputError, JobFileError, UnknownJobError
from sweeplib.jobs import (
    ClusterSpec,
    Deployment,
    FailureLimit,
    Job,
    JobFile,
    Metric,
    Resources,
    Set,
    find_file,
    load,
)
from sweeplib.jobs.load import load_each

Read = Callable[[str], JobFile]

KEYWORDS = {"with": "packages"}

SMALL = "jobs: {train: {run: python train.py, sets: [{each: a=1}]}}\n"
EXAMPLE = """
  jobs:
    train:
      run: python train.py
      style: flags
      sets: [{each: 'lr=0.1,0.01'}]"""


def test_every_field(read: Read) -> None:
    job = read("""\
jobs:
  train:
    call: examples.digits.train --verbose
    style: kwargs
    add: a=1 b='x y'
    sets:
      - each: model=small,large lr=1:3:m
        all: seed=42,43
        add: a=2 c=3
      - each: depth=1:3
    parallel: 4
    timeout: 1h30m
    retries: 2
    retry_delay: [10s, 1m]
    max_failures: 10%
    env: {OMP_NUM_THREADS: 1, RATE: 1.10, FLAG: true, DEBUG: yes, TEXT: 'a b', DAY: 2024-01-01, NONE: ''}
    tags: [digits, nightly, digits]
    cluster: {class: distributed.LocalCluster, n_workers: 2, memory_limit: 8GB}
    metric: {lowest: score}
    tracking: false
""").job("train")

    assert (job.kind, job.command) == ("call", ("call", "examples.digits.train --verbose"))
    assert job.words == ("examples.digits.train", "--verbose")
    assert job.name == "train"
    assert job.style == "kwargs"
    assert (job.parallel, job.timeout, job.retries, job.retry_delay) == (4, 5400.0, 2, (10.0, 60.0))
    assert job.max_failures == FailureLimit(Decimal(10), relative=True)
    assert job.env == {
        "OMP_NUM_THREADS": "1",
        "RATE": "1.10",
        "FLAG": "true",
        "DEBUG": "yes",
        "TEXT": "a b",
        "DAY": "2024-01-01",
        "NONE": "",
    }
    assert job.tags == ("digits", "nightly")
    assert job.cluster == ClusterSpec("distributed.LocalCluster", {"n_workers": 2, "memory_limit": "8GB"})
    assert job.metric == Metric("score", ascending=True)
    assert job.tracking is False

    first, second = job.sets
    assert [[tuple(cell) for cell in argument] for argument in first.arguments] == [
        [("model", "small"), ("model", "large")],
        [("lr", "1e-3"), ("lr", "2e-3"), ("lr", "3e-3")],
    ]
    assert first.cells == (("seed", "42,43"),)
    assert first.extra == ["a=2", "b=x y", "c=3"]
    assert second.cells == ()
    assert second.extra == ["a=1", "b=x y"]


def test_what_is_left_out(read: Read) -> None:
    job = read(SMALL).job("train")
    assert {key: getattr(job, KEYWORDS.get(key, key)) for key in Job.defaults()} == Job.defaults() | {
        "name": "train",
        "run": "python train.py",
        "sets": (Set(each="a=1"),),
    }
    assert Job.defaults() == {
        "style": "hydra",
        "add": "",
        "parallel": None,
        "timeout": None,
        "canary": None,
        "order": "auto",
        "retries": 0,
        "retry_delay": (),
        "max_failures": None,
        "env": {},
        "tags": (),
        "groups": {},
        "with": (),
        "resources": Resources(),
        "cluster": None,
        "where": None,
        "task_runs": 10_000,
        "metric": None,
        "preload": None,
        "tracking": True,
        "name": "",
        "run": "",
        "call": "",
        "submit": "",
        "launch": "",
        "sets": (),
        "deployments": {},
    }
    assert job.written() == {"name": "train", "run": "python train.py", "sets": [{"each": "a=1"}]}


@pytest.mark.parametrize(
    ("fields", "modules"),
    [
        ("run: python a.py", ()),
        ("run: python a.py, preload: [b, ' a.b ', b]", ("b", "a.b")),
        ("run: /usr/bin/python3.11 -u -W error -X dev -m pack.part x, preload: [b]", ("b",)),
        ("run: python a.py, preload: []", ()),
        ("run: python a.py, preload: false", ()),
        ("run: 'true', preload: false", ()),
        ("submit: x, preload: []", ()),
        ("call: pack.part.function --fast", ("sweeplib.run.call", "pack.part")),
        ("call: pack.part.function, preload: [b]", ("sweeplib.run.call", "b", "pack.part")),
        ("call: pack.part.function, preload: false", ()),
    ],
)
def test_preload(read: Read, fields: str, modules: tuple[str, ...]) -> None:
    job = read(f"jobs:\n  train: {{{fields}, sets: [{{}}]}}\n").job("train")
    assert job.preloaded == modules
    assert Job.read(json.loads(json.dumps(job.written()))) == job


def test_preload_of_the_defaults_is_for_those_that_can_have_one(read: Read) -> None:
    jobs = read("""\
defaults: {preload: [sklearn]}
jobs:
  script: {run: python a.py, sets: [{}]}
  called: {call: pack.function, sets: [{}]}
  other: {run: python a.py, preload: false, sets: [{}]}
  program: {run: make all, sets: [{}]}
  queue: {submit: sbatch a.sh, sets: [{}]}
""").jobs
    assert {name: job.preloaded for name, job in jobs.items()} == {
        "script": ("sklearn",),
        "called": ("sweeplib.run.call", "sklearn", "pack"),
        "other": (),
        "program": (),
        "queue": (),
    }


def test_deployments(read: Read) -> None:
    job = read("""\
jobs:
  train:
    run: x
    sets: [{each: a=1}]
    deployments:
      default:
      nightly:
        {cron: "0 2 * * *", timezone: Europe/Berlin, arguments: [seed=1:3, 1.10, 007], max_failures: 10%}
""").job("train")
    assert job.deployments == {
        "default": Deployment(),
        "nightly": Deployment(
            cron="0 2 * * *",
            timezone="Europe/Berlin",
            arguments=("seed=1:3", "1.10", "007"),
            max_failures=FailureLimit(Decimal(10), relative=True),
        ),
    }
    assert job.deployments["default"].parameters == {}
    assert job.deployments["nightly"].parameters == {
        "arguments": ["seed=1:3", "1.10", "007"],
        "max_failures": "10%",
    }
    assert Job.read(json.loads(json.dumps(job.written()))) == job


def test_single_values_where_a_list_or_a_mapping_may_stand(read: Read) -> None:
    job = read(
        SMALL.replace("run:", "retry_delay: 10s, max_failures: 5, cluster: 'tcp://10.0.0.1:8786', run:")
    ).job("train")
    assert job.retry_delay == (10.0,)
    assert job.max_failures == FailureLimit(Decimal(5))
    assert job.cluster == "tcp://10.0.0.1:8786"


def test_defaults_stand_under_every_job(read: Read) -> None:
    file = read("""\
defaults:
  retries: 1
  timeout: 1h
  add: a=1
  env: {A: 1, B: 007}
  tags: [all]
jobs:
  one: {run: x, sets: [{each: a=1, add: b=1}]}
  two:
    run: x
    retries: 0
    timeout:
    add: c=1
    env: {B: 2, C: 3}
    tags: [mine]
    sets: [{each: a=1}]
""")
    one, two = file.job("one"), file.job("two")
    assert (one.retries, one.timeout, one.env, one.tags) == (1, 3600.0, {"A": "1", "B": "007"}, ("all",))
    assert one.sets[0].extra == ["a=1", "b=1"]
    assert (two.retries, two.timeout, two.env) == (0, None, {"A": "1", "B": "2", "C": "3"})
    assert two.tags == ("mine",)
    assert two.sets[0].extra == ["c=1"]


def test_empty_defaults(read: Read) -> None:
    assert read("defaults:\n" + SMALL).job("train").retries == 0


def test_a_name_inside_the_job_is_its_name(read: Read) -> None:
    file = read(SMALL.replace("run:", "name: experiment-1, run:"))
    assert list(file.jobs) == ["train"]
    assert file.job("train").name == "experiment-1"


def test_empty_texts_are_as_if_left_out(read: Read) -> None:
    """HydraFlow's own `show` prints a job like this."""
    job = read("""\
jobs:
  train:
    name: ''
    run: python train.py
    call: ''
    submit: ''
    add: ''
    sets:
    - each: a=1
      all: ''
      add: ''
""").job("train")
    assert (job.name, job.command) == ("train", ("run", "python train.py"))


def test_anchors_and_merge_keys(read: Read) -> None:
    file = read("""\
jobs:
  one: &base {run: x, retries: 3, sets: [{each: a=1}]}
  two: {<<: *base, retries: 4}
""")
    assert [(job.name, job.retries, job.run) for job in file.jobs.values()] == [
        ("one", 3, "x"),
        ("two", 4, "x"),
    ]


@pytest.mark.parametrize(
    ("items", "sets"),
    [
        (["each: a=1", "all: b=1", "add: c=1"], [("a=1", "b=1", "c=1")]),
        (["each: a=1", "add: c=1", "all: b=1"], [("a=1", "b=1", "c=1")]),
        (["each: a=1", "{all: b=1, add: c=1}"], [("a=1", "b=1", "c=1")]),
        (["each: a=1", "each: a=2", "all: b=2"], [("a=1", "", ""), ("a=2", "b=2", "")]),
        (["{each: a=1, all: b=1}", "add: c=1"], [("a=1", "b=1", "c=1")]),
        (["{each: a=1, all: b=1}", "{each: a=2, all: b=2}"], [("a=1", "b=1", ""), ("a=2", "b=2", "")]),
        (["all: b=1", "add: c=1"], [("", "b=1", ""), ("", "", "c=1")]),
        (["all: b=1", "each: a=1", "all: b=2"], [("", "b=1", ""), ("a=1", "b=2", "")]),
        (["each: a=1", "{each: '', all: b=1}"], [("a=1", "", ""), ("", "b=1", "")]),
        (["each: a=1", "{}"], [("a=1", "", ""), ("", "", "")]),
    ],
)
def test_items_with_only_all_or_add_belong_to_the_each_before(
    read: Read, items: list[str], sets: list[tuple[str, str, str]]
) -> None:
    text = "jobs:\n  train:\n    run: x\n    sets:\n" + "".join(f"    - {item}\n" for item in items)
    assert [(s.each, s.all, s.add) for s in read(text).job("train").sets] == sets


def test_a_plan_of_any_size_is_read_at_once(read: Read) -> None:
    job = read(SMALL.replace("a=1", "a=1:1000000000 b=1:1000000000")).job("train")
    assert [len(argument) for argument in job.sets[0].arguments] == [10**9, 10**9]


def test_jobs_keep_their_order_and_cannot_be_changed(read: Read) -> None:
    file = read("jobs:\n" + "".join(f"  {name}: {{run: x, sets: [{{}}]}}\n" for name in ["b", "a", "c"]))
    assert list(file.jobs) == ["b", "a", "c"]
    with pytest.raises(FrozenInstanceError):
        file.job("a").run = "y"  # type: ignore[misc]


def test_a_job_survives_pickle_and_json(read: Read) -> None:
    job = read("""\
defaults: {add: a=1}
jobs:
  train:
    run: x
    sets: [{each: b=1:3, add: c=1}]
    timeout: 10s
    retry_delay: 1s
    max_failures: 12.5%
    tags: [t]
    env: {A: 1}
    cluster: {class: distributed.LocalCluster, n_workers: 2}
""").job("train")
    for copy in (pickle.loads(pickle.dumps(job)), Job.read(json.loads(json.dumps(job.written())))):  # noqa: S301
        assert copy == job
        assert copy.sets[0].extra == ["a=1", "c=1"]


def test_models_can_be_made_without_a_file() -> None:
    set_ = Set(each="a=1,2", add="x=2")
    cluster = ClusterSpec("distributed.LocalCluster", {"n_workers": 2})
    job = Job(
        name="train",
        run="python train.py",
        add="x=1 y=1",
        sets=(set_,),
        max_failures=FailureLimit(Decimal(1)),
        env={"A": True, "B": 2},  # type: ignore[dict-item]  # as YAML has them
        cluster=cluster,
    )
    assert job.env == {"A": "true", "B": "2"}
    assert (job.cluster, job.max_failures) == (cluster, FailureLimit(Decimal(1)))
    assert job.sets[0].extra == ["x=2", "y=1"]
    assert set_.extra == ["x=2"]
    with pytest.raises(InputError, match="has no command"):
        Job(name="train", sets=(set_,))
    with pytest.raises(InputError, match="the parameter 'a' is in 'each' of this set as well"):
        Set(each="a=1", all="a=2")


def test_sweeps_yaml_comes_before_hydraflow_yaml(folder: Path) -> None:
    (folder / "hydraflow.yaml").write_text(SMALL)
    assert find_file() == Path("hydraflow.yaml")
    assert load().path == folder / "hydraflow.yaml"
    (folder / "sweeps.yaml").write_text(SMALL)
    assert find_file(folder) == folder / "sweeps.yaml"
    assert load(folder).path == folder / "sweeps.yaml"


def test_a_file_of_any_name_can_be_given(folder: Path) -> None:
    for name in ("other.yaml", "other"):
        (folder / name).write_text(SMALL)
        assert load(name).path == folder / name


def test_a_byte_order_mark_and_windows_line_ends(folder: Path) -> None:
    text = "\ufeffjobs:\r\n  train:\r\n    run: x\r\n    sets: [{each: a=1}]\r\n"
    (folder / "sweeps.yaml").write_bytes(text.encode())
    assert load().job("train").run == "x"


def message(where: str | Path = ".") -> str:
    with pytest.raises(JobFileError) as caught:
        load(where)
    return str(caught.value)


def test_no_file(folder: Path) -> None:
    assert (
        message()
        == f"there is no sweeps.yaml or hydraflow.yaml in this folder; write a sweeps.yaml such as{EXAMPLE}"
    )
    (folder / "sub").mkdir()
    assert (
        message("sub")
        == f"there is no sweeps.yaml or hydraflow.yaml in sub; write a sweeps.yaml such as{EXAMPLE}"
    )
    assert message("none") == "there is no folder none, so no sweeps.yaml in it"
    assert message("sweeps.yaml") == f"there is no file sweeps.yaml; write one such as{EXAMPLE}"


def test_the_example_of_that_message_is_a_job_file(read: Read) -> None:
    assert list(read(EXAMPLE).jobs) == ["train"]


def test_a_file_with_a_name_that_is_nearly_right(folder: Path) -> None:
    (folder / "sweeps.yml").write_text(SMALL)
    assert message() == "there is no sweeps.yaml in this folder; rename sweeps.yml to sweeps.yaml"


def test_no_other_folder_is_searched(folder: Path) -> None:
    (folder / "sweeps.yaml").write_text(SMALL)
    (folder / "sub").mkdir()
    assert message("sub").startswith("there is no sweeps.yaml or hydraflow.yaml in sub; ")


def test_not_utf_8(folder: Path) -> None:
    (folder / "sweeps.yaml").write_bytes(b"jobs:\n  caf\xe9: 1\n")
    assert message() == "sweeps.yaml:2: the byte 0xe9 is not UTF-8; save the file as UTF-8"


def test_a_file_that_cannot_be_read(folder: Path) -> None:
    (folder / "file").write_text("")
    assert message("file/sweeps.yaml") == "file/sweeps.yaml: this file cannot be read: Not a directory"


def test_a_file_elsewhere_is_named_in_full(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other") / "sweeps.yaml"
    other.write_text("5")
    assert message(other) == f"{other}: must be a mapping with the key 'jobs'; begin with 'jobs:'"


def test_no_such_job(read: Read) -> None:
    file = read("jobs:\n" + "".join(f"  {name}: {{run: x, sets: [{{}}]}}\n" for name in ["digits", "train"]))
    with pytest.raises(UnknownJobError) as caught:
        file.job("trian")
    assert str(caught.value) == (
        "sweeps.yaml has no job 'trian'; did you mean 'train'? (jobs: train, digits)"
    )
    with pytest.raises(UnknownJobError) as caught:
        file.job("x")
    assert str(caught.value) == "sweeps.yaml has no job 'x' (jobs: digits, train)"


def test_importing_jobs_imports_no_framework() -> None:
    """The modules are those of a fresh interpreter, asked for by name."""
    import subprocess

    code = "import sys, sweeplib.jobs; print(*sorted(m.split('.')[0] for m in sys.modules))"
    root = Path(__file__).parents[3]
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    heavy = {"prefect", "dask", "distributed", "mlflow", "pandas", "numpy", "rich", "asyncio"}
    assert not heavy & set(found.stdout.split())


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda path: path.mkdir(), "a folder"),
        (lambda path: path.symlink_to("gone.yaml"), "a link to nothing"),
    ],
)
def test_a_job_file_that_is_none(tmp_path: Path, make: Callable[[Path], None], what: str) -> None:
    make(tmp_path / "sweeps.yaml")
    with pytest.raises(JobFileError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"{tmp_path / 'sweeps.yaml'} is {what}, and should be a file with jobs"


def test_a_folder_that_databases_are_not_found_in(tmp_path: Path) -> None:
    folder = tmp_path / "what?"
    folder.mkdir()
    (folder / "sweeps.yaml").write_text(SMALL)
    with pytest.raises(JobFileError) as caught:
        load(folder)
    assert str(caught.value) == (
        f"the folder {folder} has a '?' in its name, with which neither Prefect nor MLflow finds its "
        "database; rename it"
    )


def test_jobs_that_can_be_read_beside_those_that_cannot(folder: Path) -> None:
    (folder / "sweeps.yaml").write_text(
        "jobs:\n"
        "  a: {run: x, sets: [{each: a=1}], timeout: soon, retries: -1}\n"
        "  b: {run: x, sets: [{each: a=1}]}\n"
    )
    a, b = load_each().values()
    assert str(a) == (
        "sweeps.yaml:2: jobs.a.timeout: 'soon' is not a duration; write seconds (90) or, with units, 10s, "
        "5m, 1h30m, 1d\n"
        "sweeps.yaml:2: jobs.a.retries: must be a whole number, 0 or more, not the number -1"
    )
    assert b == load_each()["b"]
    (folder / "sweeps.yaml").write_text("job: 1\njobs: {a: {run: x}, b: {run: x, sets: [{each: a=1}]}}\n")
    with pytest.raises(InputError) as caught:
        load_each()
    assert str(caught.value) == (
        "sweeps.yaml:1: unknown key 'job'; did you mean 'jobs'?\n"
        "sweeps.yaml:2: jobs.a: has no sets, so it would run nothing; add one, such as "
        "sets: [{each: 'lr=0.1,0.01'}]"
    )


def test_a_job_switches_off_what_the_defaults_say(read: Read) -> None:
    defaults = "defaults: {canary: true, order: longest}\n"
    text = defaults + "jobs: {b: {run: x, canary: OFF, order: null, sets: [{each: a=1}]}}"
    for off in ("false", "null"):
        job = read(text.replace("OFF", off)).job("b")
        assert (job.canary, job.order) == (None, "auto")
        assert "canary" not in job.written()
