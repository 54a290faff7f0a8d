"""The real browser that the tests look at pages with: Debian's chromium."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

__all__ = ["PICTURES", "needs_chromium", "opened_browser"]

PICTURES = Path(__file__).parents[2] / "build" / "screenshots"
_CHROMIUM = shutil.which("chromium")
_OFFLINE = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

needs_chromium = pytest.mark.skipif(
    _CHROMIUM is None and "CI" not in os.environ,
    reason="no chromium: scripts/install-test-packages installs it",
)


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """Open the browser for the block; it asks nothing of the network by itself."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_OFFLINE)
        yield browser
        browser.close()
