"""Where the keys of a job, a set or a variant stand in the file that they were read from."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sweeplib.errors import InputError, Place, placed
from sweeplib.jobs.yaml_file import spell

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sweeplib.jobs.yaml_file import Document, Path

__all__ = ["Origin"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a model stands in a document (None: it comes from no file), and so where its keys do.

    `base` is the path of the model. `others` are the paths of the keys that stand elsewhere, as those of
    `defaults` do. `sets` are the origins of a job's sets.
    """

    document: Document | None = None
    base: Path = ()
    others: Mapping[str, Path] = field(default_factory=dict)
    sets: tuple[Origin, ...] = ()

    def place(self, key: str = "", *below: str) -> Place:
        """Return where a key stands, or what is below it; without a key, where the model does."""
        path = (*self.others.get(key, (*self.base, *filter(None, [key]))), *below)
        if self.document is None:
            return Place(path=spell(path))
        return Place(self.document.file, self.document.line(path), spell(path))

    def renamed(self, key: str, other: str) -> Origin:
        """Return the origin of a model whose `key` is what stands here under another."""
        path = self.others.get(other, (*self.base, other))
        return replace(self, others={**self.others, key: path})

    @property
    def top(self) -> Origin:
        """The origin of the whole document."""
        return Origin(self.document)

    @contextmanager
    def of(self, key: str, *below: str) -> Iterator[None]:
        """Give what is raised of the value of a key, or what is below it, that place if it has none."""
        try:
            yield
        except InputError as error:
            raise placed(error, self.place(key, *below)) from None
