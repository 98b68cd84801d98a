"""Has answers checked, one answer and one checker a call, and adds votes and checks up.

An answer's score is the weight of the votes for it, plus the weight of the checkers that find it
right, minus that of those that find it wrong. Whether an answer is right is a question of two
alternatives, for which log odds are the optimal weights of independent voters (Nitzan and Paroush,
1982), and independent evidence adds up in log odds (Good, 1950). A checker weighs what its vote
weighs, as nothing is known of how well it checks. Checkers that only defend their own answers, or
pass all others, change no vote among equals: the better supported answer has no more against it.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consortium_mcp.core.confidence.agreement import weight
from consortium_mcp.core.domain.consortium import Member
from consortium_mcp.core.domain.errors import VerdictError
from consortium_mcp.core.domain.verdict import Check
from consortium_mcp.core.judgements.quotations import Source
from consortium_mcp.core.judgements.reviews import CHECK_FIELDS, parse_check
from consortium_mcp.core.judgements.verdicts import json_schema
from consortium_mcp.core.judging.arbitration import ARBITER, material_of
from consortium_mcp.core.judging.reviewers import Replies, ask_reviewers, question_for_review
from consortium_mcp.core.judging.voting import most_confident
from consortium_mcp.core.prompts import for_reviewers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.confidence.agreement import Groups
    from consortium_mcp.core.domain.ask import Ask, Question
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response

MOST_CHECKS = 3
"""The most checkers of one answer, so that calls do not grow with the square of the members."""


@dataclass(frozen=True)
class Candidate:
    """An answer that may stand, and who checks it."""

    group: tuple[str, ...]
    """The labels that gave it."""
    speaker: Response
    """The most confident of them, whose text is checked and may stand."""
    checkers: tuple[Member, ...]
    votes: float
    highest: float
    """Its score if every checker finds it right."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Who gave it, its speaker first."""
        first = self.speaker.label
        return (first, *(label for label in self.group if label != first))


def candidates_of(run: Run, responses: Sequence[Response], groups: Groups) -> list[Candidate]:
    """The answers of these groups with their checkers, drawn evenly from the run's seed.

    Checkers are members that did not give the answer: those that gave another, and those that were
    spared. Where there is none, the arbiter checks; that it finds no error adds nothing.
    """
    answered = {r.label: r for r in responses if r.answered}
    asked = {r.label for r in responses}
    able = [m for m in run.members if m.label in answered or not (m.reserve or m.label in asked)]
    chance = random.Random(f"{run.seed} checks {len(run.iterations)}")
    load: Counter[str] = Counter()
    found = []
    for group in groups:
        others = [member for member in able if member.label not in group]
        chance.shuffle(others)
        others.sort(key=lambda member: load[member.label])
        checkers = others[:MOST_CHECKS]
        load.update(member.label for member in checkers)
        votes = weight(run, group)
        found.append(
            Candidate(
                group=group,
                speaker=most_confident([answered[label] for label in group]),
                checkers=tuple(checkers) or (_arbiter(run),),
                votes=votes,
                highest=round(votes + weight(run, [member.label for member in checkers]), 9),
            )
        )
    return found


def _arbiter(run: Run) -> Member:
    config = run.config
    return Member(label=ARBITER, model=config.arbiter, options=config.arbiter_options)


class Checks:
    """The checks of one iteration.

    Args:
        run: the run in its present state.
        responses: the iteration's responses.
    """

    def __init__(self, run: Run, responses: Sequence[Response]) -> None:
        self._run = run
        self._material = material_of(run, responses)
        self._answered = {response.label for response in responses if response.answered}
        self._members = {member.label for member in run.members}
        self.found: list[Check] = []
        self.missing: list[str] = []
        """The checkers that gave no check, as `B on A`."""
        self.warnings: list[str] = []

    async def make(self, candidates: Sequence[Candidate], ask: Ask) -> None:
        """Have these checked, all at once."""
        planned = {
            f"{checker.label} on {candidate.speaker.label}": (checker, candidate)
            for candidate in candidates
            for checker in candidate.checkers
        }
        questions = [self._question(name, *pair) for name, pair in planned.items()]
        replies = await ask_reviewers(self._run, questions, ask)
        for name, text in list(replies.texts.items()):
            self._read(name, text, *planned[name], replies)
        self.missing += [name for name in planned if name in replies.missing]
        self.warnings += replies.notes()

    def _question(self, name: str, checker: Member, candidate: Candidate) -> Question:
        question = question_for_review(
            self._run,
            checker,
            name,
            for_reviewers.prompt_to_check(self._run, name, candidate.speaker),
            json_schema((), CHECK_FIELDS, for_reviewers.code_for(self._run, name)),
        )
        if checker.label != ARBITER:
            return question
        return question.model_copy(update={"timeout": self._run.config.arbiter_timeout})

    def _read(
        self, name: str, text: str, checker: Member, candidate: Candidate, replies: Replies
    ) -> None:
        source = Source(for_reviewers.code_for(self._run, name), self._material)
        try:
            read = parse_check(text, source)
        except VerdictError as error:
            replies.reject(name, f"it could not be read ({str(error).rstrip('.')})")
            return
        self.found.append(
            Check(
                reviewer=checker.label,
                of=candidate.speaker.label,
                finding=read.finding,
                error=read.first_error,
            )
        )

    def of(self, candidate: Candidate) -> list[Check]:
        """The checks of this answer."""
        return [check for check in self.found if check.of == candidate.speaker.label]

    def score(self, candidate: Candidate) -> float:
        """Votes plus checks, in weights of votes; see the module."""
        return round(candidate.votes + self._balance(candidate), 9)

    def fell(self, candidate: Candidate) -> bool:
        """Whether more weight of its checks found it wrong than right."""
        return self._balance(candidate) < 0

    def _balance(self, candidate: Candidate) -> float:
        signs = {"right": 1, "wrong": -1, "cannot tell": 0}
        return sum(signs[c.finding] * self._sign_weight(c) for c in self.of(candidate))

    def _sign_weight(self, check: Check) -> float:
        """What a check adds or takes: an arbiter's may only take."""
        if check.reviewer == ARBITER and check.finding == "right":
            return 0.0
        return self.weight_of(check.reviewer)

    def weight_of(self, reviewer: str) -> float:
        """What the reviewer's word weighs; an arbiter's as much as the mean member's."""
        if reviewer in self._members:
            return weight(self._run, [reviewer])
        panel = [member.label for member in self._run.panel]
        return weight(self._run, panel) / len(panel)

    def against_without_an_answer(self, candidate: Candidate) -> float:
        """The weight of those that find it wrong and gave no answer of their own.

        The others' votes for another answer speak against this one already.
        """
        wrong = [c.reviewer for c in self.of(candidate) if c.finding == "wrong"]
        return sum(self.weight_of(each) for each in wrong if each not in self._answered)

    def by_arbiter(self, candidate: Candidate) -> bool:
        """Whether the arbiter checked this answer."""
        return any(check.reviewer == ARBITER for check in self.of(candidate))
