"""Serve on stdin and stdout: nothing but the protocol on the wire, and a clean end.

The SDK guards the wire only while it serves, and ends well only when stdin does. So both ends of
the wire are taken away from everyone else before any plugin is loaded, and a signal is turned into
what the SDK knows: the client hung up.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import queue
import signal
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import anyio
from mcp.server.stdio import stdio_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.mcpserver import MCPServer

logger = logging.getLogger(__name__)
GRACE_SECONDS = 0.8
"""From the client's goodbye to the end of the process, whatever is stuck in it by then."""
PATIENCE_SECONDS = 0.4
"""How much of it the calls have that came in before the goodbye, and the SDK to end by itself."""
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # as far as the system has them


def take_wire() -> tuple[TextIO, TextIO]:
    """Take stdin and stdout for the protocol; whatever else reads or writes there misses it.

    What is printed, by Python, native code, threads or children, goes to stderr; who reads finds
    the end of input; `breakpoint()` does nothing.
    """
    while (spare := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004
        pass  # a closed 0, 1 or 2 must not become the wire
    wire_in, wire_out = os.dup(0), os.dup(1)  # not inherited by children (PEP 446)
    os.dup2(spare, 0)
    os.dup2(2, 1)
    os.close(spare)
    if sys.platform == "win32":  # children inherit the handles and not the descriptors
        from mcp.os.win32.utilities import rebind_std_handle_to_fd  # noqa: PLC0415

        for descriptor in (0, 1):
            with suppress(OSError):
                rebind_std_handle_to_fd(descriptor)
    sys.stdout = sys.stderr
    os.environ.setdefault("PYTHONBREAKPOINT", "0")
    return (
        open(wire_in, encoding="utf-8", errors="replace", newline="\n"),  # noqa: PTH123 (a descriptor, open for good)
        open(wire_out, "w", encoding="utf-8", newline="\n"),  # noqa: PTH123
    )


def serve_until_hung_up(
    server: MCPServer[Any], stdin: TextIO, stdout: TextIO, on_end: Callable[[], None]
) -> NoReturn:
    """Serve until the client hangs up or a signal comes; the process ends with it.

    Args:
        server: what to serve.
        stdin: the wire, as `take_wire` gives it.
        stdout: the same.
        on_end: called on the event loop when the end has come and something still works: lets go.
    """
    end = _Shutdown(on_end)
    try:
        anyio.run(_serve, server, stdin, stdout, end)
    except* OSError:
        end.code = end.code or 1  # nobody reads stdout any more
    except* Exception:
        if not end.has_come:  # what was cut off then may complain
            logger.exception("the server broke")
            end.code = 1
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    # Not an ordinary exit: that would wait for the thread that reads stdin, and tear native code
    # down under the calls that are in it.
    os._exit(end.code)


async def _serve(server: MCPServer[Any], stdin: TextIO, stdout: TextIO, end: _Shutdown) -> None:
    lines, received = anyio.create_memory_object_stream[str](math.inf)
    end.begin(asyncio.get_running_loop(), lines.close)

    def read() -> None:
        with suppress(OSError, ValueError, RuntimeError):
            for line in stdin:
                end.on_loop(partial(_take_in, lines.send_nowait, line))
        end.come()

    # A thread of our own: one of anyio's would hold up the end until the next line came.
    threading.Thread(target=read, daemon=True).start()
    low = server._lowlevel_server  # noqa: SLF001 (MCPServer runs only on the SDK's own stdin)
    async with stdio_server(received, anyio.wrap_file(stdout)) as (incoming, outgoing):  # type: ignore[arg-type]  # all it does is iterate
        await low.run(incoming, outgoing, low.create_initialization_options())


def _take_in(send: Callable[[str], None], line: str) -> None:
    with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
        send(line)


class _Shutdown:
    """How the process comes to its end.

    Args:
        on_end: called on the event loop.
    """

    def __init__(self, on_end: Callable[[], None]) -> None:
        self._on_end = on_end
        self._signs: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._close: Callable[[], None] | None = None
        self.has_come = False
        self.code = 0
        """The exit code: 0 when the client hung up, 128 and the signal's number after a signal."""

    def begin(self, loop: asyncio.AbstractEventLoop, close: Callable[[], None]) -> None:
        """From now on signals end the process well; `close` ends the input."""
        self._loop, self._close = loop, close
        for name in _SIGNALS:
            if (number := getattr(signal, name, None)) is not None:
                # Not the loop's own handlers: these exist on Windows too, and they come through
                # while the loop is blocked.
                signal.signal(number, self.come)
        threading.Thread(target=self._watch, daemon=True).start()

    def on_loop(self, call: Callable[[], None]) -> None:
        """Have the event loop call this."""
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(call)

    def come(self, number: int = 0, _frame: object = None) -> None:
        """The client hung up, or this signal came."""
        self.has_come = True
        self.code = self.code or (128 + number if number else 0)
        self._signs.put(None)  # the one queue that a signal handler may use
        self.on_loop(self._hang_up)

    def _hang_up(self) -> None:
        if self._close is not None and self._loop is not None:
            self._close()
            self._loop.call_later(PATIENCE_SECONDS, self._on_end)

    def _watch(self) -> None:
        """End the process although something in it does not."""
        self._signs.get()
        time.sleep(GRACE_SECONDS)
        os._exit(self.code)
