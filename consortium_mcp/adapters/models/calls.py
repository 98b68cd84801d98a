"""The only caller of models. Every call has a deadline and gives a typed reply or a `MemberError`.

Async models run on the event loop. Models that exist only in sync form run in daemon threads: the
process can end while a daemon thread is stuck, but not while a worker thread of the loop is.
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
    """Implements `Ask` with llm.

    Args:
        registry: finds the models.
        limits: how many calls run at once; the others wait, and their timeouts include the wait.
    """

    def __init__(self, registry: Registry, limits: Limits) -> None:
        self._registry = registry
        self._total_slots = _limiter(limits.total)
        self._provider_slots: defaultdict[str, AbstractAsyncContextManager[Any]] = defaultdict(
            lambda: _limiter(limits.per_provider)
        )
        # One call at a time for each sync model: few of these objects are safe to share.
        self._locks: defaultdict[str, anyio.Semaphore] = defaultdict(lambda: anyio.Semaphore(1))

    async def __call__(self, question: Question, /) -> Reply:
        """See `core.domain.ask.Ask`."""
        started = time.perf_counter()
        response: ProviderResponse | None = None
        with anyio.move_on_after(question.timeout):
            try:
                entry = (await self._registry.snapshot()).find(question.model)
            except UnknownModel as error:
                raise MemberError(str(error), kind="unknown_model", permanent=True) from error
            response = await self._ask_model(entry, question)
        if response is None:
            # Rounded, because a retry has a little less than the whole time left.
            raise MemberError(f"no answer within {round(question.timeout, 2):g} s", kind="timeout")
        return Reply(
            text=response.text,
            seconds=time.perf_counter() - started,
            input_tokens=response.input_tokens,
            output_tokens=response.output_tokens,
            warnings=response.warnings + _ignored_options(entry, question),
        )

    async def _ask_model(self, entry: Entry, question: Question) -> ProviderResponse:
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
        async with self._provider_slots[entry.provider], self._total_slots:
            yield

    async def _ask_sync(self, entry: Entry, question: Question) -> ProviderResponse:
        stop = threading.Event()

        def work() -> ProviderResponse:
            model: Any = entry.sync_model
            # Streamed, so that a cancelled call ends at its next token. Besides, llm-gguf's
            # unstreamed path contains a live breakpoint().
            response = model.prompt(question.prompt, stream=True, **_arguments(model, question))
            for _ in response:
                if stop.is_set():
                    break
            return read_response(model, response)

        lock = self._locks[entry.model_id]
        await lock.acquire()  # before the slot: a call that waits here must not hold one
        handed_over = False
        try:
            async with self._slot(entry):
                handed_over = True  # the thread releases the lock
                return await _in_daemon_thread(work, lock.release)
        finally:
            stop.set()
            if not handed_over:
                lock.release()


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
    """The question's system prompt, and those options and the schema that the model supports."""
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
    """Run `work` in a thread that neither cancellation nor the end of the process waits for.

    `on_end` runs on the event loop once the thread has really ended. That may be after this
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
        with suppress(anyio.RunFinishedError):  # the loop has ended: nobody waits
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
