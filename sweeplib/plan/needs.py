"""What a combination's command gets and needs besides its parameters: of its job, its set and its variants.

What is said nearer to the combination counts: a set's over the job's, a variant's over both. Environments and
resources are merged name by name, packages package by package, `add` key by key.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sweeplib.jobs import Resources, merge_add, merge_packages, split_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweeplib.jobs import Job, Multiple, Set, Variant
    from sweeplib.where import Where

__all__ = ["Needs"]


@dataclass(frozen=True, slots=True)
class Needs:
    """What goes with a combination; `timeout` is in seconds, or relative; parameters may give amounts.

    `where` is the place at which it runs, None for that of all for which none is said.
    """

    add: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    resources: Resources = field(default_factory=Resources)
    timeout: float | Multiple | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    where: Where | None = None

    @classmethod
    def of(cls, job: Job, set_: Set | None = None) -> Needs:
        """Return what a job says, and a set of it."""
        needs = cls((), job.packages, job.resources, job.timeout, job.env, job.where)
        if set_ is None:
            return needs
        return replace(
            needs,
            add=tuple(set_.extra),
            packages=merge_packages(job.packages, set_.packages),
            resources=set_.resources.over(job.resources),
            where=job.where if set_.where is None else set_.where,
        )

    def under(self, variant: Variant) -> Needs:
        """Return what counts where a variant says more."""
        return Needs(
            add=tuple(merge_add(list(self.add), split_words(variant.add))) if variant.add else self.add,
            packages=merge_packages(self.packages, variant.packages),
            resources=variant.resources.over(self.resources),
            timeout=self.timeout if variant.timeout is None else variant.timeout,
            env={**self.env, **variant.env},
            where=self.where if variant.where is None else variant.where,
        )
