from __future__ import annotations

import ssl
from types import SimpleNamespace
from typing import Any

import httpx2
import openai

from consortium_mcp.adapters.models.sdk_patches import (
    _disable_retries,
    _share_ssl_context,
    patch_sdks,
)


def test_default_contexts_are_shared_and_others_are_their_own() -> None:
    made: list[tuple[Any, ...]] = []

    def create_ssl_context(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401
        made.append((args, kwargs))
        return object()

    transport = SimpleNamespace(create_ssl_context=create_ssl_context)
    _share_ssl_context(transport)
    _share_ssl_context(transport)
    one = transport.create_ssl_context(verify=True, cert=None, trust_env=True)
    assert transport.create_ssl_context(verify=True, cert=None, trust_env=True) is one
    assert transport.create_ssl_context(verify=False) is not one
    assert transport.create_ssl_context(cert="mine.pem") is not transport.create_ssl_context(
        cert="mine.pem"
    )
    assert transport.create_ssl_context(verify=["unhashable"]) is not one
    assert len(made) == 5


def test_a_library_that_has_changed_loses_the_gain_only() -> None:
    _share_ssl_context(SimpleNamespace())
    _disable_retries(None)
    _disable_retries(object)


def test_in_this_process_the_sdk_makes_one_try_and_shares_its_context() -> None:
    patch_sdks()
    assert openai.AsyncOpenAI(api_key="made-up").max_retries == 0
    assert openai.AsyncOpenAI(api_key="made-up", max_retries=4).max_retries == 4
    contexts = [httpx2.HTTPTransport()._pool._ssl_context for _ in range(2)]
    assert isinstance(contexts[0], ssl.SSLContext)
    assert contexts[0] is contexts[1]
