"""Members answer; each distinct answer is checked by members who did not give it.

To check an answer is easier than to find one, but models check poorly out of the box: what papers
found is in docs/strategies.md. So votes and checks count together, and a check is worth a vote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.confidence.agreement import group_by_answer, mean_stated, weight
from consortium_mcp.core.domain.verdict import Objection, PeerReview, RankedAnswer
from consortium_mcp.core.judging import checking
from consortium_mcp.core.judging.voting import COUNTING, counted
from consortium_mcp.core.prompts import for_members
from consortium_mcp.core.strategies import waves
from consortium_mcp.core.strategies.vote import Vote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.confidence.agreement import Groups
    from consortium_mcp.core.domain.ask import Ask, Question
    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response, Verdict
    from consortium_mcp.core.judging.checking import Candidate, Checks

MOST_CANDIDATES = 5
"""The most answers that are checked in one iteration; the best supported."""


class Verify(Vote):
    """The leader is checked first; the others only if one of them can still overtake it."""

    description = "Members check answers for errors; the best backed stands."
    weighs = True

    def calls(self, run: Run) -> waves.Calls:
        """Nobody's checks where all agree but the arbiter's; at most those of five answers."""
        members = len(run.members)
        most = min(MOST_CANDIDATES, members) * min(checking.MOST_CHECKS, max(1, members - 1))
        return waves.calls(run, verdicts=(0, 0), reviews=(1, most))

    def question_for(self, member: Member, run: Run) -> Question:
        """The prompt; after an iteration whose answers all fell, with the objections."""
        return waves.question(member, run, for_members.prompt_for_member(run))

    async def judge(self, run: Run, responses: Sequence[Response], ask: Ask) -> Verdict:
        """The answer with the most votes and passed checks, as its speaker wrote it."""
        groups = _best_supported_first(run, responses)
        candidates = checking.candidates_of(run, responses, groups[:MOST_CANDIDATES])
        checks = checking.Checks(run, responses)
        leader, others = candidates[0], candidates[1:]
        await checks.make([leader], ask)
        if any(each.highest > checks.score(leader) for each in others):
            await checks.make(others, ask)
        ranked = sorted(candidates, key=checks.score, reverse=True)  # ties: the better supported
        return _verdict(run, responses, groups, ranked, checks)

    def another_pays(self, run: Run) -> bool:
        """Only where every answer that was checked fell, so that there is something to tell."""
        return run.iterations[-1].verdict.needs_iteration


def _best_supported_first(run: Run, responses: Sequence[Response]) -> Groups:
    """Equal short answers together, open ones each by itself."""
    stated = {r.label: r.final_answer is not None for r in responses}
    groups = group_by_answer(run, responses)
    place = {group: number for number, group in enumerate(groups)}
    return tuple(
        sorted(
            groups,
            key=lambda group: (
                -weight(run, group),
                not stated[group[0]],
                -(mean_stated(run, responses, group) or 0.0),
                place[group],
            ),
        )
    )


def _verdict(
    run: Run,
    responses: Sequence[Response],
    groups: Groups,
    ranked: Sequence[Candidate],
    checks: Checks,
) -> Verdict:
    winner = ranked[0]
    objections = [objection for each in ranked for objection in _objections(each, checks)]
    fallen = [each for each in ranked if checks.fell(each)]
    review = PeerReview(
        ranking=tuple(RankedAnswer(labels=c.labels, score=checks.score(c)) for c in ranked),
        checks=tuple(checks.found),
        objections=tuple(objections),
        missing=tuple(checks.missing),
    )
    verdict = counted(
        run,
        responses,
        winner.group,
        groups,
        f"{COUNTING} (which votes and checks put first)",
        speaker=winner.speaker.label,
        against=checks.against_without_an_answer(winner),
    )
    all_fell = bool(fallen) and all(checks.fell(each) or not checks.of(each) for each in ranked)
    return verdict.model_copy(
        update={
            "review": review,
            "needs_iteration": all_fell,
            "refinements": tuple(_refinement(o, ranked) for o in objections) if all_fell else (),
            "arbiter": run.config.arbiter if checks.by_arbiter(winner) else None,
            "warnings": (*verdict.warnings, *checks.warnings),
        }
    )


def _objections(candidate: Candidate, checks: Checks) -> list[Objection]:
    """The errors that were found in it, that of the weightiest checker first."""
    wrong = [each for each in checks.of(candidate) if each.finding == "wrong" and each.error]
    wrong.sort(key=lambda each: -checks.weight_of(each.reviewer))
    return [Objection(reviewer=c.reviewer, of=c.of, text=c.error or "") for c in wrong]


def _refinement(objection: Objection, ranked: Sequence[Candidate]) -> str:
    answer = next(c.speaker.final_answer for c in ranked if c.speaker.label == objection.of)
    return f"{answer}: {objection.text}" if answer else objection.text
