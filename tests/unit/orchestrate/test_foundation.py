"""Laying a new database: a copy of what was made once."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sweeplib.orchestrate.foundation import cached, lay


class Maker:
    """Makes a database in the way of a server: with a write-ahead log."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        with closing(sqlite3.connect(self.path)) as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("CREATE TABLE words (word TEXT)")
            database.execute("INSERT INTO words VALUES (?)", [f"made {self.calls}"])
            database.commit()


def words(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return [word for (word,) in database.execute("SELECT word FROM words")]


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "sweeplib" / "empty.db"


def test_the_second_database_is_a_copy_of_the_first(tmp_path: Path, template: Path) -> None:
    first, second = Maker(tmp_path / "first.db"), Maker(tmp_path / "second.db")
    lay(first.path, template, first)
    lay(second.path, template, second)
    assert (first.calls, second.calls) == (1, 0)
    assert words(second.path) == ["made 1"]
    assert [path.name for path in template.parent.iterdir()] == [template.name], "nothing is left beside it"


def test_one_that_is_there_is_left_alone(tmp_path: Path, template: Path) -> None:
    maker = Maker(tmp_path / "first.db")
    lay(maker.path, template, maker)
    with closing(sqlite3.connect(maker.path)) as database:
        database.execute("DELETE FROM words")
        database.commit()
    lay(maker.path, template, maker)
    assert (maker.calls, words(maker.path)) == (1, [])


def test_a_template_that_is_no_database_is_not_used(tmp_path: Path, template: Path) -> None:
    template.parent.mkdir(parents=True)
    template.write_text("junk, and more of it than a header takes" * 100)
    maker = Maker(tmp_path / "first.db")
    lay(maker.path, template, maker)
    assert words(maker.path) == ["made 1"]
    assert words(template) == ["made 1"], "and it is replaced"


def test_a_cache_that_cannot_be_written_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    for template in (tmp_path / "cache" / "empty.db", None):
        maker = Maker(tmp_path / f"{template is None}.db")
        lay(maker.path, template, maker)
        assert words(maker.path) == ["made 1"]


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cached("x") == tmp_path / "sweeplib" / "x"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cached("x") == Path("/home/somebody/.cache/sweeplib/x")
