"""Work pools of Prefect, as places of a sweep: whether they are there, and how much they run at once."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Any

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from sweeplib.errors import ClusterError, InputError, nearest

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

__all__ = ["Pool", "describe", "find_pool", "online"]

_WITHOUT_WORKERS = (":push", ":managed")
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Pool:
    """A work pool, and how a sweep uses it: `parallel` commands at once, None for all that there is room for.

    `limit` is how many flow runs it has at once at most (None: any number). A sweep that is `cautious` keeps
    little submitted, as what fails may end it. `needs_worker` says that a worker of ours has to be there.
    """

    name: str
    limit: int | None = None
    needs_worker: bool = True
    parallel: int | None = None
    cautious: bool = False


def find_pool(name: str, parallel: int | None, *, cautious: bool = False) -> Pool:
    """Return a work pool.

    Raises `InputError` if there is none of that name, and `ClusterError` if Prefect does not answer.
    """
    try:
        with get_client(sync_client=True) as client:
            try:
                found = client.read_work_pool(name)
            except ObjectNotFound:
                close = nearest(name, [each.name for each in client.read_work_pools(limit=_PAGE)])
                make = (
                    f"; make it with: prefect work-pool create {quote(name)} --type process"
                    if not close
                    else ""
                )
                msg = f"there is no work pool {name!r} at {client.api_url}{close}{make}"
                raise InputError(msg) from None
    except InputError:
        raise
    except Exception as error:
        msg = f"the work pool {name} cannot be asked for: {error or type(error).__name__}"
        raise ClusterError(msg) from error
    pushed = found.type.endswith(_WITHOUT_WORKERS)
    return Pool(name, found.concurrency_limit, not pushed, parallel, cautious)


def online(client: SyncPrefectClient, pool: Pool) -> int:
    """Return how many workers of a pool are there."""
    return sum(
        str(getattr(each.status, "value", each.status)) == "ONLINE"
        for each in client.read_workers_for_work_pool(pool.name, limit=_PAGE)
    )


def describe(pool: Pool, workers: int, state: Any) -> str:
    """Return why a pool starts nothing, as far as it tells; `state` is that of its oldest flow run."""
    if pool.needs_worker and not workers:
        return f"has no worker online; start one with: prefect worker start --pool {quote(pool.name)}"
    if pool.limit is not None:
        return f"has started nothing for it yet: it runs {pool.limit} at once (its concurrency limit)"
    return f"has started nothing for it yet: its flow run is {state or 'unknown'}"
