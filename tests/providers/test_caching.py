"""What providers get in a second iteration: the same beginning, byte for byte, and their marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from consortium_mcp.core.domain.ask import Question
from consortium_mcp.core.domain.run import Run
from consortium_mcp.core.domain.verdict import Iteration
from consortium_mcp.core.judging.voting import plurality
from consortium_mcp.core.strategies import STRATEGIES
from tests.providers.kit import Api
from tests.providers.plugins import PLUGINS, caller_of, id_of, installed
from tests.support.fakes import answered, run_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consortium_mcp.adapters.calls.model_caller import ModelCaller
    from consortium_mcp.adapters.settings import Settings

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("default")]  # foreign code warns

CONTRACT = "Is this contract sound? case:ok " + "The parties agree. " * 300


@pytest.fixture(params=sorted(PLUGINS))
def name(request: pytest.FixtureRequest) -> str:
    if not installed(request.param):
        pytest.skip(f"the plugin of {request.param} is not installed: see .ci/providers")
    return str(request.param)


@pytest.fixture
def caller(name: str, settings: Settings) -> Iterator[ModelCaller]:
    with caller_of(name, settings.user_dir) as made:
        yield made


def questions(model: str, prompt: str = CONTRACT) -> list[Question]:
    """What a member is asked in the first iteration, and in the second."""
    first = run_of(model, prompt=prompt, system="Be brief.")
    said = (answered("A"),)
    verdict = plurality(first, said).model_copy(update={"refinements": ("What of the year?",)})
    heard = Iteration(number=1, responses=said, verdict=verdict)
    runs: list[Run] = [first, first.model_copy(update={"iterations": (heard,)})]
    return [STRATEGIES["synthesis"].question_for(run.members[0], run) for run in runs]


async def bodies(caller: ModelCaller, asked: list[Question]) -> list[dict[str, Any]]:
    """What each of them sent."""
    sent = []
    for question in asked:
        Api.requests.clear()
        await caller(question)
        sent.append(Api.requests[-1][1])
    return sent


def texts(content: Any) -> list[str]:  # noqa: ANN401 (JSON)
    """Every text in a request, in the order in which it is sent."""
    if isinstance(content, str):
        return [content]
    parts = content.values() if isinstance(content, dict) else content
    return [t for part in parts for t in texts(part)] if isinstance(content, dict | list) else []


async def test_the_second_iteration_begins_as_the_first(caller: ModelCaller, name: str) -> None:
    one, two = questions(id_of(name))
    first, second = [texts(body) for body in await bodies(caller, [one, two])]
    place = next(n for n, text in enumerate(first) if CONTRACT in text)
    assert second[:place] == first[:place]
    assert second[place].startswith(first[place])
    told = one.system or ""
    assert any(told in text for text in first)
    assert any(told in text for text in second)


async def test_anthropic_is_told_what_to_keep(settings: Settings) -> None:
    if not installed("anthropic"):
        pytest.skip("the plugin of anthropic is not installed: see .ci/providers")
    with caller_of("anthropic", settings.user_dir) as caller:
        first, second = await bodies(caller, questions("anthropic-m"))
        short = await bodies(caller, questions("anthropic-m", "Is it? case:ok"))
        [question, _] = questions("anthropic-m")
        unwanted = question.model_copy(update={"options": {"cache": False}})
        [without] = await bodies(caller, [unwanted])
    [[kept], [found, new]] = [body["messages"][0]["content"] for body in (first, second)]
    assert first["system"] == second["system"]
    assert kept == {"type": "text", "text": CONTRACT, "cache_control": {"type": "ephemeral"}}
    assert found == {"type": "text", "text": CONTRACT}  # ends where the first one's mark was
    assert "What of the year?" in new["text"]
    assert new["cache_control"] == {"type": "ephemeral"}
    for body in (*short, without):
        assert len(body["messages"]) == len(body["messages"][0]["content"]) == 1
        assert "cache_control" not in str(body)
