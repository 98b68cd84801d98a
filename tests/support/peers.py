"""A panel whose members also review: they rank answers in one order, or do what a test says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.core.domain.ask import Question, Reply
from tests.support.fakes import reply, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Says = Callable[[Question], str]

_SHOWN = re.compile(r"^Answer (\w+):\n\[(\w+)\n(.*?)\n\2\]", re.DOTALL | re.MULTILINE)


def shown_in(prompt: str) -> dict[str, str]:
    """The answers in a reviewer's or an arbiter's prompt, by their labels there."""
    return {label: text for label, _, text in _SHOWN.findall(prompt)}


def code_in(prompt: str) -> str:
    """The code that the prompt demands."""
    return str(re.findall(r'<verdict code="(\w+)">', prompt)[-1])


def ranking(code: str, *labels: str, errors: Mapping[str, str] | None = None) -> str:
    """A reviewer's reply."""
    lines = "\n".join(f"{label}: {error}" for label, error in (errors or {}).items())
    return (
        f'Let me see.\n<verdict code="{code}">\n<reasons></reasons>\n'
        f"<first_errors>{lines}</first_errors>\n<ranking>{', '.join(labels)}</ranking>\n</verdict>"
    )


def check(code: str, finding: str, error: str = "") -> str:
    """A checker's reply."""
    return (
        f'<verdict code="{code}">\n<first_errors>{error}</first_errors>\n'
        f"<finding>{finding}</finding>\n</verdict>"
    )


class Panel:
    """An `Ask`: members answer with their own model's name, and review as they are told.

    Args:
        answers: what each model answers, by its name: a whole reply.
        best_first: texts that answers contain; reviewers rank by the first that an answer has.
        review: what a model says as a reviewer, instead of that; a float hangs for so many seconds.
        judge: what the arbiter says.
        seconds: what each call takes.
    """

    def __init__(
        self,
        answers: Mapping[str, str],
        best_first: tuple[str, ...] = (),
        review: Mapping[str, Says | Exception | float] | None = None,
        judge: Says | None = None,
        seconds: float = 0.0,
    ) -> None:
        self._answers = answers
        self._best_first = best_first
        self._review = review or {}
        self._judge = judge or (lambda q: verdict(code=code_in(q.prompt), support="A", groups=""))
        self._seconds = seconds
        self.questions: list[Question] = []

    async def __call__(self, question: Question, /) -> Reply:
        self.questions.append(question)
        await anyio.sleep(self._seconds)
        return Reply(text=await self._said(question), seconds=self._seconds)

    async def _said(self, question: Question) -> str:
        if question.role == "arbiter":
            return self._judge(question)
        if question.role == "member":
            return self._answers[question.model]
        says = self._review.get(question.model, self._ranked)
        if isinstance(says, Exception):
            raise says
        if isinstance(says, float):
            await anyio.sleep(says)
            return self._ranked(question)
        return says(question)

    def _ranked(self, question: Question) -> str:
        shown = shown_in(question.prompt)
        best = sorted(shown, key=lambda label: self._place(shown[label]))
        errors = dict.fromkeys(best[-1:], f"the error in {self._best_first[-1]}")
        return ranking(code_in(question.prompt), *best, errors=errors)

    def _place(self, text: str) -> int:
        return next(place for place, part in enumerate(self._best_first) if part in text)

    def asked(self, role: str) -> list[Question]:
        return [question for question in self.questions if question.role == role]


def panel_of(count: int, **more: object) -> tuple[tuple[str, ...], Panel]:
    """Models that answer `text of m0`, `text of m1` …, and rank each other in this order."""
    models = tuple(f"m{place}" for place in range(count))
    answers = {model: reply("42", 0.8, f"text of {model}.") for model in models}
    best_first = tuple(f"text of {model}." for model in models)
    return models, Panel(answers, best_first, **more)  # type: ignore[arg-type]
