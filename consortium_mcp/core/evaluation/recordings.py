"""Serves recorded answers through `Ask`, so that the engine runs without network or keys."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from consortium_mcp.core.answers.context import context_of
from consortium_mcp.core.answers.equivalence import same
from consortium_mcp.core.answers.parsing import read
from consortium_mcp.core.domain.ask import Reply
from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.reading.replies import read_reply

if TYPE_CHECKING:
    from consortium_mcp.core.domain.ask import Question


class Recording(BaseModel):
    """One question with each model's answer: one line of a recordings file.

    Additional fields are kept, so that questions can be selected by them.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    question_id: int | str
    gold: str
    """The right answer, in any spelling."""
    question: str | None = None
    """Its text, which may offer options to choose from."""
    answers: dict[str, tuple[str | None, float | None, int | None]] = Field(default_factory=dict)
    """Model -> final answer, stated confidence (0 to 1), output tokens; `null` where absent."""
    texts: dict[str, str] = Field(default_factory=dict)
    """Model -> its whole reply, where recorded."""

    def reply(self, model: str) -> Reply | None:
        """The reply of this model, or `None` where none is recorded."""
        if model in self.texts:
            return Reply(text=self.texts[model], seconds=0.0)
        if model not in self.answers:
            return None
        answer, stated, tokens = self.answers[model]
        text = "" if answer is None else f"<final_answer>{answer}</final_answer>"
        confidence = "" if stated is None else f"<confidence>{stated}</confidence>"
        return Reply(
            text=f"{text or '(no answer)'}\n{confidence}", seconds=0.0, output_tokens=tokens
        )

    def is_right(self, answer: str | None) -> bool:
        """Whether an answer means the same as the right answer."""
        context = context_of(self.question or "", (answer, self.gold))
        return answer is not None and same(read(answer, context), read(self.gold, context))


@dataclass
class RecordedAsk:
    """Answers a run's questions from a recording.

    Verdicts are not recorded. Where an arbiter is asked, its verdict is made from its own recorded
    answer: it supports the members with the same answer, at the confidence recorded for it. Nor are
    checks: where an accuracy of checkers is given, they are simulated.
    """

    recording: Recording
    checkers: float | None = None
    """How often a simulated checker is right about an answer, right or wrong; independently."""
    calls: int = 0
    arbiter_calls: int = 0
    output_tokens: int = 0
    _heard: dict[str, Reply] = field(default_factory=dict)
    """The members' replies, by label."""

    async def __call__(self, question: Question, /) -> Reply:
        """The recorded reply.

        Raises:
            MemberError: nothing is recorded for this model.
        """
        if question.role == "reviewer":
            return self._review(question)
        self.calls += 1
        reply = self.recording.reply(question.model)
        if reply is None:
            why = f"nothing is recorded of {question.model} for this question"
            raise MemberError(why, kind="not recorded", permanent=True)
        self.output_tokens += reply.output_tokens or 0
        if question.role == "member":
            self._heard[question.label] = reply
            return reply
        self.arbiter_calls += 1
        return reply.model_copy(update={"text": json.dumps(self._verdict(reply.text))})

    def _review(self, question: Question) -> Reply:
        """What a simulated checker says of an answer.

        Raises:
            MemberError: checkers are not simulated, or it should rank, which cannot be.
        """
        _, _, author = question.label.partition(" on ")
        if self.checkers is None or not author:
            raise MemberError("no review is recorded", kind="not recorded")
        self.calls += 1
        answer = read_reply(self._heard[author].text).final_answer
        chance = random.Random(f"{self.recording.question_id} {question.model} on {answer}")
        is_right = self.recording.is_right(answer) == (chance.random() < self.checkers)
        return Reply(text=json.dumps({"finding": "right" if is_right else "wrong"}), seconds=0.0)

    def _verdict(self, text: str) -> dict[str, Any]:
        own = read_reply(text).final_answer
        answers = {
            label: read_reply(reply.text).final_answer for label, reply in self._heard.items()
        }
        context = context_of(self.recording.question or "", (own, *answers.values()))
        own_value = read(own or "", context)
        support: list[str] = []
        opponents: list[str] = []
        for label, answer in answers.items():
            agrees = same(own_value, read(answer or "", context))
            (support if agrees else opponents).append(label)
        return {
            "synthesis": own or text,
            "final_answer": own,
            "support": support,
            "ranking": [*support, *opponents],
            "confidence": read_reply(text).stated_confidence,
        }
