"""Items of `sets` → sets as understood.

HydraFlow's guide writes the parts of one set as list items of their own::

    - each: model=small,large
    - all: seed=42
    - add: hydra/launcher=joblib

An item with only `all` or `add` belongs to the set of the item with `each` right before it. Where there is
none, it is a set of its own: one combination. An item with ``each: ''`` begins a set, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Group", "Repeated", "group"]


@dataclass(slots=True)
class Group:
    """One set as understood: the content, and by key the number of the item that it came from.

    `first` is the number of the item that began it; `content` is that item itself if it is no mapping.
    """

    first: int
    content: object
    origin: dict[str, int] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether an item after this may add to the set."""
        return isinstance(self.content, dict) and not self.content.keys().isdisjoint(("each", "zip"))


@dataclass(frozen=True, slots=True)
class Repeated:
    """An item that would give a set a part which the set has already."""

    item: int
    key: str
    earlier: int


def group(items: Sequence[object]) -> tuple[list[Group], list[Repeated]]:
    """Return the sets that `items` make, and the parts that stand in one set twice."""
    groups: list[Group] = []
    repeated: list[Repeated] = []
    for number, item in enumerate(items):
        if not isinstance(item, dict):
            groups.append(Group(number, item))
        elif item and item.keys() <= {"all", "add"} and groups and groups[-1].open:
            last = groups[-1]
            repeated += [Repeated(number, key, last.origin[key]) for key in item if key in last.origin]
            last.content = {**item, **last.content}  # type: ignore[dict-item]  # open: it is a mapping
            last.origin = dict.fromkeys(item, number) | last.origin
        else:
            groups.append(Group(number, dict(item), dict.fromkeys(item, number)))
    return groups, repeated
