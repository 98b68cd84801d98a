"""Stands for a program that the fork server runs: with its streams, signals and end.

`python -S -E fork_launcher.py -m MODULE ARGUMENT…`; see `programs`. It imports as little as it can.
Without a fork server it becomes the real program.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

ADDRESS = "FORK_SERVER"
FORWARDED = ("SIGTERM", "SIGINT", "SIGHUP")


def launch(address: str) -> None:
    """Have the program run, and end as it ends."""
    import json  # noqa: PLC0415 (not where it becomes the real program)

    with socket.socket(socket.AF_UNIX) as server:
        server.connect(address)
        env = {name: value for name, value in os.environ.items() if name != ADDRESS}
        asked = {"argv": sys.argv[2:], "cwd": os.getcwd(), "env": env}  # noqa: PTH109 (one import)
        text = json.dumps(asked).encode()
        socket.send_fds(server, [len(text).to_bytes(4, "big")], [0, 1, 2])
        server.sendall(text)
        for name in FORWARDED:
            signal.signal(getattr(signal, name), lambda number, _: server.send(bytes([number])))
        for stream in (0, 1, 2):  # else who reads from the program would wait for this one, too
            os.close(stream)
        end = server.recv(2)
    if not end:
        os._exit(70)
    by_signal, number = end
    if by_signal:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(number)


if __name__ == "__main__":
    if (place := os.environ.get(ADDRESS)) is None:
        os.execv(sys.executable, [sys.executable, *sys.argv[1:]])  # noqa: S606 (itself)
    launch(place)
