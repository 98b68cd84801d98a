"""Two habits of the providers' SDKs that a panel cannot afford, changed for this process.

Both changes are guarded: where a library has changed its inside, only the gain is lost. Measured
through llm's own OpenAI classes, 500 calls at once: 32 ms CPU a call and the event loop stalled for
15 s as they come; see `bench/calls.py` for what is left of that.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

_TRANSPORTS = ("httpx2._transports.default", "httpx._transports.default")
_CLIENTS = {
    "openai": ("OpenAI", "AsyncOpenAI"),
    "anthropic": ("Anthropic", "AsyncAnthropic"),
    "groq": ("Groq", "AsyncGroq"),
}


def patch_sdks() -> None:
    """Change what is loaded so far; cheap to call again when more plugins have come."""
    for name in _TRANSPORTS:
        if name in sys.modules:
            _share_ssl_context(sys.modules[name])
    for name, classes in _CLIENTS.items():
        for client in classes:
            _leave_retries_to_us(getattr(sys.modules.get(name), client, None))


def _share_ssl_context(transport: Any) -> None:  # noqa: ANN401 (a module)
    """Parse the CA bundle once, and not for each call: llm makes a new client every time.

    Only the context of a call that asks for nothing but defaults is shared; one with a certificate
    of the caller's, or without verification, stays its own.
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


def _leave_retries_to_us(client: Any) -> None:  # noqa: ANN401 (a class, or None)
    """Make "no retries" the SDK's default: its own would multiply ours, unseen by the budget."""
    defaults = getattr(getattr(client, "__init__", None), "__kwdefaults__", None)
    if isinstance(defaults, dict) and "max_retries" in defaults:
        defaults["max_retries"] = 0
