"""`python -m sweeplib.cli` is `sweep`."""

from sweeplib.cli.app import entry

entry()
