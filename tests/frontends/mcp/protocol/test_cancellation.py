from __future__ import annotations

import pytest

from consortium_mcp.frontends.mcp.protocol.cancellation import WaitingCalls


class Cancelled(BaseException):
    """As the event loops' own."""


class Request:
    def __init__(self, session: str) -> None:
        self.headers = {"mcp-session-id": session}


def nobody(run_id: str) -> None:
    raise AssertionError(run_id)


def cancelled_while_waiting(
    waits: WaitingCalls, request: object, request_id: int, run_id: str
) -> None:
    with pytest.raises(Cancelled), waits.track(request, request_id, run_id, nobody):
        raise Cancelled


@pytest.mark.parametrize("reason", [None, "", "The user pressed stop", "AbortError: aborted"])
def test_a_call_that_is_no_longer_wanted_names_its_run(reason: str | None) -> None:
    waits = WaitingCalls()
    cancelled_while_waiting(waits, None, 7, "run")
    assert waits.run_to_end(None, "7", reason) == "run"
    assert waits.run_to_end(None, 7, reason) is None


@pytest.mark.parametrize(
    "reason",
    [
        "McpError: MCP error -32001: Request timed out",
        "Error: MCP error -2: Request timed out",
        "timed out after 10.0s",
        "Request timeout",
        "time-out",
        "context deadline exceeded",
        "MCP error -32001",
    ],
)
def test_a_client_that_lost_patience_ends_no_run(reason: str) -> None:
    waits = WaitingCalls()
    cancelled_while_waiting(waits, None, 7, "run")
    assert waits.run_to_end(None, 7, reason) is None


def test_a_wait_that_is_over_is_forgotten() -> None:
    waits = WaitingCalls()
    with waits.track(None, 7, "run", nobody):
        pass
    with pytest.raises(ValueError, match="broken"), waits.track(None, 8, "run", nobody):
        raise ValueError("broken")
    assert waits.run_to_end(None, 7, None) is None
    assert waits.run_to_end(None, 8, None) is None


def test_sessions_do_not_hear_of_each_other() -> None:
    waits = WaitingCalls()
    for session in ("one", "two"):
        cancelled_while_waiting(waits, Request(session), 7, f"run of {session}")
    assert waits.run_to_end(Request("two"), 7, None) == "run of two"
    assert waits.run_to_end(Request("three"), 7, None) is None


def test_connections_that_vanish_are_forgotten_in_the_end() -> None:
    waits = WaitingCalls()
    for number in range(1500):
        cancelled_while_waiting(waits, None, number, "run")
    assert waits.run_to_end(None, 0, None) is None
    assert waits.run_to_end(None, 1499, None) == "run"


def test_a_call_cancelled_while_its_run_was_begun_ends_it_then() -> None:
    waits, ended = WaitingCalls(), list[str]()
    assert waits.run_to_end(None, 7, "user cancelled") is None  # no run is known yet
    with pytest.raises(Cancelled), waits.track(None, 7, "run", ended.append):
        raise Cancelled
    assert ended == ["run"]
    assert waits.run_to_end(None, 8, "Request timed out") is None
    with waits.track(None, 8, "other", ended.append):
        pass
    assert ended == ["run"]


def test_cancels_of_calls_that_began_no_run_are_forgotten_in_the_end() -> None:
    waits = WaitingCalls()
    for number in range(1500):
        waits.run_to_end(None, number, None)
    with waits.track(None, 0, "run", nobody):
        pass


def test_a_run_that_another_call_waits_for_ends_with_the_last_of_them() -> None:
    waits = WaitingCalls()
    with waits.track(None, 1, "run", nobody):
        cancelled_while_waiting(waits, None, 2, "run")
        assert waits.run_to_end(None, 2, "user cancelled") is None
    cancelled_while_waiting(waits, None, 3, "run")
    assert waits.run_to_end(None, 3, "user cancelled") == "run"


def test_two_calls_cancelled_at_once_end_their_run() -> None:
    """The SDK cancels both before it tells of either."""
    waits = WaitingCalls()
    for request_id in (1, 2):
        cancelled_while_waiting(waits, None, request_id, "run")
    assert waits.run_to_end(None, 1, None) == "run"


def test_a_call_that_timed_out_does_not_want_its_run_any_more() -> None:
    """Its agent repeats it; if the user stops that one, nobody is left."""
    waits = WaitingCalls()
    cancelled_while_waiting(waits, None, 1, "run")
    assert waits.run_to_end(None, 1, "Request timed out") is None
    cancelled_while_waiting(waits, None, 2, "run")
    assert waits.run_to_end(None, 2, "user cancelled") == "run"


def test_a_caller_that_was_told_to_ask_later_still_wants_its_run() -> None:
    waits = WaitingCalls()
    waits.given_away("run")
    cancelled_while_waiting(waits, None, 2, "run")
    assert waits.run_to_end(None, 2, "user cancelled") is None
    assert waits.run_to_end(None, 3, None) is None  # cancelled before its run is known
    with waits.track(None, 3, "run", nobody):
        pass
    for number in range(1500):
        waits.given_away(f"run {number}")
    cancelled_while_waiting(waits, None, 4, "run")
    assert waits.run_to_end(None, 4, None) == "run"
