"""The only caller of models: a deadline round every call, and a typed reply or a `MemberError`.

Async models run on the event loop. Models that exist only in sync form run in daemon threads: the
process can end while one is stuck, which a worker thread of the loop would not allow.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

import anyio
import anyio.from_thread
import anyio.lowlevel

from consortium_mcp.adapters.models.failures import member_error
from consortium_mcp.adapters.models.provider_responses import (
    ProviderResponse,
    read_response,
    salvaged_text,
)
from consortium_mcp.core.domain.ask import Reply
from consortium_mcp.core.domain.errors import MemberError, UnknownModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from consortium_mcp.adapters.models.registry import Registry
    from consortium_mcp.adapters.models.snapshot import Entry
    from consortium_mcp.adapters.settings import Limits
    from consortium_mcp.core.domain.ask import Question


class ModelCaller:
    """`Ask`, through llm.

    Args:
        registry: where models are found.
        limits: how many calls are made at once; the others wait, within their own timeouts.
    """

    def __init__(self, registry: Registry, limits: Limits) -> None:
        self._registry = registry
        self._in_all = _limiter(limits.in_all)
        self._by_provider: defaultdict[str, AbstractAsyncContextManager[Any]] = defaultdict(
            lambda: _limiter(limits.per_provider)
        )
        # One call at a time for each sync model object: few of them are safe to share.
        self._turns: defaultdict[str, anyio.Semaphore] = defaultdict(lambda: anyio.Semaphore(1))

    async def __call__(self, question: Question, /) -> Reply:
        """See `core.domain.ask.Ask`."""
        started = time.perf_counter()
        said: ProviderResponse | None = None
        with anyio.move_on_after(question.timeout):
            try:
                entry = (await self._registry.snapshot()).find(question.model)
            except UnknownModel as error:
                raise MemberError(str(error), kind="unknown_model", permanent=True) from error
            said = await self._said(entry, question)
        if said is None:
            # rounded, for a retry is left a little less than the whole
            raise MemberError(f"no answer within {round(question.timeout, 2):g} s", kind="timeout")
        return Reply(
            text=said.text,
            seconds=time.perf_counter() - started,
            input_tokens=said.input_tokens,
            output_tokens=said.output_tokens,
            warnings=said.warnings + _ignored_options(entry, question),
        )

    async def _said(self, entry: Entry, question: Question) -> ProviderResponse:
        try:
            if entry.async_model is None:
                return await self._ask_sync(entry, question)
            async with self._slot(entry):
                return await _ask_async(entry.async_model, question)
        except MemberError:
            raise
        except Exception as error:  # a plugin's code is foreign
            raise member_error(error) from error

    @asynccontextmanager
    async def _slot(self, entry: Entry) -> AsyncIterator[None]:
        async with self._by_provider[entry.provider], self._in_all:
            yield

    async def _ask_sync(self, entry: Entry, question: Question) -> ProviderResponse:
        stop = threading.Event()

        def work() -> ProviderResponse:
            model: Any = entry.sync_model
            # Streamed, so that a cancelled call ends at its next token; llm-gguf's unstreamed
            # path holds a live breakpoint().
            response = model.prompt(question.prompt, stream=True, **_arguments(model, question))
            for _ in response:
                if stop.is_set():
                    break
            return read_response(model, response)

        turn = self._turns[entry.model_id]
        await turn.acquire()  # before the slot: who waits for its turn must not hold one
        began = False
        try:
            async with self._slot(entry):
                began = True
                return await _in_daemon_thread(work, turn.release)
        finally:
            stop.set()
            if not began:
                turn.release()


async def _ask_async(model: Any, question: Question) -> ProviderResponse:  # noqa: ANN401 (llm's model classes share no public base)
    response = model.prompt(question.prompt, stream=False, **_arguments(model, question))
    try:
        await response.text()
    except (AttributeError, IndexError, KeyError):
        text = salvaged_text(response)
        if text is None:
            raise
        return read_response(model, response, text)
    return read_response(model, response)


def _limiter(limit: int | None) -> AbstractAsyncContextManager[Any]:
    return nullcontext() if limit is None else anyio.Semaphore(limit)


def _arguments(model: Any, question: Question) -> dict[str, Any]:  # noqa: ANN401
    """What the model can take of the question's system prompt, options and schema."""
    known = model.Options.model_fields
    return {
        "system": question.system,
        "options": {name: value for name, value in question.options.items() if name in known},
        "schema": question.json_schema if model.supports_schema else None,
    }


def _ignored_options(entry: Entry, question: Question) -> tuple[str, ...]:
    model: Any = entry.async_model or entry.sync_model
    ignored = [name for name in question.options if name not in model.Options.model_fields]
    return (f"{entry.model_id} has no option {', '.join(ignored)}; not sent",) if ignored else ()


async def _in_daemon_thread(
    work: Callable[[], ProviderResponse], on_end: Callable[[], None]
) -> ProviderResponse:
    """Run `work` in a thread that neither cancellation nor the process's end waits for.

    `on_end` runs on the event loop when the thread is really done, which may be after this
    coroutine was cancelled.
    """
    token = anyio.lowlevel.current_token()
    done = anyio.Event()
    outcome: list[ProviderResponse | Exception] = []

    def finish() -> None:
        on_end()
        done.set()

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:  # noqa: BLE001 (a plugin's code is foreign; raised again below)
            outcome.append(error)
        except BaseException as error:  # noqa: BLE001 (a plugin that calls exit() ends its call only)
            outcome.append(RuntimeError(f"the plugin tried to end the process: {error!r}"))
        with suppress(anyio.RunFinishedError):  # the loop has ended meanwhile: nobody waits
            anyio.from_thread.run_sync(finish, token=token)

    try:
        threading.Thread(target=run, daemon=True).start()
    except RuntimeError:  # no more threads
        on_end()
        raise
    await done.wait()
    result = outcome[0]
    if isinstance(result, Exception):
        raise result
    return result
