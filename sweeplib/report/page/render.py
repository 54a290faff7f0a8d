"""The page as HTML: a template, a style sheet and scripts of this folder, plotly.js and data, in one file."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

from sweeplib.report.duration import humanise
from sweeplib.report.numbers import significant
from sweeplib.report.page.data import data_of, script_json
from sweeplib.report.page.importance import LEAST
from sweeplib.report.table import printable

if TYPE_CHECKING:
    from sweeplib.report.page.model import Report

__all__ = ["GENERATOR", "render"]

GENERATOR = '<meta name="generator" content="sweeplib'
"""By which a page of ours is known; it stands in its first kilobyte."""

_SCRIPTS = ("text.js", "table.js", "plots.js", "page.js")
_SHOWN = 5  # combinations of a group of failures


def render(report: Report) -> str:
    """Return the page.

    Whatever comes from the results is escaped, and beyond that the page's own policy lets a browser run no
    script but those two, and load nothing from anywhere.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    folder = files("sweeplib.report.page")
    plotly = get_plotlyjs()
    own = "".join((folder / name).read_text("utf-8") for name in _SCRIPTS)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "duration": humanise,
        "line": printable,
        "moment": _moment,
        "significant": lambda value: significant([value])[0],
    }
    template = environment.from_string((folder / "page.html").read_text("utf-8"))
    return template.render(
        report=report,
        generator=Markup(GENERATOR),  # noqa: S704 - ours
        version=version("sweeplib"),
        policy=_policy(plotly, own),
        style=Markup((folder / "page.css").read_text("utf-8")),  # noqa: S704
        plotly=Markup(plotly),  # noqa: S704
        script=Markup(own),  # noqa: S704
        data=Markup(script_json(data_of(report))),  # noqa: S704
        least=LEAST,
        shown=_SHOWN,
    )


def _policy(*scripts: str) -> str:
    """Return a Content-Security-Policy under which these scripts run, and nothing else does.

    plotly.js compiles drawing commands (`unsafe-eval`), sets styles, and makes pictures to download.
    """
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed} 'unsafe-eval'; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%Y-%m-%d %H:%M:%S %Z}"
