"""Files of shell lines: run files as they are, and those that a grid specification stands for.

A run file has a command a line, in the language of the shell. Blank lines and those that begin with ``#``
are left out. A grid specification is a YAML file with a `program` and `parameters`; its lines are the
program with ``--name=value`` for every parameter, one line for every combination, the last parameter
changing fastest. Both are batchrun's.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import prod
from typing import TYPE_CHECKING, Any

from sweeplib.errors import JobFileError, Place, nearest
from sweeplib.jobs.yaml_file import read, spell
from sweeplib.syntax.values import Indexed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sweeplib.jobs.yaml_file import Document

__all__ = ["GridLines", "is_grid", "read_commands", "read_grid"]

_GRID = (".yml", ".yaml")
_TOP = ("program", "parameters")
_KEYS = ("values", "value", "min", "max", "step")
_EXAMPLE = "{program: python train.py, parameters: {lr: {values: [0.1, 0.01]}}}"
_QUOTED = re.compile(r"[\s'\"\\;&|<>()`#]")  # what a shell would not take as part of a word


def is_grid(path: Path) -> bool:
    """Tell by its name whether a file is a grid specification."""
    return path.suffix.lower() in _GRID


def read_commands(path: Path) -> Sequence[str]:
    """Return the shell lines of a run file, or of a grid specification; raises `JobFileError`."""
    if is_grid(path):
        return read_grid(path)
    lines = [line.strip(" \t\r") for line in _text(path).split("\n")]
    found = [line for line in lines if line and not line.startswith("#")]
    if not found:
        raise JobFileError(f"{path} has no command; write one a line, such as python train.py --lr=0.1")
    return found


def read_grid(path: Path) -> GridLines:
    """Return the shell lines that a grid specification stands for; raises `JobFileError`."""
    document = read(_text(path), str(path))
    return _Reading(document).lines()


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise JobFileError(f"there is no file {path}") from None
    except OSError as error:
        raise JobFileError(f"{path} cannot be read: {error.strerror or error}") from None
    if b"\0" in content:
        raise JobFileError(f"{path} has a NUL character in it, which no command can be given")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"the byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise JobFileError(message, Place(str(path), line)) from None


@dataclass(frozen=True, slots=True)
class GridLines(Indexed[str]):
    """The lines of a grid: the program, and every parameter's arguments as texts."""

    program: str
    columns: tuple[Sequence[str], ...]

    def __len__(self) -> int:
        return prod(map(len, self.columns))

    def at(self, index: int) -> str:
        """Return the line at `index`."""
        words = []
        for column in reversed(self.columns):
            index, place = divmod(index, len(column))
            words.append(column[place])
        return " ".join([self.program, *reversed(words)])

    def __iter__(self) -> Iterator[str]:
        return map(self.at, range(len(self)))


@dataclass(frozen=True, slots=True)
class _Steps(Indexed[str]):
    """``--name=number`` for numbers from `first` by `step`."""

    name: str
    first: Decimal
    step: Decimal
    size: int

    def __len__(self) -> int:
        return self.size

    def at(self, index: int) -> str:
        """Return the argument at `index`."""
        return f"--{self.name}={_number(self.first + index * self.step)}"

    def __iter__(self) -> Iterator[str]:
        return map(self.at, range(self.size))


def _number(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(slots=True)
class _Reading:
    """The reading of one grid specification."""

    document: Document

    def lines(self) -> GridLines:
        """Return its lines."""
        top = self.document.value
        if not isinstance(top, Mapping):
            raise self._error((), f"a grid specification is a mapping such as {_EXAMPLE}")
        for key in top:
            if key not in _TOP:
                close = nearest(str(key), _TOP) or f"; the keys here are {' and '.join(_TOP)}"
                raise self._error((key,), f"unknown key {key!r}{close}")
        program = top.get("program")
        if not isinstance(program, str) or not program.strip():
            raise self._error(("program",), "must be a command such as python train.py")
        parameters = top.get("parameters")
        if not isinstance(parameters, Mapping) or not parameters:
            raise self._error(("parameters",), "must be a mapping such as {lr: {values: [0.1, 0.01]}}")
        columns = [self._column(name, section) for name, section in parameters.items()]
        # Folded as YAML folds lines, with a backslash at their ends, as a shell has it, or without.
        folded = re.sub(r"\s+", " ", re.sub(r"\\\s*\n", " ", program)).strip()
        if folded.startswith("#"):
            raise self._error(("program",), "begins with #, so every line would be a comment")
        if prod(map(len, columns)) > sys.maxsize:
            raise self._error((), f"has more combinations than can be counted ({sys.maxsize:,})")
        return GridLines(folded, tuple(columns))

    def _column(self, name: str, section: object) -> Sequence[str]:
        path: tuple[str | int, ...] = ("parameters", name)
        if not re.fullmatch(r"[^\s=]+", str(name)):
            raise self._error(path, f"{name!r} cannot be an option's name")
        if not isinstance(section, Mapping) or not section:
            raise self._error(path, "must be a mapping with values, value, or min, max and step")
        for key in section:
            if key not in _KEYS:
                close = nearest(str(key), _KEYS) or f"; the keys here are {', '.join(_KEYS)}"
                raise self._error((*path, key), f"unknown key {key!r}{close}")
        given = [key for key in ("values", "value", "max") if key in section]
        steps = [key for key in ("min", "step") if key in section]
        if len(given) != 1 or (steps and given != ["max"]):
            listed = " and ".join([*given, *steps])
            raise self._error(path, f"needs values, or value, or max with min and step, not {listed}")
        if given == ["max"]:
            return self._steps(str(name), section, path)
        values = section["values"] if given == ["values"] else [section["value"]]
        if not isinstance(values, list) or not values:
            raise self._error((*path, "values"), "must be a list of values such as [0.1, 0.01]")
        places = (
            [(*path, "value")] if given == ["value"] else [(*path, "values", i) for i in range(len(values))]
        )
        return [f"--{name}={self._value(value, place)}" for value, place in zip(values, places, strict=True)]

    def _value(self, value: object, path: tuple[str | int, ...]) -> str:
        if isinstance(value, (Mapping, list)):
            raise self._error(path, "a value is text or a number, not a list or a mapping")
        text = str(value)
        if isinstance(value, float):
            written = self.document.texts.get(path, text)
            text = text if "." in written else written  # YAML 1.1, which batchrun reads, takes 1e-3 for text
        if "\n" in text or "\r" in text:
            raise self._error(path, "a value with a line break cannot stand in a line")
        if not _QUOTED.search(text):
            return text
        return "'" + text.replace("'", "'\\''") + "'"

    def _steps(self, name: str, section: Mapping[str, Any], path: tuple[str | int, ...]) -> _Steps:
        numbers = {"min": Decimal(0), "step": Decimal(1)}
        for key in ("min", "max", "step"):
            if key in section:
                value = section[key]
                if isinstance(value, bool) or not isinstance(value, (int, float)) or value - value != 0:
                    raise self._error((*path, key), "must be a number")
                numbers[key] = Decimal(str(value))
        first, end, step = numbers["min"], numbers["max"], numbers["step"]
        if not step:
            raise self._error((*path, "step"), "must be a number other than 0")
        if abs(end - first) > sys.maxsize * abs(step):
            raise self._error(path, f"has more values than can be counted ({sys.maxsize:,})")
        whole, rest = divmod(end - first, step)
        size = int(whole) + bool(rest)
        if size < 1:
            way = "above" if step > 0 else "below"
            raise self._error((*path, "max"), f"the end is left out, so it must be {way} {_number(first)}")
        return _Steps(name, first, step, size)

    def _error(self, path: tuple[str | int, ...], message: str) -> JobFileError:
        line = self.document.line(path)
        return JobFileError(message, Place(self.document.file, line, spell(path)))
