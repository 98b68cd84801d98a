"""The only caller of models. Every call has a deadline and gives a typed reply or a `MemberError`.

Each provider's async models run on a loop of their own, models that exist only in sync form in
daemon threads: see `plugin_calls`.

What is learned of a model or a provider is remembered while the process lives: that it takes no
schema, and until when it asks to be left alone.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import defaultdict
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import llm

from consortium_mcp.adapters.calls.attachments import as_llm
from consortium_mcp.adapters.calls.listening import hearer_of
from consortium_mcp.adapters.calls.provider_responses import (
    ProviderResponse,
    read_response,
    salvaged_text,
)
from consortium_mcp.adapters.calls.tools import Tools, ask_with_tools, watched
from consortium_mcp.adapters.models.failures import may_refuse_schema, member_error
from consortium_mcp.adapters.models.plugin_calls import in_thread, on_loop_of
from consortium_mcp.adapters.models.secrets import without_keys, without_secrets
from consortium_mcp.adapters.prices import Prices, Tokens, price_of
from consortium_mcp.adapters.wire.last_response import noting
from consortium_mcp.core.domain.ask import Reply
from consortium_mcp.core.domain.errors import MemberError, UnknownModel
from consortium_mcp.core.domain.principal import LOCAL, Principal
from consortium_mcp.core.domain.values import total

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from consortium_mcp.adapters.calls.account_keys import AccountKeys
    from consortium_mcp.adapters.calls.listening import Hear
    from consortium_mcp.adapters.models.registry import Registry
    from consortium_mcp.adapters.models.snapshot import Entry
    from consortium_mcp.adapters.settings import Limits
    from consortium_mcp.adapters.wire.last_response import LastResponse
    from consortium_mcp.core.domain.ask import Question
    from consortium_mcp.core.domain.tool_use import Steps
    from consortium_mcp.core.domain.values import Spending

Account = tuple[str, Principal]
"""A provider, and whose key it is asked with; the local user's are the server's."""
MAX_ERROR = 1_000
"""Characters kept of an error's text."""
LONGEST_HOLD = 300.0
"""Seconds for which a provider's other calls are held back at the most."""


@dataclass
class _Brought:
    """What a call brings along."""

    key: str | None = field(default=None, repr=False)


class ModelCaller:
    """Implements `Ask` with llm.

    Args:
        registry: finds the models.
        limits: how many calls run at once; the others wait, and their timeouts include the wait.
        prices: say what a call cost whose provider does not.
        fetch_urls: whether a plugin may fetch an attached address from this machine.
        tools: finds the tools that members may use.
        keys: those of a team's users; without them, every call is made with the server's.
    """

    def __init__(
        self,
        registry: Registry,
        limits: Limits,
        prices: Prices | None = None,
        *,
        fetch_urls: bool = False,
        tools: Tools | None = None,
        keys: AccountKeys | None = None,
    ) -> None:
        self._keys = keys
        self._registry = registry
        self._prices = prices or Prices()
        self._fetch_urls = fetch_urls
        self._tools = tools or Tools()
        self._total_slots = _limiter(limits.total)
        self._per_provider = limits.per_provider
        self._provider_slots: dict[str, AbstractAsyncContextManager[Any]] = {}
        self._locks: defaultdict[str, anyio.Semaphore] = defaultdict(lambda: anyio.Semaphore(1))
        """One call at a time for each model that computes in this process."""
        self._without_schema: set[str] = set()
        """Ids of models that refused a schema, or answered nothing when they got one."""
        self._schema_doubts: set[str] = set()
        """Those of them that have not answered without a schema yet."""
        self._held_until: dict[Account, float] = {}
        """Account -> the loop's time until which its provider asked not to be called."""

    async def __call__(self, question: Question, /) -> Reply:
        """See `core.domain.ask.Ask`."""
        brought = _Brought()
        try:
            return await self._reply(question, brought)
        except MemberError as error:
            # Wherever it was made: a provider may echo the key that it was sent.
            error.args = (without_secrets(str(error), brought.key)[:MAX_ERROR],)
            raise

    async def _reply(self, question: Question, brought: _Brought) -> Reply:
        started = time.perf_counter()
        response: ProviderResponse | None = None
        with anyio.move_on_after(question.timeout) as scope:
            try:
                entry = (await self._registry.snapshot()).find(question.model)
            except UnknownModel as error:
                raise MemberError(str(error), kind="unknown_model", permanent=True) from error
            if self._keys is not None:
                brought.key = await self._keys.key_for(question.account, entry)
                _check_own(brought.key)
            if brought.key is None:  # by the server's account, whoever asks
                question = question.model_copy(update={"account": LOCAL})
            try:
                response = await self._ask_model(entry, question, scope.deadline, brought.key)
            except MemberError as error:
                with anyio.CancelScope(shield=True):  # the time may be over, and it cost the same
                    error.spent = await self._priced(entry, error.spent)
                raise
        if response is None:
            # Rounded, because a retry has a little less than the whole time left.
            raise MemberError(f"no answer within {round(question.timeout, 2):g} s", kind="timeout")
        responses = (*response.earlier, response)
        spent = [await self._priced(entry, each.spent, each.cache_written) for each in responses]
        return Reply(
            text=without_keys(response.text, brought.key),
            seconds=round(time.perf_counter() - started, 3),
            **total(spent).model_dump(),
            tries=len(responses),
            warnings=response.warnings + _ignored_options(entry, question),
        )

    async def _priced(self, entry: Entry, spent: Spending, cache_written: int = 0) -> Spending:
        """What a call used, with its cost where that is told or the price is known."""
        sent, received = spent.input_tokens, spent.output_tokens
        if spent.cost_usd is not None or sent is None or received is None:
            return spent
        tokens = Tokens(sent, received, spent.cached_tokens or 0, cache_written)
        # In a thread: the first look at the prices takes its time.
        cost = await anyio.to_thread.run_sync(price_of, self._prices, entry, tokens)
        return spent.model_copy(update={"cost_usd": cost, "priced_calls": int(cost is not None)})

    async def _wait_while_held(self, account: Account, deadline: float) -> None:
        """Wait as long as the provider has asked for, if that is within the call's time."""
        while (until := self._held_until.get(account, 0.0)) > (now := anyio.current_time()):
            if until >= deadline:
                why = f"{account[0]} asked to be left alone for another {until - now:.0f} s"
                raise MemberError(f"{why} (a rate limit)", kind="rate_limit")
            # Not all at the same moment.
            await anyio.sleep(until - now + random.uniform(0, min(1.0, (until - now) / 4)))

    async def _ask_model(
        self, entry: Entry, question: Question, deadline: float, key: str | None
    ) -> ProviderResponse:
        if entry.model_id in self._without_schema:
            question = question.model_copy(update={"json_schema": None})
        model: Any = entry.async_model or entry.sync_model
        hear = hearer_of(question)
        with noting() as noted:
            try:
                arguments = _arguments(entry, model, question, fetch_urls=self._fetch_urls)
                if key is not None:
                    arguments["key"] = key
                account = entry.provider, question.account
                if question.tools and entry.supports_tools:
                    tools = await anyio.to_thread.run_sync(self._tools.find, question.tools)
                    arguments["tools"] = watched(tools, question.steps, asyncio.get_running_loop())
                if entry.async_model is None:
                    found = await self._ask_sync(
                        entry, arguments, noted, account, deadline, hear=hear
                    )
                else:
                    async with self._slot(entry, account, deadline):
                        home = asyncio.get_running_loop()
                        found = await on_loop_of(
                            entry.provider,
                            lambda: _ask_async(
                                model, arguments, noted, question.steps, home, hear=hear
                            ),
                        )
            except MemberError as error:
                if error.kind == "empty" and (noted.failed or noted.error):
                    swallowed = llm.ModelError("the plugin gave no reply")  # the plugin hides it
                    raise self._failure(entry, question, swallowed, noted) from error
                self._learn(entry, question, error, is_schema=error.kind == "empty")
                raise
            except (Exception, SystemExit) as error:  # a plugin's code is foreign
                raise self._failure(entry, question, error, noted) from error
        self._schema_doubts.discard(entry.model_id)  # it answers without one: that was the fault
        return found

    def _failure(
        self, entry: Entry, question: Question, error: BaseException, noted: LastResponse
    ) -> MemberError:
        """What the exception means, after what it says of the model has been learned."""
        failure = member_error(error, noted)
        self._learn(entry, question, failure, is_schema=may_refuse_schema(error, noted))
        return failure

    def _learn(
        self, entry: Entry, question: Question, failure: MemberError, *, is_schema: bool
    ) -> None:
        """Remember what a failure says of the model and its provider.

        Raises:
            MemberError: the schema may be at fault: the same question can be asked without it at
                once.
        """
        if failure.retry_after:
            until = anyio.current_time() + min(failure.retry_after, LONGEST_HOLD)
            account = entry.provider, question.account
            self._held_until[account] = max(until, self._held_until.get(account, 0.0))
        model: Any = entry.async_model or entry.sync_model
        if is_schema and question.json_schema is not None and model.supports_schema:
            self._without_schema.add(entry.model_id)
            self._schema_doubts.add(entry.model_id)
            raise MemberError(
                f"it was asked again without a schema: {failure}",
                kind="schema",
                passing=True,
                retry_after=0.0,
                spent=failure.spent,
            ) from failure
        if entry.model_id in self._schema_doubts and failure.permanent:
            # Without a schema it is refused as well: something else is at fault.
            self._schema_doubts.discard(entry.model_id)
            self._without_schema.discard(entry.model_id)

    @asynccontextmanager
    async def _slot(self, entry: Entry, account: Account, deadline: float) -> AsyncIterator[None]:
        if entry.provider not in self._provider_slots:
            most = [each for each in (self._per_provider, entry.at_once) if each is not None]
            self._provider_slots[entry.provider] = _limiter(min(most, default=None))
        async with self._provider_slots[entry.provider]:
            await self._wait_while_held(account, deadline)
            async with self._total_slots:
                yield

    async def _ask_sync(
        self,
        entry: Entry,
        arguments: dict[str, Any],
        noted: LastResponse,
        account: Account,
        deadline: float,
        *,
        hear: Hear | None,
    ) -> ProviderResponse:
        stop = threading.Event()

        def work() -> ProviderResponse:
            model: Any = entry.sync_model
            # Streamed, so that a cancelled call ends at its next token. Besides, llm-gguf's
            # unstreamed path contains a live breakpoint().
            response = model.prompt(stream=True, **arguments)
            for piece in response:
                if stop.is_set():
                    raise RuntimeError("given up")
                if hear is not None:
                    hear(piece)
            return read_response(model, response)

        # Before the slot: a call that waits here must not hold one. It is let go when the call is
        # given up, even if its thread is stuck: that must not keep the next call from the model.
        lock = self._locks[entry.model_id] if entry.is_local else nullcontext()
        async with lock, self._slot(entry, account, deadline):
            try:
                return await in_thread(work)
            except anyio.get_cancelled_exc_class():
                stop.set()
                noted.connections.break_off()
                raise


async def _ask_async(
    model: Any,  # noqa: ANN401 (llm's base classes are untyped)
    arguments: dict[str, Any],
    noted: LastResponse,
    steps: Steps,
    home: asyncio.AbstractEventLoop,
    *,
    hear: Hear | None,
) -> ProviderResponse:
    if "tools" in arguments:
        try:
            return await ask_with_tools(model, arguments, steps, home)
        finally:
            await noted.connections.close()
    response = model.prompt(stream=hear is not None, **arguments)
    try:
        if hear is not None:
            async for piece in response:
                hear(piece)
        await response.text()
    except (AttributeError, IndexError, KeyError, TypeError):
        text = salvaged_text(response)
        if text is None:
            raise
        return read_response(model, response, text)
    finally:
        await noted.connections.close()
    return read_response(model, response)


def _check_own(key: str | None) -> None:
    """Whether llm will take a user's key for one, and not for the name of one of the server's.

    Raises:
        MemberError: it would not.
    """
    if key is not None and key in llm.load_keys():  # type: ignore[no-untyped-call]
        raise MemberError("your own key is none: give the real one", kind="no_key", permanent=True)


def _limiter(limit: int | None) -> AbstractAsyncContextManager[Any]:
    return nullcontext() if limit is None else anyio.Semaphore(limit)


def _arguments(
    entry: Entry,
    model: Any,  # noqa: ANN401 (llm's base classes are untyped)
    question: Question,
    *,
    fetch_urls: bool,
) -> dict[str, Any]:
    """The question's system prompt, and those options and the schema that the model supports."""
    known = model.Options.model_fields
    options = _mark_of(entry, question) | entry.options | question.options
    prompt, system, before = question.prompt, question.system, None
    files = [as_llm(each, fetch=fetch_urls) for each in question.attachments]
    if system and entry.drops_system:
        prompt, system = f"{system}\n\n{prompt}", None
    elif options.get(_MARKS.get(entry.provider, "")) and question.worth_caching is not None:
        # A block of its own: what was marked is found again only where a block ends.
        beginning, prompt = prompt[: question.worth_caching], prompt[question.worth_caching :]
        if prompt:
            before, files = [llm.user(beginning, *files)], []
        else:
            prompt = beginning
    return {
        "prompt": prompt,
        "messages": before,
        "attachments": files or None,
        "system": system,
        "options": {name: value for name, value in options.items() if name in known},
        "schema": question.json_schema if model.supports_schema else None,
        # Else llm asks OpenAI for summaries of the reasoning, which most accounts are refused.
        "hide_reasoning": True,
    }


_MARKS = {"anthropic": "cache"}
"""Plugins whose provider caches only what is marked -> the option that marks the prompt's end."""


def _mark_of(entry: Entry, question: Question) -> dict[str, Any]:
    """The option that has the provider keep the prompt, where that pays; else nothing."""
    mark = _MARKS.get(entry.provider)
    return {mark: True} if mark is not None and question.worth_caching is not None else {}


def _ignored_options(entry: Entry, question: Question) -> tuple[str, ...]:
    model: Any = entry.async_model or entry.sync_model
    ignored = [name for name in question.options if name not in model.Options.model_fields]
    return (f"{entry.model_id} has no option {', '.join(ignored)}; not sent",) if ignored else ()
