"""Fake models that use tools before they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import llm

from tests.support.fake_models import FakeAsync

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Use = tuple[str, dict[str, Any]]


class ToolUser(FakeAsync):
    """Uses these tools, one after the other or several in a row, and then says `behaviour`.

    `told` is what the tools answered.
    """

    supports_tools = True

    def __init__(self, model_id: str, behaviour: Any, *uses: Use | list[Use]) -> None:  # noqa: ANN401
        super().__init__(model_id, behaviour)
        self.uses = [each if isinstance(each, list) else [each] for each in uses]
        self.told: list[str] = []

    async def execute(self, prompt, stream, response, conversation) -> AsyncIterator[str]:  # type: ignore[no-untyped-def,override]  # noqa: ANN001
        self.told += [result.output for result in prompt.tool_results]
        step = sum(bool(message.role == "tool") for message in prompt.messages)
        if step < len(self.uses):
            self._note(prompt, response, stream=stream)
            for number, (name, arguments) in enumerate(self.uses[step]):
                response.add_tool_call(
                    llm.ToolCall(name, arguments, tool_call_id=f"{step}.{number}")
                )
            yield ""
            return
        async for chunk in super().execute(prompt, stream, response, conversation):
            yield chunk


class ToolPlugin:
    """A plugin of llm with these functions as tools."""

    def __init__(self, *functions: Any) -> None:  # noqa: ANN401 (functions and toolboxes)
        self._functions = functions

    @llm.hookimpl
    def register_tools(self, register: Any) -> None:  # noqa: ANN401
        for each in self._functions:
            register(each)
