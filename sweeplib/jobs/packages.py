"""Packages that commands find installed on top of the project's own: ``with: [polars==1.17.1]``.

A requirement is written as pip takes it. What is said nearer to a combination (in its set, in a variant)
replaces what is said of the same package further away (in the job).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeplib.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.requirements import Requirement

__all__ = ["merge_packages", "packages"]

_FILES = (".whl", ".tar.gz", ".zip")


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
    found: dict[str, str] = {}
    for item in map(_normal, value):
        about = _distribution(item)
        if about in found:
            raise InputError(f"{found[about]} and {item} are of one package; keep one")
        found[about] = item
    return merge_packages(found.values())


def merge_packages(*lists: Iterable[str]) -> tuple[str, ...]:
    """Return the requirements of all lists in the order of the alphabet, a later one for an earlier one."""
    found = {_distribution(item): item for items in lists for item in items}
    return tuple(sorted(found.values()))


def _normal(text: str) -> str:
    """Return a requirement as all write it that mean it; what is a path or an address stays as it is.

    Raises `InputError` for what is none of these.
    """
    text = text.strip()
    known = _parsed(text)
    if known is not None:
        extras = f"[{','.join(sorted(known.extras))}]" if known.extras else ""
        version = f" @ {known.url}" if known.url else str(known.specifier)
        marker = f"; {known.marker}" if known.marker else ""
        return f"{_distribution(text)}{extras}{version}{marker}"
    if text[0].isalnum() and "/" not in text and not text.endswith(_FILES):
        raise InputError(f"{text!r} is no package; write one such as polars==1.17.1 or polars>=1,<2")
    return text


def _distribution(text: str) -> str:
    """Return what a requirement is about: the package's name, normalised, or else the text itself."""
    known = _parsed(text)
    if known is None:
        return text
    from packaging.utils import canonicalize_name

    return canonicalize_name(known.name)


def _parsed(text: str) -> Requirement | None:
    """Return a requirement on a package; None for what is a path, an address or no requirement at all."""
    from packaging.requirements import InvalidRequirement, Requirement  # which only jobs with packages need

    try:
        return None if text.endswith(_FILES) and "@" not in text else Requirement(text)
    except InvalidRequirement:
        return None
