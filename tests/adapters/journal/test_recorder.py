"""What a run's recorder does while the journal cannot be written, or only slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from consortium_mcp.adapters.journal.begun_calls import BegunCalls
from consortium_mcp.adapters.journal.recorder import Recorder
from consortium_mcp.adapters.journal.store import Store
from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.errors import StoreBusy

if TYPE_CHECKING:
    from pathlib import Path

    from consortium_mcp.core.records.exchange import BegunCall

pytestmark = pytest.mark.anyio
RUN = "run-1"
LABELS = "ABC"


class SlowStore(Store):
    """Refuses notes of calls at first, and later waits until the test lets them be written."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self.locked = True
        self.writes = anyio.Event()
        self.may_end = anyio.Event()

    async def save_begun_call(self, run_id: str, call: BegunCall) -> None:
        if self.locked:
            raise StoreBusy("locked")
        self.writes.set()
        await self.may_end.wait()
        await super().save_begun_call(run_id, call)


class HeldAsk:
    """Answers each member once the test lets it."""

    def __init__(self) -> None:
        self.released = {label: anyio.Event() for label in LABELS}

    async def __call__(self, question: Question, /) -> Reply:
        await self.released[question.label].wait()
        return Reply(text="42", seconds=1)


def question(label: str) -> Question:
    return Question(role="member", label=label, model="a", prompt="?", iteration=1, timeout=120)


@pytest.mark.parametrize("order", ["ABC", "CBA", "BAC"])
async def test_a_call_may_end_while_the_note_that_it_has_begun_is_written(
    tmp_path: Path, order: str
) -> None:
    """The journal was locked when it began, so it was asked without the note."""
    store, ask = SlowStore(tmp_path / "consortium.db"), HeldAsk()
    begun = BegunCalls(ask, store, RUN, [])
    recorder = begun.recorder = Recorder(begun, store, RUN)
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            for label in LABELS:
                group.start_soon(recorder, question(label))
            await anyio.wait_all_tasks_blocked()
            assert recorder.is_behind
            store.locked = False
            group.start_soon(recorder.write_rest)
            await store.writes.wait()
            for label in order:
                ask.released[label].set()
                await anyio.wait_all_tasks_blocked()
            store.may_end.set()
    assert [each.label for each in recorder.exchanges] == [*order]
    assert not recorder.is_behind
    assert recorder.problem is None
    await store.close()
