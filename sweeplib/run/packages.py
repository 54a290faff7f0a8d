"""Environments that have packages of a job's own on top of the project's; uv makes each once, and it is kept.

An environment is known by its packages and by the interpreter below it. It stands in the project's
``.sweep/environments``, so that all workers that see the project share it. A lock beside it keeps two from
being made of one at once; its file ``.ready`` comes last, so one that was interrupted is made again.

What the interpreter below finds, its site-packages with all their ``.pth`` files, is found behind them.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sweeplib.errors import PackagesError
from sweeplib.run.files import write_atomically
from sweeplib.run.package_index import index_of_pip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sweeplib.run.model import Work

__all__ = ["with_packages"]

_PYTHON = re.compile(r"(?:.*/)?python(?:3(?:\.[0-9]+)?)?")
_BASE = "_sweep_base.pth"  # in its site-packages: where those of the interpreter below are
_TICK = 0.2  # seconds between looks at a lock, at uv and at whether to go on
_REMEMBERED = 30.0  # seconds for which packages that could not be installed are not tried again
_LONGEST = 400  # characters of uv's words in a message
_FOREIGN = ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH", "UV_PROJECT_ENVIRONMENT")
_ASK = """import json, sys
print(json.dumps([sys.version, [p for p in sys.path if p.endswith(("site-packages", "dist-packages"))]]))"""

_failed: dict[Path, tuple[float, str]] = {}  # when, on the monotonic clock, and why


def with_packages(work: Work, go_on: Callable[[], bool], note: Callable[[str], None]) -> Work | None:
    """Return `work` as it is where its packages are installed, which is done here if need be.

    `go_on` is asked from time to time; where it says no, what is being made is left, and there is nothing to
    return. `note` gets a sentence where it takes a while. Raises `PackagesError`, with uv's words, where the
    packages cannot be had.
    """
    env = {**os.environ, **work.env}
    whole = {name: value for name, value in env.items() if value is not None}
    base = _Base.of(_program(work.argv, whole, work.cwd))
    folder = Path(work.folder).parent.parent / "environments"
    place = _Environment(folder / _digest(work.packages, base), base, work.packages)
    if not place.is_ready and not _made(place, work.cwd, go_on, note):
        return None
    bin_ = place.home / "bin"
    path = os.pathsep.join(filter(None, [str(bin_), whole.get("PATH", "")]))
    own: dict[str, str | None] = {"PATH": path, "VIRTUAL_ENV": str(place.home), "PYTHONHOME": None}
    words = (str(bin_ / "python"), *work.argv[1:]) if _PYTHON.fullmatch(work.argv[0]) else work.argv
    return replace(work, argv=words, env={**work.env, **own})


def _program(argv: Sequence[str], env: Mapping[str, str], cwd: str) -> str:
    """Return the interpreter that is below: the command's own, else the one called python, else this one."""
    path = env.get("PATH")
    if argv and _PYTHON.fullmatch(argv[0]):
        if "/" in argv[0]:
            return str(Path(cwd, argv[0]))
        return shutil.which(argv[0], path=path) or sys.executable
    return shutil.which("python", path=path) or shutil.which("python3", path=path) or sys.executable


@dataclass(frozen=True, slots=True)
class _Base:
    """An interpreter, and where it finds packages."""

    program: str
    version: str
    folders: tuple[str, ...]

    @classmethod
    def of(cls, program: str) -> _Base:
        """Ask an interpreter; once, as long as its file stays the same. Raises `PackagesError`."""
        try:
            changed = os.stat(program).st_mtime_ns  # noqa: PTH116  (of what a link leads to)
        except OSError as error:
            raise PackagesError(f"there is no interpreter {program}: {_why(error)}") from None
        return _asked(program, changed)


@lru_cache(maxsize=16)
def _asked(program: str, _changed: int) -> _Base:
    try:
        done = subprocess.run(
            [program, "-c", _ASK], capture_output=True, check=True, env=_clean(), cwd="/", timeout=60
        )
        version, folders = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise PackagesError(f"{program} is no interpreter that packages can be added to: {error}") from None
    return _Base(program, version, tuple(folders))


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _FOREIGN}


def _digest(packages: Sequence[str], base: _Base) -> str:
    said = json.dumps([list(packages), base.program, base.version, base.folders])
    return hashlib.blake2b(said.encode("utf-8", "surrogateescape"), digest_size=10).hexdigest()


@dataclass(frozen=True, slots=True)
class _Environment:
    """An environment: where it is, what is below it, and which packages it is to have."""

    home: Path
    base: _Base
    packages: tuple[str, ...]

    @property
    def ready(self) -> Path:
        """The file that comes last."""
        return self.home / ".ready"

    @property
    def is_ready(self) -> bool:
        """Whether it is there as a whole; an interpreter that has gone takes it along."""
        there = self.ready.exists() and (self.home / "bin" / "python").exists()
        return there and any(self.home.glob(f"lib/python*/site-packages/{_BASE}"))

    def make(self, cwd: str, lock: int, go_on: Callable[[], bool]) -> bool:
        """Make it, under the lock that is open as `lock`; False where it was not to go on."""
        uv = _uv()
        log = self.home.with_suffix(".log")
        steps = [
            [uv, "venv", "--quiet", "--no-project", "--python", self.base.program, str(self.home)],
            [uv, "pip", "install", "--quiet", "--python", str(self.home / "bin" / "python"), *self.packages],
        ]
        shutil.rmtree(self.home, ignore_errors=True)
        env = {**_clean(), **index_of_pip(self.base.program, cwd, _clean()), "NO_COLOR": "1"}
        for step in steps:
            if not _run(step, cwd, env, log, lock, go_on):
                return False
        site = next((self.home / "lib").glob("python*/site-packages"))
        lines = [f"import site; site.addsitedir({folder!r})" for folder in self.base.folders]
        write_atomically(str(site / _BASE), "\n".join(lines) + "\n")
        write_atomically(str(self.ready), "\n".join([*self.packages, f"# on top of {self.base.program}", ""]))
        return True


def _made(place: _Environment, cwd: str, go_on: Callable[[], bool], note: Callable[[str], None]) -> bool:
    """Make an environment, or wait until another process has; False where it was not to go on."""
    when, why = _failed.get(place.home, (float("-inf"), ""))
    if time.monotonic() - when < _REMEMBERED:
        raise PackagesError(why)
    try:
        place.home.parent.mkdir(parents=True, exist_ok=True)
        with _locked(place.home.with_suffix(".lock"), go_on) as lock:
            if lock is None:
                return False
            if place.is_ready:
                return True
            when, why = _failed.get(place.home, (float("-inf"), ""))
            if time.monotonic() - when < _REMEMBERED:
                raise PackagesError(why)
            note(f"installing {', '.join(place.packages)}")
            return place.make(cwd, lock, go_on)
    except OSError as error:
        raise PackagesError(f"packages cannot be installed in {place.home.parent}: {_why(error)}") from None
    except PackagesError as error:
        _failed[place.home] = time.monotonic(), str(error)
        raise


@contextlib.contextmanager
def _locked(path: Path, go_on: Callable[[], bool]) -> Iterator[int | None]:
    """Hold a file's lock, waiting for it; gives the open file, or None where it was not to go on."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EAGAIN):
                    break  # a file system without such locks is used without them
                if not go_on():
                    yield None
                    return
                time.sleep(_TICK)
            else:
                break
        yield handle
    finally:
        os.close(handle)


def _run(
    argv: list[str], cwd: str, env: Mapping[str, str], log: Path, lock: int, go_on: Callable[[], bool]
) -> bool:
    """Run a step; False where it was not to go on. Raises `PackagesError` with its last words.

    It holds the lock as well: where this process dies, nobody begins before it has ended.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[lock],
            start_new_session=True,
        )
        try:
            while process.poll() is None and go_on():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_TICK)
        finally:
            stopped = process.poll() is None
            if stopped:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if stopped:
        return False
    if process.returncode:
        raise PackagesError(_words(log, process.returncode))
    return True


def _words(log: Path, exit_code: int) -> str:
    """Return what uv says of its failure, in one line."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    begin = next((i for i, line in enumerate(lines) if re.match(r"error\b|\s*\u00d7", line)), 0)
    text = " ".join(" ".join(lines[begin:]).split())
    text = re.sub(r"^error: |[\u00d7\u2500-\u257f\u25b6] ?", "", text).replace(" cause: ", ": ")
    text = text or f"uv ended with exit code {exit_code}"
    return "packages: " + (text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def _uv() -> str:
    """Return the program uv: the one installed with us, else one on the path. Raises `PackagesError`."""
    from uv import find_uv_bin

    try:
        return find_uv_bin()
    except FileNotFoundError:
        if found := shutil.which("uv"):
            return found
        msg = "packages need the program uv, and it is not there; install it with: pip install uv"
        raise PackagesError(msg) from None


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
