"""The only caller of models: a deadline round every call, and a typed reply or a `MemberError`.

Async models run on the event loop. Models that exist only in sync form run in daemon threads: the
process can end while one is stuck, which a worker thread of the loop would not allow.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
import anyio.from_thread
import anyio.lowlevel

from consortium_mcp.adapters.failures import member_error
from consortium_mcp.core.answers import clean
from consortium_mcp.core.errors import MemberError, UnknownModel
from consortium_mcp.core.models import Reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from consortium_mcp.adapters.registry import Entry, Registry
    from consortium_mcp.adapters.settings import Limits
    from consortium_mcp.core.models import Question

_CUT_SHORT = frozenset({"length", "max_tokens", "max_output_tokens", "content_filter", "safety"})


@dataclass(frozen=True)
class _Said:
    """What llm's response held once it was complete."""

    text: str
    input_tokens: int | None
    output_tokens: int | None
    finish_reason: str | None
    note: str | None = None
    """What else is odd about it."""


class Calls:
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
        """See `core.ask.Ask`."""
        started = time.perf_counter()
        try:
            with anyio.fail_after(question.timeout):
                entry = (await self._registry.snapshot()).find(question.model)
                async with self._by_provider[entry.provider], self._in_all:
                    said = await self._said(entry, question)
        except UnknownModel as error:
            raise MemberError(str(error), kind="unknown_model", permanent=True) from error
        except TimeoutError as error:
            raise MemberError(f"no answer within {question.timeout:g} s", kind="timeout") from error
        text = clean(said.text)
        if not text.strip():
            raise MemberError("the reply was empty (no text in it)", kind="empty")
        return Reply(
            text=text,
            seconds=time.perf_counter() - started,
            input_tokens=said.input_tokens,
            output_tokens=said.output_tokens,
            warnings=_warnings(said, entry, question),
        )

    async def _said(self, entry: Entry, question: Question) -> _Said:
        try:
            if entry.async_model is not None:
                return await _ask_async(entry.async_model, question)
            return await self._ask_sync(entry, question)
        except (MemberError, TimeoutError):
            raise
        except Exception as error:  # a plugin's code is foreign
            raise member_error(error) from error

    async def _ask_sync(self, entry: Entry, question: Question) -> _Said:
        turn = self._turns[entry.model_id]
        await turn.acquire()
        stop = threading.Event()

        def work() -> _Said:
            model: Any = entry.sync_model
            # Streamed, so that a cancelled call ends at its next token; llm-gguf's unstreamed
            # path holds a live breakpoint().
            response = model.prompt(question.prompt, stream=True, **_arguments(model, question))
            for _ in response:
                if stop.is_set():
                    break
            _raise_if_failed(model, response)
            usage = (response.input_tokens, response.output_tokens)
            return _Said("".join(response._chunks), *usage, _finish_reason(response))  # noqa: SLF001 (text() would start over)

        try:
            return await _in_daemon_thread(work, turn.release)
        finally:
            stop.set()


async def _ask_async(model: Any, question: Question) -> _Said:  # noqa: ANN401 (llm's model classes share no public base)
    response = model.prompt(question.prompt, stream=False, **_arguments(model, question))
    note = None
    try:
        text = await response.text()
    except (AttributeError, IndexError, KeyError):
        # llm stumbles over a reply without usage, though its text has come and is paid for.
        text = _salvaged(response)
        if text is None:
            raise
        note = "the reply lacked a part that the API promises (such as its token usage)"
    _raise_if_failed(model, response)
    reason = _finish_reason(response)
    return _Said(text, response.input_tokens, response.output_tokens, reason, note)


def _salvaged(response: Any) -> str | None:  # noqa: ANN401
    """The text of a chat completion that llm has received but could not take apart."""
    try:
        text = response.response_json["choices"][0]["message"]["content"]
    except (TypeError, KeyError, IndexError):
        return None
    return text if isinstance(text, str) else None


def _raise_if_failed(model: Any, response: Any) -> None:  # noqa: ANN401
    """Name a failure that the Responses API reports inside a reply, and llm passes over."""
    found = response.response_json
    if isinstance(found, dict) and found.get("status") in {"failed", "cancelled"}:
        error = found.get("error")
        said = error.get("message") if isinstance(error, dict) else None
        raise MemberError(
            f"the provider reports that the reply {found['status']}: {said or 'no reason given'}",
            kind="provider",
            passing=True,
        )
    # Streamed, llm keeps nothing of a Responses reply that did not complete.
    if found is None and "Responses" in type(model).__name__:
        raise MemberError(
            "the reply broke off before it was complete", kind="broken_off", passing=True
        )


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


async def _in_daemon_thread(work: Callable[[], _Said], on_end: Callable[[], None]) -> _Said:
    """Run `work` in a thread that neither cancellation nor the process's end waits for.

    `on_end` runs on the event loop when the thread is really done, which may be after this
    coroutine was cancelled.
    """
    token = anyio.lowlevel.current_token()
    done = anyio.Event()
    outcome: list[_Said | Exception] = []

    def finish() -> None:
        on_end()
        done.set()

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:  # noqa: BLE001 (a plugin's code is foreign; raised again below)
            outcome.append(error)
        with suppress(anyio.RunFinishedError):  # the loop has ended meanwhile: nobody waits
            anyio.from_thread.run_sync(finish, token=token)

    threading.Thread(target=run, daemon=True).start()
    await done.wait()
    result = outcome[0]
    if isinstance(result, Exception):
        raise result
    return result


def _finish_reason(response: Any) -> str | None:  # noqa: ANN401
    """Why the model stopped, as the provider says it; each plugin keeps it somewhere else."""
    found = response.response_json
    if not isinstance(found, dict):
        return None
    details = found.get("incomplete_details")
    candidates: list[Any] = [
        found.get("finish_reason"),
        found.get("stop_reason"),
        found.get("done_reason"),
        details.get("reason") if isinstance(details, dict) else None,
    ]
    for field, name in (("choices", "finish_reason"), ("candidates", "finishReason")):
        first = found.get(field)
        if isinstance(first, list) and first and isinstance(first[0], dict):
            candidates.append(first[0].get(name))
    return next((reason.lower() for reason in candidates if isinstance(reason, str)), None)


def _warnings(said: _Said, entry: Entry, question: Question) -> tuple[str, ...]:
    warnings = [said.note] if said.note else []
    if said.note is None and said.input_tokens is None and said.output_tokens is None:
        warnings.append("the provider reported no token usage")
    if said.finish_reason in _CUT_SHORT:
        warnings.append(f"the reply was cut short by the provider ({said.finish_reason})")
    model: Any = entry.async_model or entry.sync_model
    ignored = [name for name in question.options if name not in model.Options.model_fields]
    if ignored:
        warnings.append(f"{entry.model_id} has no option {', '.join(ignored)}; not sent")
    return tuple(warnings)
