"""Fixtures that every test may use: a project in an empty folder, and one Prefect server for all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from sweeplib.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOREIGN = ("PREFECT_", "MLFLOW_", "SWEEP_")

# Two processes run tests on two cores, beside servers: how long an example takes is no property of the code.
settings.register_profile("unhurried", settings(deadline=None))
settings.load_profile("unhurried")


# A shell in the background, and nohup, have what they start ignore these, and so all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def clean_environment(home: Path) -> dict[str, str]:
    """Return this process's environment without what would lead Prefect or MLflow elsewhere."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    env["PREFECT_HOME"] = str(home)
    env["PREFECT_PROFILES_PATH"] = str(home / "profiles.toml")
    env["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
    env["NO_COLOR"] = "1"
    env.pop("PYTEST_CURRENT_TEST", None)
    return env


@dataclass
class Project:
    """A user's project: a folder, and the `sweep` command run in it as a user would run it."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project, its text dedented."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def jobs(self, text: str) -> Path:
        """Write sweeps.yaml."""
        return self.write("sweeps.yaml", text)

    def sweep(
        self, *arguments: str, timeout: float = 240, check: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `sweep`; with `check`, its exit code must be that."""
        done = subprocess.run(
            [sys.executable, "-m", "sweeplib.cli", *arguments],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check is not None:
            assert done.returncode == check, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `sweep` in a session of its own, and return at once."""
        return subprocess.Popen(
            [sys.executable, "-m", "sweeplib.cli", *arguments],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def ledger(self) -> Ledger:
        """Open the project's ledger."""
        return Ledger.open(self.folder / ".sweep" / "ledger.db")


def end_group(process: subprocess.Popen[str]) -> None:
    """Kill a process group that a test started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache folder that is this test session's own, and empty at its beginning."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def bare_project(tmp_path: Path) -> Iterator[Project]:
    """A project on a machine where no Prefect API is configured; its servers are ended afterwards."""
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project(folder, clean_environment(tmp_path / "home"))
    yield project
    if (folder / ".sweep" / "server").exists():
        project.sweep("down", check=0)


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API address of one real Prefect server for the whole test session."""
    from sweeplib.orchestrate.server import prefect_server

    folder = tmp_path_factory.mktemp("server")
    before = dict(os.environ)
    clean = clean_environment(folder / "home")
    os.environ.clear()
    os.environ.update(clean)
    server = prefect_server(folder)
    try:
        yield f"{server.start()}/api"
    finally:
        server.stop()
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def project(tmp_path: Path, prefect_api: str) -> Project:
    """A project whose Prefect API is configured: the session's server."""
    folder = tmp_path / "project"
    folder.mkdir()
    env = clean_environment(tmp_path / "home")
    env["PREFECT_API_URL"] = prefect_api
    return Project(folder, env)
