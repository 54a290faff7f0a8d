"""Which Prefect API is the configured one: as Prefect itself would say, without importing it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from sweeplib.errors import InputError
from sweeplib.orchestrate.api import Api, configured_api, connect
from tests.conftest import clean_environment

if TYPE_CHECKING:
    from pathlib import Path

A, B, C, D, E = (f"http://{name}.example:4200/api" for name in "abcde")
PROFILES = f"""
active = "one"
[profiles.one]
PREFECT_API_URL = "{A}"
[profiles.two]
PREFECT_API_URL = "{B}"
[profiles.other]
PREFECT_LOGGING_LEVEL = "DEBUG"
"""
ALL = {
    ".env": f"PREFECT_API_URL={B}\n",
    "prefect.toml": f'[api]\nurl = "{C}"\n',
    "pyproject.toml": f'[tool.prefect.api]\nurl = "{D}"\n',
    "home/profiles.toml": PROFILES.replace(A, E),
}


@dataclass(frozen=True)
class Case:
    """Files of a project and its environment, and the address that they configure."""

    expected: str | None
    files: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)


def without(*names: str) -> dict[str, str]:
    return {name: text for name, text in ALL.items() if name not in names}


CASES = {
    "nothing": Case(None),
    # which source wins
    "the environment before all": Case(A, ALL, {"PREFECT_API_URL": A}),
    ".env before the rest": Case(B, ALL),
    "prefect.toml before the rest": Case(C, without(".env")),
    "pyproject.toml before a profile": Case(D, without(".env", "prefect.toml")),
    "the profile last": Case(E, without(".env", "prefect.toml", "pyproject.toml")),
    # the environment
    "a small name": Case(A, env={"prefect_api_url": A}),
    "an empty variable": Case(
        None, without(".env", "prefect.toml", "pyproject.toml"), {"PREFECT_API_URL": ""}
    ),
    # .env
    "double quotes": Case(A, {".env": f'PREFECT_API_URL="{A}"\n'}),
    "single quotes": Case(A, {".env": f"PREFECT_API_URL='{A}'\n"}),
    "exported": Case(A, {".env": f"export PREFECT_API_URL={A}\n"}),
    "with blanks": Case(A, {".env": f"  PREFECT_API_URL = {A}  \n"}),
    "a comment behind": Case(A, {".env": f"PREFECT_API_URL={A} # ours\n"}),
    "a comment behind quotes": Case(A, {".env": f'PREFECT_API_URL="{A}" # ours\n'}),
    "a comment": Case(None, {".env": f"# PREFECT_API_URL={A}\n"}),
    "a hash in the address": Case(f"{A}#x", {".env": f"PREFECT_API_URL={A}#x\n"}),
    "a small name in .env": Case(A, {".env": f"prefect_api_url={A}\n"}),
    "twice": Case(B, {".env": f"PREFECT_API_URL={A}\nPREFECT_API_URL={B}\n"}),
    "other lines": Case(A, {".env": f"\nX=1\nsome junk\nPREFECT_API_URL={A}\nPREFECT_API_URL_=x\n"}),
    "empty quotes in .env": Case(None, {".env": "PREFECT_API_URL=''\n", "prefect.toml": ALL["prefect.toml"]}),
    "an empty value in .env": Case(None, {".env": "PREFECT_API_URL=\n", "prefect.toml": ALL["prefect.toml"]}),
    # TOML
    "prefect.toml about something else": Case(
        E, {**without(".env", "pyproject.toml"), "prefect.toml": "[logging]\nlevel = 'INFO'\n"}
    ),
    "dotted": Case(A, {"prefect.toml": f"api.url = '{A}'\n"}),
    "pyproject.toml without a table": Case(None, {"pyproject.toml": "[project]\nname = 'x'\n"}),
    # profiles
    "a profile of one's choice": Case(B, {"home/profiles.toml": PROFILES}, {"PREFECT_PROFILE": "two"}),
    "a profile without an address": Case(
        None, {"home/profiles.toml": PROFILES}, {"PREFECT_PROFILE": "other"}
    ),
    "an unknown profile": Case(None, {"home/profiles.toml": PROFILES}, {"PREFECT_PROFILE": "gone"}),
    "no active profile": Case(None, {"home/profiles.toml": PROFILES.replace("active", "passive")}),
    "no profiles, but a choice": Case(None, env={"PREFECT_PROFILE": "local"}),
    "profiles elsewhere": Case(A, {"p.toml": PROFILES}, {"PREFECT_PROFILES_PATH": "p.toml"}),
    "profiles elsewhere, said in .env": Case(
        A, {"p.toml": PROFILES, ".env": "PREFECT_PROFILES_PATH=p.toml\n"}
    ),
    "profiles elsewhere, said in prefect.toml": Case(
        A, {"p.toml": PROFILES, "prefect.toml": "profiles_path = 'p.toml'\n"}
    ),
    "profiles elsewhere, said in pyproject.toml": Case(
        A, {"p.toml": PROFILES, "pyproject.toml": "[tool.prefect]\nprofiles_path = 'p.toml'\n"}
    ),
    "broken profiles": Case(None, {"home/profiles.toml": "= ["}),
    "profiles in the user's home": Case(E, {}, {"PREFECT_HOME": ""}),
}

# Settings anew for every case, all in one process: importing Prefect takes seconds.
ASK = """
import json, os, sys, warnings
warnings.simplefilter("ignore")
from prefect.settings import Settings
answers = {}
for name, (folder, env) in json.load(sys.stdin).items():
    before = dict(os.environ)
    os.environ.update(env)
    os.chdir(folder)
    answers[name] = Settings().api.url
    os.environ.clear()
    os.environ.update(before)
json.dump(answers, sys.stdout)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's home, with a profile."""
    home = tmp_path_factory.mktemp("home")
    (home / ".prefect").mkdir()
    (home / ".prefect" / "profiles.toml").write_text(PROFILES.replace(A, E))
    return home


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A project a case."""
    folders = {}
    for name, case in CASES.items():
        folder = folders[name] = tmp_path_factory.mktemp("case")
        (folder / "home").mkdir()
        for file, text in case.files.items():
            (folder / file).write_text(text)
    return folders


def environment(case: Case, folder: Path) -> dict[str, str]:
    return {"PREFECT_HOME": str(folder / "home"), **case.env}


@pytest.fixture(scope="module")
def answers(folders: dict[str, Path], home: Path) -> dict[str, str | None]:
    """What Prefect itself says."""
    env = clean_environment(home / ".prefect")
    for name in ("PREFECT_HOME", "PREFECT_PROFILES_PATH"):
        del env[name]
    cases = {name: (str(folders[name]), environment(case, folders[name])) for name, case in CASES.items()}
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        input=json.dumps(cases),
        env={**env, "HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str | None] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_configured_api(
    name: str,
    folders: dict[str, Path],
    home: Path,
    answers: dict[str, str | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case, folder = CASES[name], folders[name]
    for variable in list(os.environ):
        if variable.upper().startswith("PREFECT_"):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("HOME", str(home))
    for variable, value in environment(case, folder).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(folder)
    found = configured_api(folder)
    assert (found, answers[name] or None) == (case.expected, case.expected)


@pytest.mark.parametrize("file", ["prefect.toml", "pyproject.toml"])
def test_settings_that_are_not_toml(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    (tmp_path / file).write_text("a =")
    with pytest.raises(InputError) as error:
        configured_api(tmp_path)
    assert str(error.value) == (
        f"{tmp_path / file} is not valid TOML, and Prefect reads its settings from it: "
        "Invalid value (at end of document)"
    )


@pytest.mark.parametrize("status", [200, 401, 404])
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_configured_api_is_used_as_it_is(
    status: int, slash: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that wants a login, for which Prefect has settings."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/api{slash}"
        monkeypatch.setenv("PREFECT_API_URL", address)
        assert connect(tmp_path) == Api(address, local=False)
        thread.join()
    assert asked == ["/api/health"]
    assert os.environ["PREFECT_API_URL"] == address


def test_the_address_of_the_ui() -> None:
    assert Api("http://127.0.0.1:4200/api", local=True).ui == "http://127.0.0.1:4200"
    assert Api("http://127.0.0.1:4200/api/", local=True).ui == "http://127.0.0.1:4200"
