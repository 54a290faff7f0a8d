"""Virtual environments of tools that `sweep` is compared with, each made when it is first needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.model import UnavailableError
from benchmarks.processes import ROOT, output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["Environment"]

_NEW_ENOUGH = "import ensurepip, ssl, sys, venv; sys.exit(sys.version_info[:2] != (3, 13))"
_VERSIONS = """
import sys
from importlib.metadata import PackageNotFoundError, version
print("Python", sys.version.split()[0])
for name in sys.argv[1:]:
    try:
        print(name, version(name))
    except PackageNotFoundError:
        pass
"""


class Environment:
    """A folder with what a file of requirements lists; it is kept, and made anew where that changes."""

    def __init__(self, folder: Path, requirements: Path, note: Callable[[str], None]) -> None:
        self._folder = folder
        self._requirements = requirements
        self._note = note

    @property
    def python(self) -> str:
        """The interpreter. Raises `UnavailableError`."""
        if self._trouble:
            raise UnavailableError(self._trouble)
        return str(self._folder / "bin" / "python")

    def versions(self, names: Sequence[str]) -> list[str]:
        """Return the versions of the interpreter and of those packages that are there, or what keeps us."""
        try:
            return output([self.python, "-c", _VERSIONS, *names], ROOT).splitlines()
        except UnavailableError as error:
            return [str(error)]

    @cached_property
    def _trouble(self) -> str:
        """Why there is no environment; empty if there is one, which is made here if needed."""
        stamp = self._folder / ".installed"
        wanted = f"{(base := _interpreter())}\n{self._requirements.read_text(encoding='utf-8')}"
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return ""
        self._note(f"installing peers into {self._folder.name} with {base} (a minute or two)")
        pip = [str(self._folder / "bin" / "python"), "-I", "-m", "pip", "--disable-pip-version-check"]
        try:
            output([base, "-m", "venv", "--clear", str(self._folder)], ROOT)
            output([*pip, "install", "--quiet", "--requirement", str(self._requirements)], ROOT)
        except UnavailableError as error:
            return f"not available: could not be installed into {self._folder.name}: {error}"
        stamp.write_text(wanted, encoding="utf-8")
        return ""


def _interpreter() -> str:
    """Return a Python 3.13, which HydraFlow needs; where there is none, this one."""
    return next((each for each in _candidates() if _runs(each)), sys.executable)


def _candidates() -> Iterator[str]:
    yield sys.executable
    for name in ("python3.13", "python3", "python"):
        if found := shutil.which(name):
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob("versions/3.13*/bin/python")))


def _runs(python: str) -> bool:
    """Return whether it is a Python 3.13 that runs: pyenv has shims for versions that it then refuses."""
    try:
        done = subprocess.run([python, "-c", _NEW_ENOUGH], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
