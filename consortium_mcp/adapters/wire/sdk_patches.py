"""Changes defaults of the providers' SDKs, in this process, that a panel cannot afford.

Unpatched, 500 calls at once through llm's own OpenAI classes took 32 ms CPU per call and stalled
the event loop for 15 s; `bench/calls.py` measures what is left of that.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from consortium_mcp.adapters.wire.last_response import watch_transports

_TRANSPORTS = ("httpx2._transports.default", "httpx._transports.default")
_CLIENTS = {
    "openai": ("OpenAI", "AsyncOpenAI"),
    "anthropic": (
        "Anthropic",
        "AsyncAnthropic",
        "AnthropicFoundry",
        "AsyncAnthropicFoundry",
        "AnthropicBedrock",
        "AsyncAnthropicBedrock",
        "AnthropicVertex",
        "AsyncAnthropicVertex",
    ),
    "groq": ("Groq", "AsyncGroq"),
}

_AZURE = "azure.core.pipeline.policies._retry"
_BOTO_SERVICES = ("bedrock", "sagemaker-runtime")
"""The beginning of the names of those AWS services that are models."""


def patch_sdks() -> None:
    """Patch the SDKs loaded so far; cheap to call again after more plugins are loaded."""
    watch_transports()
    for name in _TRANSPORTS:
        if name in sys.modules:
            _share_ssl_context(sys.modules[name])
    for name, classes in _CLIENTS.items():
        for client in classes:
            _disable_retries(getattr(sys.modules.get(name), client, None))
    _disable_retries_of_boto(getattr(sys.modules.get("botocore.session"), "Session", None))
    _disable_retries_of_azure(getattr(sys.modules.get(_AZURE), "RetryPolicyBase", None))


def _share_ssl_context(transport: Any) -> None:  # noqa: ANN401 (a module)
    """Parse the CA bundle once, not for each call: llm makes a new client every time.

    Only calls that use nothing but the defaults share a context. A call with its own certificate,
    or without verification, gets its own.
    """
    original = getattr(transport, "create_ssl_context", None)
    if original is None or hasattr(original, "__wrapped__"):
        return
    shared = functools.cache(original)

    @functools.wraps(original)
    def create(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        default = all(value is True or value is None for value in (*args, *kwargs.values()))
        return shared(*args, **kwargs) if default else original(*args, **kwargs)

    transport.create_ssl_context = create


def _disable_retries(client: Any) -> None:  # noqa: ANN401 (a class, or None)
    """Make "no retries" the SDK's default: its own would multiply ours and escape the budget."""
    defaults = getattr(getattr(client, "__init__", None), "__kwdefaults__", None)
    if isinstance(defaults, dict) and "max_retries" in defaults:
        defaults["max_retries"] = 0


def _disable_retries_of_boto(session: Any) -> None:  # noqa: ANN401 (a class, or None)
    """The same for AWS's models: boto3 makes up to five attempts."""
    original = getattr(session, "create_client", None)
    if original is None or hasattr(original, "consortium"):  # botocore wraps it as well
        return

    @functools.wraps(original)
    def create_client(self: Any, service_name: str, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        if service_name.startswith(_BOTO_SERVICES):
            once = sys.modules["botocore.config"].Config(retries={"total_max_attempts": 1})
            given = kwargs.get("config")
            kwargs["config"] = once if given is None else once.merge(given)
        return original(self, service_name, *args, **kwargs)

    create_client.consortium = True  # type: ignore[attr-defined]
    session.create_client = create_client


def _disable_retries_of_azure(policy: Any) -> None:  # noqa: ANN401 (a class, or None)
    """The same for azure-core, which tries up to three times."""
    original = getattr(policy, "__init__", None)
    if policy is None or original is None or hasattr(original, "__wrapped__"):
        return

    @functools.wraps(original)
    def init(self: Any, **kwargs: Any) -> None:  # noqa: ANN401
        original(self, **{"retry_total": 0, **kwargs})

    policy.__init__ = init
