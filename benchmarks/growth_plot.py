"""The plot of growth: logarithmic axes, one panel for times and one for sizes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from matplotlib import rc_context
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from benchmarks.growth import Step

__all__ = ["draw"]

_SIZE = 9.0, 3.6  # inches
_PANELS = {
    "seconds": {
        "seconds": "sweep run",
        "resume_seconds": "sweep run again, nothing left",
        "status_seconds": "sweep status",
    },
    "megabytes": {
        "flow_megabytes": "sweep run, peak memory",
        "server_megabytes": "Prefect server, peak memory",
        "ledger_megabytes": "ledger",
        "prefect_megabytes": "Prefect's database",
    },
}


def draw(steps: Sequence[Step]) -> str:
    """Return the plot as SVG, the same for the same steps.

    Text stays text, which keeps the file small; a date, and random names of its parts, would change it.
    """
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "growth"}):
        figure = Figure(figsize=_SIZE, layout="constrained")
        for panel, (unit, lines) in zip(figure.subplots(1, 2), _PANELS.items(), strict=True):
            _fill(panel, steps, unit, lines)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _fill(panel: Axes, steps: Sequence[Step], unit: str, lines: dict[str, str]) -> None:
    counts = [step.combinations for step in steps]
    for name, title in lines.items():
        panel.plot(counts, [getattr(step, name) for step in steps], marker="o", markersize=4, label=title)
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel("combinations")
    panel.set_ylabel(unit)
    panel.grid(visible=True, alpha=0.3)
    panel.legend(fontsize="small")
