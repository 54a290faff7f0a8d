"""Splitting text where quotes and brackets allow it; every piece knows where it stands in the text.

    quoted   = "'" { any character but "'", or a backslash and a character } "'"
             | '"' { any character but '"', or a backslash and a character } '"'
    brackets = "[" … "]" | "{" … "}" | "(" … ")"

Nothing inside quotes or brackets separates anything. A backslash outside quotes is a character
like any other. A backslash run just before a quote of the same kind escapes it, as in Hydra.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from sweeplib.errors import Place, SweepSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Piece", "arguments", "marks", "unquote"]

_QUOTED = r"""'[^'\\]*(?:\\.[^'\\]*)*'|"[^"\\]*(?:\\.[^"\\]*)*\""""
_WHITE = " \t\r\n"
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_OPENING = {closing: opening for opening, closing in _CLOSING.items()}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: what is to be read, and where each of its characters stands.

    `origin` has the place in `source` of every character and of the end.
    """

    text: str
    origin: Sequence[int]
    source: str
    place: Place | None

    @classmethod
    def whole(cls, source: str, place: Place | None) -> Piece:
        """Return all of `source` as a piece."""
        return cls(source, range(len(source) + 1), source, place)

    def cut(self, start: int, end: int | None = None) -> Piece:
        """Return the piece from `start` to before `end` (default: to the end)."""
        stop = len(self.text) if end is None else end
        return Piece(self.text[start:stop], self.origin[start : stop + 1], self.source, self.place)

    def strip(self) -> Piece:
        """Return the piece without white space around it."""
        inner = self.text.strip(_WHITE)
        if len(inner) == len(self.text):
            return self
        start = len(self.text) - len(self.text.lstrip(_WHITE))
        return self.cut(start, start + len(inner))

    def split(self, separator: str) -> list[Piece]:
        """Return the pieces between the `separator` characters that stand outside quotes and brackets."""
        pieces, start = [], 0
        for index in marks(self, separator):
            pieces.append(self.cut(start, index))
            start = index + 1
        pieces.append(self.cut(start))
        return pieces

    def error(self, expected: str) -> SweepSyntaxError:
        """Return the error that points at this piece; what is empty is pointed at where it should be."""
        return SweepSyntaxError(self.source, (self.origin[0], self.origin[-1]), expected, self.place)


@lru_cache(maxsize=16)
def _finder(wanted: str) -> re.Pattern[str]:
    return re.compile(rf"(?P<quoted>{_QUOTED})|['\"()\[\]{{}}{re.escape(wanted)}]", re.DOTALL)


def marks(piece: Piece, wanted: str) -> Iterator[int]:
    """Yield where the `wanted` characters stand outside quotes and brackets.

    Of wanted brackets, those are yielded that open or close where no other is open. Raises
    `SweepSyntaxError` for quotes and brackets without their other half.
    """
    opened: list[int] = []
    text = piece.text
    for found in _finder(wanted).finditer(text):
        if found["quoted"] is not None:
            continue
        index, char = found.start(), found.group()
        if char in _OPENING:
            _close(piece, opened, index)
        if not opened and char in wanted:
            yield index
        if char in _CLOSING:
            opened.append(index)
        elif char in "'\"":
            raise piece.cut(index, index + 1).error(
                f"expected a second {char} to close this one; put text with {char} in other quotes"
            )
    if opened:
        char = text[opened[-1]]
        raise piece.cut(opened[-1], opened[-1] + 1).error(
            f"expected a {_CLOSING[char]} to close this {char}; put the value in quotes to mean the text"
        )


def _close(piece: Piece, opened: list[int], index: int) -> None:
    """Take the bracket that the one at `index` closes from `opened`."""
    char = piece.text[index]
    if not opened or piece.text[opened[-1]] != _OPENING[char]:
        expected = _CLOSING[piece.text[opened[-1]]] if opened else _OPENING[char]
        raise piece.cut(index, index + 1).error(
            f"expected a {expected} before this {char}; put the value in quotes to mean the text"
        )
    opened.pop()


def arguments(text: str | Sequence[str], place: Place | None) -> Iterator[Piece]:
    """Read ``arguments = { white } { argument { white } }``.

    An argument in quotes as a whole is written as for a shell: one level of quotes is taken off. A
    list has its arguments split already, and without quotes around them.
    """
    if not isinstance(text, str):
        for item in text:
            yield _printable(Piece.whole(item, place)).strip()
        return
    for word in _printable(Piece.whole(text, place)).split(_WHITE):
        if word.text.startswith(("'", '"')):
            yield _unquoted(word)
        elif word.text:
            yield word


def _printable(piece: Piece) -> Piece:
    """Return the piece; no command can be handed a NUL character."""
    if (index := piece.text.find("\0")) >= 0:
        raise piece.cut(index, index + 1).error("expected no NUL character")
    return piece


def _unquoted(word: Piece) -> Piece:
    """Read ``argument = quoted``: the text between the quotes."""
    end = next(re.finditer(_QUOTED, word.text, re.DOTALL)).end()
    if end < len(word.text):
        raise word.cut(end).error("expected nothing after the quote that closes the argument")
    start, stop = 1, end - 1
    kept = _kept(word.text[start:stop], word.text[0])
    if len(kept) == stop - start:
        return word.cut(start, stop)
    inner = "".join([word.text[start + i] for i in kept])
    return Piece(inner, [word.origin[start + i] for i in (*kept, stop - start)], word.source, word.place)


def _kept(text: str, quote: str) -> Sequence[int]:
    """Return which characters between quotes stay: of backslashes before a quote or the end, every second."""
    if "\\" not in text:
        return range(len(text))
    dropped: set[int] = set()
    for run in re.finditer(rf"\\+(?={quote}|\Z)", text):
        length = run.end() - run.start()
        dropped.update(range(run.start(), run.end() - length // 2))
    return [i for i in range(len(text)) if i not in dropped]


def unquote(value: str) -> str:
    """Return `value` without the quotes that protected it, as a command that is not Hydra's wants it.

    Quotes inside brackets belong to the value and stay.
    """
    if "'" not in value and '"' not in value:
        return value
    texts, start, depth = [], 0, 0
    for found in re.finditer(rf"(?P<quoted>{_QUOTED})|[()\[\]{{}}]", value, re.DOTALL):
        quoted = found["quoted"]
        if quoted is None:
            depth += 1 if found.group() in _CLOSING else -1
        elif depth == 0:
            inner = quoted[1:-1]
            texts += [value[start : found.start()], *[inner[i] for i in _kept(inner, quoted[0])]]
            start = found.end()
    return "".join([*texts, value[start:]])
