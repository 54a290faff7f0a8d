"""The job `train` of sweeps.yaml as a Prefect flow."""

from sweeplib import sweep_flow

train = sweep_flow("train")
