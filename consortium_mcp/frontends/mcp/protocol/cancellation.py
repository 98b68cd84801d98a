"""Decide what happens to a run when the call that waits for it is cancelled.

The SDK cancels a call for three reasons: the user cancelled it, the client's timeout expired, or
the connection is gone. Only the first ends the run, because a run that was paid for must survive
the others. Clients send the same `notifications/cancelled` on their own timeout, but say so in
`reason` (TypeScript: "Request timed out", Python: "timed out after 10s", Go: "context deadline
exceeded").
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mcp_types import RequestId

_TIMEOUT = re.compile(r"tim(ed?|ing)[ _-]?out|deadline|-32001|expired", re.IGNORECASE)
_KEPT = 1000
"""Calls remembered. If the connection is gone no notification comes; the oldest are dropped."""
_Call = tuple[str | None, str]
"""The session id (`None` if the transport has only one) and the request id."""


class WaitingCalls:
    """Which call waits for which run."""

    def __init__(self) -> None:
        self._runs: dict[_Call, str] = {}
        self._cancelled_early: dict[_Call, str | None] = {}
        """Reasons of cancelled calls that were not waiting (yet)."""

    @contextmanager
    def track(
        self,
        request: Any,  # noqa: ANN401 (whatever the transport attaches)
        request_id: RequestId,
        run_id: str,
        end: Callable[[str], None],
    ) -> Iterator[None]:
        """Remember, inside the `with` block, that this call waits for this run.

        Args:
            request: the transport's own request; `None` on stdio.
            request_id: the id of the call.
            run_id: the run that the call started.
            end: ends the run; used if the call was cancelled before the block was entered.
        """
        call = _call(request, request_id)
        if call in self._cancelled_early:
            if not _TIMEOUT.search(self._cancelled_early.pop(call) or ""):
                end(run_id)
        else:
            self._runs[call] = run_id
            _forget_oldest(self._runs)
        try:
            yield
        except Exception:
            self._runs.pop(call, None)
            raise
        self._runs.pop(call, None)  # not when cancelled: `run_to_end` needs the entry next

    def run_to_end(self, request: Any, request_id: RequestId, reason: str | None) -> str | None:  # noqa: ANN401
        """The run that this cancel notification ends; `None` if it ends none."""
        call = _call(request, request_id)
        run_id = self._runs.pop(call, None)
        if run_id is None:
            self._cancelled_early[call] = reason
            _forget_oldest(self._cancelled_early)
        return None if _TIMEOUT.search(reason or "") else run_id


def _forget_oldest(calls: dict[_Call, Any]) -> None:
    for oldest in list(calls)[:-_KEPT]:
        del calls[oldest]


def _call(request: Any, request_id: RequestId) -> _Call:  # noqa: ANN401
    headers = getattr(request, "headers", None)
    return headers and headers.get("mcp-session-id"), str(request_id)
