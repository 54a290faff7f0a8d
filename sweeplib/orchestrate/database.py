"""How the project's own Prefect server writes to its SQLite database: one transaction after the other.

Prefect begins most of its transactions as readers. Where two become writers at once, SQLite fails one of them
at once (``SQLITE_BUSY_SNAPSHOT``): the API answers 503, or a trigger is not evaluated and its notification
not sent. And the cursor that failed is freed in the event loop's thread, which needs the connection's mutex
for that. If by then another statement waits for the write lock in that connection, the server stands still
until this wait is given up, after 60 seconds: the one who has the lock waits for the event loop.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from prefect.server.database.configurations import AioSqliteConfiguration

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import sqlalchemy as sa
    from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction

__all__ = ["OneWriter"]

_MODE = "sweeplib_begin"


class _Turn:
    """A transaction's time at the head of the line."""

    over = False


_turn: ContextVar[_Turn | None] = ContextVar("sweeplib_turn", default=None)


class OneWriter(AioSqliteConfiguration):
    """Prefect's SQLite database, whose transactions are writers from their beginning and wait in line.

    They wait in the event loop, in the order in which they came, and not in SQLite, where each of them polls.
    """

    def __init__(self, connection_url: str) -> None:
        super().__init__(connection_url)
        self._line = asyncio.Lock()

    def begin_sqlite_stmt(self, conn: sa.Connection) -> None:
        """Begin a transaction as its connection was told to, else as Prefect does."""
        mode = conn.get_execution_options().get(_MODE)
        if mode is None:
            super().begin_sqlite_stmt(conn)
        else:
            conn.exec_driver_sql(f"BEGIN {mode}")

    @asynccontextmanager
    async def begin_transaction(
        self,
        session: AsyncSession,
        with_for_update: bool = False,  # noqa: FBT001, FBT002 - Prefect's signature
    ) -> AsyncGenerator[AsyncSessionTransaction, None]:
        """Begin a transaction that writes.

        One that begins within another is as Prefect has it: in the line it would wait for itself.
        """
        outer = _turn.get()
        if outer is not None and not outer.over:
            async with super().begin_transaction(session, with_for_update) as transaction:
                yield transaction
            return
        async with self._line:
            turn = _Turn()
            token = _turn.set(turn)
            try:
                async with session.begin() as transaction:
                    await session.connection(execution_options={_MODE: "IMMEDIATE"})
                    yield transaction
            finally:
                turn.over = True  # for what was started meanwhile, and runs on
                _turn.reset(token)
