"""llm models that say what they are told to, behind llm's own plugin hook."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import anyio
import llm
import pydantic
from llm.plugins import pm

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

Behaviour = Any
"""A text, an exception to raise, or seconds (float) to hang before the text `late`."""


class _Fake:
    def __init__(self, model_id: str, behaviour: Behaviour, **attributes: Any) -> None:  # noqa: ANN401
        self.model_id = model_id
        self.behaviour = behaviour
        self.prompts: list[llm.Prompt] = []
        self.streamed: list[bool] = []
        for name, value in attributes.items():
            setattr(self, name, value)

    def _note(self, prompt: llm.Prompt, response: Any, *, stream: bool) -> None:  # noqa: ANN401
        self.prompts.append(prompt)
        self.streamed.append(stream)
        response.set_usage(input=7, output=3)
        response.response_json = getattr(self, "response_json", None)


class FakeAsync(_Fake, llm.AsyncModel):
    class Options(llm.Options):
        temperature: float | None = pydantic.Field(default=None)

    async def execute(self, prompt, stream, response, conversation) -> AsyncIterator[str]:  # type: ignore[no-untyped-def,override]  # noqa: ANN001, ARG002
        self._note(prompt, response, stream=stream)
        if isinstance(self.behaviour, float):
            await anyio.sleep(self.behaviour)
            yield "late"
        elif isinstance(self.behaviour, BaseException):
            raise self.behaviour
        else:
            yield self.behaviour(prompt) if callable(self.behaviour) else self.behaviour


class FakeSync(_Fake, llm.Model):
    can_stream = True

    def execute(self, prompt, stream, response, conversation) -> Iterator[str]:  # type: ignore[no-untyped-def]  # noqa: ANN001, ARG002
        self._note(prompt, response, stream=stream)
        if isinstance(self.behaviour, threading.Event):
            yield "begun "
            self.behaviour.wait(30)
            yield "ended"
        elif isinstance(self.behaviour, float):
            time.sleep(self.behaviour)
            yield "late"
        elif isinstance(self.behaviour, BaseException):
            raise self.behaviour
        else:
            yield self.behaviour(prompt) if callable(self.behaviour) else self.behaviour


class FakePlugin:
    """A plugin object as pluggy takes it."""

    def __init__(self, register: Callable[..., None]) -> None:
        self._register = register

    @llm.hookimpl(trylast=True)  # after llm's own, so that a fake may take a real name
    def register_models(self, register: Callable[..., None], model_aliases: Any) -> None:  # noqa: ANN401, ARG002
        self._register(register)


@contextmanager
def plugin(name: str, register: Callable[..., None]) -> Iterator[None]:
    """Register a plugin with llm for as long as the context lasts."""
    registered = FakePlugin(register)
    pm.register(registered, name=name)
    try:
        yield
    finally:
        pm.unregister(registered)


def models(*fakes: _Fake) -> Callable[..., None]:
    """A hook that registers these, async ones as async."""

    def register(add: Callable[..., None]) -> None:
        for fake in fakes:
            if isinstance(fake, FakeAsync):
                add(FakeSync(fake.model_id, "the sync twin"), fake)
            else:
                add(fake)

    return register
