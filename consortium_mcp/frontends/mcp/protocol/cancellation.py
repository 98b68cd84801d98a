"""What becomes of a run when the call that waits for it is cancelled.

The SDK cancels a call for three reasons: its user no longer wants it, its client has lost patience,
or the connection is gone. Only the first ends the run. SDK clients of both languages send the same
`notifications/cancelled` when their own time limit is over and say so in `reason` (TypeScript:
"Request timed out", Python: "timed out after 10s", Go: "context deadline exceeded"); a run that was
paid for must survive that.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mcp_types import RequestId

_IMPATIENCE = re.compile(r"tim(ed?|ing)[ _-]?out|deadline|-32001|expired", re.IGNORECASE)
_KEPT = 1000
"""Calls whose connection is gone send no notification; their entries are dropped in the end."""
_Call = tuple[str | None, str]
"""The session, where the transport has several, and the request's id."""


class WaitingCalls:
    """The runs that calls wait for."""

    def __init__(self) -> None:
        self._runs: dict[_Call, str] = {}
        self._early: dict[_Call, str | None] = {}
        """Cancels, with their reasons, of calls that were not waiting (yet)."""

    @contextmanager
    def of(
        self,
        request: Any,  # noqa: ANN401 (whatever the transport attaches)
        request_id: RequestId,
        run_id: str,
        end: Callable[[str], None],
    ) -> Iterator[None]:
        """While this call waits for this run.

        Args:
            request: the transport's own request, `None` on stdio.
            request_id: the call's id.
            run_id: the run that the call began.
            end: ends the run, if the call was cancelled while the run was being begun.
        """
        call = _call(request, request_id)
        if call in self._early:
            if not _IMPATIENCE.search(self._early.pop(call) or ""):
                end(run_id)
        else:
            self._runs[call] = run_id
            _forget_oldest(self._runs)
        try:
            yield
        except Exception:
            self._runs.pop(call, None)
            raise
        self._runs.pop(call, None)  # not when cancelled: the notification that did it comes next

    def unwanted(self, request: Any, request_id: RequestId, reason: str | None) -> str | None:  # noqa: ANN401
        """The run that a cancel notification means to end, if it means any."""
        call = _call(request, request_id)
        run_id = self._runs.pop(call, None)
        if run_id is None:
            self._early[call] = reason
            _forget_oldest(self._early)
        return None if _IMPATIENCE.search(reason or "") else run_id


def _forget_oldest(calls: dict[_Call, Any]) -> None:
    for oldest in list(calls)[:-_KEPT]:
        del calls[oldest]


def _call(request: Any, request_id: RequestId) -> _Call:  # noqa: ANN401
    headers = getattr(request, "headers", None)
    return headers and headers.get("mcp-session-id"), str(request_id)
