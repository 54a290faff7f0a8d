"""Job files: sweeps.yaml, or hydraflow.yaml as it is, into frozen models."""

from sweeplib.jobs.fields import ClusterSpec, Metric
from sweeplib.jobs.load import find_file, load
from sweeplib.jobs.models import Deployment, Job, JobFile, Set
from sweeplib.jobs.units import FailureLimit, parse_duration
from sweeplib.jobs.words import merge_add

__all__ = [
    "ClusterSpec",
    "Deployment",
    "FailureLimit",
    "Metric",
    "Job",
    "JobFile",
    "Set",
    "find_file",
    "load",
    "merge_add",
    "parse_duration",
]
