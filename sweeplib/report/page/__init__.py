"""The page that `sweep report` makes: one HTML file with everything in it that it shows and needs."""

from sweeplib.report.page.model import Report
from sweeplib.report.page.render import GENERATOR, render

__all__ = ["GENERATOR", "Report", "render"]
