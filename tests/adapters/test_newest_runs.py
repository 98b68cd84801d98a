from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from consortium_mcp.adapters.saved.newest_runs import newest_runs
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.services.assembly import open_service
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import FakeAsk, reply

if TYPE_CHECKING:
    from consortium_mcp.adapters.settings import Settings


def test_the_newest_come_first_with_the_beginnings_of_their_prompts(settings: Settings) -> None:
    assert newest_runs(settings.database, 5) == []
    assert not settings.database.exists()

    async def ask() -> list[str]:
        found = []
        wanted = ConsortiumSettings(models=["a"], arbiter="a", strategy="vote", max_iterations=1)
        async with open_service(settings, ask=FakeAsk(a=[reply("42")] * 3)) as service:
            for number in range(3):
                request = ConsultRequest(f"{number} " + "x" * 500, None, wanted)
                found.append(await service.consult(request))
                await service.wait(found[-1], 30)
        return found

    with plugin("fake", models(FakeAsync("a", "x"))):
        run_ids = anyio.run(ask)
    found = newest_runs(settings.database, 2)
    assert [run_id for run_id, _ in found] == [run_ids[2], run_ids[1]]
    assert found[0][1] == "2 " + "x" * 198
    settings.database.write_bytes(b"no database" * 100)
    assert newest_runs(settings.database, 5) == []
