"""Once a day, deletes what a team's database need not keep."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.adapters.team.retention import apply_retention
from consortium_mcp.core.domain.errors import StoreError

if TYPE_CHECKING:
    from consortium_mcp.adapters.databases.database import Database
    from consortium_mcp.adapters.queue.job_queue import JobQueue
    from consortium_mcp.adapters.settings import Settings

logger = logging.getLogger(__name__)
FIRST_SECONDS = 60.0
"""After the start, which has enough to do."""
EVERY_SECONDS = 24 * 3600.0


async def keep_up(settings: Settings, database: Database, queue: JobQueue) -> None:
    """Delete what is older than the settings say, and jobs that ended, until cancelled."""
    await anyio.sleep(FIRST_SECONDS)
    while True:
        try:
            gone = await apply_retention(settings, database)
            await queue.forget_ended()
        except StoreError as error:  # tomorrow is another day
            logger.warning("old runs were not deleted: %s", error)
        else:
            if gone.runs or gone.audit or gone.ledger:
                logger.info("deleted as too old: %s", gone)
        await anyio.sleep(EVERY_SECONDS)
