"""The prompts for arbiters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.confidence.agreement import group_by_answer
from consortium_mcp.core.prompts.for_members import question_of
from consortium_mcp.core.prompts.quoting import (
    MAX_QUOTED,
    boundary,
    quote,
    shorten,
    verdict_code,
)
from consortium_mcp.core.prompts.rendering import render
from consortium_mcp.core.reading.replies import read_reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import PeerReview, Response


def system_for_arbiter(run: Run) -> str:
    """The system prompt of whoever judges, with the asker's own criteria."""
    return render("arbiter_system") + criteria_of(run)


def criteria_of(run: Run) -> str:
    """The asker's criteria as a part of a system prompt; empty where there are none."""
    if not run.config.criteria:
        return ""
    return "\n\n" + render("criteria", criteria=run.config.criteria)


def question_for_judges(run: Run) -> tuple[str, int]:
    """The question, quoted the same in every iteration, and how many characters were cut."""
    return quote(question_of(run), boundary(run, "question"))


def prompt_for_arbiter(
    run: Run,
    responses: Sequence[Response],
    form: str = "arbiter",
    review: PeerReview | None = None,
) -> tuple[str, tuple[str, ...]]:
    """The prompt with the question and the answers, which are identified by label only.

    Args:
        run: the run.
        responses: the iteration's responses.
        form: the template, which says what to do: `arbiter` or `rank`.
        review: what the members made of each other's answers, if they were asked.

    Returns:
        The prompt, and a warning for each text that was cut.
    """
    answered = in_order([r for r in responses if r.answered])
    mark = boundary(run, "arbiter")
    limit = MAX_QUOTED // max(1, len(answered))
    blocks: list[str] = []
    too_long: dict[str, int] = {}
    warnings: list[str] = []
    for response in answered:
        block, cut = quote(read_reply(response.text or "").shown, mark, limit)
        blocks.append(f"Answer {response.label}:\n{block}")
        if cut:
            too_long[response.label] = cut
    if too_long:
        warnings.append(_too_long(too_long))
    lasting = boundary(run, "question")
    question, cut = question_for_judges(run)
    warnings += question_cut(cut)
    prompt = render(
        form,
        question=question,
        told=told_to_members(run, lasting),
        count=len(answered),
        responses="\n\n".join(blocks),
        votes=_vote_counts(run, answered, mark),
        reviews=_peer_reviews(review, mark),
        code=verdict_code(run),
    )
    return prompt, tuple(warnings)


def in_order(responses: Sequence[Response]) -> list[Response]:
    """The responses in the order in which an arbiter reads them: by their labels."""
    return sorted(responses, key=lambda r: (len(r.label), r.label))


MAX_OBJECTION = 800
"""The most characters of one objection in an arbiter's prompt."""


def _peer_reviews(review: PeerReview | None, mark: str) -> str:
    """The joined ranking, and all objections in one fence; empty without reviews."""
    if review is None or not (review.ranking or review.objections):
        return ""
    places = [f"{each.labels[0]} ({each.score:.2f})" for each in review.ranking]
    said = [
        f"- of {each.of}: {' '.join(shorten(each.text, MAX_OBJECTION)[0].split())}"
        for each in review.objections
    ]
    return "\n\n" + render(
        "peer_reviews",
        ranking=", ".join(places) or "they compared none",
        objections=quote("\n".join(said) or "(none)", mark)[0],
    )


def question_cut(characters: int) -> tuple[str, ...]:
    """The warning about a question that was cut by so many characters; none for 0."""
    if not characters:
        return ()
    where = "too long for the arbiter's prompt; its middle was cut there."
    return (f"The question was {characters} characters {where}",)


def _too_long(cut: Mapping[str, int]) -> str:
    """The warning about answers that were cut, by label the characters that were."""
    if len(cut) == 1:
        [(label, characters)] = cut.items()
        return (
            f"The answer of {label} was {characters} characters too long for the arbiter's prompt; "
            "its middle was cut."
        )
    return (
        f"Answers were up to {max(cut.values())} characters too long for the arbiter's prompt, and "
        f"their middles were cut: {', '.join(cut)}."
    )


def told_to_members(run: Run, mark: str) -> str:
    """The consortium's system prompt as a part of a judge's prompt; empty where there is none."""
    if not run.config.system:
        return ""
    return f"\nWhat the members were told beforehand:\n{quote(run.config.system, mark)[0]}\n"


def _vote_counts(run: Run, answered: Sequence[Response], mark: str) -> str:
    final_answers = {r.label: r.final_answer for r in answered if r.final_answer}
    groups = group_by_answer(run, answered)
    lines = [f"{len(g)} × {final_answers[g[0]]}" for g in groups if g[0] in final_answers]
    return quote("\n".join(lines), mark)[0] if lines else "none given."
