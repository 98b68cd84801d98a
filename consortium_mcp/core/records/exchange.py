"""One recorded model call, which the journal keeps and replays when a run is resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import BaseModel

from consortium_mcp.core.domain.ask import Question, Reply, Role
from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.domain.values import Spending, Value

ExchangeKey = tuple[int, str, str, int]
"""Iteration, role, label and attempt: together they identify a question within its run."""


if TYPE_CHECKING:
    from collections.abc import Iterable

_SPENDING = set(Spending.model_fields)


def key_of(question: Question) -> ExchangeKey:
    """The key of a question's exchange within its run."""
    return question.iteration, question.role, question.label, question.attempt


def name_of(question: Question) -> str:
    """The key as text: `1/member/A/1`."""
    return "/".join(str(part) for part in key_of(question))


class BegunCall(Value):
    """A call that has begun, whether it ended or not."""

    iteration: int
    role: Role
    label: str
    attempt: int
    model: str
    tries: int
    """Calls that began, by all processes that worked on the run."""
    input_tokens: int
    """Of one try, estimated."""

    @property
    def key(self) -> ExchangeKey:
        """Its key within its run."""
        return self.iteration, self.role, self.label, self.attempt


def cut_off(begun: Iterable[BegunCall], ended: Iterable[Exchange]) -> list[BegunCall]:
    """The tries that never ended, because their process did: they were paid for all the same."""
    tries = {exchange.key: exchange.tries for exchange in ended}
    lost = (
        call.model_copy(update={"tries": call.tries - tries.get(call.key, 0)}) for call in begun
    )
    return [call for call in lost if call.tries > 0]


class Exchange(BaseModel):
    """One recorded model call and its outcome: a `reply` or an `error`."""

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
    """Calls made; more than one after transient failures."""
    warnings: tuple[str, ...] = ()
    seconds: float | None = None
    input_tokens: int | None
    """Summed over all tries, like `output_tokens`."""
    output_tokens: int | None
    cached_tokens: int | None = None
    cost_usd: float | None = None
    """Of the tries whose price is known, of which there are `priced_calls`."""
    priced_calls: int = 0
    nested_run_id: str | None = None
    """The run whose synthesis the reply is, where the model is a consortium."""
    created_at: str

    @classmethod
    def of(cls, question: Question, outcome: Reply | MemberError, created_at: str) -> Self:
        """The record of a call that ended at this time (ISO 8601, UTC)."""
        if isinstance(outcome, MemberError):
            fields = {
                **outcome.spent.model_dump(),
                "error": str(outcome),
                "error_kind": outcome.kind,
                "permanent": outcome.permanent,
            }
        else:
            fields = {
                **outcome.model_dump(include=_SPENDING),
                "reply": outcome.text,
                "warnings": outcome.warnings,
                "seconds": outcome.seconds,
                "nested_run_id": outcome.nested_run_id,
            }
        return cls.model_validate(
            fields
            | {
                "iteration": question.iteration,
                "role": question.role,
                "label": question.label,
                "attempt": question.attempt,
                "model": question.model,
                "system": question.system,
                "prompt": question.prompt,
                "tries": outcome.tries,
                "created_at": created_at,
            }
        )

    @property
    def key(self) -> ExchangeKey:
        """Its key within its run."""
        return self.iteration, self.role, self.label, self.attempt

    @property
    def spent(self) -> Spending:
        """What the call used, all tries included."""
        return Spending.model_validate(self.model_dump(include=_SPENDING))

    def outcome(self) -> Reply | MemberError:
        """The outcome of the call, as `Ask` returned or raised it."""
        if self.reply is None:
            return MemberError(
                self.error or "",
                kind=self.error_kind or "error",
                permanent=bool(self.permanent),
                spent=self.spent,
                tries=self.tries,
            )
        return Reply(
            text=self.reply,
            seconds=self.seconds or 0.0,
            tries=self.tries,
            warnings=self.warnings,
            nested_run_id=self.nested_run_id,
            **self.spent.model_dump(),
        )
