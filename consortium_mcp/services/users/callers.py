"""Who asks. A server with a login notes it once for each request, for whoever needs a service."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consortium_mcp.core.domain.principal import Principal

_caller: ContextVar[Principal | None] = ContextVar("consortium_caller", default=None)


def caller() -> Principal | None:
    """Whose request this is; `None` where nobody has signed in."""
    return _caller.get()


@contextmanager
def called_by(principal: Principal) -> Iterator[None]:
    """What is done inside is done for this person, also by the tasks that are begun there."""
    token = _caller.set(principal)
    try:
        yield
    finally:
        _caller.reset(token)
