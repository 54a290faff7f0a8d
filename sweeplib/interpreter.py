"""The words of a Python command: the interpreter, its options, and the script or module that it runs.

Loaded by the guard process: imports must stay few.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["head_length"]

_PROGRAM = r"(?:.*/)?python(?:3(?:\.[0-9]+)?)?"
_FLAGS = r"-[bBdEIOPqsSu]+"
_WITH_VALUE = ("-W", "-X")


def head_length(words: Sequence[str]) -> int | None:
    """Return how many words there are up to the script or module; None if it is no such command.

    Options that change what is run, such as ``-c`` and ``-i``, make it none.
    """
    if not words or not re.fullmatch(_PROGRAM, words[0]):
        return None
    at = 1
    while at < len(words):
        word = words[at]
        if word == "-m":
            return at + 2 if at + 1 < len(words) and words[at + 1] else None
        if word in _WITH_VALUE:
            at += 2
        elif word.startswith(_WITH_VALUE) or re.fullmatch(_FLAGS, word):
            at += 1
        else:
            return at + 1 if word and not word.startswith("-") else None
    return None
