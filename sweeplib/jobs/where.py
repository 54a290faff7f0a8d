"""The key `where` of jobs, sets and variants, and the clusters that it can name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from sweeplib.errors import InputError, nearest
from sweeplib.where import HERE, Where

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

__all__ = ["cluster_name", "missing", "read_where"]

_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_KINDS = ("cluster", "pool")
_EXAMPLE = "here, the name of one of the file's clusters, or {pool: NAME} for a work pool of Prefect"


def read_where(value: object) -> Where | None:
    """Return the place that is meant, or None; raises `InputError`."""
    if value is None or isinstance(value, Where):
        return value
    if isinstance(value, str):
        return HERE if value.strip() == HERE.kind else Where("cluster", _cluster(value.strip()))
    if not isinstance(value, Mapping):
        what = "a list" if isinstance(value, (list, tuple)) else str(value).lower()
        raise InputError(f"must be {_EXAMPLE}, not {what}")
    if len(value) != 1:
        raise InputError(f"must name one place: {_EXAMPLE}")
    kind, name = next(iter(value.items()))
    if kind not in _KINDS:
        close = nearest(str(kind), _KINDS) or "; it is a cluster or a pool"
        raise InputError(f"there is no place of kind {kind!r}{close}")
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"needs the name of the {kind}, as in {{{kind}: night}}")
    name = name.strip()
    return Where(cast("Literal['cluster', 'pool']", kind), _cluster(name) if kind == "cluster" else name)


def _cluster(name: str) -> str:
    """Return the name of a cluster; raises `InputError` for what is none."""
    if "://" in name or re.search(r":[0-9]+$", name):
        raise InputError(f"{name!r} is an address; name it at the top of the file, clusters: {{big: {name}}}")
    if not re.fullmatch(_NAME, name):
        raise InputError(f"must be {_EXAMPLE}, not {name!r}")
    return name


def cluster_name(value: object) -> str:
    """Return what a cluster is called in a job file; raises `InputError`."""
    name = str(value)
    if name == HERE.kind:
        raise InputError("'here' is this machine; call the cluster something else")
    if not re.fullmatch(_NAME, name):
        raise InputError(
            f"{name!r} cannot be a cluster's name; use letters A-Z and a-z, digits, '_', '-' and '.', "
            "and begin with a letter, a digit or '_'"
        )
    return name


def missing(place: Where | None, clusters: Iterable[str]) -> str:
    """Return what to say where a place is a cluster that is not one of `clusters`, else nothing."""
    known = list(clusters)
    if place is None or place.kind != "cluster" or place.name in known:
        return ""
    name = place.name
    if name == HERE.kind:
        return "there is no cluster 'here'; for this machine write where: here"
    pool = f"; a work pool is written {{pool: {name}}}"
    if not known:
        example = f"clusters: {{{name}: tcp://10.0.0.1:8786}}"
        return f"there is no cluster {name!r}; say at the top of the file what it is, {example}{pool}"
    close = nearest(name, [*known, HERE.kind]) or f"; the clusters are {', '.join(known)}{pool}"
    return f"there is no cluster {name!r}{close}"
