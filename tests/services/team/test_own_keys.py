"""Users' own keys: who is asked with which, and that none is ever told."""

from __future__ import annotations

import json
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import llm
import pytest

from consortium_mcp.adapters.team.encryption import Encryption
from consortium_mcp.adapters.team.user_keys import PURPOSE, UserKeys
from consortium_mcp.core.domain.errors import ConfigError, UnknownModel
from consortium_mcp.core.domain.request import ConsortiumSettings, ConsultRequest
from consortium_mcp.services.assembly import open_service
from tests.support.databases import DatabaseOfTest
from tests.support.fake_models import FakeSync, plugin
from tests.support.fakes import reply, verdict
from tests.support.teams import ANN, BEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from consortium_mcp.adapters.settings import Settings, UserKeysPolicy
    from consortium_mcp.core.reports.report import RunReport
    from consortium_mcp.services.service import Service

pytestmark = pytest.mark.anyio
SECRET = "a secret that is longer than 32 characters"  # noqa: S105 (made up)
ANNS, SERVERS = "anns-own-key-0123456789", "servers-key-0123456789"
PANEL = ConsortiumSettings(models=["one", "two"], arbiter="three", strategy="synthesis")
QUESTION = ConsultRequest("Six × 7?", None, PANEL)
TEXTS = {"one": reply("42", 0.9), "two": reply("42", 0.9), "three": verdict()}


class Keyed(llm.AsyncKeyModel):
    """A model that notes the key that it is asked with."""

    needs_key = "acme"
    key_env_var = "ACME_API_KEY"

    def __init__(self, model_id: str, said: str | Callable[[str], str]) -> None:
        self.model_id = model_id
        self.said = said
        self.keys: list[str] = []

    async def execute(  # type: ignore[no-untyped-def,override]  # noqa: ANN201
        self, prompt: Any, stream: Any, response: Any, conversation: Any, key: str  # noqa: ANN401, ARG002
    ):  # fmt: skip
        self.keys.append(key)
        response.set_usage(input=7, output=3)
        if self.said == "fail":
            raise RuntimeError(f"the key {key} is refused")
        yield self.said(key) if callable(self.said) else self.said


@pytest.fixture(autouse=True)
def fake_models() -> Iterator[dict[str, Keyed]]:
    made = {name: Keyed(name, said) for name, said in TEXTS.items()}

    def register(add: Callable[..., None]) -> None:
        for model_id, model in made.items():
            add(FakeSync(model_id, "the sync twin"), model)

    with plugin("acme", register):
        yield made


@pytest.fixture(autouse=True)
def servers_key(settings: Settings) -> None:
    settings.user_dir.mkdir(parents=True, exist_ok=True)
    (settings.user_dir / "keys.json").write_text(json.dumps({"acme": SERVERS}))


@asynccontextmanager
async def opened(settings: Settings, policy: UserKeysPolicy) -> AsyncIterator[Service]:
    async with open_service(replace(settings, user_keys=policy, secrets=(SECRET,))) as service:
        yield service


async def give(service: Service, key: str = ANNS) -> None:
    await UserKeys(service.store.file, Encryption((SECRET,), PURPOSE)).set(ANN, "acme", key)


async def consulted(service: Service, request: ConsultRequest = QUESTION) -> RunReport:
    return await service.wait((await service.begin(request)).run_id, 30)


def used(fakes: dict[str, Keyed]) -> set[str]:
    return {key for fake in fakes.values() for key in fake.keys}


async def test_a_users_own_key_goes_first(
    settings: Settings, fake_models: dict[str, Keyed]
) -> None:
    async with opened(settings, "own-first") as service:
        await give(service)
        assert (await consulted(service.for_principal(ANN))).status == "completed"
        assert used(fake_models) == {ANNS}
        assert (await consulted(service.for_principal(BEN))).status == "completed"
        assert used(fake_models) == {ANNS, SERVERS}


async def test_without_own_keys_the_servers_are_used(
    settings: Settings, fake_models: dict[str, Keyed]
) -> None:
    async with opened(settings, "own-first") as service:
        await give(service)
    async with opened(settings, "no") as service:
        await consulted(service.for_principal(ANN))
        assert used(fake_models) == {SERVERS}


async def test_own_only_says_which_key_is_missing_and_how_to_give_it(
    settings: Settings, fake_models: dict[str, Keyed]
) -> None:
    async with opened(settings, "own-only") as service:
        with pytest.raises(UnknownModel, match=r"own key acme, .* under /keys/acme \(PUT\)"):
            await service.for_principal(ANN).begin(QUESTION)
        await give(service)
        assert (await consulted(service.for_principal(ANN))).status == "completed"
        assert used(fake_models) == {ANNS}
        with pytest.raises(UnknownModel):
            await service.for_principal(BEN).begin(QUESTION)
        assert (await consulted(service)).status == "completed"  # the server's own user


async def test_nested_consortiums_and_resumed_runs_use_the_same_key(
    settings: Settings, fake_models: dict[str, Keyed], database: DatabaseOfTest
) -> None:
    async with opened(settings, "own-first") as service:
        await give(service)
        ann = service.for_principal(ANN)
        await ann.consortiums.save("inner", PANEL)
        outer = replace(PANEL, models=["inner", "two"])
        report = await consulted(ann, replace(QUESTION, settings=outer))
        assert used(fake_models) == {ANNS}
        database.execute("UPDATE runs SET status = 'interrupted', owner = 'dead'")
        database.execute("DELETE FROM exchanges WHERE role = 'arbiter'")
        database.execute("DELETE FROM iterations")
        async with opened(settings, "own-first") as elsewhere:
            there = elsewhere.for_principal(ANN)
            assert await there.resume(report.run_id or "")
            await there.wait(report.run_id or "", 30)
        assert used(fake_models) == {ANNS}


async def test_a_key_is_in_no_report_journal_or_log(
    settings: Settings,
    fake_models: dict[str, Keyed],
    database: DatabaseOfTest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    fake_models["one"].said = lambda key: reply("42", 0.9, text=f"I was asked with {key}.")
    fake_models["two"].said = "fail"
    async with opened(settings, "own-first") as service:
        await give(service)
        ann = service.for_principal(ANN)
        report = await consulted(ann)
        records = await ann.records(report.run_id or "")
    assert used(fake_models) == {ANNS}
    told = report.model_dump_json() + "".join(each.model_dump_json() for each in records)
    assert "I was asked with [key]." in told
    assert "the key [key] is refused" in told
    stored = [str(database.execute(f"SELECT * FROM {t}")) for t in ("runs", "exchanges")]  # noqa: S608 (the test's)
    for text in (told, caplog.text, *stored):
        assert ANNS not in text


async def test_the_name_of_a_servers_key_is_no_key(
    settings: Settings, fake_models: dict[str, Keyed]
) -> None:
    """To llm, a key that is the name of a stored one stands for that one."""
    (settings.user_dir / "keys.json").write_text(
        json.dumps({"acme": SERVERS, "acme-of-the-boss": SERVERS})
    )
    async with opened(settings, "own-only") as service:
        await give(service, "acme-of-the-boss")
        report = await consulted(service.for_principal(ANN))
        assert report.status == "failed"
        assert used(fake_models) == set()


async def test_a_secret_that_was_lost_is_told(
    settings: Settings, fake_models: dict[str, Keyed]
) -> None:
    async with opened(settings, "own-first") as service:
        await give(service)
    lost = replace(settings, user_keys="own-first", secrets=("another " + SECRET,))
    async with open_service(lost) as service:
        report = await consulted(service.for_principal(ANN))
        assert report.status == "failed"
        assert "was encrypted with a secret that this server does not have" in str(report.members)
    with pytest.raises(ConfigError, match="openssl rand"):
        async with open_service(replace(lost, secrets=())):
            pass
    assert used(fake_models) == set()
