"""Decide what happens to a run when the call that waits for it is cancelled.

The SDK cancels a call for three reasons: the user cancelled it, the client's timeout expired, or
the connection is gone. Only the first ends the run, because a run that was paid for must survive
the others. Clients send the same `notifications/cancelled` on their own timeout, but say so in
`reason` (TypeScript: "Request timed out", Python: "timed out after 10s", Go: "context deadline
exceeded").

Several calls may wait for one run, because a repeated question joins it. A user who no longer wants
the answer speaks for their own call: the run ends with the last one that wants it. A caller that
was told the run's id, to ask for it later, still wants it; `cancel_run` ends it for all.
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consortium_mcp.services.users.callers import caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mcp_types import RequestId

    from consortium_mcp.core.domain.principal import Principal

_TIMEOUT = re.compile(r"tim(ed?|ing)[ _-]?out|deadline|-32001|expired", re.IGNORECASE)
_KEPT = 1000
"""Calls remembered. If the connection is gone no notification comes; the oldest are dropped."""
_UNDER_WAY_SECONDS = 900
"""After which a call that began a run has ended, one way or another."""
_Call = tuple["Principal | None", str | None, str]
"""Who calls, the session id (`None` if the transport has none) and the request id."""


@dataclass
class _Wait:
    """A call's wait for a run."""

    run_id: str
    goes_on: bool = True
    """Whether the call still waits; if not, it was cancelled, and its notification may come."""


@dataclass(frozen=True)
class _Begun:
    """What a call has begun."""

    run_id: str | None
    """`None` where it cannot be told from another call's."""
    at: float
    """By this machine's monotonic clock, in seconds."""


class WaitingCalls:
    """Which call waits for which run, and which run each call has begun."""

    def __init__(self) -> None:
        self._waits: dict[_Call, _Wait] = {}
        self._runs: dict[_Call, _Begun] = {}
        self._cancelled_early: dict[_Call, str | None] = {}
        """Reasons of cancelled calls that were not waiting (yet)."""
        self._given_away: dict[str, None] = {}
        """Runs whose ids were given to callers that no longer wait."""
        self._asking: set[_Call] = set()
        """Calls whose user is being asked whether to begin at all."""

    def began(self, request: Any, request_id: RequestId, run_id: str) -> None:  # noqa: ANN401
        """Note which run a call has begun or joined.

        Without a session, calls of two clients of one person may have the same id. While both may
        still be under way, neither's run is told.
        """
        call, now = _call(request, request_id), time.monotonic()
        before = self._runs.pop(call, None)
        is_alone = before is None or before.run_id == run_id or now - before.at > _UNDER_WAY_SECONDS
        sure = is_alone or _has_session(request)
        self._runs[call] = _Begun(run_id if sure else None, now)
        _forget_oldest(self._runs)

    def run_of(self, request: Any, request_id: RequestId) -> str | None:  # noqa: ANN401
        """The run that a call of the same session has begun or joined, if it has."""
        begun = self._runs.get(_call(request, request_id))
        return None if begun is None else begun.run_id

    @contextmanager
    def asks(self, request: Any, request_id: RequestId) -> Iterator[None]:  # noqa: ANN401
        """Remember, inside the `with` block, that the user of this call is being asked."""
        call = _call(request, request_id)
        self._asking.add(call)
        try:
            yield
        finally:
            self._asking.discard(call)

    def is_asking(self, request: Any, request_id: RequestId) -> bool:  # noqa: ANN401
        """Whether the user of a call of the same session is being asked."""
        return _call(request, request_id) in self._asking

    def given_away(self, run_id: str) -> None:
        """Note that a caller was told to ask for this run later."""
        self._given_away[run_id] = None
        _forget_oldest(self._given_away)

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
            run_id: the run that the call started or joined.
            end: ends the run; used if the call was cancelled before the block was entered.
        """
        call = _call(request, request_id)
        if call in self._cancelled_early:
            unwanted = not _TIMEOUT.search(self._cancelled_early.pop(call) or "")
            if unwanted and not self._is_wanted(run_id):
                end(run_id)
            yield
            return
        wait = self._waits[call] = _Wait(run_id)
        _forget_oldest(self._waits)
        try:
            yield
        except Exception:
            self._waits.pop(call, None)
            raise
        else:
            self._waits.pop(call, None)
        finally:
            wait.goes_on = False  # if cancelled: `run_to_end` needs the entry next

    def run_to_end(self, request: Any, request_id: RequestId, reason: str | None) -> str | None:  # noqa: ANN401
        """The run that this cancel notification ends; `None` if it ends none."""
        call = _call(request, request_id)
        wait = self._waits.pop(call, None)
        if wait is None:
            self._cancelled_early[call] = reason
            _forget_oldest(self._cancelled_early)
            return None
        if _TIMEOUT.search(reason or "") or self._is_wanted(wait.run_id):
            return None
        return wait.run_id

    def _is_wanted(self, run_id: str) -> bool:
        """Whether some call waits for this run, or may ask for it."""
        waiting = any(each.goes_on and each.run_id == run_id for each in self._waits.values())
        return waiting or run_id in self._given_away


def _forget_oldest(calls: dict[Any, Any]) -> None:
    for oldest in list(calls)[:-_KEPT]:
        del calls[oldest]


def _call(request: Any, request_id: RequestId) -> _Call:  # noqa: ANN401
    headers = getattr(request, "headers", None)
    return caller(), headers and headers.get("mcp-session-id"), str(request_id)


def _has_session(request: Any) -> bool:  # noqa: ANN401
    """Whether this request's session is told from others; on stdio there is one."""
    return request is None or "mcp-session-id" in request.headers
