from __future__ import annotations

import pytest

from consortium_mcp.adapters.identity.key_set import (
    FRESH_SECONDS,
    KEPT_SECONDS,
    REFETCH_SECONDS,
    KeySet,
    ProviderUnreachable,
)
from tests.support.provider import ISSUER, Provider

pytestmark = pytest.mark.anyio


class Clock:
    """Seconds that go forward when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def provider() -> Provider:
    made = Provider()
    made.add_key("one", elliptic=True)
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(provider: Provider, clock: Clock) -> KeySet:
    return KeySet(ISSUER, client=provider.client, clock=clock)


async def test_keys_are_fetched_once_while_they_are_fresh(keys: KeySet, provider: Provider) -> None:
    for _ in range(3):
        assert await keys.key("one") is not None
    assert provider.requests.count("/jwks") == 1


async def test_a_rotated_key_is_found_and_a_withdrawn_one_forgotten(
    keys: KeySet, provider: Provider, clock: Clock
) -> None:
    await keys.key("one")
    provider.add_key("two", elliptic=True)
    clock.now += REFETCH_SECONDS
    assert await keys.key("two") is not None
    assert await keys.key("one") is not None
    del provider.keys["one"]
    clock.now += FRESH_SECONDS + 1
    assert await keys.key("two") is not None
    assert await keys.key("one") is None


async def test_made_up_keys_do_not_make_it_ask_again_and_again(
    keys: KeySet, provider: Provider, clock: Clock
) -> None:
    await keys.key("one")
    clock.now += REFETCH_SECONDS
    for number in range(50):
        assert await keys.key(f"made up {number}") is None
    assert provider.requests.count("/jwks") == 2


async def test_a_provider_that_is_down_is_survived_for_a_day(
    keys: KeySet, provider: Provider, clock: Clock
) -> None:
    await keys.key("one")
    provider.is_down = True
    clock.now += KEPT_SECONDS - 1
    assert await keys.key("one") is not None
    clock.now += 2
    with pytest.raises(ProviderUnreachable, match=r"https://id\.example\.com cannot be reached"):
        await keys.key("one")
    provider.is_down = False
    clock.now += REFETCH_SECONDS
    assert await keys.key("one") is not None


async def test_without_any_key_nobody_is_let_in_and_nobody_is_called_a_liar(
    keys: KeySet, provider: Provider
) -> None:
    provider.is_down = True
    with pytest.raises(ProviderUnreachable):
        await keys.key("one")


async def test_the_metadata_of_another_issuer_is_not_believed(
    keys: KeySet, provider: Provider
) -> None:
    provider.metadata["issuer"] = "https://other.example.com"
    with pytest.raises(ProviderUnreachable):
        await keys.key("one")
    with pytest.raises(ProviderUnreachable, match=r"other\.example\.com"):
        await keys.metadata()


async def test_the_address_of_the_keys_can_be_given(provider: Provider, clock: Clock) -> None:
    keys = KeySet(ISSUER, f"{ISSUER}/jwks", client=provider.client, clock=clock)
    assert await keys.key("one") is not None
    assert provider.requests == ["/jwks"]
