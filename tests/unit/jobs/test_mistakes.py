"""Every mistake in a job file is one clear message with file, line and remedy."""

from collections.abc import Callable
from textwrap import dedent

import pytest

from sweeplib.errors import InputError, JobFileError, SweepSyntaxError
from sweeplib.jobs import JobFile

Read = Callable[[str], JobFile]

JOB = """\
jobs:
  train:
    run: python a.py
    sets: [{each: a=1}]
"""
DURATION = "is not a duration; write seconds (90) or, with units, 10s, 5m, 1h30m, 1d"
LIMIT = "is not a limit on failures; write a count (5) or a percentage from 0% to 100% (10%)"
NAME = (
    "cannot be a job's name; use letters A-Z and a-z, digits, '_', '-' and '.', "
    "and begin with a letter, a digit or '_'"
)
METRIC = (
    "must name a metric: loss, or {lowest: loss} or {highest: score} "
    "where its name does not tell what is better"
)
MODULES = "must be a list of modules such as [mlflow, sklearn]"
NO_SETS = "has no sets, so it would run nothing; add one, such as sets: [{each: 'lr=0.1,0.01'}]"
COMMAND_AND_SETS = "a job has a command and sets, as in {run: python train.py, sets: [...]}"
JOBS = "write a job such as train: {run: python train.py, sets: [...]}"
NO_COMMAND = "has no command; give it one of run, call or submit, such as run: python train.py"
FUNCTION = "must name a function in a module, such as package.module.function"
LIST = "must be a list; begin every set with '- ', as in\n    - each: model=small,large"
CLUSTER = "{class: distributed.LocalCluster, n_workers: 2}"
ADDRESS = f"must be a scheduler's address such as tcp://127.0.0.1:8786, or {CLUSTER}"
SWEEP = "must be text such as model=small,large lr=0.1"


def told(read: Read, text: str) -> str:
    with pytest.raises(InputError) as caught:
        read(text)
    assert isinstance(caught.value, JobFileError | SweepSyntaxError)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "",
            (
                "sweeps.yaml:1: this file is empty; begin with\n  jobs:\n    train:\n"
                "      run: python train.py\n      style: flags\n      sets: [{each: 'lr=0.1,0.01'}]"
            ),
        ),
        ("- a\n", "sweeps.yaml: must be a mapping with the key 'jobs'; begin with 'jobs:'"),
        ("defaults: {retries: 1}\n", "sweeps.yaml: has no jobs; write them under the key 'jobs:'"),
        (
            "jobs:\n",
            f"sweeps.yaml:1: jobs: is empty; {JOBS}",
        ),
        (
            "\njobs: {}\n",
            f"sweeps.yaml:2: jobs: is empty; {JOBS}",
        ),
        (
            "jobs: [a]\n",
            f"sweeps.yaml:1: jobs: must be a mapping from names to jobs; {JOBS}",
        ),
        ("job:\n  train: {}\n", "sweeps.yaml:1: unknown key 'job'; did you mean 'jobs'?"),
        (
            JOB + "version: 2\n",
            "sweeps.yaml:5: unknown key 'version'; the keys here are defaults, clusters, jobs",
        ),
        (
            "train:\n  run: x\n  sets: [{each: a=1}]\n",
            "sweeps.yaml:1: the job 'train' must stand under the key 'jobs'; indent it below 'jobs:'",
        ),
        (
            JOB + "retries: 2\n",
            "sweeps.yaml:5: 'retries' belongs to a job, or under the key 'defaults' for all jobs",
        ),
        (JOB + "jobs: {}\n", "sweeps.yaml:5: the key 'jobs' stands here already (line 1); keep one"),
        (JOB + "defaults: [1]\n", "sweeps.yaml:5: defaults: must be a mapping such as {retries: 1}"),
        (
            JOB + "defaults:\n  retris: 1\n",
            "sweeps.yaml:6: defaults: unknown key 'retris'; did you mean 'retries'?",
        ),
        (
            JOB + "defaults: {run: x}\n",
            "sweeps.yaml:5: defaults: 'run' cannot be a default; write it in every job",
        ),
        (
            JOB + "defaults: {sets: []}\n",
            "sweeps.yaml:5: defaults: 'sets' cannot be a default; write it in every job",
        ),
        (JOB + "defaults:\n  timeout: soon\n", f"sweeps.yaml:6: defaults.timeout: 'soon' {DURATION}"),
        (
            JOB + "defaults: {env: [1]}\n",
            "sweeps.yaml:5: defaults.env: must be a mapping such as {OMP_NUM_THREADS: 1}, not a list",
        ),
        (
            JOB + "defaults: {style: kwargs}\n",
            (
                "sweeps.yaml:2: jobs.train.style: kwargs is for 'call' jobs, and this is a 'run' job; "
                "use hydra, plain or flags"
            ),
        ),
    ],
)
def test_around_the_jobs(read: Read, text: str, message: str) -> None:
    assert told(read, text) == message


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (
            "train:",
            f"2: jobs.train: has nothing in it; {COMMAND_AND_SETS}",
        ),
        (
            "train: python a.py",
            f"2: jobs.train: must be a mapping; {COMMAND_AND_SETS}",
        ),
        ("a b: {run: x, sets: [{each: a=1}]}", f"2: jobs.a b: 'a b' {NAME}"),
        (".a: {run: x, sets: [{each: a=1}]}", f"2: jobs..a: '.a' {NAME}"),
        ("-a: {run: x, sets: [{each: a=1}]}", f"2: jobs.-a: '-a' {NAME}"),
        ("a/b: {run: x, sets: [{each: a=1}]}", f"2: jobs.a/b: 'a/b' {NAME}"),
        ("ä: {run: x, sets: [{each: a=1}]}", f"2: jobs.ä: 'ä' {NAME}"),
        ("'': {run: x, sets: [{each: a=1}]}", f"2: jobs.: '' {NAME}"),
        (
            "train: {sets: [{each: a=1}]}",
            f"2: jobs.train: {NO_COMMAND}",
        ),
        (
            "train: {run: '', sets: [{each: a=1}]}",
            f"2: jobs.train: {NO_COMMAND}",
        ),
        ("train: {run: x}", f"2: jobs.train: {NO_SETS}"),
        ("train: {run: x, sets: }", f"2: jobs.train.sets: {NO_SETS}"),
        ("train: {run: x, sets: []}", f"2: jobs.train.sets: {NO_SETS}"),
        ("train: {run: x, sets: {each: a=1}}", f"2: jobs.train.sets: {LIST}"),
        ("train: {run: x, sets: a=1}", f"2: jobs.train.sets: {LIST}"),
        (
            "train: {run: [python, a.py, 1], sets: [{}]}",
            "2: jobs.train.run: must be text, not a list; write python a.py 1",
        ),
        (
            "train: {run: [[python]], sets: [{}]}",
            "2: jobs.train.run: must be text such as python train.py, not a list",
        ),
        (
            "train: {run: {a: 1}, sets: [{}]}",
            "2: jobs.train.run: must be text such as python train.py, not a mapping",
        ),
        (
            "train: {run: 5, sets: [{}]}",
            "2: jobs.train.run: must be text such as python train.py, not the number 5",
        ),
        (
            "train: {run: true, sets: [{}]}",
            "2: jobs.train.run: must be text such as python train.py, not true",
        ),
        (
            "train: {run: , sets: [{}]}",
            "2: jobs.train.run: has no value; write text such as python train.py, or take the key out",
        ),
        (
            'train: {run: "a\\0b", sets: [{}]}',
            "2: jobs.train.run: has a NUL character in it, which no command can be given; take it out",
        ),
        (
            'train: {run: python "a.py, sets: [{}]}',
            (
                '2: jobs.train.run\n  python "a.py\n         ^\n'
                'expected a closing "; to mean the character itself, write \\"'
            ),
        ),
        (
            "train: {call: train, sets: [{}]}",
            f"2: jobs.train.call: {FUNCTION}, not 'train'",
        ),
        (
            "train: {call: a/b.f, sets: [{}]}",
            f"2: jobs.train.call: {FUNCTION}, not 'a/b.f'",
        ),
        (
            "train: {call: train.py x, sets: [{}]}",
            (
                "2: jobs.train.call: must name a function in a module; "
                "to run the file train.py, write run: python train.py x"
            ),
        ),
    ],
)
def test_a_job(read: Read, job: str, message: str) -> None:
    assert told(read, f"jobs:\n  {job}\n") == f"sweeps.yaml:{message}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("paralel: 4", ": unknown key 'paralel'; did you mean 'parallel'?"),
        (
            "speed: 4",
            (
                ": unknown key 'speed'; the keys here are run, call, submit, launch, sets, deployments, "
                "style, add, parallel, timeout, retries, retry_delay, max_failures, canary, order, env, "
                "tags, groups, with, resources, cluster, where, task_runs, metric, preload, tracking, name"
            ),
        ),
        ("each: a=1", ": 'each' belongs to a set; write sets: [{each: ...}]"),
        ("run: python b.py", ": the key 'run' stands here already (line 3); keep one"),
        ("name: a/b", f".name: 'a/b' {NAME}"),
        ("name: 5", ".name: must be text such as train, not the number 5"),
        ("timeout: 10 parsecs", f".timeout: '10 parsecs' {DURATION}"),
        ("timeout: -1", f".timeout: '-1' {DURATION}"),
        ("timeout: 1:30", f".timeout: '1:30' {DURATION}"),
        ("timeout: [1]", f".timeout: this {DURATION}"),
        (
            "timeout: x3",
            (
                ".timeout: 'x3' is not a multiple of the expected time; "
                "write a number and an x, as in 3x or 2.5x"
            ),
        ),
        ("timeout: 0x", ".timeout: must be more than 1x the expected time, such as 3x, not '0x'"),
        ("order: longst", ".order: there is no order 'longst'; did you mean 'longest'?"),
        ("order: random", ".order: there is no order 'random'; the orders are auto, plan, longest"),
        ("canary: 0", ".canary: must be true, false or a whole number, 1 or more, not the number 0"),
        ("canary: few", ".canary: must be true, false or a whole number, 1 or more, not 'few'"),
        ("timeout: 0", ".timeout: must be longer than 0; to have no timeout, take the key out"),
        ("timeout: 99999d", ".timeout: '99999d' is too long a duration; 10000d is the longest"),
        ("retry_delay: [1s, x]", f".retry_delay: 'x' {DURATION}"),
        ("retries: -1", ".retries: must be a whole number, 0 or more, not the number -1"),
        ("retries: '1'", ".retries: must be a whole number, 0 or more, not '1'"),
        ("retries: true", ".retries: must be a whole number, 0 or more, not true"),
        ("retries:", ".retries: must be a whole number, 0 or more"),
        ("parallel: 0", ".parallel: must be a whole number, 1 or more, not the number 0"),
        ("parallel: 1.5", ".parallel: must be a whole number, 1 or more, not the number 1.5"),
        ("max_failures: 110%", f".max_failures: '110%' {LIMIT}"),
        ("max_failures: ten%", f".max_failures: 'ten%' {LIMIT}"),
        ("max_failures: -1", f".max_failures: '-1' {LIMIT}"),
        ("style: flag", ".style: there is no style 'flag'; did you mean 'flags'?"),
        ("style: xml", ".style: there is no style 'xml'; the styles are hydra, plain, flags, kwargs"),
        ("style: 5", ".style: must be text such as flags, not the number 5"),
        (
            "style: kwargs",
            ".style: kwargs is for 'call' jobs, and this is a 'run' job; use hydra, plain or flags",
        ),
        ("add: [a=1]", ".add: must be text such as hydra/launcher=joblib, not a list"),
        ("metric: 5", f".metric: {METRIC}, not the number 5"),
        ("metric: {best: loss}", f".metric: {METRIC}, not a mapping"),
        ("metric: {lowest: 1}", f".metric: {METRIC}, not a mapping"),
        ("metric: ' '", f".metric: {METRIC}, not ' '"),
        ("preload: sklearn", f".preload: {MODULES}, or false, not 'sklearn'; write [sklearn]"),
        ("preload: a, b", f".preload: {MODULES}, or false, not 'a, b'; write [a, b]"),
        ("preload: true", f".preload: {MODULES}, or false, not true"),
        ("preload: {a: b}", f".preload: {MODULES}, or false, not a mapping"),
        ("preload: [a, 5]", f".preload: {MODULES}, and the number 5 is none"),
        ("preload: [a b]", f".preload: {MODULES}, and 'a b' is none"),
        ("preload: [train.py, '']", f".preload: {MODULES}, and '' is none"),
        ("tracking: off", ".tracking: must be true, false or own, not 'off'"),
        ("tracking:", ".tracking: must be true, false or own"),
        ("env: [A]", ".env: must be a mapping such as {OMP_NUM_THREADS: 1}, not a list"),
        ("env:", ".env: must be a mapping such as {OMP_NUM_THREADS: 1}"),
        ("env: {A: [1]}", ".env: A must be text or a number, not a list"),
        ("env: {A: }", ".env: A has no value; write '' for an empty text"),
        ('env: {A: "\\0"}', ".env: A has a NUL character in it, which no environment can hold"),
        (
            "env: {A-B: 1}",
            ".env: 'A-B' cannot be the name of an environment variable; use letters, digits and '_'",
        ),
        (
            "tags: digits",
            ".tags: must be a list of texts such as [digits, nightly], not 'digits'; write [digits]",
        ),
        ("tags: {a: 1}", ".tags: must be a list of texts such as [digits, nightly], not a mapping"),
        ("tags: [1, a]", ".tags: must be a list of texts, and the number 1 is none; put it in quotes"),
        ("tags: [a, '']", ".tags: must be a list of texts, and one of these is empty"),
        ("cluster: 5", f".cluster: {ADDRESS}, not the number 5"),
        ("cluster: local", f".cluster: {ADDRESS}, not 'local'"),
        (
            "cluster: distributed.LocalCluster",
            (
                ".cluster: 'distributed.LocalCluster' is not an address; "
                "write {class: distributed.LocalCluster} to start that cluster"
            ),
        ),
        ("cluster: {n_workers: 2}", f".cluster: needs the cluster's class, as in {CLUSTER}"),
        (
            "cluster: {class: LocalCluster}",
            f".cluster: class 'LocalCluster' must name module and class, as in {CLUSTER}",
        ),
    ],
)
def test_a_field_of_a_job(read: Read, line: str, message: str) -> None:
    assert told(read, f"{JOB}    {line}\n") == f"sweeps.yaml:5: jobs.train{message}"


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("run: make all", "this one is 'make all'"),
        ("run: python -c 'print(1)'", "this one is \"python -c 'print(1)'\""),
        ("run: uv run python train.py", "this one is 'uv run python train.py'"),
        ("submit: sbatch array.sh", "this is a 'submit' job"),
    ],
)
def test_preload_of_another_command(read: Read, command: str, what: str) -> None:
    assert told(read, f"jobs:\n  train:\n    {command}\n    sets: [{{}}]\n    preload: [a]\n") == (
        "sweeps.yaml:5: jobs.train.preload: is for commands such as python train.py or python -m train, "
        f"and {what}; take the key out"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{runn: x, sets: [{}]}", "unknown key 'runn'; did you mean 'run'?"),
        ("{run: x, set: [{}]}", "unknown key 'set'; did you mean 'sets'?"),
        ("{rum: x, sests: [{}]}", None),
        ("{speed: x, sets: [{}]}", None),
    ],
)
def test_a_misspelt_key_is_one_mistake_and_not_also_a_missing_one(
    read: Read, content: str, message: str | None
) -> None:
    lines = told(read, f"jobs:\n  train: {content}\n").splitlines()
    assert len(lines) == (1 if message else 2)
    assert message is None or lines == [f"sweeps.yaml:2: jobs.train: {message}"]


@pytest.mark.parametrize(
    ("lines", "keys"),
    [
        ("    call: a.b\n", "2 commands, 'run' and 'call'"),
        ("    submit: a\n", "2 commands, 'run' and 'submit'"),
        ("    call: a.b\n    submit: x\n", "3 commands, 'run' and 'call' and 'submit'"),
    ],
)
def test_more_than_one_command(read: Read, lines: str, keys: str) -> None:
    assert told(read, JOB + lines) == f"sweeps.yaml:2: jobs.train: has {keys}; keep one"


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("a=1", ": a set is a mapping; write - each: a=1"),
        ("[a]", ": a set is a mapping with each, all or add, such as - each: model=small,large"),
        ("", ": a set is a mapping with each, all or add, such as - each: model=small,large"),
        ("eech: a=1", ": unknown key 'eech'; did you mean 'each'?"),
        (
            "what: a=1",
            (
                ": unknown key 'what'; the keys here are each, zip, all, add, n, seed, exclude, sample, "
                "cover, include, with, resources, where"
            ),
        ),
        ("timeout: 5", ": 'timeout' belongs to the job, not to one of its sets; move it beside 'sets'"),
        ("each: 5", f".each: {SWEEP}, not the number 5"),
        ("each: [a=1, b=2]", f".each: {SWEEP}, not a list"),
        ("each: {a: 1}", f".each: {SWEEP}, not a mapping"),
        ("each:", ".each: has no value; write text such as model=small,large lr=0.1, or take the key out"),
        ("all: true", f".all: {SWEEP}, not true"),
        ("add: 5", ".add: must be text such as hydra/launcher=joblib, not the number 5"),
        (
            "{each: a=1 b=2, all: b=1}",
            ".all: the parameter 'b' is in 'each' of this set as well; keep one of the two",
        ),
        (
            "{each: a=1|b=2, all: b=1}",
            ".all: the parameter 'b' is in 'each' of this set as well; keep one of the two",
        ),
        (
            "{each: a=1, zip: 'b=1,2 a=3,4'}",
            ".zip: the parameter 'a' is in 'each' of this set as well; keep one of the two",
        ),
        (
            "{zip: 'a=1,2 b=1,2,3'}",
            ".zip: goes in step, so all need as many values: a has 2 and b has 3",
        ),
        (
            "{each: 'a=~uniform(0,1) b=1'}",
            ".each: draws a at random; say how many times beside it, such as n: 20",
        ),
        (
            "{each: a=1, n: 3}",
            ".n: is the number of draws, and nothing is drawn; draw in each, as in lr=~uniform(0,1)",
        ),
        ("{each: 'a=~uniform(0,1)', n: -1}", ".n: must be a whole number, 1 or more, not the number -1"),
        ("{each: 'a=~uniform(0,1)', n: 0}", ".n: must be a whole number, 1 or more, not the number 0"),
        ("{each: a=1, seed: x}", ".seed: must be a whole number, 0 or more, not 'x'"),
        ("{each: a=1, sample: 1.5}", ".sample: must be a whole number, 1 or more, not the number 1.5"),
        ("{each: a=1, cover: 0}", ".cover: must be a whole number, 1 to 6, not the number 0"),
        ("{each: a=1, cover: 7}", ".cover: must be a whole number, 1 to 6, not the number 7"),
        ("{each: a=1, cover: pairs}", ".cover: must be a whole number, 1 to 6, not 'pairs'"),
        ("{each: a=1, cover: true}", ".cover: must be a whole number, 1 to 6, not true"),
        (
            "{each: a=1, sample: 3, cover: 2}",
            ".cover: 'sample' of this set chooses among its combinations as well; keep one of the two",
        ),
        (
            "{each: alpha=1, exclude: alfa > 1}",
            ".exclude: no parameter 'alfa' in this set; did you mean 'alpha'?",
        ),
        ("{each: a=1, exclude: x > 1}", ".exclude: no parameter 'x' in this set; the parameters are a"),
        ("{each: a=1, exclude: 5}", ".exclude: must be text such as lr > 0.01, not the number 5"),
        ("{each: a=1, include: [5]}", f".include: {SWEEP}, not the number 5"),
    ],
)
def test_a_set(read: Read, item: str, message: str) -> None:
    text = f"jobs:\n  train:\n    run: x\n    sets:\n    - each: z=1\n    - {item}\n"
    assert told(read, text) == f"sweeps.yaml:6: jobs.train.sets[1]{message}"


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            "{zip: 'a=~uniform(0,1)'}",
            (
                ".zip\n  a=~uniform(0,1)\n    ^^^^^^^^^^^^^\n"
                "expected no random values here, for nothing says how many to draw"
            ),
        ),
        (
            "{each: a=1, exclude: 'a < f(1)'}",
            (
                ".exclude\n  a < f(1)\n      ^^^^\n"
                'expected a condition on parameters, such as lr > 0.01 and model == "large"'
            ),
        ),
    ],
)
def test_a_spot_in_a_set(read: Read, item: str, message: str) -> None:
    text = f"jobs:\n  train:\n    run: x\n    sets:\n    - each: z=1\n    - {item}\n"
    assert told(read, text) == f"sweeps.yaml:6: jobs.train.sets[1]{message}"


def test_sweep_text_has_a_caret(read: Read) -> None:
    text = """\
    jobs:
      train:
        run: python a.py
        sets:
          - all: b=1
          - each: >-
              model=small,large
              a=1,,2
    """
    assert told(read, dedent(text)) == (
        "sweeps.yaml:6: jobs.train.sets[1].each\n"
        "  model=small,large a=1,,2\n"
        "                        ^\n"
        "expected a value between the commas; write '' for an empty text"
    )


@pytest.mark.parametrize(
    ("key", "line"),
    [("all", 7), ("add", 8)],
)
def test_a_part_of_a_set_that_is_there_already(read: Read, key: str, line: int) -> None:
    text = f"""\
jobs:
  train:
    run: x
    sets:
    - each: a=1
    -
      all: b=1
      add: c=1
    - {key}: d=1
"""
    assert told(read, text) == (
        f"sweeps.yaml:9: jobs.train.sets[2].{key}: this set has {key!r} already (line {line}); "
        "write both in one text, or begin another set with each: ''"
    )


def test_a_mistake_in_an_item_of_its_own_names_that_item(read: Read) -> None:
    items = "    - each: a=1\n    - all: a=2\n    - add: 5\n    - each: c\n"
    text = f"jobs:\n  train:\n    run: x\n    sets:\n{items}"
    assert told(read, text) == (
        "sweeps.yaml:6: jobs.train.sets[1].all: the parameter 'a' is in 'each' of this set as well; "
        "keep one of the two\n"
        "sweeps.yaml:7: jobs.train.sets[2].add: must be text such as hydra/launcher=joblib, "
        "not the number 5\n"
        "sweeps.yaml:8: jobs.train.sets[3].each\n"
        "  c\n"
        "  ^\n"
        "expected key=value; a plain flag belongs in `add`"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "4",
            (
                ": must be a mapping such as {nightly: {cron: '0 2 * * *'}}; "
                "begin every deployment with its name"
            ),
        ),
        (
            "{a b: {}}",
            (
                ".a b: 'a b' cannot be a deployment's name; use letters A-Z and a-z, digits, '_', '-' and "
                "'.', and begin with a letter, a digit or '_'"
            ),
        ),
        (
            "{x: 5}",
            ".x: must be a mapping such as {cron: '0 2 * * *', timezone: Europe/Berlin}, or {}",
        ),
        ("{x: {corn: '* * * * *'}}", ".x: unknown key 'corn'; did you mean 'cron'?"),
        (
            "{x: {retries: 1}}",
            ".x: 'retries' belongs to the job, not to one of its deployments; move it beside 'deployments'",
        ),
        (
            "{x: {cron: daily}}",
            ".x.cron: 'daily' is not a cron line; write minute hour day month weekday: '0 2 * * *'",
        ),
        (
            "{x: {cron: '1-59/70 24 * * 0'}}",
            ".x.cron: '1-59/70 24 * * 0' is not a cron line: the hour is 0 to 23, not 24",
        ),
        (
            "{x: {cron: '@daily', timezone: Europe/Berlim}}",
            ".x.timezone: there is no time zone 'Europe/Berlim'; did you mean 'Europe/Berlin'?",
        ),
        (
            "{x: {timezone: Europe/Berlin}}",
            ".x.timezone: is for a schedule, and there is none; write cron: '0 2 * * *'",
        ),
        (
            "{x: {mode: again}}",
            ".x.mode: there is no mode 'again'; the modes are fresh, resume, changed, script",
        ),
        (
            "{x: {arguments: seed=1}}",
            ".x.arguments: must be a list of texts such as [seed=1:3], not 'seed=1'; write [seed=1]",
        ),
        ("{x: {paused: soon}}", ".x.paused: must be true or false, not 'soon'"),
        (
            "{x: {cluster: here}}",
            ".x.cluster: must be a scheduler's address such as tcp://127.0.0.1:8786, not 'here'",
        ),
    ],
)
def test_a_deployment(read: Read, content: str, message: str) -> None:
    text = f"jobs:\n  train:\n    run: x\n    sets: [{{each: a=1}}]\n    deployments: {content}\n"
    assert told(read, text) == f"sweeps.yaml:5: jobs.train.deployments{message}"


def test_all_mistakes_are_told_by_line(read: Read) -> None:
    text = """\
colour: red
jobs:
  one:
    run: [python, a.py]
    timeout: soon
    sets:
      - each: a=1,,2
        all: b=(1
      - eech: c=1
  two: {run: x}
  three:
    runn: python a.py
    sets: [{each: a=1}]
defaults:
  retries: many
  tracking: maybe
"""
    assert told(read, text) == (
        "sweeps.yaml:1: unknown key 'colour'; the keys here are defaults, clusters, jobs\n"
        "sweeps.yaml:4: jobs.one.run: must be text, not a list; write python a.py\n"
        f"sweeps.yaml:5: jobs.one.timeout: 'soon' {DURATION}\n"
        "sweeps.yaml:7: jobs.one.sets[0].each\n"
        "  a=1,,2\n"
        "      ^\n"
        "expected a value between the commas; write '' for an empty text\n"
        "sweeps.yaml:8: jobs.one.sets[0].all\n"
        "  b=(1\n"
        "    ^\n"
        "expected a ) to close this (; put the value in quotes to mean the text\n"
        "sweeps.yaml:9: jobs.one.sets[1]: unknown key 'eech'; did you mean 'each'?\n"
        f"sweeps.yaml:10: jobs.two: {NO_SETS}\n"
        "sweeps.yaml:12: jobs.three: unknown key 'runn'; did you mean 'run'?\n"
        "sweeps.yaml:15: defaults.retries: must be a whole number, 0 or more, not 'many'\n"
        "sweeps.yaml:16: defaults.tracking: must be true, false or own, not 'maybe'"
    )


def test_dashes_that_the_style_writes(read: Read) -> None:
    text = (
        "jobs:\n  t:\n    run: x\n    style: flags\n    sets:\n    - each: --lr=1,2 b=1\n      all: -n=3\n"
        "      include: --lr=3\n"
    )
    with pytest.raises(JobFileError) as caught:
        read(text)
    assert str(caught.value) == (
        "sweeps.yaml:6: jobs.t.sets[0].each: the style flags writes the dashes; write lr=… for --lr=…\n"
        "sweeps.yaml:7: jobs.t.sets[0].all: the style flags writes the dashes; write n=… for -n=…\n"
        "sweeps.yaml:8: jobs.t.sets[0].include: the style flags writes the dashes; write lr=… for --lr=…"
    )
    assert read(text.replace("flags", "plain")).job("t").style == "plain"
