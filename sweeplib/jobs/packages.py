"""Packages that commands find installed on top of the project's own: ``with: [polars==1.17.1]``.

A requirement is written as pip takes it. What is said nearer to a combination (in its set, in a variant)
replaces what is said of the same package further away (in the job).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sweeplib.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["merge_packages", "packages"]

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?=\s*(?:$|[\[<>=!~;@ ]))")


_VERSION = re.compile(r"(?:\[[A-Za-z0-9._,-]*\])?(?:(?:===|==|!=|<=|>=|~=|<|>)[^\s,<>=!~]+(?:,|$))*")


def packages(value: object) -> tuple[str, ...]:
    """Return the requirements of a job file's list; raises `InputError`."""
    if not isinstance(value, (list, tuple)):
        hint = f"; write [{value}]" if isinstance(value, str) and value.strip() else ""
        raise InputError(f"must be a list of packages such as [polars==1.17.1]{hint}")
    for item in value:
        if not isinstance(item, str) or not item.strip() or item.strip().startswith("-"):
            said = "an empty one" if item in (None, "") else repr(item)
            raise InputError(f"must be a list of packages such as [polars==1.17.1], and {said} is none")
        if "\n" in item or "\0" in item:
            raise InputError(f"a package is written in one line, and {item!r} is not")
    found = [_normal(item.strip()) for item in value]
    for place, item in enumerate(found):
        for earlier in found[:place]:
            if _distribution(earlier) == _distribution(item):
                raise InputError(f"{earlier} and {item} are of one package; keep one")
    return merge_packages(found)


def _normal(requirement: str) -> str:
    """Return a requirement as all write it that mean it: the name normalised, no spaces before its marker.

    Raises `InputError` for one that begins with a package's name, and is none.
    """
    name = _NAME.match(requirement)
    if name is None:
        return requirement  # a path, or an address
    rest, semicolon, marker = requirement[name.end() :].partition(";")
    if "@" in rest:
        return requirement
    version = re.sub(r"\s+", "", rest)
    if not _VERSION.fullmatch(version):
        raise InputError(f"{requirement!r} is no package; write one such as polars==1.17.1 or polars>=1,<2")
    return _distribution(requirement) + version + (f"; {marker.strip()}" if semicolon else "")


def merge_packages(*lists: Iterable[str]) -> tuple[str, ...]:
    """Return the requirements of all lists in the order of the alphabet, a later one for an earlier one."""
    found = {_distribution(item): item for items in lists for item in items}
    return tuple(sorted(found.values()))


def _distribution(requirement: str) -> str:
    """Return what a requirement is about: the package's name, normalised, or else the text itself."""
    name = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", name[0]).lower() if name else requirement
