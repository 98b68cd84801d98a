"""An OpenAI-compatible provider on loopback that fails in every way providers do.

What it does is named by the model: `ok`, `judge`, `hang`, `http-500`, `html` and so on; `delay-0.5`
answers rightly after half a second. As a script it prints its port and serves until its standard
input ends: `python -m tests.support.loopback`.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from tests.support.fakes import reply, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ANSWER = reply("42", 0.9)
MODELS = (
    "ok", "agrees", "third", "judge", "judge-garbage", "hang", "slow-loris", "disconnect",
    "http-500", "http-401", "http-429", "http-429-once", "html", "empty", "truncated", "no-usage",
    "no-choices", "delay-0.5", "delay-1.0",
)  # fmt: skip


class Provider:
    """The server's state: how often each model was asked, and which callers hung up."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.hung_up: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        """What was asked, as it came."""
        self.most_at_once = 0
        """Requests that were being answered at the same time, at the most."""
        self.connections = 0
        """Connections that are open."""
        self._now = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()

    async def serve(self, started: threading.Event) -> None:
        server = await asyncio.start_server(self._serve_one, "127.0.0.1", 0, backlog=2048)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await self._stop.wait()
        server.close()

    def run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self.serve(started))
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.split("content-length:")[1].split("\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                self.bodies.append(body)
                prompt = str(body["messages"][-1]["content"])
                self._now += 1
                self.most_at_once = max(self.most_at_once, self._now)
                try:
                    goes_on = await self._behave(body["model"], prompt, reader, writer)
                finally:
                    self._now -= 1
                if not goes_on:
                    break
        self.connections -= 1
        writer.close()

    async def _behave(
        self,
        model: str,
        prompt: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Answer as the model's name says; whether the connection goes on."""
        self.asked[model] += 1
        if model in {"hang", "slow-loris"}:
            await self._hang(model, reader, writer)
            return False
        if model.startswith("delay-"):
            await asyncio.sleep(float(model.removeprefix("delay-")))
        if model == "http-429-once" and self.asked[model] == 1:
            _send(writer, 429, {"error": {"message": "slow down"}}, "retry-after: 0.05\r\n")
        elif model in {"http-429", "http-500", "http-401"}:
            _send(writer, int(model.removeprefix("http-")), {"error": {"message": "no"}})
        elif model == "html":
            _send(writer, 200, "<html><body>Welcome to the proxy</body></html>")
        elif model == "disconnect":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
            writer.write(b'content-length: 1000\r\n\r\n{"choices": [{"mess')
            await writer.drain()
            return False
        else:
            _send(writer, 200, _completion(model, prompt))
        await writer.drain()
        return True

    async def _hang(
        self, model: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Say nothing, or one byte now and then, until the caller hangs up."""
        if model == "slow-loris":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        gone = asyncio.ensure_future(reader.read())
        while not gone.done():
            await asyncio.wait([gone], timeout=0.05)
            if model == "slow-loris" and not gone.done():
                writer.write(b" ")
        self.hung_up[model] += 1


def _judged(prompt: str) -> str:
    """A verdict that stands on everyone the prompt shows."""
    labels = ", ".join(re.findall(r"^Answer ([A-Z]+):$", prompt, re.MULTILINE))
    return verdict(support=labels, groups=labels, ranking=labels)


def _completion(model: str, prompt: str) -> dict[str, Any]:
    text = {
        "judge": _judged(prompt),
        "judge-garbage": "I rather liked all of them.",
        "empty": "",
    }.get(model, ANSWER)
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "length" if model == "truncated" else "stop",
    }
    found: dict[str, Any] = {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [] if model == "no-choices" else [choice],
    }
    if model != "no-usage":
        found["usage"] = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return found


def _send(writer: asyncio.StreamWriter, status: int, body: Any, headers: str = "") -> None:  # noqa: ANN401
    kind = "text/html" if isinstance(body, str) else "application/json"
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(data)}\r\n"
    writer.write(f"{head}{headers}\r\n".encode() + data)


@contextmanager
def provider() -> Iterator[Provider]:
    """The provider, in a thread of its own for as long as the context lasts."""
    served, started = Provider(), threading.Event()
    thread = threading.Thread(target=served.run, args=(started,), daemon=True)
    thread.start()
    started.wait(10)
    try:
        yield served
    finally:
        served.stop()
        thread.join(10)


def register(
    user_dir: Path, port: int, models: tuple[str, ...] = MODELS, seeing: tuple[str, ...] = ()
) -> None:
    """Make llm know these models, through its own OpenAI classes; `seeing` ones take files."""
    user_dir.mkdir(parents=True, exist_ok=True)
    rows = [
        f'- model_id: {m}\n  model_name: {m}\n  api_base: "http://127.0.0.1:{port}/v1"\n'
        + ("  vision: true\n" if m in seeing else "")
        for m in (*models, *seeing)
    ]
    (user_dir / "extra-openai-models.yaml").write_text("".join(rows))


if __name__ == "__main__":
    with provider() as serving:
        print(serving.port, flush=True)  # noqa: T201
        sys.stdin.read()
