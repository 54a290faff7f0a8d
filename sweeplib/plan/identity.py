"""Identity by meaning: what makes two commands the same combination.

A key is the BLAKE2b hash (128 bits, 32 hexadecimal digits) of

    the kind of command, its words, the extra arguments, the style, the `add` arguments, the packages that are
    installed for it, if any, the variants that are called as numbers are written, if any, and the set of
    (parameter, meaning of its value)

where a value that is a number means that number (``1m``, ``1e-3`` and ``0.001`` are one), a list
of plain values joined by commas means the list of their meanings, and any other value means its
text. Neither the order of parameters nor anything generated at run time takes part.
"""

from __future__ import annotations

from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING

from sweeplib.syntax import number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from decimal import Decimal
    from hashlib import blake2b

    from sweeplib.syntax import Cell

__all__ = [
    "KEY_LENGTH",
    "digest",
    "digest_all",
    "digest_text",
    "head_of",
    "meaning",
    "prefix",
    "with_variants",
]

KEY_LENGTH = 32
"""Hexadecimal digits in a key."""

_PROTECTED = frozenset("'\"[]{}()")


def _field(*texts: str) -> str:
    """Join texts so that no two different lists of texts give the same result."""
    return "".join(f"{len(text)}:{text}," for text in texts)


@lru_cache(maxsize=65536)
def meaning(value: str) -> str:
    """Return a text that is the same for two values exactly if they mean the same."""
    if "," in value and not _PROTECTED.intersection(value):
        return "l" + _field(*map(meaning, value.split(",")))
    found = number(value)
    if found is None or not found.is_finite():
        return "t" + value
    return "n" + _exact(found)


def _exact(value: Decimal) -> str:
    """Write a number without exponent and trailing zeros; `normalize` would round it to 28 digits."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def prefix(
    kind: str,
    words: Sequence[str],
    arguments: Sequence[str],
    style: str,
    add: Sequence[str],
    packages: Sequence[str] = (),
) -> bytes:
    """Return the part of the hashed text that combinations share."""
    more = [_field(*packages)] if packages else []
    return _bytes(_field(kind, _field(*words), _field(*arguments), style, _field(*_in_order(add)), *more))


def with_variants(head: bytes, adds: Mapping[str, Sequence[str]]) -> bytes:
    """Return `head` with what variants append, by what chooses each; where none does, as it is."""
    return head + _bytes("".join(_field(name, _field(*_in_order(adds[name]))) for name in sorted(adds)))


def _in_order(add: Sequence[str]) -> Sequence[str]:
    """Return `add` sorted if its order means nothing: all of it is ``key=value``, every key once."""
    keys = {item.partition("=")[0] for item in add if "=" in item}
    return sorted(add) if len(keys) == len(add) else add


def digest(head: bytes, cells: Iterable[Cell]) -> str:
    """Return the key of the combination with these cells."""
    return _hash(head + _body(cells)).hexdigest()


def head_of(key: str, heads: Iterable[bytes], cells: Iterable[Cell]) -> bytes | None:
    """Return the first of `heads` with which these cells have this key; None where none gives it."""
    body, hashed = _body(cells), _hasher()
    return next((head for head in heads if hashed(head + body).hexdigest() == key), None)


def _body(cells: Iterable[Cell]) -> bytes:
    return _bytes("".join(sorted([_field(cell.key, meaning(cell.value)) for cell in cells])))


def digest_text(head: bytes, text: str) -> str:
    """Return the key of a command that is known by its text."""
    return _hash(head + _bytes(_field(text))).hexdigest()


def digest_all(parts: Iterable[tuple[bytes, Iterable[Iterable[Iterable[Cell]]]]]) -> str:
    """Return the key of a whole plan: of the prefix and the columns of every part.

    Parts, columns, and the entries of a column may stand in any order.
    """
    found = [head + _bytes(_field(*sorted(map(_digest_column, columns)))) for head, columns in parts]
    return _hash(b"".join(_hash(each).digest() for each in sorted(found))).hexdigest()


def _digest_column(column: Iterable[Iterable[Cell]]) -> str:
    """Return the sum of the hashes of all entries: one for each multiset of them.

    It is MSet-Add-Hash of D. Clarke, S. Devadas, M. van Dijk, B. Gassend and G. E. Suh, "Incremental Multiset
    Hash Functions and Their Application to Memory Integrity Checking", ASIACRYPT 2003.
    """
    total = sum(int.from_bytes(_hash(_body(entry)).digest(), "big") for entry in column)
    return f"{total % (1 << 4 * KEY_LENGTH):x}"


def _hash(content: bytes) -> blake2b:
    return _hasher()(content)


@cache
def _hasher() -> Callable[[bytes], blake2b]:
    from hashlib import blake2b  # loads OpenSSL, and a dry run makes no keys

    return partial(blake2b, digest_size=KEY_LENGTH // 2)


def _bytes(text: str) -> bytes:
    """Return `text` as bytes, also what came from a command line that is no valid UTF-8."""
    return text.encode("utf-8", "surrogatepass")
