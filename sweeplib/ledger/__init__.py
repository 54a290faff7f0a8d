"""The ledger: the durable record of sweeps, combinations and attempts."""

from sweeplib.ledger.ledger import Ledger
from sweeplib.ledger.rows import (
    AttemptRow,
    Combination,
    Duration,
    Past,
    Sample,
    Submission,
    Sweep,
    SweepState,
)

__all__ = [
    "AttemptRow",
    "Combination",
    "Duration",
    "Ledger",
    "Past",
    "Sample",
    "Submission",
    "Sweep",
    "SweepState",
]
