"""Serve on stdin and stdout: only protocol messages get through, and the process exits cleanly.

The SDK protects stdin and stdout only while it serves, and shuts down cleanly only when stdin ends.
So this module takes both descriptors before any plugin is loaded, and treats a signal as the end of
stdin: the client has disconnected.
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

    OnDisconnect = Callable[[Callable[[], None]], bool]

logger = logging.getLogger(__name__)
GRACE_SECONDS = 0.8
"""From disconnect to the forced exit of the process, whatever still hangs."""
PATIENCE_SECONDS = 0.4
"""Part of `GRACE_SECONDS`: time for pending calls to finish and for the SDK to end by itself."""
LANDING_SECONDS = 1.4
"""How long model calls may still land after the client has closed the input, since they are paid
for. The SDK's client waits two seconds before it sends a signal."""
LANDING_GRACE_SECONDS = 1.8
"""As `GRACE_SECONDS`, where calls were under way."""
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # those that the system has


def take_stdio() -> tuple[TextIO, TextIO]:
    """Reserve stdin and stdout for the protocol, and return them.

    Anything else that prints, from Python, native code, threads or children, writes to stderr.
    Anything else that reads finds the end of input. `breakpoint()` does nothing.
    """
    while (spare := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004
        pass  # if 0, 1 or 2 was closed, the copies below must not reuse its number
    wire_in, wire_out = os.dup(0), os.dup(1)  # not inherited by children (PEP 446)
    os.dup2(spare, 0)
    os.dup2(2, 1)
    os.close(spare)
    if sys.platform == "win32":  # children inherit handles, not descriptors
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


def serve_until_disconnected(
    server: MCPServer[Any],
    stdin: TextIO,
    stdout: TextIO,
    on_end: Callable[[], None],
    on_disconnect: OnDisconnect,
) -> NoReturn:
    """Serve until the client disconnects or a signal arrives; then exit the process.

    Args:
        server: the server to run.
        stdin: the protocol's input, from `take_stdio`.
        stdout: the protocol's output, from `take_stdio`.
        on_end: called on the event loop if calls still run at shutdown; must cancel them.
        on_disconnect: called on the event loop before; must begin no model call any more, and say
            whether any is under way. What it is given is called when none is any more.
    """
    shutdown = _Shutdown(on_end, on_disconnect)
    try:
        anyio.run(_serve, server, stdin, stdout, shutdown)
    except* OSError:
        shutdown.code = shutdown.code or 1  # nobody reads stdout any more
    except* Exception:
        if not shutdown.requested:  # calls cut off by the shutdown may raise
            logger.exception("the server broke")
            shutdown.code = 1
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    # An ordinary exit would wait for the thread that reads stdin, and unload native code while
    # calls still run in it.
    os._exit(shutdown.code)


async def _serve(
    server: MCPServer[Any], stdin: TextIO, stdout: TextIO, shutdown: _Shutdown
) -> None:
    lines, received = anyio.create_memory_object_stream[str](math.inf)
    shutdown.begin(asyncio.get_running_loop(), lines.close)

    def read() -> None:
        with suppress(OSError, ValueError, RuntimeError):
            for line in stdin:
                shutdown.on_loop(partial(_send, lines.send_nowait, line))
        shutdown.request()

    # A thread of our own: one of anyio's would delay the shutdown until the next line arrived.
    threading.Thread(target=read, daemon=True).start()
    low = server._lowlevel_server  # noqa: SLF001 (MCPServer runs only on the SDK's own stdin)
    async with stdio_server(received, anyio.wrap_file(stdout)) as (incoming, outgoing):  # type: ignore[arg-type]  # all it does is iterate
        await low.run(incoming, outgoing, low.create_initialization_options())


def _send(send: Callable[[str], None], line: str) -> None:
    """Pass a line on, unless the stream is closed."""
    with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
        send(line)


class _Shutdown:
    """The shutdown of the process, on end of input or a signal.

    Args:
        on_end: called on the event loop `PATIENCE_SECONDS` after the request, or later if model
            calls may still land.
        on_disconnect: see `serve_until_disconnected`.
    """

    def __init__(self, on_end: Callable[[], None], on_disconnect: OnDisconnect) -> None:
        self._on_end = on_end
        self._on_disconnect = on_disconnect
        self._grace = GRACE_SECONDS
        self._requests: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._close: Callable[[], None] | None = None
        self.requested = False
        self.code = 0
        """The exit code: 0 if the client disconnected, 128 + the signal number after a signal."""

    def begin(self, loop: asyncio.AbstractEventLoop, close: Callable[[], None]) -> None:
        """Handle signals from now on; `close` ends the input."""
        self._loop, self._close = loop, close
        for name in _SIGNALS:
            if (number := getattr(signal, name, None)) is not None:
                # Unlike the loop's own handlers, these exist on Windows and run while the loop is
                # blocked.
                signal.signal(number, self.request)
        threading.Thread(target=self._watch, daemon=True).start()

    def on_loop(self, call: Callable[[], None]) -> None:
        """Call this on the event loop, from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(call)

    def request(self, number: int = 0, _frame: object = None) -> None:
        """Begin the shutdown: the client disconnected (0), or this signal arrived."""
        self.requested = True
        self.code = self.code or (128 + number if number else 0)
        self._requests.put(None)  # SimpleQueue is the only queue a signal handler may use
        self.on_loop(self._close_input)

    def _close_input(self) -> None:
        if self._close is None or self._loop is None:
            return
        self._close()
        end_soon = partial(self._end_in, PATIENCE_SECONDS / 2)
        may_land = self._on_disconnect(end_soon) and not self.code
        if may_land:  # no signal: the client is patient
            self._grace = LANDING_GRACE_SECONDS
        self._end_in(LANDING_SECONDS if may_land else PATIENCE_SECONDS)

    def _end_in(self, seconds: float) -> None:
        if self._loop is not None:
            self._loop.call_later(seconds, self._on_end)

    def _watch(self) -> None:
        """Exit the process `GRACE_SECONDS` after the request, even if something hangs."""
        self._requests.get()
        time.sleep(GRACE_SECONDS)
        if not self.code:  # no signal: calls that are under way may land
            time.sleep(self._grace - GRACE_SECONDS)
        os._exit(self.code)
