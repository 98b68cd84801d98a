from __future__ import annotations

import ssl
from types import SimpleNamespace
from typing import Any

import httpx2
import openai
import pytest

from consortium_mcp.adapters.wire.sdk_patches import (
    _disable_retries,
    _disable_retries_of_azure,
    _disable_retries_of_boto,
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
    for patch in (_disable_retries, _disable_retries_of_boto, _disable_retries_of_azure):
        patch(None)
    _disable_retries(object)
    _disable_retries_of_boto(object)


def test_in_this_process_the_sdk_makes_one_try_and_shares_its_context() -> None:
    patch_sdks()
    assert openai.AsyncOpenAI(api_key="made-up").max_retries == 0
    assert openai.AsyncOpenAI(api_key="made-up", max_retries=4).max_retries == 4
    contexts = [httpx2.HTTPTransport()._pool._ssl_context for _ in range(2)]
    assert isinstance(contexts[0], ssl.SSLContext)
    assert contexts[0] is contexts[1]


def test_an_aws_model_is_asked_once_and_other_services_as_before() -> None:
    session_module = pytest.importorskip("botocore.session", reason="boto3: see .ci/providers")
    config = pytest.importorskip("botocore.config")
    patch_sdks()
    patch_sdks()
    session = session_module.Session()
    session.set_credentials("made", "up")

    def attempts(service: str, **more: Any) -> object:  # noqa: ANN401
        client = session.create_client(service, region_name="us-west-2", **more)
        return client.meta.config.retries.get("total_max_attempts")

    assert attempts("bedrock-runtime") == 1
    assert attempts("bedrock-runtime", config=config.Config(read_timeout=5)) == 1
    own = config.Config(retries={"total_max_attempts": 4})
    assert attempts("bedrock-runtime", config=own) == 4
    assert attempts("s3") != 1


def test_azure_core_makes_no_retry_of_its_own() -> None:
    class Policy:
        def __init__(self, **kwargs: int) -> None:
            self.total = kwargs.pop("retry_total", 10)

    _disable_retries_of_azure(Policy)
    _disable_retries_of_azure(Policy)
    assert Policy().total == 0
    assert Policy(retry_total=2).total == 2
