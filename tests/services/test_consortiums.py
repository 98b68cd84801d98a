"""Saving, changing and deleting consortiums."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from consortium_mcp.core.domain.errors import ConfigError, UnknownConsortium
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.services.assembly import open_service
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import FakeAsk, reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.services.service import Service

pytestmark = pytest.mark.anyio

PANEL = ConsortiumSettings(
    models=["a", "b:2"], arbiter="judge", system="Be brief.", max_iterations=2
)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Service]:
    ask = FakeAsk(a=reply("42", 0.9), b=reply("42", 0.9))
    with plugin("fake", models(*(FakeAsync(name, "x") for name in ("a", "b", "judge")))):
        async with open_service(settings, ask=ask) as service:
            yield service


async def test_changing_one_field_is_one_call(settings: Settings) -> None:
    async with opened(settings) as service:
        saved = (await service.consortiums.save("mine", PANEL)).config
        change = ConsortiumSettings(confidence_threshold=0.95)
        await service.consortiums.save("mine", change, overwrite=True)
        found = await service.consortiums.find("mine")
        assert found == saved.model_copy(update={"confidence_threshold": 0.95})


async def test_with_models_it_is_replaced(settings: Settings) -> None:
    async with opened(settings) as service:
        await service.consortiums.save("mine", PANEL)
        await service.consortiums.save("mine", ConsortiumSettings(models=["a"]), overwrite=True)
        found = await service.consortiums.find("mine")
        assert (found.system, found.max_iterations) == (None, 3)


async def test_a_change_that_was_not_confirmed_names_the_word_for_it(settings: Settings) -> None:
    async with opened(settings) as service:
        await service.consortiums.save("mine", PANEL)
        with pytest.raises(ConfigError, match=r"max_iterations \(2 there, 5 here\).*`overwrite`"):
            await service.consortiums.save("mine", ConsortiumSettings(max_iterations=5))
        longer = ConsortiumSettings(system="word " * 10_000)
        with pytest.raises(ConfigError) as refused:
            await service.consortiums.save("mine", longer)
        assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    "asking",
    [
        ConsortiumSettings(models=["a", "inner"], arbiter="judge"),
        ConsortiumSettings(models=["a"], arbiter="inner"),
        ConsortiumSettings(models=["a"], arbiter="judge", arbiters=["inner"]),
        ConsortiumSettings(models=["a"], arbiter="judge", escalate_to="inner"),
    ],
    ids=["member", "arbiter", "next arbiter", "reserve"],
)
async def test_one_that_others_ask_is_deleted_only_with_a_word(
    settings: Settings, asking: ConsortiumSettings
) -> None:
    async with opened(settings) as service:
        await service.consortiums.save("inner", PANEL)
        await service.consortiums.save("outer", asking)
        with pytest.raises(ConfigError, match=r"'inner' is asked by outer.*`force`"):
            await service.consortiums.delete("inner")
        assert await service.consortiums.find("inner")
        warnings = await service.consortiums.delete("inner", force=True)
        assert warnings == ["Without it these cannot be run: outer."]
        with pytest.raises(UnknownConsortium):
            await service.consortiums.find("inner")
        assert await service.consortiums.delete("outer") == []


async def test_a_report_speaks_of_the_arbiter_only_where_one_was_asked(settings: Settings) -> None:
    own = ConsortiumSettings(models=["a", "b"], arbiter="a", strategy="auto")
    async with opened(settings) as service:
        saved = await service.consortiums.save("mine", own)
        assert any("also a member" in each for each in saved.warnings)
        request = ConsultRequest("Six × 7?", None, own)
        planned = await service.dry_run(request)
        assert sum("also a member" in each for each in planned.warnings) == 1
        report = await service.wait(await service.consult(request), 30)
        assert (report.status, report.warnings) == ("completed", [])
