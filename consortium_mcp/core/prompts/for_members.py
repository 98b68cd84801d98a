"""The prompts for members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.prompts.quoting import MAX_QUOTED, boundary, quote, shorten
from consortium_mcp.core.prompts.rendering import render
from consortium_mcp.core.reading.replies import read_reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.domain.consortium import Member
    from consortium_mcp.core.domain.run import Run
    from consortium_mcp.core.domain.verdict import Response

MAX_HISTORY = 40_000
"""The most characters of earlier conversation in one prompt; about 10,000 tokens."""


def system_for(member: Member, run: Run, part: str | None = None) -> str:
    """The system prompt: the member's own or the consortium's, its part, the answer format."""
    own = member.system or run.config.system
    return "\n\n".join(each for each in (own, part, render("member")) if each)


def question_of(run: Run) -> str:
    """The user's prompt, after the conversation that it continues.

    A long conversation keeps its newest turns, and says how many were left out.
    """
    if not run.history:
        return run.prompt
    mark = boundary(run, "conversation")
    turns: list[str] = []
    room = MAX_HISTORY
    for turn in reversed(run.history):
        exchange = (
            f"Asked:\n{quote(turn.prompt, mark)[0]}\nAnswered:\n{quote(turn.synthesis, mark)[0]}"
        )
        room -= len(exchange)
        if room < 0 and turns:
            turns.append(f"[… {len(run.history) - len(turns)} earlier turns left out …]")
            break
        turns.append(shorten(exchange, MAX_HISTORY)[0])
    shown = "\n\n".join(reversed(turns))
    return render("conversation", boundary=mark, turns=shown, prompt=run.prompt)


def prompt_for_member(run: Run) -> str:
    """The question, followed in later iterations by the results so far.

    The part that never changes comes first, so that providers' prompt caches hit.
    """
    verdict = run.last_verdict
    if verdict is None:
        return question_of(run)
    mark = boundary(run, "member")
    sides = [
        f"- {side.final_answer}: {side.argument}" if side.final_answer else f"- {side.argument}"
        for side in verdict.dissent
    ]
    return render(
        "member_again",
        prompt=question_of(run),
        boundary=mark,
        synthesis=quote(verdict.synthesis, mark)[0],
        dissent=quote("\n".join(sides) or "(nowhere)", mark)[0],
        refinements=quote(bullets(verdict.refinements), mark)[0],
    )


def prompt_to_debate(run: Run, own: Response, others: Sequence[Response]) -> str:
    """The prompt, this member's last answer, and the other sides' arguments, without names."""
    mark = boundary(run, "member")
    limit = MAX_QUOTED // (len(others) + 1)
    return render(
        "debate",
        prompt=question_of(run),
        boundary=mark,
        own=quote(read_reply(own.text or "").prose, mark, limit)[0],
        others="\n\n".join(quote(read_reply(r.text or "").prose, mark, limit)[0] for r in others),
    )


def prompt_with_proposals(run: Run, prompt: str, proposals: Sequence[Response]) -> str:
    """The prompt, and the answers that other members proposed in this iteration."""
    if not proposals:
        return prompt
    mark = boundary(run, "member")
    limit = MAX_QUOTED // len(proposals)
    quoted = (quote(read_reply(r.text or "").prose, mark, limit)[0] for r in proposals)
    return render("proposals", prompt=prompt, boundary=mark, proposals="\n\n".join(quoted))


def bullets(lines: Sequence[str]) -> str:
    """The lines as a bulleted list."""
    return "\n".join(f"- {line}" for line in lines) or "(nothing in particular)"
