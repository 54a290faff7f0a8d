"""The tools that `sweep` is compared with: where they are, and which versions they have."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from benchmarks.environments import Environment
from benchmarks.model import UnavailableError
from benchmarks.processes import ROOT, output

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Peers", "gnu_parallel", "xargs"]

_HERE = ROOT / "benchmarks"


class Peers:
    """The peers' environments, made when they are first needed and kept for the next run."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._most = Environment(ROOT / ".venv-peers", _HERE / "peers.txt", note)
        self._batchrun = Environment(ROOT / ".venv-batchrun", _HERE / "batchrun.txt", note)
        self._yanex = Environment(ROOT / ".venv-yanex", _HERE / "yanex.txt", note)
        self._imports = Environment(ROOT / ".venv-imports", _HERE / "imports.txt", note)

    @property
    def python(self) -> str:
        """The interpreter that has joblib, Dask and submitit. Raises `UnavailableError`."""
        return self._most.python

    @property
    def hydraflow(self) -> str:
        """The command `hydraflow`. Raises `UnavailableError`."""
        program = Path(self.python).with_name("hydraflow")
        if not program.exists():
            msg = "not available: needs Python 3.13"
            raise UnavailableError(msg)
        return str(program)

    @property
    def with_imports(self) -> str:
        """An interpreter that has mlflow, hydra and scikit-learn. Raises `UnavailableError`."""
        return self._imports.python

    @property
    def batchrun(self) -> str:
        """The command `batchrun`. Raises `UnavailableError`."""
        return str(Path(self._batchrun.python).with_name("batchrun"))

    @property
    def yanex(self) -> str:
        """The command `yanex`. Raises `UnavailableError`."""
        return str(Path(self._yanex.python).with_name("yanex"))

    @property
    def versions(self) -> str:
        """The versions of the interpreter and of the peers, for the description of the machine."""
        found = self._most.versions(["hydraflow", "joblib", "distributed", "submitit"])
        found += self._batchrun.versions(["batchrun"])
        for tool in (gnu_parallel, xargs):
            with contextlib.suppress(UnavailableError):
                found.append(tool())
        return ", ".join(dict.fromkeys(found))


def main(tool: Literal["hydraflow", "batchrun", "yanex"]) -> int:
    """Print the interpreter that has the tool, for tests that compare with it; it is installed first."""
    peers = Peers(lambda text: print(text, file=sys.stderr))
    try:
        program: str = getattr(peers, tool)
        print(Path(program).with_name("python"))
    except UnavailableError as error:
        print(f"{tool}: {error}", file=sys.stderr)
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


def xargs() -> str:
    """Return the version of GNU's xargs; another one may lack its options. Raises `UnavailableError`."""
    with contextlib.suppress(UnavailableError):
        first = output(["xargs", "--version"], ROOT).splitlines()[0]
        if "GNU findutils" in first:
            return first
    msg = "not available: this xargs is not GNU's"
    raise UnavailableError(msg)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))  # type: ignore[arg-type]
