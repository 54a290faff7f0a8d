"""The command line: `sweep`."""

from sweeplib.cli.app import entry, main

__all__ = ["entry", "main"]
