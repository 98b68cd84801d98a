"""Puts one question to an agent through the Agent Client Protocol.

A process for each call, as with the programs that have a way of their own: an empty folder, no MCP
server of ours, no file, no terminal, and no for an answer to every permission.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn, cast

import acp
from acp import schema as messages

from consortium_mcp.adapters.agents.asking import folders
from consortium_mcp.adapters.agents.environment import environment_for
from consortium_mcp.adapters.agents.processes import conversation, read
from consortium_mcp.adapters.agents.programs import Answer, failure, plain
from consortium_mcp.core.domain.errors import MemberError

if TYPE_CHECKING:
    from pathlib import Path

    from consortium_mcp.adapters.acp.agents import Agent
    from consortium_mcp.adapters.agents.processes import Watched

_AUTHENTICATION_REQUIRED = -32000
"""The protocol's code for an agent in which nobody is signed in."""
_CUT_SHORT = {"max_tokens", "max_turn_requests"}


async def ask(agent: Agent, prompt: str, system: str | None = None) -> Answer:
    """The agent's answer. Its processes have ended when this returns, or is cancelled.

    Args:
        agent: the one that is asked.
        prompt: what it is asked.
        system: put before the prompt, as the protocol has no place of its own for it.

    Raises:
        MemberError: the agent is not there, or it failed; in its own words.
    """
    path = agent.path
    if path is None:
        why = f"the program {agent.command[0]} is not installed, or not where it is looked for"
        raise MemberError(why, kind="missing", permanent=True)
    with tempfile.TemporaryDirectory(prefix="consortium-", ignore_cleanup_errors=True) as made:
        folder, empty = folders(made)
        environment = environment_for(agent, folder)
        command = [str(path), *agent.command[1:]]
        try:
            async with conversation(command, environment=environment, folder=empty) as watched:
                return await _talk(agent, watched, empty, _text(prompt, system))
        except OSError as error:
            raise MemberError(f"{path} cannot be started: {error}", kind="missing") from error


def _text(prompt: str, system: str | None) -> str:
    return f"{system}\n\n{prompt}" if system else prompt


async def _talk(agent: Agent, watched: Watched, folder: Path, prompt: str) -> Answer:
    """One session with one prompt."""
    errors = asyncio.ensure_future(read(watched.errors))
    client = _OnlyListens()
    connection = acp.connect_to_agent(cast("acp.Client", client), watched.input, watched.output)
    try:
        started = await connection.initialize(
            protocol_version=acp.PROTOCOL_VERSION,
            client_capabilities=messages.ClientCapabilities(),
            client_info=messages.Implementation(name="consortium-mcp", version="1"),
        )
        session = await connection.new_session(cwd=str(folder), mcp_servers=[])
        ended = await connection.prompt(
            session_id=session.session_id, prompt=[acp.text_block(prompt)]
        )
        if _can_close(started):
            with suppress(acp.RequestError, ConnectionError):
                await connection.close_session(session_id=session.session_id)
    except acp.RequestError as error:
        _raise(agent, error)
    except ConnectionError:
        said = plain((await errors).decode("utf-8", "replace"))
        raise failure(agent, said or "it ended without an answer") from None
    finally:
        errors.cancel()
        await connection.close()
    return _answer(agent, client, ended)


class _OnlyListens:
    """Our side of the conversation: it collects the answer, and allows nothing.

    Files are refused as unknown methods, since it has none for them.
    """

    def __init__(self) -> None:
        self._texts = [""]
        """The text before, between and after the uses of tools."""
        self.cost_usd: float | None = None

    @property
    def text(self) -> str:
        """The answer: what it said last, without what it announced before it used tools."""
        return next((text for text in reversed(self._texts) if text.strip()), "")

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:  # noqa: ANN401, ARG002
        """Note what the agent says."""
        if isinstance(update, messages.AgentMessageChunk):
            if isinstance(update.content, messages.TextContentBlock):
                self._texts[-1] += update.content.text
        elif isinstance(update, messages.ToolCallStart):
            self._texts.append("")
        elif isinstance(update, messages.UsageUpdate):
            cost = update.cost
            self.cost_usd = cost.amount if cost and cost.currency == "USD" else self.cost_usd

    async def create_terminal(self, **_: Any) -> NoReturn:  # noqa: ANN401
        """Refuse: by itself the library answers as if there were one."""
        raise acp.RequestError.method_not_found("terminal/create")

    async def request_permission(
        self,
        session_id: str,  # noqa: ARG002
        tool_call: Any,  # noqa: ANN401, ARG002
        options: list[messages.PermissionOption],
        **_: Any,  # noqa: ANN401
    ) -> messages.RequestPermissionResponse:
        """Refuse."""
        no = next((each for each in options if each.kind.startswith("reject")), None)
        if no is None:
            denied = messages.DeniedOutcome(outcome="cancelled")
            return messages.RequestPermissionResponse(outcome=denied)
        chosen = messages.AllowedOutcome(outcome="selected", option_id=no.option_id)
        return messages.RequestPermissionResponse(outcome=chosen)


def _can_close(started: messages.InitializeResponse) -> bool:
    can = started.agent_capabilities
    return can is not None and getattr(can.session_capabilities, "close", None) is not None


def _raise(agent: Agent, error: acp.RequestError) -> NoReturn:
    details = error.data.get("details") if isinstance(error.data, dict) else None
    said = f"{error}: {details}" if details else str(error)
    if error.code == _AUTHENTICATION_REQUIRED:
        why = f"{agent.name}: {plain(said)} ({agent.how_to_sign_in})"
        raise MemberError(why, kind="key", permanent=True) from error
    raise failure(agent, said) from error


def _answer(agent: Agent, client: _OnlyListens, ended: messages.PromptResponse) -> Answer:
    if ended.stop_reason in {"refusal", "cancelled"}:
        refused = ended.stop_reason == "refusal"
        why = f"{agent.name}: it {'refused to answer' if refused else 'gave up'}"
        raise MemberError(why, kind="refused" if refused else "agent", permanent=refused)
    sent, received = _tokens(ended)
    if received is None and _IS_ERROR.match(client.text):  # as Copilot tells of failures
        raise failure(agent, client.text)
    return Answer(
        text=client.text,
        input_tokens=sent,
        output_tokens=received,
        cost_usd=client.cost_usd,
        is_cut=ended.stop_reason in _CUT_SHORT,
    )


_IS_ERROR = re.compile(r"\s*(?:info: request failed.*)?error: ", re.IGNORECASE | re.DOTALL)


def _tokens(ended: messages.PromptResponse) -> tuple[int | None, int | None]:
    """Tokens sent and received, by the protocol's field or as Gemini CLI tells them."""
    if ended.usage:
        return ended.usage.input_tokens, ended.usage.output_tokens
    count: Any = ended.field_meta
    for name in ("quota", "token_count"):
        count = count.get(name) if isinstance(count, dict) else None
    if not isinstance(count, dict):
        return None, None
    return count.get("input_tokens"), count.get("output_tokens")
