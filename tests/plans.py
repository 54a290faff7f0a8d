"""Jobs and plans for tests, written in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweeplib.jobs import Job
from sweeplib.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Sequence


def job(*sets: str | dict[str, str], **fields: Any) -> Job:
    """Return a job with these sets (text is `each`); without a command it is a plain one."""
    if not {"run", "call", "submit"} & fields.keys():
        fields["run"] = "python train.py"
    values = {"name": "train", "style": "plain"} | fields
    return Job(sets=[{"each": one} if isinstance(one, str) else one for one in sets], **values)


def plan(*sets: str | dict[str, str], arguments: Sequence[str] = (), **fields: Any) -> Plan:
    """Return the plan of such a job."""
    return Plan(job(*sets, **fields), arguments)
