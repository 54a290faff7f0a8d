"""What a fresh clone rests on: the lock, the bounds, the Makefile, the choice of an interpreter."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME: list[str] = PYPROJECT["project"]["dependencies"]
DEVELOPMENT: list[str] = PYPROJECT["dependency-groups"]["dev"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
SUPPORTED = ("3.11", "3.12", "3.13")

PIN = re.compile(r"(?P<requirement>[a-z0-9][a-z0-9.-]*(\[[a-z0-9, -]+\])?==[^ ;]+( ; [^\\]+)?) \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
COMMENT = re.compile(r"( {4})?# .*|    #")


def blocks() -> list[tuple[Requirement, list[str]]]:
    """Return each pin of the lock with the lines below it."""
    found: list[tuple[Requirement, list[str]]] = []
    for line in LOCK.splitlines():
        if pin := PIN.fullmatch(line):
            found.append((Requirement(pin["requirement"]), []))
        elif found:
            found[-1][1].append(line)
    return found


PINS = blocks()


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_lock_holds_pins_hashes_and_comments_only() -> None:
    shapes = (PIN, HASH, COMMENT)
    assert [line for line in LOCK.splitlines() if not any(shape.fullmatch(line) for shape in shapes)] == []


def test_lock_names_no_index_no_host_and_no_path() -> None:
    assert re.findall(r"://|--(?:extra-)?index|--find-links|--trusted-host| @ |file:|[\\/]\w", LOCK) == []


def test_every_pin_has_a_hash() -> None:
    assert [str(pin) for pin, lines in PINS if not any(HASH.fullmatch(line) for line in lines)] == []


@pytest.mark.parametrize("wanted", [*map(Requirement, RUNTIME + DEVELOPMENT)], ids=lambda wanted: wanted.name)
@pytest.mark.parametrize("python", SUPPORTED)
def test_every_dependency_is_pinned_within_its_bounds(wanted: Requirement, python: str) -> None:
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    versions = {
        next(iter(pin.specifier)).version
        for pin, _ in PINS
        if canonicalize_name(pin.name) == canonicalize_name(wanted.name)
        and (pin.marker is None or pin.marker.evaluate(environment))
    }
    assert len(versions) == 1
    assert wanted.specifier.contains(Version(versions.pop()))


def test_a_pin_with_extras_stands_beside_one_without() -> None:
    """Without this pip before 23.3, which Python 3.11 and 3.12 brought along, refuses the lock."""
    plain = {(pin.name, str(pin.specifier)) for pin, _ in PINS if not pin.extras}
    assert [str(pin) for pin, _ in PINS if pin.extras and (pin.name, str(pin.specifier)) not in plain] == []


def test_versions_that_break_prefect_and_mlflow_are_not_in_the_lock() -> None:
    breaking = [
        Requirement(text)
        for text in ("prefect>=3.9", "fastapi>=0.150", "sqlalchemy>=2.1", "pyarrow>=26", "cryptography>=51")
    ]
    versions = {pin.name: next(iter(pin.specifier)).version for pin, _ in PINS}
    assert [bad.name for bad in breaking if bad.specifier.contains(versions[bad.name])] == []


def test_every_runtime_dependency_but_those_with_dates_for_versions_has_an_upper_bound() -> None:
    unbounded = [
        wanted.name
        for wanted in map(Requirement, RUNTIME)
        if not any(part.operator == "<" for part in wanted.specifier)
    ]
    assert unbounded == ["distributed"]


def test_the_wheel_has_all_files_of_the_package(tmp_path: Path) -> None:
    built = run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "sweeplib").rglob("*") if path.is_file()}
    assert {name for name in files if "__pycache__" not in name} <= held


def test_supported_pythons() -> None:
    stated = SpecifierSet(PYPROJECT["project"]["requires-python"])
    assert [minor for minor in range(8, 20) if f"3.{minor}.1" in stated] == [11, 12, 13]


def test_make_alone_lists_every_target() -> None:
    shown = run("make", "--no-print-directory", MAKEFLAGS="")
    targets = re.findall(r"^  make (\S+) +\S", shown.stdout, re.MULTILINE)
    assert shown.returncode == 0
    expected = "help .venv demo test outside soak lint bench growth lock clean"
    assert targets == expected.split()
    assert run("make", "--no-print-directory", "help", MAKEFLAGS="").stdout == shown.stdout


@pytest.mark.parametrize(
    "script", [".ci/run", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("scripts/*"))]
)
def test_scripts_can_be_run_and_parse(script: str) -> None:
    shell = (ROOT / script).read_text(encoding="utf-8").splitlines()[0].removeprefix("#!").split()
    assert os.access(script, os.X_OK)
    assert run(*shell, "-n", script).stderr == ""


def test_the_example_knows_nothing_of_sweeplib() -> None:
    assert "sweep" not in (ROOT / "examples/digits/train.py").read_text(encoding="utf-8")


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Return a folder to be the whole PATH: the shell and what the scripts use, no Python."""
    for name in ("sh", "tail"):
        found = shutil.which(name)
        assert found is not None
        (tmp_path / name).symlink_to(found)
    return tmp_path


def command(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def test_an_interpreter_that_does_not_start_is_passed_over(tools: Path) -> None:
    command(tools, "python3.13", 'echo "pyenv: python3.13: command not found" >&2; exit 127')
    command(tools, "python3", f'exec "{sys.executable}" "$@"')
    found = run(ROOT / "scripts/find-python", PATH=str(tools), PYTHON="")
    assert (found.returncode, found.stdout, found.stderr) == (0, f"{sys.executable}\n", "")


def test_no_interpreter_names_all_that_was_tried(tools: Path) -> None:
    command(tools, "python3.12", 'echo "No module named ensurepip" >&2; exit 1')
    command(tools, "python3", 'echo "is Python 3.9" >&2; exit 1')
    found = run(ROOT / "scripts/find-python", PATH=str(tools), PYTHON="")
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr == (
        "No usable Python 3.11, 3.12 or 3.13 with venv and ensurepip (on Debian: python3-venv). Tried:\n"
        "  python3.13: not found\n"
        "  python3.12: No module named ensurepip\n"
        "  python3.11: not found\n"
        "  python3: is Python 3.9\n"
        "  python: not found\n"
        "Name one: make PYTHON=/path/to/python3.12\n"
    )


def test_a_named_interpreter_is_the_only_candidate(tools: Path) -> None:
    found = run(ROOT / "scripts/find-python", PATH=str(tools), PYTHON="python3.10")
    assert found.returncode == 1
    assert "Tried:\n  python3.10: not found\nName one" in found.stderr
