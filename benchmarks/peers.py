"""The virtual environment of the tools that `sweep` is compared with."""

from __future__ import annotations

import contextlib
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
    from collections.abc import Callable, Iterator

__all__ = ["Peers", "gnu_parallel"]

_REQUIREMENTS = ROOT / "benchmarks" / "peers.txt"
_FOLDER = ROOT / ".venv-peers"
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


class Peers:
    """The peers' environment, made when it is first needed and kept for the next run."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note

    @property
    def python(self) -> str:
        """The interpreter that has joblib and Dask. Raises `UnavailableError`."""
        if self._trouble:
            raise UnavailableError(self._trouble)
        return str(_FOLDER / "bin" / "python")

    @property
    def hydraflow(self) -> str:
        """The command `hydraflow`. Raises `UnavailableError`."""
        program = Path(self.python).with_name("hydraflow")
        if not program.exists():
            msg = "not available: needs Python 3.13"
            raise UnavailableError(msg)
        return str(program)

    @property
    def versions(self) -> str:
        """The versions of the interpreter and of the peers, for the description of the machine."""
        try:
            names = ["hydraflow", "joblib", "distributed"]
            found = output([self.python, "-c", _VERSIONS, *names], ROOT).splitlines()
        except UnavailableError as error:
            found = [str(error)]
        with contextlib.suppress(UnavailableError):
            found.append(gnu_parallel())
        return ", ".join(found)

    @cached_property
    def _trouble(self) -> str:
        """Why there is no environment; empty if there is one, which is made here if needed."""
        stamp = _FOLDER / ".installed"
        wanted = f"{(base := _interpreter())}\n{_REQUIREMENTS.read_text(encoding='utf-8')}"
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return ""
        self._note(f"installing the peers into {_FOLDER.name} with {base} (a minute or two)")
        pip = [str(_FOLDER / "bin" / "python"), "-I", "-m", "pip", "--disable-pip-version-check"]
        try:
            output([base, "-m", "venv", "--clear", str(_FOLDER)], ROOT)
            output([*pip, "install", "--quiet", "--requirement", str(_REQUIREMENTS)], ROOT)
        except UnavailableError as error:
            return f"not available: the peers could not be installed: {error}"
        stamp.write_text(wanted, encoding="utf-8")
        return ""


def main() -> int:
    """Print the interpreter that has HydraFlow, for tests that compare with it; install it first."""
    peers = Peers(lambda text: print(text, file=sys.stderr))
    try:
        print(Path(peers.hydraflow).with_name("python"))
    except UnavailableError as error:
        print(f"HydraFlow: {error}", file=sys.stderr)
        return 1
    return 0


def gnu_parallel() -> str:
    """Return the version of GNU parallel, not of moreutils' tool of that name. Raises `UnavailableError`."""
    with contextlib.suppress(UnavailableError):
        first = output(["parallel", "--version"], ROOT).splitlines()[0]
        if first.startswith("GNU parallel"):
            return first
    msg = "not available: scripts/install-test-packages installs it where it can"
    raise UnavailableError(msg)


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


if __name__ == "__main__":
    sys.exit(main())
