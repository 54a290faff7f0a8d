"""What two versions of a job say that is different, besides their combinations.

What a set says goes with combinations, wherever these stand now: sets have no names. It is compared for each
that is in both versions, or that has its parameters in both.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeplib.plan import Part, Plan
from sweeplib.report.description import needs_of, policy_of, said_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sweeplib.jobs import Job

__all__ = ["Difference", "differences"]

_IN_KEYS = ("style", "add", "with")  # what of a job's policy is in the keys of combinations


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that a job says: what it was, and what it is. An empty text: nothing is said about it."""

    name: str
    before: str
    now: str


def differences(
    before: Plan | None, now: Plan | None, pairs: Mapping[tuple[int, int], int]
) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """Return what is different of all that a job says besides parameters: in its keys, and else.

    `pairs` counts the combinations that were in one set, and are in another one now, by the numbers of both;
    0 stands for what is in no set.
    """
    if before is None or now is None:
        return (), ()
    command: list[Difference] = []
    if (before.job.kind, before.job.words) != (now.job.kind, now.job.words):
        command.append(Difference("command", " ".join(before.job.command), " ".join(now.job.command)))
    old, new = _said(before.job), _said(now.job)
    command += _of(old, new, (name for name in _IN_KEYS))
    settings = _of(old, new, (name for name in [*old, *new] if name not in _IN_KEYS))
    old, new = _variants(before), _variants(now)
    settings += _of(old, new, (name for name in old if name in new))
    for name, each in _of_sets(before.job, now.job, pairs):
        (command if name in _IN_KEYS else settings).append(each)
    settings += _of(_deployments(before.job), _deployments(now.job), None)
    return tuple(command), tuple(settings)


def _of(before: Mapping[str, str], now: Mapping[str, str], names: Iterable[str] | None) -> list[Difference]:
    every = dict.fromkeys([*before, *now] if names is None else names)
    found = (Difference(name, before.get(name, ""), now.get(name, "")) for name in every)
    return [each for each in found if each.before != each.now]


def _said(job: Job) -> dict[str, str]:
    """Return the job's policy in words, what goes on under a title joined to it."""
    found: dict[str, str] = {}
    title = ""
    for name, text in policy_of(job):
        title = name or title
        found[title] = f"{found[title]}, {text}" if title in found else text
    return found


def _variants(plan: Plan) -> dict[str, str]:
    """Return what the variants that there are say."""
    found: dict[str, str] = {}
    for part in plan.parts:
        if isinstance(part, Part):
            variants = part.variants.items()
            found |= {name: "; ".join(needs_of(variant, plan.job)) for name, variant in variants}
    return found


def _of_sets(before: Job, now: Job, pairs: Mapping[tuple[int, int], int]) -> Iterator[tuple[str, Difference]]:
    """Yield what sets say that is different, in their order, each with the key that says it."""
    old, new = ([{}, *(dict(said_of(each, job)) for each in job.sets)] for job in (before, now))
    of_set: Counter[int] = Counter()
    found: Counter[tuple[int, Difference]] = Counter()
    for (then, number), count in sorted(pairs.items()):
        of_set[number] += count
        for each in _of(old[then], new[number], None):
            found[number, each] += count
    for (number, each), count in sorted(found.items(), key=lambda item: item[0][0]):
        some = f"{count:,} of " if count < of_set[number] else ""
        yield each.name, Difference(f"{each.name} of {some}set {number}", each.before, each.now)


def _deployments(job: Job) -> dict[str, str]:
    return {
        f"deployment {name}": ", ".join(f"{key} {value}" for key, value in each.written().items())
        or "by hand"
        for name, each in job.deployments.items()
    }
