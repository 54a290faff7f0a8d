"""Which index packages come from."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from sweeplib.run.package_index import index_of_pip

if TYPE_CHECKING:
    from pathlib import Path

PIPS = {"UV_DEFAULT_INDEX": "http://pip/simple"}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody whose pip has an index."""
    return {
        "HOME": str(tmp_path),
        "XDG_CONFIG_DIRS": str(tmp_path / "system"),
        "PIP_INDEX_URL": "http://pip/simple",
    }


def test_that_of_pip_where_uv_has_none(tmp_path: Path, env: dict[str, str]) -> None:
    assert index_of_pip("python", str(tmp_path), env) == PIPS
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\nindex-url = http://pip/simple\n", encoding="utf-8")
    del env["PIP_INDEX_URL"]
    assert index_of_pip("/no/python", str(tmp_path), env) == {}
    env["PIP_CONFIG_FILE"] = str(settings)
    assert index_of_pip(sys.executable, str(tmp_path), env) == PIPS
    settings.write_text(
        "[global]\nindex-url = http://a\n[install]\nindex-url = http://pip/simple\n", encoding="utf-8"
    )
    assert index_of_pip(sys.executable, str(tmp_path), env) == PIPS


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_CONFIG_FILE"])
def test_variables_of_uv_come_first(tmp_path: Path, env: dict[str, str], name: str) -> None:
    assert index_of_pip("python", str(tmp_path), {**env, name: "x"}) == {}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("project/uv.toml", "index-url = 'http://own'"),
        ("project/uv.toml", "[[index]]\nurl = 'http://more'\n[[index]]\nurl = 'http://own'\ndefault = true"),
        ("project/uv.toml", "no-index = true"),
        ("project/uv.toml", "[pip]\nindex-url = 'http://own'"),
        ("project/pyproject.toml", "[tool.uv]\nindex-url = 'http://own'"),
        ("pyproject.toml", "[tool.uv.pip]\nindex-url = 'http://own'"),
        (".config/uv/uv.toml", "index-url = 'http://own'"),
        ("system/uv/uv.toml", "index-url = 'http://own'"),
    ],
)
def test_files_of_uv_come_first(tmp_path: Path, env: dict[str, str], file: str, text: str) -> None:
    path = tmp_path / file
    (tmp_path / "project").mkdir()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    assert index_of_pip("python", str(tmp_path / "project"), env) == {}
    assert index_of_pip("python", str(tmp_path / "project"), {**env, "UV_NO_CONFIG": "1"}) == PIPS


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("uv.toml", "[[index]]\nurl = 'http://more'"),
        ("uv.toml", "index = 3\npip = 4"),
        ("uv.toml", "index-url ="),
        ("pyproject.toml", "index-url = 'http://own'\ntool = 3"),
    ],
)
def test_files_that_say_nothing_of_it(tmp_path: Path, env: dict[str, str], file: str, text: str) -> None:
    (tmp_path / file).write_text(text, encoding="utf-8")
    assert index_of_pip("python", str(tmp_path), env) == PIPS
