"""What is set aside where a run begins holds for whoever works on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import pytest

from consortium_mcp.adapters.settings import Settings
from consortium_mcp.adapters.team.ledger import Ledger
from consortium_mcp.adapters.team.limits import Limits
from consortium_mcp.core.domain.errors import BudgetError
from consortium_mcp.core.domain.principal import Principal
from consortium_mcp.core.domain.request import ConsultRequest
from consortium_mcp.core.spending.limits import Limit
from tests.services.team.support import opened
from tests.support.databases import ON_POSTGRES
from tests.support.fakes import verdict
from tests.support.panels import PANEL, panel_models

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.anyio, ON_POSTGRES]
ANNA = Principal(issuer="https://id.example", subject="anna")
QUESTION = ConsultRequest("Six × 7?", None, PANEL)
FIVE = Limit(who="each", period="day", what="calls", most=5)


@pytest.fixture(autouse=True)
def fake_models(settings: Settings) -> Iterator[None]:  # noqa: ARG001 (its environment)
    with panel_models():
        yield


async def test_a_worker_spends_no_more_than_was_set_aside(settings: Settings) -> None:
    unsure = verdict(needs_iteration="true", confidence="0.2")
    async with (
        opened(settings, work=False) as (web, _),
        opened(settings, judge=unsure) as (_, asked),
    ):
        database = web.service.store.file
        await Limits(database).set(FIVE)
        anna = web.service.for_principal(ANNA)
        report = await anna.wait((await anna.begin(QUESTION)).run_id, 60)
        assert (report.stop_reason, len(asked.questions)) == ("budget", 3)
        with pytest.raises(BudgetError, match="2 calls are left of 5 calls"):
            await anna.begin(replace(QUESTION, prompt="Seven × 6?"))
        [standing] = await Ledger(database).standings(ANNA)
        assert (standing.used, standing.reserved) == (3, 0)


async def test_what_is_set_aside_goes_along_where_a_run_is_handed_over(
    settings: Settings,
) -> None:
    async with opened(settings, work=False) as (web, _):
        database = web.service.store.file
        await Limits(database).set(FIVE)
        anna = web.service.for_principal(ANNA)
        async with opened(settings, judge=[3600.0, ""]) as (_, asked):
            run_id = (await anna.begin(QUESTION)).run_id
            with anyio.fail_after(60):
                while len(asked.questions) < 3:  # noqa: ASYNC110 (a fake has no event for it)
                    await anyio.sleep(0.01)
        [standing] = await Ledger(database).standings(ANNA)
        assert (standing.used, standing.reserved) == (0, 5)
        async with opened(settings):
            assert (await anna.wait(run_id, 60)).status == "completed"
        [standing] = await Ledger(database).standings(ANNA)
        assert (standing.used, standing.reserved) == (4, 0)  # the judge was asked twice
