"""Attachments in the journal: once each, as long as a run has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consortium_mcp.adapters.journal.history import History
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.core.domain.attachment import Attachment
from consortium_mcp.core.reports.report import Usage
from consortium_mcp.core.reports.reporting import report_of
from tests.support.databases import DatabaseOfTest
from tests.support.fakes import run_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

PHOTO = Attachment.of("photo.png", "image/png", b"\x89PNG\xff\0").model_copy(
    update={"shown_to": ("a", 'it\'s "b"')}
)
LOG = Attachment.of("server.log", "text/plain", b"down", "down")
PAGE = Attachment(name="a.png", type="image/png", url="https://example.com/a.png")


@pytest.fixture
async def store(database: DatabaseOfTest) -> AsyncIterator[Store]:
    opened = database.store()
    yield opened
    await opened.close()


async def recorded(
    store: Store, run_id: str, *attachments: Attachment, at: str = "2026-01-01T00:00:00+00:00"
) -> tuple[Attachment, ...]:
    """The attachments of a run that has ended, as they are read back."""
    run = run_of("a").model_copy(
        update={"run_id": run_id, "attachments": attachments, "status": "completed"}
    )
    usage = Usage(calls=0, input_tokens=None, output_tokens=None, seconds=0.0)
    report = report_of(run, usage, at)
    await store.begin_run(run, report)
    await store.save_report(report)
    record = await store.record(run_id)
    assert record.run().attachments == record.attachments
    return record.attachments


async def count(store: Store, table: str) -> int:
    [row] = await store.file.read(f"SELECT count(*) AS n FROM {table}")  # noqa: S608 (ours)
    return int(row["n"])


async def test_they_come_back_as_they_were_and_in_order(store: Store) -> None:
    given = (PAGE, LOG, PHOTO)
    assert await recorded(store, "one", *given) == given


async def test_what_several_runs_have_is_kept_once(store: Store) -> None:
    await recorded(store, "one", PHOTO, LOG)
    renamed = PHOTO.model_copy(update={"name": "other.png", "shown_to": ()})
    assert await recorded(store, "two", renamed) == (renamed,)
    assert await count(store, "attachments") == 2
    assert await count(store, "run_attachments") == 3


async def test_each_run_keeps_what_it_knew_of_the_text(store: Store) -> None:
    """A resumed run must send the same words, whatever others have read meanwhile."""
    bare = Attachment.of("a.pdf", "application/pdf", b"pdf")
    read = bare.model_copy(update={"text": "Invoice 4711"})
    as_text = Attachment.of("a.pdf", "text/plain", b"pdf", "pdf")
    for number, given in enumerate((bare, read, as_text, bare)):
        assert await recorded(store, f"run{number}", given) == (given,)
    assert (await store.record("run0")).attachments == (bare,)
    assert (await store.record("run1")).attachments == (read,)
    assert await count(store, "attachments") == 2


async def test_a_run_that_is_written_twice_has_them_once(store: Store) -> None:
    """As one does whose database was found damaged."""
    await recorded(store, "one", PHOTO)
    assert await recorded(store, "one", PHOTO) == (PHOTO,)
    assert await count(store, "run_attachments") == 1


async def test_pruning_keeps_what_another_run_still_has(store: Store) -> None:
    await recorded(store, "old", PHOTO, LOG, PAGE)
    await recorded(store, "new", PHOTO, at="2026-06-01T00:00:00+00:00")
    await History(store).prune("2026-03-01T00:00:00+00:00")
    assert (await store.record("new")).attachments == (PHOTO,)
    assert await count(store, "attachments") == 1
    assert await count(store, "run_attachments") == 1
