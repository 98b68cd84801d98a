"""Forks the tests' programs; see `programs`. It ends when its standard input does."""

from __future__ import annotations

import os

os.environ["LLM_LOAD_PLUGINS"] = ""  # read once, as llm is imported

import atexit
import gc
import json
import runpy
import selectors
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress
from importlib import import_module
from typing import IO, Any, NoReturn, cast

PRELOADED = (
    "consortium_mcp.adapters.calls.model_caller",
    "consortium_mcp.frontends.cli.main",
    "consortium_mcp.frontends.llm.plugin",
    "consortium_mcp.frontends.mcp.server",
    "consortium_mcp.frontends.team.serving",
    "consortium_mcp.services.assembly",
    "anyio._backends._asyncio",
    "llm.cli",
    "mcp.server.mcpserver",
    "mcp.server.stdio",
    "rich.live",
    "tests.support.fake_models",
    "tests.support.fakes",
)
"""What takes long to import, so that no fork need do it."""


class Forks:
    """The programs that run, each with the launcher that stands for it."""

    def __init__(self, listening: socket.socket, selector: selectors.BaseSelector) -> None:
        self._listening = listening
        self._selector = selector

    def begin(self) -> None:
        """Fork for the launcher that has connected."""
        launcher, _ = self._listening.accept()
        asked, streams = _received(launcher)
        if asked is None:
            launcher.close()
            return
        pid = os.fork()
        if not pid:
            become(asked, streams)
        for stream in streams:
            os.close(stream)
        self._selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, launcher))
        self._selector.register(launcher, selectors.EVENT_READ, pid)

    def end(self, ended: int, pid: int, launcher: socket.socket) -> None:
        """Tell the launcher how its program has ended."""
        self._selector.unregister(ended)
        os.close(ended)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if launcher.fileno() != -1:
            self._selector.unregister(launcher)
            with suppress(OSError):  # it was killed just now
                launcher.send(bytes([code < 0, abs(code)]))
            launcher.close()

    def pass_on(self, launcher: socket.socket, pid: int) -> None:
        """Give the program the signals that its launcher has got; both are killed together."""
        if launcher.fileno() == -1:  # the program has ended just now
            return
        try:
            signals = launcher.recv(16)
        except OSError:
            signals = b""
        if not signals:
            self._selector.unregister(launcher)
            launcher.close()
        for number in signals or [signal.SIGKILL]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def serve(address: str) -> None:
    """Fork for each launcher that connects."""
    for module in PRELOADED:
        import_module(module)
    gc.collect()
    gc.freeze()  # what all forks share is not touched
    with selectors.DefaultSelector() as selector, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(100)
        forks = Forks(listening, selector)
        selector.register(listening, selectors.EVENT_READ)
        selector.register(0, selectors.EVENT_READ)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            for key, _ in selector.select():
                if key.fileobj == 0:
                    return
                if key.fileobj is listening:
                    forks.begin()
                elif isinstance(key.fileobj, int):
                    forks.end(key.fileobj, *key.data)
                else:
                    forks.pass_on(cast("socket.socket", key.fileobj), key.data)


def _received(launcher: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """What is to be run, and its streams; `None` if the launcher was killed before it said so."""
    streams: list[int] = []
    text = b""
    with suppress(OSError):
        length, streams, _, _ = socket.recv_fds(launcher, 4, 3)
        while part := launcher.recv(1 << 16):
            text += part
            if len(text) == int.from_bytes(length, "big"):
                return json.loads(text), streams
    for stream in streams:
        os.close(stream)
    return None, []


def become(asked: dict[str, Any], streams: list[int]) -> NoReturn:
    """Be the program, as if Python had just been started with it."""
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
    os.closerange(3, 1024)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        for known_as in (name, f"__{name}__"):
            setattr(sys, known_as, _stream(number))
    sys.argv = asked["argv"]
    code: object = 0
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException as error:  # noqa: BLE001 (as Python does with what nobody catches)
        traceback.print_exc()
        code = 128 + signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    if not isinstance(code, int | None):
        sys.stderr.write(f"{code}\n")
    with suppress(OSError, ValueError):  # nobody reads it any more
        sys.stdout.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _stream(number: int) -> IO[str]:
    errors, buffering = ("backslashreplace", 1) if number == 2 else ("strict", -1)
    mode = "w" if number else "r"
    return open(number, mode, buffering, "utf-8", errors, closefd=False)


if __name__ == "__main__":
    serve(sys.argv[1])
