"""The Python value that the text of a parameter means, as a called function gets it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from sweeplib.syntax.numbers import number
from sweeplib.syntax.splitting import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["typed"]

_WORDS = {"true": True, "false": False, "null": None, "none": None}
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NO_NUMBER = re.compile(r"[+-]?(?:inf|nan)", re.IGNORECASE)
_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_TOKEN = re.compile(rf"{_QUOTED}|['\"\[\](){{}},:]", re.DOTALL)
_PAIRS = {"]": "[", ")": "(", "}": "{"}


def typed(text: str) -> object:
    """Return the value of `text`.

    ====================================  ====================================================
    quoted text                           the text without its quotes
    ``12``, ``1e-3``, ``inf``, ``nan``    int or float, as Python reads them; not ``007``
    ``4k``, ``1m``                        an SI suffix: int if that is whole, else float
    ``true``, ``False``, ``null``         bool and None, in any case; ``none`` too
    ``[1, a]``, ``{lr: 0.1, s: [x]}``     list and dict: JSON, or these rules for every part
    anything else                         the text
    ====================================  ====================================================
    """
    if text[:1] in ("[", "{"):
        return _collection(text)
    if "'" in text or '"' in text:
        return unquote(text)
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    value = number(text)
    if value is None:
        return float(text) if _NO_NUMBER.fullmatch(text) else text
    if text[-1].isalpha() and value == value.to_integral_value():
        return int(value)
    if _INTEGER.fullmatch(text):
        try:
            return int(text)
        except ValueError:  # more digits than Python turns into an int
            return text
    return float(value)


def _collection(text: str) -> object:
    """Return the list or dict that `text` writes, or `text` itself if it is not whole."""
    try:
        return json.loads(text)
    except RecursionError:
        return text
    except ValueError:
        try:
            return _literal(text)
        except (ValueError, TypeError, RecursionError):
            return text


def _literal(text: str) -> object:
    """Read ``[a, b]`` or ``{k: v}`` whose parts are texts, quoted or not; raises ValueError."""
    if text[-1] != {"[": "]", "{": "}"}[text[0]]:
        raise ValueError
    inner = text[1:-1]
    items = list(_split(inner, ",")) if inner.strip() else []
    if text[0] == "[":
        return [_item(item) for item in items]
    pairs = [list(_split(item, ":", once=True)) for item in items]
    return {_item(key): _item(value) for key, value in pairs}


def _item(text: str) -> object:
    text = text.strip()
    if not text:
        raise ValueError
    return _literal(text) if text[0] in "[{" else typed(text)


def _split(text: str, separator: str, *, once: bool = False) -> Iterator[str]:
    """Yield the parts of `text` between separators outside quotes and brackets; raises ValueError."""
    open_brackets: list[str] = []
    start = 0
    for found in _TOKEN.finditer(text):
        token = found.group()
        if token in ("'", '"'):  # one that is never closed
            raise ValueError
        if token in ("[", "(", "{"):
            open_brackets.append(token)
        elif token in _PAIRS:
            if not open_brackets or open_brackets.pop() != _PAIRS[token]:
                raise ValueError
        elif token == separator and not open_brackets and not (once and start):
            yield text[start : found.start()]
            start = found.end()
    if open_brackets:
        raise ValueError
    yield text[start:]
