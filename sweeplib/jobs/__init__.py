"""Job files: sweeps.yaml, or hydraflow.yaml as it is, into frozen models."""

from sweeplib.jobs.fields import ClusterSpec, Metric
from sweeplib.jobs.groups import Group, Variant
from sweeplib.jobs.load import find_file, load
from sweeplib.jobs.models import Deployment, Job, JobFile, Set, too_many_dashes
from sweeplib.jobs.origin import Origin
from sweeplib.jobs.packages import merge_packages
from sweeplib.jobs.resources import Resources
from sweeplib.jobs.units import FailureLimit, Multiple, parse_duration
from sweeplib.jobs.words import merge_add, split_words

__all__ = [
    "ClusterSpec",
    "Deployment",
    "FailureLimit",
    "Group",
    "Job",
    "JobFile",
    "Metric",
    "Multiple",
    "Origin",
    "Resources",
    "Set",
    "Variant",
    "find_file",
    "load",
    "merge_add",
    "merge_packages",
    "parse_duration",
    "split_words",
    "too_many_dashes",
]
