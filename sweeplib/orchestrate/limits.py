"""Prefect's concurrency limits on tags, held for as long as a command runs.

The API grants a place as a lease, which is renewed while it is held and ends by itself if we die. An API that
is away limits nothing: it never stops a sweep.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from sweeplib.run.model import SweepPaths

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prefect.client.orchestration import SyncPrefectClient

    from sweeplib.run.model import Work

__all__ = ["Limits", "limits_of", "names_of"]

_LOOK = 0.5  # seconds between tries for a place, and looks at the sweep's stop file
_PATIENCE = 10.0  # seconds that an API may be away, or too busy, before its limits limit nothing
_LEASE = 120.0  # seconds that the API keeps a place of ours without hearing from us
_RENEW = 30.0
_PAGE = 200
_PATH = "/v2/concurrency_limits"

_logger = logging.getLogger(__name__)


def names_of(client: SyncPrefectClient, tags: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the limits on these tags that exist: asking for each task run is a request each."""
    wanted = {f"tag:{tag}" for tag in tags}
    found: set[str] = set()
    offset = 0
    while True:
        page = client.read_global_concurrency_limits(limit=_PAGE, offset=offset)
        found |= {each.name for each in page if each.active}
        offset += _PAGE
        if len(page) < _PAGE:
            return tuple(sorted(found & wanted))


class Limits:
    """The limits of one API, as this process holds places in them."""

    def __init__(self, api: str) -> None:
        with temporary_settings({PREFECT_API_URL: api}):
            self._client = get_client(sync_client=True).__enter__()._client  # noqa: SLF001 - no call for leases
        self._leases: set[str] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._renew, name="sweep-limits", daemon=True).start()

    @contextmanager
    def held(self, names: Sequence[str], work: Work) -> Iterator[None]:
        """Hold a place in each limit, as soon as there is one; a sweep that is stopped needs none."""
        lease = self._take(names, work)
        try:
            yield
        finally:
            if lease is not None:
                self._give(lease)

    def _give(self, lease: str) -> None:
        with self._lock:
            self._leases.discard(lease)
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            with suppress(httpx.HTTPError):
                self._post("decrement-with-lease", {"lease_id": lease})
                return
            time.sleep(_LOOK)  # and if it never answers, the lease ends by itself

    def _take(self, names: Sequence[str], work: Work) -> str | None:
        stop = SweepPaths(Path(work.folder)).stop
        body = {"names": list(names), "slots": 1, "mode": "concurrency", "lease_duration": _LEASE}
        silent = time.monotonic()
        while not stop.exists():
            try:
                lease = str(self._post("increment-with-lease", body).json()["lease_id"])
            except httpx.HTTPStatusError as error:
                if error.response.status_code == HTTPStatus.LOCKED:
                    silent = time.monotonic()
                problem = str(error)
            except (httpx.HTTPError, ValueError, KeyError) as error:
                problem = str(error) or type(error).__name__
            else:
                with self._lock:
                    self._leases.add(lease)
                return lease
            if time.monotonic() - silent > _PATIENCE:
                _logger.warning("concurrency limits could not be asked, and limit nothing: %s", problem)
                return None
            time.sleep(_LOOK)
        return None

    def _post(self, path: str, body: dict[str, object]) -> httpx.Response:
        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):  # tries are counted here
            return self._client.post(f"{_PATH}/{path}", json=body).raise_for_status()

    def _renew(self) -> None:
        while True:
            time.sleep(_RENEW)
            with self._lock:
                held = list(self._leases)
            for lease in held:
                with suppress(httpx.HTTPError):  # tried again in time
                    self._post(f"leases/{lease}/renew", {"lease_duration": _LEASE})


_all: dict[str, Limits] = {}
_lock = threading.Lock()


def limits_of(api: str) -> Limits:
    """Return this process's `Limits` for the API at an address."""
    with _lock:
        found = _all.get(api)
        if found is None:
            found = _all[api] = Limits(api)
        return found
