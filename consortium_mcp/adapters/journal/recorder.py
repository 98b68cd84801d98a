"""`Ask` that records: every call is written to the journal as it ends, before anyone uses it.

A call that is recorded already is not made again. That is all there is to resuming a run.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from consortium_mcp.adapters.journal.store import now
from consortium_mcp.core.domain.errors import MemberError, StoreError
from consortium_mcp.core.records.exchange import Exchange, key_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from consortium_mcp.adapters.journal.store import Store
    from consortium_mcp.adapters.journal.tool_uses import ToolUses
    from consortium_mcp.core.domain.ask import Ask, Question, Reply

    Write = Callable[[], Awaitable[None]]

BEGUN_CALL = "begun call"
Part = tuple[str, str]
"""A part of a run's record: its kind in words, and which of its kind."""


class Recorder:
    """Records one run: its row, its calls, its iterations, its report.

    No answer is lost if the database cannot be written: the run goes on in memory, every later
    write also tries what is not recorded yet, and `problem` says so. Every write can be repeated,
    so a run that finds its database damaged is written into the new one as a whole.

    Args:
        ask: answers the questions.
        store: records the answers.
        run_id: the run they belong to.
        recorded: the calls that ended before the run was interrupted.
    """

    def __init__(
        self, ask: Ask, store: Store, run_id: str, recorded: Iterable[Exchange] = ()
    ) -> None:
        self._ask = ask
        self._store = store
        self._run_id = run_id
        self._recorded = {exchange.key: exchange for exchange in recorded}
        self._added: list[Exchange] = []
        self._parts: dict[Part, Write] = {}
        """The newest write of each part, in the order in which they began."""
        self._unwritten: dict[Part, None] = {}
        """The parts that are not on disk as they are now, in that order."""
        self._file_number = store.file.begun_anew
        self._write_lock = anyio.Lock()
        self._lasting_problem: str | None = None
        self.tool_uses: ToolUses | None = None
        """Keeps the tools that members use; it writes through this."""
        self.error: StoreError | None = None
        """Why the last write failed; `None` if it did not."""
        self.problem: str | None = None
        """Why part of the run is not recorded; `None` while all of it is."""
        for exchange in self._recorded.values():
            self.remember("call", self._saving(exchange), str(exchange.key))

    @property
    def exchanges(self) -> list[Exchange]:
        """Every call of the run that has ended, whether it could be recorded or not."""
        return [*self._recorded.values(), *self._added]

    @property
    def is_behind(self) -> bool:
        """Whether something is still to be written; not what no database will ever take."""
        return bool(self._unwritten)

    async def __call__(self, question: Question, /) -> Reply:
        """See `core.domain.ask.Ask`."""
        if exchange := self._recorded.get(key_of(question)):
            await anyio.lowlevel.checkpoint()
            outcome = exchange.outcome()
            if isinstance(outcome, MemberError):
                raise outcome
            return outcome
        if question.tools and self.tool_uses is not None:
            question = question.model_copy(update={"steps": self.tool_uses.steps_of(question)})
        try:
            reply = await self._ask(question)
        except MemberError as error:
            await self._record_call(Exchange.of(question, error, now()))
            raise
        await self._record_call(Exchange.of(question, reply, now()))
        return reply

    async def _record_call(self, exchange: Exchange) -> None:
        self._added.append(exchange)
        note: Part = (BEGUN_CALL, str(exchange.key))  # says nothing more than the call itself
        self._parts.pop(note, None)
        self._unwritten.pop(note, None)
        await self.record("call", self._saving(exchange), str(exchange.key))

    def _saving(self, exchange: Exchange) -> Write:
        return partial(self._store.save_exchange, self._run_id, exchange)

    def remember(self, kind: str, write: Write, which: str = "") -> None:
        """Note a part that is on disk already; it is written again if the file is begun anew."""
        self._parts[kind, which] = write

    async def record(self, kind: str, write: Write, which: str = "") -> None:
        """Write a part of the run after what could not be written before.

        Args:
            kind: what it is, in words.
            write: writes it; called again if it fails.
            which: tells it from others of its kind; it replaces an earlier state of itself.
        """
        self._parts[kind, which] = write
        self._unwritten[kind, which] = None
        await self.write_rest()

    async def write_rest(self) -> None:
        """Write what is not written yet, as far as the database allows."""
        with anyio.CancelScope(shield=True):  # a cancelled run is recorded too
            async with self._write_lock:
                await self._write_in_order()

    async def _write_in_order(self) -> None:
        while self._unwritten:
            part = next(iter(self._unwritten))
            write = self._parts[part]
            try:
                await write()
            except StoreError as error:
                self.error = error
                self.problem = (
                    f"Not all of this run is recorded (missing: {self._missing()}; written as soon "
                    f"as it can be, if this process still runs then). {error}"
                )
                return
            except (ValueError, OverflowError) as error:
                # No database will ever take this one, so it must not hold up those behind it.
                self._lasting_problem = f"Something of this run cannot be recorded: {error}"
            # Else there is a newer state of it by now, or it is a note that says nothing any more.
            if self._parts.get(part) is write:
                self._unwritten.pop(part, None)
            if self._file_number != self._store.file.begun_anew:
                self._file_number = self._store.file.begun_anew
                self._unwritten = dict.fromkeys(self._parts)
        self.error, self.problem = None, self._lasting_problem

    def _missing(self) -> str:
        """What is not recorded, in words, such as `the run, 2 calls`."""
        kinds = Counter(kind for kind, _ in self._unwritten)
        return ", ".join(
            f"the {kind}" if kind in {"run", "report"} else f"{n} {kind}{'s' if n > 1 else ''}"
            for kind, n in kinds.items()
        )
