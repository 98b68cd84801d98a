"""A service whose panel of two, with a judge, says what a test wants.

async with opened(settings, a=[3600.0, ""]) as (service, ask):
    run_id = await service.consult(ConsultRequest("Six × 7?", None, PANEL))
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from consortium_mcp.core.domain.request import ConsortiumSettings
from consortium_mcp.services.assembly import open_service
from tests.support.fake_models import FakeAsync, models, plugin
from tests.support.fakes import FakeAsk, reply, verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractContextManager

    from consortium_mcp.adapters.journal.store import Store
    from consortium_mcp.adapters.settings import Settings
    from consortium_mcp.services.service import Service

PANEL = ConsortiumSettings(models=["a", "b"], arbiter="judge", strategy="synthesis")


def panel_models() -> AbstractContextManager[object]:
    """While it lasts, llm knows the models of `PANEL`; `opened` answers for them."""
    return plugin("fake", models(*[FakeAsync(name, "x") for name in ("a", "b", "judge")]))


@asynccontextmanager
async def opened(
    settings: Settings, *, store: Store | None = None, **script: Any  # noqa: ANN401
) -> AsyncIterator[tuple[Service, FakeAsk]]:  # fmt: skip
    """A service that both members answer with 42, where the script says nothing else."""
    said = {"a": reply("42", 0.9), "b": reply("42", 0.9), "judge": verdict()}
    ask = FakeAsk(**said | script)
    async with open_service(settings, ask=ask, store=store) as service:
        yield service, ask
