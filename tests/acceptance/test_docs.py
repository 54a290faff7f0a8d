"""The reference pages: their examples run, their tables say what the code does, and nothing is left out."""

from __future__ import annotations

import doctest
import re
import sqlite3
import textwrap
from typing import TYPE_CHECKING

import click
import pytest
import yaml

from benchmarks import growth
from benchmarks.__main__ import CASES
from sweeplib import collect, expand
from sweeplib.cli.app import INTERRUPTED, cli
from sweeplib.errors import InputError, SweepError, SweepSyntaxError
from sweeplib.jobs import Job, Resources, load
from sweeplib.jobs.fields import STYLES
from sweeplib.jobs.groups import Group, Variant
from sweeplib.jobs.models import Deployment, Policy, Set
from sweeplib.ledger import SweepState
from sweeplib.plan import Plan
from sweeplib.run.attempt import run_attempt
from sweeplib.run.model import Outcome, Work
from sweeplib.script import PARAMETERS
from sweeplib.track import environment
from tests.acceptance.documents import blocks, code, codes, document, names, play, section, table

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project

SYNTAX = document("docs/sweep-syntax.md")
YAML = document("docs/sweeps-yaml.md")
DEPLOYMENTS = document("docs/deployments.md")
COMMANDS = document("docs/command-line.md")
TRACKING = document("docs/tracking.md")
OTHERS = document("docs/other-tools.md")
PERFORMANCE = document("docs/performance.md")


def rows_with_head(text: str, head: str) -> list[list[str]]:
    """Return the rows of all tables of `text` whose first column has that head."""
    found: list[list[str]] = []
    for part in re.split(r"\n{2,}", text):
        if part.startswith(f"| {head} |"):
            found += table(part)
    return found


# sweep-syntax.md


@pytest.mark.parametrize(
    ("text", "made"),
    [(code(row[0]), codes(row[1])) for row in rows_with_head(SYNTAX, "`each`")],
)
def test_each_makes_what_is_shown(text: str, made: list[str]) -> None:
    assert [" ".join(combination) for combination in expand(text)] == made


@pytest.mark.parametrize(
    ("text", "made"), [(code(row[0]), codes(row[1])) for row in rows_with_head(SYNTAX, "`all`")]
)
def test_all_makes_what_is_shown(text: str, made: list[str]) -> None:
    assert collect(text) == made


@pytest.mark.parametrize(
    ("text", "spot", "said"),
    [
        (code(row[0]), "".join(codes(row[1])), row[2].replace("`", ""))
        for row in table(section(SYNTAX, "Errors"))
    ],
)
def test_errors_say_what_is_shown(text: str, spot: str, said: str) -> None:
    with pytest.raises(SweepSyntaxError) as caught:
        expand(text)
    start, end = caught.value.span
    assert text[start:end] == spot
    assert caught.value.expected.replace("`", "") == said


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        (code(row[0]), code(row[1]), row[2])
        for row in table(section(SYNTAX, "When two combinations are the same"))
    ],
)
def test_keys_are_the_same_or_not(one: str, other: str, verdict: str) -> None:
    def keys(text: str) -> list[str]:
        return [each.key for each in Plan(Job(name="job", run="run", sets=({"each": text},)))]

    assert (keys(one) == keys(other)) is (verdict == "same")


def test_python_examples_of_the_syntax() -> None:
    (example,) = [block.text for block in blocks(SYNTAX) if block.language == "pycon"]
    test = doctest.DocTestParser().get_doctest(example, {}, "sweep-syntax.md", None, 0)
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert said == []


# sweeps-yaml.md


def test_the_examples_of_sweeps_yaml(bare_project: Project) -> None:
    play(bare_project, YAML)


def test_every_key_of_a_job_is_documented() -> None:
    keys = [code(row[0]) for row in table(section(YAML, "A job"))]
    assert sorted(keys) == sorted(Job.defaults())
    assert keys.index("style") == keys.index("name") + 1
    assert keys[keys.index("style") :] == list(Policy.defaults())


def test_every_key_of_a_set_is_documented() -> None:
    assert [code(row[0]) for row in table(section(YAML, "A set"))] == list(Set.defaults())


@pytest.mark.parametrize("row", table(section(YAML, "Variants")), ids=lambda row: code(row[0]))
def test_patterns_mean_the_variants_that_are_shown(tmp_path: Path, row: list[str]) -> None:
    for name in ("duckdb", "pandas", "polars"):
        (tmp_path / f"{name}.yaml").touch()
    group = Group("backend", "", str(tmp_path))
    assert group.choose(code(row[0]).removeprefix("backend=").split(",")) == codes(row[1])


def test_every_key_of_a_variant_is_documented() -> None:
    text = section(YAML, "Variants").partition("A variant may have these keys: ")[2].partition(". ")[0]
    assert sorted(codes(text)) == sorted(Variant.defaults())


def test_every_style_is_documented() -> None:
    assert [code(row[0]) for row in table(section(YAML, "Styles"))] == list(STYLES)


@pytest.mark.parametrize(("title", "model"), [("A job", Job), ("A set", Set)])
def test_the_defaults_are_those_of_the_models(title: str, model: type[Job] | type[Set]) -> None:
    for row in table(section(YAML, title)):
        if row[2].startswith("`"):
            default = model.defaults()[code(row[0])]
            if isinstance(default, Resources):
                default = default.written()
            assert yaml.safe_load(code(row[2])) == (
                list(default) if isinstance(default, tuple) else default
            ), row


@pytest.mark.parametrize("row", table(section(YAML, "A job")), ids=lambda row: code(row[0]))
def test_the_example_of_a_job_s_key_is_read(tmp_path: Path, row: list[str]) -> None:
    key, example = code(row[0]), code(row[3])
    lines = {"run": "run: python job.py", "sets": "sets: [{each: a=1 backend=b}]"} | {key: example}
    if key in ("call", "submit", "launch"):
        del lines["run"]
    if key == "launch":
        del lines["sets"]
    (tmp_path / "sweeps.yaml").write_text(
        "jobs:\n  job:\n" + textwrap.indent("\n".join(lines.values()), "    ")
    )
    assert key in load(tmp_path).jobs["job"].written()


@pytest.mark.parametrize("row", table(section(YAML, "A set")), ids=lambda row: code(row[0]))
def test_the_example_of_a_set_s_key_is_read(row: list[str]) -> None:
    assert code(row[0]) in Set.read(yaml.safe_load(code(row[3]))).written()


# deployments.md


def test_every_key_of_a_deployment_is_documented() -> None:
    assert [code(row[0]) for row in table(DEPLOYMENTS)] == list(Deployment.defaults())


@pytest.mark.parametrize("row", table(DEPLOYMENTS), ids=lambda row: code(row[0]))
def test_the_example_of_a_deployment_s_key_is_read(row: list[str]) -> None:
    key = code(row[0])
    read = Deployment.read({"cron": "@daily"} | yaml.safe_load(code(row[1])))
    assert getattr(read, key) != Deployment.defaults()[key]


def test_the_examples_of_deployments(bare_project: Project) -> None:
    play(bare_project, DEPLOYMENTS)
    jobs = load(bare_project.folder).jobs
    assert list(jobs["train"].deployments) == ["default", "nightly"]


# command-line.md


def test_the_examples_of_the_command_line(bare_project: Project) -> None:
    play(bare_project, COMMANDS)


def test_every_command_and_option_is_documented() -> None:
    documented: dict[str, set[str]] = {}
    for row in table(section(COMMANDS, "Commands and options")):
        if codes(row[0]):
            name = " ".join(word for word in code(row[0]).split()[1:2])
            documented[name] = set()
        documented[name].update(codes(row[1]))
    context = click.Context(cli)
    real = {"": {"-h", "--help", *flags(cli)}}
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        real[name] = flags(command)
    assert documented == real


def flags(command: click.Command) -> set[str]:
    options = [each for each in command.params if isinstance(each, click.Option)]
    return {flag for each in options for flag in (*each.opts, *each.secondary_opts)}


def test_every_exit_code_is_documented() -> None:
    documented = [int(row[0]) for row in table(section(COMMANDS, "Exit codes"))]
    assert documented == [0, SweepError.exit_code, InputError.exit_code, INTERRUPTED]


def test_every_outcome_and_state_is_documented() -> None:
    text = section(COMMANDS, "Outcomes")
    assert [code(row[0]) for row in table(text)] == [outcome.value for outcome in Outcome]
    assert {state.value for state in SweepState} <= set(codes(text))


# tracking.md


def test_what_tracking_says_comes_true(project: Project) -> None:
    play(project, TRACKING)
    store = sqlite3.connect(project.folder / "mlflow.db")
    runs = store.execute("SELECT run_uuid, name FROM runs").fetchall()
    tags = {
        name: {key for (key,) in store.execute("SELECT key FROM tags WHERE run_uuid = ?", [run])}
        for run, name in runs
    }
    experiments = [name for (name,) in store.execute("SELECT name FROM experiments WHERE name != 'Default'")]
    store.close()
    assert experiments == ["rectangle"]
    rows = table(section(TRACKING, "Tags"))
    of_sweep, of_combination = (
        {code(row[0]) for row in rows if row[column].startswith("yes")} for column in (1, 2)
    )
    with project.ledger() as ledger:
        (sweep,) = ledger.sweeps(job="rectangle")
    assert tags.pop(sweep.tag) == of_sweep
    assert sorted(tags) == [f"width={width} height={height}" for width in (1, 2) for height in ("0.5", "1k")]
    assert all(each == of_combination for each in tags.values())
    assert undocumented(project.folder) == set()


def undocumented(folder: Path) -> set[str]:
    """Return the files in a project's folder that command-line.md does not name."""
    documented = {code(row[0]) for row in table(section(COMMANDS, "Files"))}
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    patterns = set()
    for name in found:
        if "__pycache__" in name or name.endswith(".py"):
            continue
        name = re.sub(r"-(?:wal|shm)$", "", name)  # SQLite's own, while it is open
        name = re.sub(r"^\.sweep/sweeps/\w{26}/", ".sweep/sweeps/ULID/", name)
        name = re.sub(r"/\w\w/\w{32}\.\d+\.", "/KE/KEY.N.", name)
        patterns.add(re.sub(r"^(\.sweep/server|mlruns)/.*", r"\1/", name))
    return patterns - documented


def test_variables_that_a_command_gets(tmp_path: Path) -> None:
    work = Work(
        sweep="01M7Y5SA6371PQXGKNT1230000",
        job="seen",
        key="0" * 32,
        position=0,
        label="a=1",
        argv=("env",),
        cwd=str(tmp_path),
        folder=str(tmp_path / "sweep"),
        env={PARAMETERS: "{}"},
    )
    (tmp_path / "sweep").mkdir()
    attempt = run_attempt(work)
    with open(attempt.log) as log:
        given = {line.partition("=")[0] for line in log}
    documented = {code(row[0]) for row in table(section(COMMANDS, "Environment"), 1)}
    assert {name for name in given if name.startswith("SWEEP_")} == documented


def test_variables_that_mlflow_finds() -> None:
    rows = table(section(TRACKING, "What a command gets"))
    own, other = ({code(row[0]) for row in rows if row[column] == "yes"} for column in (1, 2))
    assert environment.own("sqlite://", {}).keys() == own
    assert environment.opened("sqlite://", "job", "1", "run").keys() == other


# other-tools.md


def test_the_examples_of_other_tools(project: Project) -> None:
    play(project, OTHERS)


# performance.md


def test_every_case_of_the_benchmarks() -> None:
    assert [row[0] for row in table(section(PERFORMANCE, "The cases"))] == list(CASES)


def test_commands_and_options_that_measure() -> None:
    lines = [code(row[0]) for row in table(PERFORMANCE.partition("## ")[0])]
    targets = re.findall(r"^([a-z]+):.*## ", document("Makefile"), re.MULTILINE)
    assert {line.split()[1] for line in lines} <= set(targets)


def test_the_lines_of_growth() -> None:
    (head, *rest) = [title for title, _ in growth.COLUMNS.values()]
    here = section(PERFORMANCE, "Growth")
    assert f"| {head} |" in here
    assert [row[0] for row in table(here)] == rest


def test_there_is_no_page_without_tests() -> None:
    assert names() == [
        "README.md",
        "docs/command-line.md",
        "docs/deployments.md",
        "docs/other-tools.md",
        "docs/performance.md",
        "docs/sweep-syntax.md",
        "docs/sweeps-yaml.md",
        "docs/tracking.md",
    ]
