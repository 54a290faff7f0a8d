"""What two versions of a job say that is different, besides their sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeplib.plan import Part, Plan
from sweeplib.report.description import needs_of, policy_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
    before: Plan | None, now: Plan | None
) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """Return what is different of all that a job says besides its sets: in its keys, and else."""
    if before is None or now is None:
        return (), ()
    command: list[Difference] = []
    if before.job.command != now.job.command:
        command.append(Difference("command", " ".join(before.job.command), " ".join(now.job.command)))
    old, new = _said(before.job), _said(now.job)
    command += _of(old, new, (name for name in _IN_KEYS))
    settings = _of(old, new, (name for name in [*old, *new] if name not in _IN_KEYS))
    old, new = _variants(before), _variants(now)
    settings += _of(old, new, (name for name in old if name in new))
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
    """Return what the variants that there are say, and the sets."""
    found: dict[str, str] = {}
    for part in plan.parts:
        if isinstance(part, Part):
            found |= {name: "; ".join(needs_of(variant)) for name, variant in part.variants.items()}
    for number, set_ in enumerate(plan.job.sets, 1):
        if set_.resources:
            found[f"resources of set {number}"] = str(set_.resources)
    return found


def _deployments(job: Job) -> dict[str, str]:
    return {
        f"deployment {name}": ", ".join(f"{key} {value}" for key, value in each.written().items())
        or "by hand"
        for name, each in job.deployments.items()
    }
