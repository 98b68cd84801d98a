"""Hears a reply while a model writes it, for somebody who watches a run at a terminal.

What is heard is no answer: a repair, the next arbiter or a better iteration may replace it, so
nothing is decided by it, and the engine knows nothing of it. Where nobody listens, calls are as
they always are. The listener is known in the context that begins a run, and to the run's tasks.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consortium_mcp.core.domain.ask import Question

    Hear = Callable[[str], None]
    """Takes each further piece of a reply. It may be called from any thread, and must not wait."""
    Listener = Callable[[Question], Hear | None]
    """Called before each call of a model; `None`: its reply is of no interest."""

_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener | None) -> Iterator[None]:
    """Runs begun inside the `with` block are heard by this listener; `None`: by nobody."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def hearer_of(question: Question) -> Hear | None:
    """What hears the reply to this question, if somebody listens."""
    listener = _LISTENER.get()
    return None if listener is None else listener(question)
