"""Second implementations of the seams: `Ask`, and models behind llm's plugin hook."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.core.domain.ask import Ask, Question, Reply
from consortium_mcp.core.domain.consortium import ConsortiumConfig, Member
from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.domain.run import Run
from consortium_mcp.core.domain.verdict import Response
from consortium_mcp.core.engine import consultation, events
from consortium_mcp.core.panel.labels import label

if TYPE_CHECKING:
    from collections.abc import Sequence

Said = str | MemberError | float | anyio.Event
"""A reply's text, a failure, or what to wait for before what follows: seconds, or an event."""


class FakeAsk:
    """Says what it was told to, by model and in order; the last thing said is said for ever."""

    def __init__(self, **script: str | MemberError | Sequence[Said]) -> None:
        self._script: dict[str, list[Said]] = {}
        for name, said in script.items():
            self._script[name] = [said] if isinstance(said, str | MemberError) else list(said)
        self._place: defaultdict[str, int] = defaultdict(int)
        self.questions: list[Question] = []

    async def __call__(self, question: Question, /) -> Reply:
        self.questions.append(question)
        started = anyio.current_time()
        said = self._next(question.model)
        while isinstance(said, float | anyio.Event):
            await (anyio.sleep(said) if isinstance(said, float) else said.wait())
            said = self._next(question.model)
        if isinstance(said, MemberError):
            raise said
        seconds = anyio.current_time() - started
        return Reply(text=said, seconds=seconds, input_tokens=10, output_tokens=5)

    def _next(self, model: str) -> Said:
        lines = self._script[model]
        said = lines[min(self._place[model], len(lines) - 1)]
        self._place[model] += 1
        return said

    def asked(self, model: str) -> list[Question]:
        return [question for question in self.questions if question.model == model]


_: type[Ask] = FakeAsk  # held to the Protocol by the type checker


async def consulted(run: Run, ask: Ask) -> Run:
    """The run at its end; what would land later is cancelled."""

    async def ignore(_event: events.Event) -> None:
        pass

    async with anyio.create_task_group() as late:
        ended = await consultation.consult(run, ask, ignore, late)
        late.cancel_scope.cancel()
    return ended


def config(*models: str, **more: object) -> ConsortiumConfig:
    """A panel whose arbiter always judges, if nothing else is said."""
    members = tuple(Member(label=label(i), model=model) for i, model in enumerate(models))
    given = {"members": members, "arbiter": "judge", "strategy": "synthesis"} | more
    return ConsortiumConfig.model_validate(given)


def run_of(*models: str, prompt: str = "How many?", **more: object) -> Run:
    """A run whose labels are in panel order, so that tests can name them."""
    settings = config(*models, **more)
    return Run(
        run_id="01TEST", prompt=prompt, config=settings, members=settings.members, seed="seed"
    )


def answered(
    name: str, answer: str | None = None, stated: float | None = None, text: str = "Because."
) -> Response:
    return Response(
        label=name,
        model=f"model-{name}",
        status="answered",
        text=text,
        final_answer=answer,
        stated_confidence=stated,
    )


def failed(name: str) -> Response:
    return Response(label=name, model=f"model-{name}", status="failed", error="HTTP 500")


def reply(answer: str, confidence: float | None = None, text: str = "I counted.") -> str:
    stated = "" if confidence is None else f"<confidence>{confidence}</confidence>"
    return f"{text}\n<final_answer>{answer}</final_answer>\n{stated}"


def verdict(*, code: str = "", **fields: object) -> str:
    """An arbiter's reply in tags, perhaps with the run's code."""
    values = {
        "synthesis": "It is 42.",
        "final_answer": "42",
        "support": "A, B",
        "groups": "A, B",
        "dissent": "",
        "refinements": "",
        "needs_iteration": "false",
        "confidence": "0.95",
        "ranking": "A, B",
    } | fields
    body = "\n".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    attribute = f' code="{code}"' if code else ""
    return f"Let me see.\n<verdict{attribute}>\n{body}\n</verdict>"
