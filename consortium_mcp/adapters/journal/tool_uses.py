"""Records the tools that members use, so that a resumed run does not run them again."""

from __future__ import annotations

import json
import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from consortium_mcp.adapters.journal.store import now
from consortium_mcp.core.domain.tool_use import ToolUse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from consortium_mcp.adapters.journal.recorder import Recorder
    from consortium_mcp.adapters.journal.store import Store
    from consortium_mcp.core.domain.ask import Question
    from consortium_mcp.core.domain.tool_use import RunTool


class ToolUses:
    """Every use of a tool in one run.

    Args:
        recorder: writes them, as far as the database allows.
        store: keeps them.
        run_id: the run.
        recorded: those of earlier processes.
    """

    def __init__(
        self, recorder: Recorder, store: Store, run_id: str, recorded: Iterable[ToolUse] = ()
    ) -> None:
        self._recorder = recorder
        self._store = store
        self._run_id = run_id
        self._uses = {each.key: each for each in recorded}

    @property
    def all(self) -> tuple[ToolUse, ...]:
        """In the order in which they ended."""
        return tuple(self._uses.values())

    def steps_of(self, question: Question) -> RecordedSteps:
        """What goes along with the call of this question."""
        return RecordedSteps(self, question)

    def find(self, use: ToolUse) -> ToolUse | None:
        """The same use, if it is recorded."""
        return self._uses.get(use.key)

    async def record(self, use: ToolUse) -> None:
        """Write it down, at once."""
        self._uses[use.key] = use
        save = partial(self._store.save_tool_use, self._run_id, use)
        await self._recorder.record("tool use", save, str(use.key))


class RecordedSteps:
    """`Steps` that look first whether a use is recorded.

    A model that is asked again from the beginning uses the same tools again: it is told what they
    answered the first time.
    """

    def __init__(self, uses: ToolUses, question: Question) -> None:
        self._uses = uses
        self._question = question
        self._repeats: Counter[tuple[str, str]] = Counter()

    def begin(self) -> None:
        """See `core.domain.tool_use.Steps`."""
        self._repeats.clear()

    async def before_call(self) -> None:
        """A further call leaves no record of its own."""

    async def use(self, name: str, arguments: Mapping[str, Any], run: RunTool) -> str:
        """See `core.domain.tool_use.Steps`."""
        written = json.dumps(arguments, sort_keys=True, default=repr)
        self._repeats[name, written] += 1
        asked = self._question
        use = ToolUse(
            iteration=asked.iteration,
            role=asked.role,
            label=asked.label,
            attempt=asked.attempt,
            name=name,
            arguments=written,
            repeat=self._repeats[name, written],
            result="",
            seconds=0,
            created_at=now(),
        )
        if recorded := self._uses.find(use):
            return recorded.result
        began = time.monotonic()
        result = await run()
        seconds = round(time.monotonic() - began, 3)
        await self._uses.record(use.model_copy(update={"result": result, "seconds": seconds}))
        return result
