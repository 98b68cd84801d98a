"""Clients as people have them, each reaching a result; see `bench.clients`."""

from __future__ import annotations

import pytest

from bench.clients import impatient, modern, text_only

pytestmark = pytest.mark.anyio


async def test_a_client_whose_limit_is_shorter_than_the_run(
    child_environment: dict[str, str],
) -> None:
    environment = child_environment | {"CONSORTIUM_WAIT_SECONDS": "0.2"}
    answer, calls = await impatient(environment, "late", 30)
    assert answer == "It is 42."
    assert calls > 1  # the first came back before the run had ended


async def test_a_client_that_shows_neither_resources_nor_data(
    child_environment: dict[str, str],
) -> None:
    assert await text_only(child_environment) == "It is 42."


async def test_a_client_on_the_newest_wire(child_environment: dict[str, str]) -> None:
    assert await modern(child_environment) == "It is 42."
