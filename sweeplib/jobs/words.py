"""Words of a command or of an `add` text: split as a shell would, merged key by key."""

from __future__ import annotations

import re
import shlex

from sweeplib.errors import SweepSyntaxError

__all__ = ["merge_add", "split_words"]

_CLOSED = re.compile(r"""[^'"\\]+|\\.|'[^']*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)


def split_words(text: str) -> list[str]:
    """Split `text` at whitespace, as a shell would: quotes protect, a backslash takes the next character.

    Raises `SweepSyntaxError` with a caret under a quote that is never closed.
    """
    try:
        return shlex.split(text)
    except ValueError:
        start = 0
        while found := _CLOSED.match(text, start):
            start = found.end()
        if text[start : start + 1] == "\\":
            raise SweepSyntaxError(
                text, (start, start + 1), "expected a character after the backslash; take it out"
            ) from None
        expected = f"expected a closing {text[start]}; to mean the character itself, write \\{text[start]}"
        raise SweepSyntaxError(text, (start, start + 1), expected) from None


def merge_add(first: list[str], second: list[str]) -> list[str]:
    """Return the items of both lists, one for each key; a later one replaces an earlier one in its place.

    The key of ``key=value`` is what stands before the first ``=``; an item without one is its own key. An
    option (``-n``, ``--depth``) takes along a word after it that is neither an option nor has a ``=``.
    """
    merged: dict[str, list[str]] = {}
    for words in (first, second):
        option: list[str] | None = None
        for word in words:
            if option is not None and not word.startswith("-") and "=" not in word:
                option.append(word)
                option = None
                continue
            merged[word.partition("=")[0]] = item = [word]
            option = item if word.startswith("-") and "=" not in word else None
    return [word for item in merged.values() for word in item]
