"""What `runs export` wrote is read into either database, once, whole, and in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consortium_mcp.adapters.journal.history import History
from consortium_mcp.adapters.journal.imports import BATCH_RUNS, Imported, import_exported
from consortium_mcp.adapters.journal.ratings import Ratings
from consortium_mcp.adapters.journal.store import Store, now
from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.attachment import Attachment
from consortium_mcp.core.domain.principal import Principal
from consortium_mcp.core.domain.tool_use import ToolUse
from consortium_mcp.core.domain.verdict import ConfidenceParts, Verdict
from consortium_mcp.core.records.exchange import BegunCall, Exchange
from consortium_mcp.core.records.run_record import IterationRecord
from consortium_mcp.core.records.run_summary import RunQuery
from consortium_mcp.core.reports.rating import Rating
from tests.adapters.journal.test_store import EXCHANGE, a_run, saved
from tests.support.databases import DatabaseOfTest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.anyio

A = Principal(issuer="https://id.example", subject="a")
VERDICT = Verdict(
    synthesis="42",
    confidence=0.9,
    parts=ConfidenceParts(
        agreement=1.0, margin=1.0, mean_stated=0.9, votes=1, distinct_answers=1,
        arbiter_confidence=None, method="counting",
    ),
    supporters=("A",),
)  # fmt: skip


@pytest.fixture
async def old(tmp_path: Path) -> AsyncIterator[Store]:
    """The journal of one person, which is moved."""
    opened = Store(tmp_path / "old" / "consortium.db")
    yield opened
    await opened.close()


@pytest.fixture
async def store(database: DatabaseOfTest) -> AsyncIterator[Store]:
    opened = database.store()
    yield opened
    await opened.close()


async def exported(store: Store, file: Path) -> Path:
    history = History(store)
    with file.open("w", encoding="utf-8") as lines:
        async for run_id in history.run_ids():
            lines.write((await history.record(run_id)).model_dump_json() + "\n")
    return file


async def listed(store: Store, **query: str) -> list[str]:
    page, _ = await History(store).page(RunQuery(limit=100, **query))
    return [run.run_id for run in page]


async def test_a_run_is_taken_over_with_all_that_belongs_to_it(
    old: Store, store: Store, tmp_path: Path
) -> None:
    run, report = a_run(1, "How many?")
    run = run.model_copy(
        update={
            "attachments": (
                Attachment.of("photo.png", "image/png", b"\x89PNG\xff\0"),
                Attachment.of("server.log", "text/plain", b"down", "down"),
            )
        }
    )
    await old.begin_run(run, report)
    question = Question(
        role="arbiter", label="arbiter", model="j", prompt="\0?", iteration=1, timeout=1
    )
    await old.save_exchange("run-0001", EXCHANGE)
    await old.save_exchange("run-0001", Exchange.of(question, Reply(text="首都", seconds=1), now()))
    heard = IterationRecord.heard(1, ())
    await old.save_iteration("run-0001", heard.model_copy(update={"verdict": VERDICT}))
    call = BegunCall(
        iteration=2, role="member", label="A", attempt=1, model="a", tries=2, input_tokens=7
    )
    await old.save_begun_call("run-0001", call)
    use = ToolUse(
        iteration=1, role="member", label="A", attempt=1, name="time", arguments="{}",
        repeat=1, result="noon", seconds=0.5, created_at=now(),
    )  # fmt: skip
    await old.save_tool_use("run-0001", use)
    ended = report.model_copy(
        update={"status": "completed", "synthesis": "42", "final_answer": "42", "confidence": 0.9}
    )
    await old.save_report(ended)
    await Ratings(old).add(
        "run-0001", Rating(correct=True, answer=None, note="n", by="b", at=now())
    )
    file = await exported(old, tmp_path / "runs.jsonl")
    assert await import_exported(store, file) == Imported(new=1)
    before, after = await old.record("run-0001"), await store.record("run-0001")
    odd = {"exchanges": ()}  # PostgreSQL has no NUL
    assert after.model_copy(update=odd) == before.model_copy(update=odd)
    assert [each.reply for each in after.exchanges] == ["42", "首都"]
    assert await store.begun_calls("run-0001") == [call]
    [summary], _ = await History(store).page(RunQuery(words="many"))
    assert (summary.final_answer, summary.confidence, summary.calls) == ("42", 0.9, 0)
    assert await import_exported(store, file) == Imported(known=1)
    again = await exported(store, tmp_path / "again.jsonl")
    assert await import_exported(old, again) == Imported(known=1)


async def test_they_keep_their_order_below_what_is_there(
    old: Store, store: Store, tmp_path: Path
) -> None:
    many = BATCH_RUNS * 2 + 3
    for number in range(many):
        await saved(old, number, "How many?", status="completed")
    await saved(store, 1000, "asked here")
    file = await exported(old, tmp_path / "runs.jsonl")
    assert (await import_exported(store, file)).new == many
    expected = ["run-1000", *(f"run-{number:04}" for number in reversed(range(many)))]
    first, cursor = await History(store).page(RunQuery(limit=100))
    rest, _ = await History(store).page(RunQuery(limit=100, cursor=cursor))
    assert [run.run_id for run in (*first, *rest)] == expected


async def test_known_runs_stay_and_lines_that_are_none_are_named(
    old: Store, store: Store, tmp_path: Path
) -> None:
    await saved(old, 1, "one", status="completed")
    await saved(old, 2, "two", status="working")
    await saved(store, 1, "one, changed here", status="completed")
    file = await exported(old, tmp_path / "runs.jsonl")
    lines = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([lines[0], "{}", "", "no JSON", lines[1]]), "utf-8")
    found = await import_exported(store, file)
    assert (found.new, found.known, [*found.refused]) == (1, 1, [2, 4])
    assert "report" in found.refused[2]
    assert (await store.report("run-0001")).prompt == "one, changed here"
    assert (await store.report("run-0002")).status == "interrupted"  # nobody here works on it
    assert await store.claim("run-0002")


async def test_they_become_those_of_whom_the_store_belongs_to(
    old: Store, store: Store, tmp_path: Path
) -> None:
    await saved(old, 1, "secret", status="completed")
    file = await exported(old, tmp_path / "runs.jsonl")
    await import_exported(store.bound_to(A), file)
    assert await listed(store.bound_to(A), words="secret") == ["run-0001"]
    assert await listed(store.bound_to(A.model_copy(update={"subject": "b"}))) == []
