"""The local demo model, SmolLM2-135M, loaded once and shared by all calls of this process.

xllamacpp runs it on the CPU. It also opens a loopback port, but a random key closes that port to
everyone; we call the model in-process only.
"""

from __future__ import annotations

import atexit
import json
import secrets
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

SLOTS = 2
"""Calls at once, so that the two members answer in parallel."""
SLOT_TOKENS = 2048
"""Context of one slot, in tokens. The engine divides its context among the slots."""


class LocalModelError(Exception):
    """The local model cannot answer; the message says why."""


class LocalEngine:
    """Completes texts with the weights in one file.

    Args:
        weights: the GGUF file; see the module `weights`.
    """

    def __init__(self, weights: Path) -> None:
        self._weights = weights
        self._server: Any = None
        self._load_lock = threading.Lock()
        self._slots = threading.Semaphore(SLOTS)

    def call(self, method: str, request: dict[str, Any]) -> dict[str, Any]:
        """Send xllamacpp one request; return its whole answer.

        Raises:
            LocalModelError: the weights are missing, or the prompt is longer than the context.
        """
        server = self._loaded_server()
        with self._slots:
            answer: dict[str, Any] = getattr(server, method)(request)
        if "error" in answer:
            raise LocalModelError(str(answer["error"].get("message", answer["error"])))
        return answer

    def _loaded_server(self) -> Any:  # noqa: ANN401 (xllamacpp is untyped)
        with self._load_lock:
            if self._server is None:
                self._server = _load(self._weights)
                atexit.register(self._wait_for_calls)
        return self._server

    def _wait_for_calls(self) -> None:
        """Let calls end before the interpreter does: tearing down native code in a call crashes.

        Calls are short, because all have a token limit; each slot is waited for at most 2 s.
        """
        for _ in range(SLOTS):
            self._slots.acquire(timeout=2)


class CompletionSession:
    """The completions for one reply, with their tokens counted.

    Args:
        engine: computes them.
    """

    def __init__(self, engine: LocalEngine) -> None:
        self._engine = engine
        self.input_tokens = 0
        self.output_tokens = 0

    def complete(
        self, prompt: str, *, max_tokens: int, stop: str = "\n", grammar: str | None = None
    ) -> str:
        """What the model writes after `prompt`, up to `stop`.

        Raises:
            LocalModelError: the weights are missing, or the prompt is longer than the context.
        """
        request = {"prompt": prompt, "max_tokens": max_tokens, "temperature": 0, "stop": [stop]}
        if grammar is not None:
            request["grammar"] = grammar
        return str(self._choice("handle_completions", request)["text"]).strip()

    def chat(
        self,
        messages: list[dict[str, str]],
        *,
        max_tokens: int,
        stop: str | None = None,
        schema: dict[str, Any] | None = None,
    ) -> str:
        """The model's next message.

        Args:
            messages: `role` and `content` of each message so far.
            max_tokens: where the reply is cut.
            stop: text that ends the reply.
            schema: a JSON schema; a grammar forces the reply to follow it.

        Raises:
            LocalModelError: as for `complete`, or the token limit cut the reply's JSON.
        """
        request: dict[str, Any] = {
            "messages": messages,
            "max_tokens": max_tokens,
            "temperature": 0,
            "stop": [stop] if stop else [],
        }
        if schema is not None:
            response_format = {"type": "json_schema", "json_schema": {"schema": schema}}
            request["response_format"] = response_format
        text = str(self._choice("handle_chat_completions", request)["message"]["content"]).strip()
        if schema is not None:
            try:  # the limit cuts a runaway generation, which is then no JSON
                json.loads(text)
            except ValueError:
                raise LocalModelError("the model ran on and its JSON was cut") from None
        return text

    def _choice(self, method: str, request: dict[str, Any]) -> dict[str, Any]:
        answer = self._engine.call(method, request)
        self.input_tokens += answer["usage"]["prompt_tokens"]
        self.output_tokens += answer["usage"]["completion_tokens"]
        choice: dict[str, Any] = answer["choices"][0]
        return choice


def _load(weights: Path) -> Any:  # noqa: ANN401
    import xllamacpp  # noqa: PLC0415 (only with the extra `local`, only when called)

    if not weights.is_file():
        raise LocalModelError(
            "the local model's weights are not here yet: run `consortium-mcp setup-local`"
        )
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * SLOT_TOKENS
    params.cache_ram_mib = 0  # its prompt cache would grow to gigabytes
    # One thread: with two on a busy machine 5 tokens a second instead of 70.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.verbosity = -1
    params.api_keys = [secrets.token_hex(16)]
    return xllamacpp.Server(params)
