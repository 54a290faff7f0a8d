"""The grammar of sweep text; each function's docstring is its rule, here and in `splitting` and `ranges`.

Text is split by `sweeplib.syntax.splitting`, ranges are read by `sweeplib.syntax.ranges`, functions by
`sweeplib.syntax.functions`. What is read becomes the lazy sequences of `sweeplib.syntax.values`; nothing here
makes all values of one.
"""

from __future__ import annotations

import sys
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from sweeplib.syntax.cells import Argument, Cell
from sweeplib.syntax.functions import drawn, is_distribution, is_function, spaced
from sweeplib.syntax.numbers import Suffix, suffix
from sweeplib.syntax.ranges import is_range, parse_range
from sweeplib.syntax.splitting import Piece, arguments, marks
from sweeplib.syntax.values import Chain, Joined, Product, Suffixed, are_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweeplib.errors import Place
    from sweeplib.syntax.draws import Drawing

__all__ = ["parse_all", "parse_each"]

_EMPTY_TEXT = "write '' for an empty text"
_NOT_IN_NAMES = "'\"(){},| \t\r\n"
_DEEPEST = 32
_JOINED = 1_000_000


def parse_each(
    text: str | Sequence[str], place: Place | None = None, drawing: Drawing | None = None
) -> tuple[Argument, ...]:
    """Read ``each = { argument }``.

    Each argument is a lazy sequence of cells; together they are multiplied, last one fastest.
    `place` is where the text stands, for messages, `drawing` how random values are drawn (None: there are to
    be none). Raises `SweepSyntaxError`.
    """
    found: list[Argument] = []
    keys: set[str] = set()
    for piece in arguments(text, place):
        argument = _argument(piece, drawing)
        _once(piece, argument.keys, keys)
        found.append(argument)
    return tuple(found)


def parse_all(text: str | Sequence[str], place: Place | None = None) -> tuple[Cell, ...]:
    """Read ``all = { part }``.

    Each part is one cell, with its values joined by commas. `place` is where the text stands, for
    messages. Raises `SweepSyntaxError`.
    """
    cells: list[Cell] = []
    keys: set[str] = set()
    for piece in arguments(text, place):
        for index in marks(piece, "|"):
            raise piece.cut(index, index + 1).error(
                "expected one list of values, because | separates combinations; "
                "move the parameter to `each`, or put the value in quotes"
            )
        name, values = _part(piece, None)
        _once(piece, (name.key,), keys)
        cells.append(Cell(name.key, _joined(piece, values)[0]))
    return tuple(cells)


def _once(piece: Piece, keys: Sequence[str], seen: set[str]) -> None:
    """Add `keys` to those `seen` in the set."""
    for key in keys:
        if key in seen:
            raise piece.error(f"expected each parameter once in a set, but {key} is there already")
        seen.add(key)


def _argument(piece: Piece, drawing: Drawing | None) -> Argument:
    """Read ``argument = name "=" distribution | part { "|" part }``.

    Without a pipe every value is an alternative; with pipes every part is one, its values joined.
    """
    equals = next(marks(piece, "="), None)
    if equals is not None and is_distribution(piece.cut(equals + 1).strip().text):
        key = _name(piece.cut(0, equals))
        if key.suffix is not None:
            raise piece.cut(0, equals).error(f"expected no suffix /{key.suffix.written} with a random value")
        values = drawn(piece.cut(equals + 1).strip(), key.key, drawing)
        return Argument.of([(key.key, values)], drawn=True)
    name: _Name | None = None
    alternatives: list[tuple[str, Sequence[str]]] = []
    parts = piece.split("|")
    for part in parts:
        name, values = _part(part.strip(), name)
        alternatives.append((name.key, values if len(parts) == 1 else _joined(part, values)))
    return Argument.of(alternatives)


def _joined(piece: Piece, values: Sequence[str]) -> Joined:
    """Return the values as one: of those a command has to hold all."""
    if len(values) > _JOINED:
        raise piece.error(f"expected at most {_JOINED:,} values in one combination, not {len(values):,}")
    return Joined(values)


def _part(piece: Piece, before: _Name | None) -> tuple[_Name, Sequence[str]]:
    """Read ``part = [ name "=" ] values``.

    Without a name it has that of the part `before`, prefix and all.
    """
    index = next(marks(piece, "="), None)
    if index is not None:
        name = _name(piece.cut(0, index))
        return name, _values(piece.cut(index + 1), name)
    if before is None:
        raise piece.error("expected key=value; a plain flag belongs in `add`")
    return before, _values(piece, before)


class _Name(NamedTuple):
    """A parameter, and the suffix that every value of it gets."""

    key: str
    suffix: Suffix | None


def _name(piece: Piece) -> _Name:
    """Read ``name = key [ "/" suffix ]``.

    A key has no quotes, parentheses, braces, commas, pipes and white space; what follows its last
    slash is part of it unless it is a suffix.
    """
    for index, char in enumerate(piece.text):
        if char in _NOT_IN_NAMES:
            raise piece.cut(index, index + 1).error(f"expected a parameter's name without {char!r}")
    head, slash, tail = piece.text.rpartition("/")
    ending = suffix(tail) if slash else None
    name = _Name(piece.text, None) if ending is None else _Name(head, ending)
    if not name.key:
        raise piece.error("expected a parameter's name before the =")
    return name


def _values(piece: Piece, name: _Name) -> Sequence[str]:
    """Read ``values = list``; with a suffix in the name, all of the list are numbers."""
    values = _list(piece, name.suffix, 0)
    return values if name.suffix is None else Suffixed(values, name.suffix)


def _list(piece: Piece, ending: Suffix | None, depth: int) -> Sequence[str]:
    """Read ``list = item { "," item }``, where white space around items does not count."""
    pieces = piece.split(",")
    found: list[Sequence[str]] = []
    for index, raw in enumerate(pieces):
        item = raw.strip()
        if not item.text:
            raise item.error(_missing(index, len(pieces), depth))
        values = _item(item, depth)
        if ending is not None and not are_numbers(values):
            raise item.error(f"expected a number, because /{ending.written} after the name is a suffix")
        found.append(values)
    _countable(piece, sum(map(len, found)))
    return Chain.of(found)


def _missing(index: int, count: int, depth: int) -> str:
    """Return what was expected where an item of a list of `count` is empty."""
    if count == 1:
        where = "between the parentheses" if depth else "here"
    elif index == 0:
        where = "before the comma"
    else:
        where = "between the commas" if index < count - 1 else "after the comma"
    return f"expected a value {where}; {_EMPTY_TEXT}"


def _countable(piece: Piece, count: int) -> None:
    if count > sys.maxsize:
        raise piece.error(f"expected at most {sys.maxsize:,} values")


def _item(piece: Piece, depth: int) -> Sequence[str]:
    """Read ``item = function | range | text | segment { segment } [ [ ":" ] suffix ]``.

    ``segment = "(" list ")" | outer``. Segments multiply, the first one fastest. The suffix follows
    numbers; after other text it is text.
    """
    if is_function(piece.text):
        return spaced(piece)
    brackets = list(marks(piece, "()"))
    if not brackets:
        return parse_range(piece) if is_range(piece.text) else (piece.text,)
    if depth == _DEEPEST:
        raise piece.error(f"expected at most {_DEEPEST} parentheses inside each other")
    parts: list[Sequence[str]] = []
    end = 0
    for opening, closing in zip(brackets[::2], brackets[1::2], strict=True):
        if end < opening:
            parts.append(_outer(piece.cut(end, opening)))
        parts.append(_list(piece.cut(opening + 1, closing), None, depth + 1))
        end = closing + 1
    tail = piece.cut(end)
    ending = _ending(tail.text)
    if tail.text and ending is None:
        parts.append(_outer(tail))
    values = _product(piece, parts)
    return values if ending is None else Suffixed(values, ending)


def _outer(piece: Piece) -> Sequence[str]:
    """Read ``outer = range that begins with a number | text``."""
    return parse_range(piece) if is_range(piece.text) and piece.text[0] != ":" else (piece.text,)


def _ending(text: str) -> Suffix | None:
    """Return the suffix after parentheses, which may have a colon before it."""
    found = suffix(text.removeprefix(":"))
    return None if found is None else Suffix(text, found.exponent)


def _product(piece: Piece, parts: list[Sequence[str]]) -> Sequence[str]:
    """Return the product of an item's segments."""
    if len(parts) == 1:
        return parts[0]
    size = prod(map(len, parts))
    _countable(piece, size)
    values = Product(tuple(parts), size)
    if is_range(values[0]):
        raise piece.error(
            f"expected values, but this makes ranges such as {values[0]!r}; "
            "write each range out inside parentheses, as in (1:3,2:5)"
        )
    return values
