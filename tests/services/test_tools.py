"""Members that use tools: through llm's own chain, watched, counted and recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import llm
import pytest
from llm.plugins import pm

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.core.domain.tool_use import MAX_STEPS
from consortium_mcp.services.assembly import open_service
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import reply, verdict
from tests.support.tool_users import ToolPlugin, ToolUser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.core.reports.report import RunReport

pytestmark = pytest.mark.anyio
ANSWER = reply("42", 0.9)


class Counting:
    """Tools that count how often they really ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def functions(self) -> list[Any]:
        def double(number: int) -> int:
            """Twice the number."""
            self.ran.append(f"double {number}")
            return 2 * number

        async def later(text: str) -> str:
            """The text, later."""
            self.ran.append(f"later {text}")
            await anyio.lowlevel.checkpoint()
            return text

        def broken() -> str:
            """Always fails."""
            self.ran.append("broken")
            raise ValueError("the tool is broken")

        def chatty() -> str:
            """Says too much."""
            return "x" * 100_000

        return [double, later, broken, chatty, Shelf]


class Shelf(llm.Toolbox):  # type: ignore[no-untyped-call]  # llm's class is untyped
    """A toolbox."""

    def __init__(self, book: str = "none") -> None:
        self._book = book

    def take(self) -> str:
        """The book."""
        return self._book


@pytest.fixture
def tools() -> Iterator[Counting]:
    counting = Counting()
    found = ToolPlugin(*counting.functions())
    pm.register(found, name="tools")
    try:
        yield counting
    finally:
        pm.unregister(name="tools")


async def consult(
    settings: Settings,
    *members: FakeAsync,
    **chosen: Any,  # noqa: ANN401
) -> RunReport:
    panel = ConsortiumSettings(
        models=[each.model_id for each in members], arbiter="judge", strategy="vote", **chosen
    )
    with plugin("fake", models(*members, FakeAsync("judge", verdict()))):
        async with open_service(settings) as service:
            run_id = await service.consult(ConsultRequest("What?", settings=panel))
            return await service.wait(run_id, 60)


async def test_a_member_answers_with_what_its_tools_told(
    settings: Settings, tools: Counting
) -> None:
    user = ToolUser("user", ANSWER, [("double", {"number": 21}), ("later", {"text": "a"})])
    report = await consult(settings, user, tools=["double", "later"])
    assert user.told == ["42", "a"]
    assert report.final_answer == "42"
    assert {tool.name: tool.calls for tool in report.tools} == {"double": 1, "later": 1}
    assert report.usage.calls == 2
    assert report.usage.input_tokens == 14
    assert sorted(tools.ran) == ["double 21", "later a"]


async def test_a_toolbox_is_made_as_on_llms_command_line(
    settings: Settings, tools: Counting
) -> None:
    del tools
    user = ToolUser("user", ANSWER, ("Shelf_take", {}))
    await consult(settings, user, tools=['Shelf("Moby-Dick")'])
    assert user.told == ["Moby-Dick"]


async def test_what_fails_or_says_too_much_is_told_to_the_model(
    settings: Settings, tools: Counting
) -> None:
    del tools
    user = ToolUser("user", ANSWER, ("broken", {}), ("chatty", {}), ("no_such_tool", {}))
    report = await consult(settings, user, tools=["broken", "chatty"])
    assert user.told[0] == "Error: the tool is broken"
    assert len(user.told[1]) < 31_000
    assert user.told[1].endswith("[… 70000 characters are left out …]")
    assert "does not exist" in user.told[2]
    assert report.status == "completed"


async def test_a_model_without_tools_answers_without(settings: Settings, tools: Counting) -> None:
    del tools
    report = await consult(settings, FakeAsync("plain", ANSWER), tools=["double"])
    assert report.final_answer == "42"
    assert "plain cannot use tools, and answers without." in report.warnings


async def test_each_further_call_counts(settings: Settings, tools: Counting) -> None:
    user = ToolUser("user", ANSWER, *[("double", {"number": n}) for n in range(5)])
    report = await consult(settings, user, tools=["double"], max_calls=3)
    assert report.usage.calls == 3
    assert report.stop_reason == "budget"
    assert "max_calls is 3" in str(report.members[0].error)
    assert len(tools.ran) == 3


async def test_parallel_members_stay_within_the_budget_together(
    settings: Settings, tools: Counting
) -> None:
    del tools
    users = [
        ToolUser(f"user-{n}", ANSWER, *[("double", {"number": i}) for i in range(8)])
        for n in range(4)
    ]
    report = await consult(settings, *users, tools=["double"], max_calls=9)
    assert report.usage.calls == 9
    assert sum(len(user.prompts) for user in users) == 9


async def test_a_model_that_never_stops_using_tools_is_stopped(
    settings: Settings, tools: Counting
) -> None:
    user = ToolUser("user", ANSWER, *[("double", {"number": n}) for n in range(50)])
    report = await consult(settings, user, tools=["double"])
    assert report.status == "failed"
    assert f"used tools {MAX_STEPS} times" in str(report.error)
    assert len(user.prompts) == MAX_STEPS == report.usage.calls
    assert len(tools.ran) == MAX_STEPS


async def test_a_resumed_run_does_not_use_a_recorded_tool_again(
    settings: Settings, tools: Counting
) -> None:
    hanging = ToolUser(
        "user", ANSWER, ("double", {"number": 1}), ("double", {"number": 1}), ("hang", {})
    )
    held = anyio.Event()

    async def hang() -> str:
        """Never comes back the first time."""
        tools.ran.append("hang")
        held.set()
        await anyio.sleep(0 if tools.ran.count("hang") > 1 else 3600)
        return "back"

    pm.register(ToolPlugin(hang), name="hang")
    panel = ConsortiumSettings(
        models=["user"], arbiter="judge", strategy="vote", tools=["double", "hang"]
    )
    try:
        with plugin("fake", models(hanging, FakeAsync("judge", verdict()))):
            async with open_service(settings) as service:
                run_id = await service.consult(ConsultRequest("What?", settings=panel))
                with anyio.fail_after(60):
                    while "hang" not in tools.ran:  # noqa: ASYNC110 (it runs on another loop)
                        await anyio.sleep(0.01)
            async with open_service(settings) as service:
                assert await service.resume(run_id)
                report = await service.wait(run_id, 60)
    finally:
        pm.unregister(name="hang")
    assert tools.ran == ["double 1", "double 1", "hang", "hang"]
    assert report.final_answer == "42"
    assert {tool.name: tool.calls for tool in report.tools} == {"double": 2, "hang": 1}


async def test_a_failed_try_does_not_use_its_tools_again(
    settings: Settings, tools: Counting
) -> None:
    failures = iter([ConnectionError("lost"), None])

    def say(_prompt: llm.Prompt) -> str:
        if (failure := next(failures, None)) is not None:
            raise failure
        return ANSWER

    user = ToolUser("user", say, ("double", {"number": 3}))
    report = await consult(settings, user, tools=["double"])
    assert report.final_answer == "42"
    assert tools.ran == ["double 3"]
    assert report.usage.calls == 4


async def test_the_users_own_tools_are_for_every_consultation(
    settings: Settings, tools: Counting
) -> None:
    del tools
    user = ToolUser("user", ANSWER, ("double", {"number": 4}))
    await consult(replace(settings, tools=("double",)), user)
    assert user.told == ["8"]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["duble"], "Did you mean double"),
        (["nothing_like_it"], "llm tools list"),
        (["Shelf(1, 2, 3)"], "cannot be made"),
        (["folder"], "CONSORTIUM_FILES"),
    ],
)
async def test_a_tool_that_is_not_there_is_refused_before_anyone_is_asked(
    settings: Settings, tools: Counting, names: list[str], told: str
) -> None:
    del tools
    user = ToolUser("user", ANSWER)
    with pytest.raises(ConfigError, match=told):
        await consult(settings, user, tools=names)
    assert user.prompts == []


async def test_a_plan_counts_the_calls_that_tools_may_bring(
    settings: Settings, tools: Counting
) -> None:
    del tools
    panel = ConsortiumSettings(
        models=["user", "other"], arbiter="judge", strategy="vote", max_iterations=1,
        tools=["double"],
    )  # fmt: skip
    members = [ToolUser("user", ANSWER), ToolUser("other", ANSWER)]
    with plugin("fake", models(*members, FakeAsync("judge", verdict()))):
        async with open_service(settings) as service:
            plan = (await service.dry_run(ConsultRequest("What?", settings=panel))).plan
    assert plan is not None
    assert (plan.fewest_calls, plan.most_calls) == (2, 2 * MAX_STEPS)
