"""The page's data of a run as it stands now, and the wait for it to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from consortium_mcp.core.domain.errors import ConsortiumError
from consortium_mcp.frontends.page.page_data import run_page
from consortium_mcp.frontends.page.texts import lean_json, set_apart

if TYPE_CHECKING:
    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.frontends.page.model import RunPage
    from consortium_mcp.services.service import Service

LONGEST = 600
"""Characters of a text in the data. The page asks for the rest of one that its reader opens."""
_LOOK_SECONDS = 0.25
"""How often a run is looked at while a page waits for a change: sooner than a reader notices."""


def cursor_of(report: RunReport) -> str:
    """What of a run can change: two reports of the same state have the same cursor."""
    heard = sum(member.status in {"answered", "failed", "cut"} for member in report.members)
    parts = (report.status, report.iterations, report.usage.calls, heard, len(report.ratings))
    return ".".join(map(str, parts))


async def wait_for_change(service: Service, run_id: str, seen: str, seconds: float) -> None:
    """Wait until the run is no longer as the page has seen it, for so many seconds at most.

    A run that is unknown does not change; whoever reads it next is told.
    """
    with anyio.move_on_after(seconds):
        while True:
            try:
                report = await service.wait(run_id, _LOOK_SECONDS)
            except ConsortiumError:
                return
            if report.status != "working" or cursor_of(report) != seen:
                return


async def page_now(service: Service, run_id: str, text: str | None = None) -> dict[str, Any]:
    """The data of a run's page, as JSON: `cursor`, `run` and, where one is asked for, `text`.

    Args:
        service: has the run.
        run_id: the run's id.
        text: the key of a text that was left out; see `Later`.

    Raises:
        UnknownRun: no run has this id.
        StoreError: it cannot be read.
    """
    record, *nested = await service.records(run_id)
    return data_of(run_page(record, nested), cursor_of(record.report), text)


def data_of(page: RunPage, cursor: str, text: str | None = None) -> dict[str, Any]:
    """The same of a page that is made already."""
    lean, texts = set_apart(page, LONGEST)
    found = {"cursor": cursor, "run": lean_json(lean)}
    return found | ({"text": texts[text]} if text in texts else {})
