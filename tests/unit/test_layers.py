"""The layers of sweeplib: which part may import which, and what an import may cost."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sweeplib

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(sweeplib.__file__).parent

# A part may import those before it. `track` stands before `orchestrate`, because the flow hands the
# engine its tracker, and so does `report`, because Prefect shows it.
LAYERS = (
    "errors",
    "ulids",
    "amounts",
    "where",
    "garbage",
    "interpreter",
    "script",
    "syntax",
    "jobs",
    "plan",
    "command",
    "run",
    "ledger",
    "forecast",
    "engine",
    "track",
    "report",
    "orchestrate",
    "cli",
    "experiments",
)

# The frameworks, and the only part that may import each.
ADAPTERS = {
    "prefect": "orchestrate",
    "prefect_dask": "orchestrate",
    "dask": "orchestrate",
    "distributed": "orchestrate",
    "mlflow": "track",
    "plotly": "report",
    "jinja2": "report",
    "sklearn": "report",
}

# What the core may import besides the standard library: uv's package, which only tells where its program is.
ALLOWED = {"run": {"uv"}}

SLOW = (
    "prefect",
    "prefect_dask",
    "dask",
    "distributed",
    "mlflow",
    "pandas",
    "pydantic",
    "rich",
    "plotly",
    "jinja2",
    "sklearn",
)

FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


def layer(path: Path) -> str:
    """Return the part of sweeplib that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of every import of a file, also of those inside functions and for types."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} is relative"
            module = node.module or ""
            for alias in node.names if module == "sweeplib" else ():
                yield node.lineno, f"sweeplib.{alias.name}"
            if module != "sweeplib":
                yield node.lineno, module


def test_every_part_has_its_layer() -> None:
    assert {layer(path) for path in FILES} == set(LAYERS)


@pytest.mark.parametrize("name", LAYERS)
def test_imports_point_upward(name: str) -> None:
    allowed = LAYERS[: LAYERS.index(name) + 1]
    assert [
        f"{path.relative_to(PACKAGE)}:{line} imports {module}"
        for path in FILES
        if layer(path) == name
        for line, module in imported(path)
        if module.startswith("sweeplib.") and module.split(".")[1] not in allowed
    ] == []


def test_errors_import_nothing_local() -> None:
    assert [module for _, module in imported(PACKAGE / "errors.py") if module.startswith("sweeplib")] == []


@pytest.mark.parametrize(("framework", "part"), ADAPTERS.items())
def test_a_framework_is_imported_by_its_adapter_alone(framework: str, part: str) -> None:
    users = {
        layer(path) for path in FILES for _, module in imported(path) if module.partition(".")[0] == framework
    }
    assert users <= {part}


@pytest.mark.parametrize(
    "name",
    ["errors", "ulids", "amounts", "where", "interpreter", "syntax", "plan", "command", "run", "forecast"],
)
def test_the_core_needs_the_standard_library_only(name: str) -> None:
    known = {*sys.stdlib_module_names, "sweeplib", *ALLOWED.get(name, ())}
    assert {
        module.partition(".")[0] for path in FILES if layer(path) == name for _, module in imported(path)
    } <= known


IN_A_FRESH_PROCESS = """\
import json, sys
slow = sys.argv.pop(1).split(",")
code = 0
if sys.argv[1:]:
    from sweeplib.cli import main
    try:
        main()
    except SystemExit as exit:
        code = exit.code
else:
    import sweeplib
    sweeplib.expand("a=1"), sweeplib.collect("a=1")
sys.stderr.write(json.dumps([code, sorted(name for name in sys.modules if name.partition(".")[0] in slow)]))
"""

JOBS = """\
jobs:
  train:
    run: python train.py
    sets: [{each: 'a=1,2', all: b=3}]
  call:
    call: package.module.function
    style: kwargs
    sets: [{each: 'a=1,2'}]
  submit:
    submit: python submit.py
    sets: [{each: 'a=1,2'}]
"""


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "run train --dry-run",
        "run call --dry-run",
        "run submit --dry-run",
        "show",
        "show train",
        "explain train",
        "plan train --against sweeps.yaml",
        "explain call --format json",
        "--help",
        "--version",
        *[
            f"{name} --help"
            for name in (
                "run",
                "show",
                "explain",
                "plan",
                "status",
                "logs",
                "results",
                "report",
                "retry",
                "cancel",
                "up",
                "down",
                "completion",
            )
        ],
    ],
)
def test_starts_without_what_is_slow_to_import(arguments: str, tmp_path: Path) -> None:
    (tmp_path / "sweeps.yaml").write_text(JOBS)
    done = subprocess.run(
        [sys.executable, "-c", IN_A_FRESH_PROCESS, ",".join(SLOW), *arguments.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(done.stderr) == [0, []]


def test_public_names() -> None:
    experiments = {"ExperimentResult", "ExperimentResults", "ExperimentSpec", "run_multiple"}
    script = {"log_metrics", "param", "params"}
    assert (
        set(sweeplib.__all__) == {"analytics_flow", "collect", "expand", "sweep_flow"} | experiments | script
    )
    assert [name for name in sweeplib.__all__ if not callable(getattr(sweeplib, name))] == []


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match=r"^module 'sweeplib' has no attribute 'sweep'$"):
        _ = sweeplib.sweep
