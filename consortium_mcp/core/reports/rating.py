"""What somebody says of a run's answer: right or wrong, or what the right answer is."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from consortium_mcp.core.domain.errors import ConfigError
from consortium_mcp.core.domain.values import Value


class Rating(Value):
    """One rating of a run. A run may have several; the newest counts.

    Raises:
        ConfigError: it says neither whether the answer is right nor what the right answer is.
    """

    correct: bool | None = None
    """Whether the run's answer is right; `None` where only the right answer is given."""
    answer: str | None = None
    """The right answer, in any spelling."""
    note: str | None = None
    by: str | None = None
    """Who gave it: an MCP client's name, `llm`, `python`, or `file`."""
    at: str
    """ISO 8601, UTC."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.correct is None and not (self.answer or "").strip():
            raise ConfigError(
                "A rating says whether the run's answer is right (correct) or what the right "
                "answer is (answer): give at least one of them."
            )
        return self

    def says_the_same(self, other: Rating) -> bool:
        """Whether it adds nothing to the other, whoever gave it and when."""
        return (self.correct, self.answer, self.note) == (other.correct, other.answer, other.note)
