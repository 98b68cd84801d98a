"""One recorded model call: what the journal keeps, and plays back when a run is resumed."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel

from consortium_mcp.core.domain.ask import Question, Reply, Role
from consortium_mcp.core.domain.errors import MemberError

ExchangeKey = tuple[int, str, str, int]
"""Iteration, role, label and attempt: what makes a question the same one again."""


def key_of(question: Question) -> ExchangeKey:
    """What an exchange is found by, within its run."""
    return question.iteration, question.role, question.label, question.attempt


def name_of(question: Question) -> str:
    """The same as a text: `1/member/A/1`."""
    return "/".join(str(part) for part in key_of(question))


class Exchange(BaseModel):
    """One recorded model call and what came of it: a `reply` or an `error`."""

    iteration: int
    role: Role
    label: str
    attempt: int
    model: str
    system: str | None
    prompt: str
    reply: str | None = None
    error: str | None = None
    error_kind: str | None = None
    permanent: bool | None = None
    tries: int = 1
    """Calls it took; more than one after faults that passed."""
    warnings: tuple[str, ...] = ()
    seconds: float | None = None
    input_tokens: int | None
    """Of all its tries."""
    output_tokens: int | None
    nested_run_id: str | None = None
    """The run that the reply is the synthesis of, where a consortium was asked."""
    created_at: str

    @classmethod
    def of(cls, question: Question, outcome: Reply | MemberError, created_at: str) -> Self:
        """The record of a call that landed at this time (ISO 8601, UTC)."""
        if isinstance(outcome, MemberError):
            came_of_it = {
                "error": str(outcome),
                "error_kind": outcome.kind,
                "permanent": outcome.permanent,
            }
        else:
            came_of_it = {
                "reply": outcome.text,
                "warnings": outcome.warnings,
                "seconds": outcome.seconds,
                "nested_run_id": outcome.nested_run_id,
            }
        return cls.model_validate(
            came_of_it
            | {
                "iteration": question.iteration,
                "role": question.role,
                "label": question.label,
                "attempt": question.attempt,
                "model": question.model,
                "system": question.system,
                "prompt": question.prompt,
                "tries": outcome.tries,
                "input_tokens": outcome.input_tokens,
                "output_tokens": outcome.output_tokens,
                "created_at": created_at,
            }
        )

    @property
    def key(self) -> ExchangeKey:
        """What it is found by, within its run."""
        return self.iteration, self.role, self.label, self.attempt

    def outcome(self) -> Reply | MemberError:
        """What the call came to, as `Ask` told it at the time."""
        if self.reply is None:
            return MemberError(
                self.error or "",
                kind=self.error_kind or "error",
                permanent=bool(self.permanent),
                input_tokens=self.input_tokens,
                output_tokens=self.output_tokens,
                tries=self.tries,
            )
        return Reply(
            text=self.reply,
            seconds=self.seconds or 0.0,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            tries=self.tries,
            warnings=self.warnings,
            nested_run_id=self.nested_run_id,
        )
