"""The command line: `sweep`."""

from sweeplib.cli.app import main

__all__ = ["main"]
