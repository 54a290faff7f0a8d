"""A sweep of the ledger as a tracker sees it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sweeplib.engine.model import TrackedSweep
from sweeplib.run.model import SweepPaths

if TYPE_CHECKING:
    from pathlib import Path

    from sweeplib.ledger import Combination, Submission, Sweep

__all__ = ["own_tags", "tracked_sweep"]


def own_tags(row: Submission | Combination) -> dict[str, str]:
    """Return the tags that a combination has of its own."""
    tags = {f"sweep.tag.{tag}": "true" for tag in row.tags}
    return tags | ({"mlflow.note.content": row.description} if row.description else {})


def tracked_sweep(sweep: Sweep, project: Path) -> TrackedSweep:
    """Return what a tracker records about a sweep: its identity, its tags, its git state and patch."""
    job = json.loads(sweep.spec)
    hydra = job.get("style", "hydra") == "hydra"
    tags = {"sweep.id": sweep.id, "sweep.tag": sweep.tag, "sweep.job": sweep.job}
    if sweep.git:
        tags |= {
            "mlflow.source.git.commit": str(sweep.git["commit"]),
            "mlflow.source.git.branch": str(sweep.git["branch"]),
            "sweep.git.dirty": str(sweep.git["dirty"]).lower(),
        }
    tags |= {f"sweep.tag.{tag}": "true" for tag in job.get("tags", ())}
    patch = SweepPaths(project / ".sweep" / "sweeps" / sweep.id).patch
    return TrackedSweep(
        id=sweep.id,
        job=sweep.job,
        tag=sweep.tag,
        own_runs=hydra or job.get("tracking") == "own",
        experiment=(job.get("name") or sweep.job) if hydra else None,
        total=sweep.total,
        tags=tags,
        patch=str(patch) if patch.exists() else None,
        state=sweep.state,
        ended=sweep.ended,
    )
