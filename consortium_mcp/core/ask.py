"""The seam between the engine and the world.

Behind `Ask` stand real calls, the journal (a recorded exchange is not called again), the tests'
fakes, and the replay of recorded answers. A strategy that is handed an `Ask` cannot forget to log,
to time out or to count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from consortium_mcp.core.models import Question, Reply


class Ask(Protocol):
    """Puts one question to one model."""

    async def __call__(self, question: Question, /) -> Reply:
        """Call the model once.

        Raises:
            MemberError: the call failed, timed out or came back empty.
        """
        ...
