"""Load and render `prompts/*.md`: everything that a model is ever told stands in those files.

Text that a model or a user wrote goes in through `quote`, which fences it by a boundary nobody
could foresee and takes the meaning from anything that looks like a tag of ours.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

from consortium_mcp.core.answers import prose, without_thinking
from consortium_mcp.core.confidence import group_by_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consortium_mcp.core.models import Member, Response, Run

MAX_QUOTED = 120_000
"""Characters of members' text in one arbiter prompt, shared by the responses: about 30,000 tokens,
which every current model's context holds."""

MAX_HISTORY = 40_000
"""Characters of an earlier conversation in one prompt; about 10,000 tokens."""

_OUR_TAGS = re.compile(
    r"<(?=\s{0,8}/?\s{0,8}(?:verdict|synthesis|final_answer|support|groups|dissent|refinements"
    r"|needs_iteration|confidence|ranking)\b)",
    re.IGNORECASE,
)


@cache
def _template(name: str) -> Template:
    text = resources.files("consortium_mcp.core").joinpath(f"prompts/{name}.md")
    return Template(text.read_text(encoding="utf-8").strip())


def render(name: str, /, **values: object) -> str:
    """The prompt of this name with its places filled. Values are never read as templates."""
    return _template(name).substitute(values)


def boundary(run: Run, reader: str) -> str:
    """The mark that fences quoted text for this reader in the run's next iteration.

    No model can foresee it, and what a member was shown never fences what the arbiter reads.
    """
    # The conversation does not change from one iteration to the next, and so neither does its mark.
    count = 0 if reader == "conversation" else len(run.iterations)
    purpose = f"{run.seed} {reader} {count}"
    return hashlib.sha256(purpose.encode()).hexdigest()[:16]


def quote(text: str, mark: str, limit: int = MAX_QUOTED) -> tuple[str, int]:
    """Fence foreign text.

    Args:
        text: what a model or a user wrote.
        mark: the run's boundary.
        limit: characters to keep; the middle of a longer text is cut, and the cut is shown.

    Returns:
        The fenced text, and how many characters were cut.
    """
    text, cut = shorten(text.replace(mark, f"{mark[:8]} {mark[8:]}"), limit)
    return f"[{mark}\n{_OUR_TAGS.sub('‹', text)}\n{mark}]", cut


def shorten(text: str, limit: int = MAX_QUOTED) -> tuple[str, int]:
    """The text with its middle cut where it is too long, and how many characters that cost.

    The end is kept too: that is where a conclusion and a final answer stand.
    """
    cut = max(0, len(text) - limit)
    if not cut:
        return text, 0
    head = limit * 2 // 3
    return f"{text[:head]}\n[… {cut} characters cut here …]\n{text[head + cut :]}", cut


def system_for(member: Member, run: Run, part: str | None = None) -> str:
    """The member's system prompt: its own or the consortium's, its part, how to end the answer."""
    own = member.system or run.config.system
    return "\n\n".join(each for each in (own, part, render("member")) if each)


def question_of(run: Run) -> str:
    """The user's prompt, after the conversation it belongs to.

    Of a long conversation the newest turns are kept, and it says how many are left out.
    """
    if not run.history:
        return run.prompt
    mark = boundary(run, "conversation")
    turns: list[str] = []
    room = MAX_HISTORY
    for turn in reversed(run.history):
        said = f"Asked:\n{quote(turn.prompt, mark)[0]}\nAnswered:\n{quote(turn.synthesis, mark)[0]}"
        room -= len(said)
        if room < 0 and turns:
            turns.append(f"[… {len(run.history) - len(turns)} earlier turns left out …]")
            break
        turns.append(shorten(said, MAX_HISTORY)[0])
    shown = "\n\n".join(reversed(turns))
    return render("conversation", boundary=mark, turns=shown, prompt=run.prompt)


def prompt_for_member(run: Run) -> str:
    """The question; in later iterations what is known so far follows.

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
        refinements=quote(_bullets(verdict.refinements), mark)[0],
    )


def prompt_to_debate(run: Run, own: Response, others: Sequence[Response]) -> str:
    """The prompt, what this member said last, and what the other side argues; nobody is named."""
    mark = boundary(run, "member")
    limit = MAX_QUOTED // (len(others) + 1)
    return render(
        "debate",
        prompt=question_of(run),
        boundary=mark,
        own=quote(prose(own.text or ""), mark, limit)[0],
        others="\n\n".join(quote(prose(r.text or ""), mark, limit)[0] for r in others),
    )


def prompt_with_proposals(run: Run, prompt: str, proposals: Sequence[Response]) -> str:
    """The prompt, and the answers that others of this iteration have proposed."""
    if not proposals:
        return prompt
    mark = boundary(run, "member")
    limit = MAX_QUOTED // len(proposals)
    quoted = (quote(prose(r.text or ""), mark, limit)[0] for r in proposals)
    return render("proposals", prompt=prompt, boundary=mark, proposals="\n\n".join(quoted))


def prompt_for_arbiter(
    run: Run, responses: Sequence[Response], form: str = "arbiter"
) -> tuple[str, tuple[str, ...]]:
    """The question and the answers, by label only.

    Args:
        run: the run.
        responses: the iteration's responses.
        form: the prompt that says what is wanted: `arbiter` or `rank`.

    Returns:
        The prompt, and a warning for everything that had to be cut.
    """
    answered = sorted((r for r in responses if r.answered), key=lambda r: (len(r.label), r.label))
    mark = boundary(run, "arbiter")
    limit = MAX_QUOTED // max(1, len(answered))
    blocks, warnings = [], []
    for response in answered:
        block, cut = quote(without_thinking(response.text or ""), mark, limit)
        blocks.append(f"Answer {response.label}:\n{block}")
        if cut:
            warnings.append(
                f"The answer of {response.label} was {cut} characters too long for the arbiter's "
                "prompt; its middle was cut."
            )
    question, cut = quote(question_of(run), mark)
    if cut:
        warnings.append(
            f"The question was {cut} characters too long for the arbiter's prompt; its middle was "
            "cut there."
        )
    prompt = render(
        form,
        question=question,
        told=_told(run, mark),
        count=len(answered),
        responses="\n\n".join(blocks),
        votes=_votes(run, answered, mark),
    )
    return prompt, tuple(warnings)


def _told(run: Run, mark: str) -> str:
    if not run.config.system:
        return ""
    return f"\nWhat the members were told beforehand:\n{quote(run.config.system, mark)[0]}\n"


def _votes(run: Run, answered: Sequence[Response], mark: str) -> str:
    spelled = {r.label: r.final_answer for r in answered if r.final_answer}
    groups = group_by_answer(run, answered)
    lines = [f"{len(g)} × {spelled[g[0]]}" for g in groups if g[0] in spelled]
    return quote("\n".join(lines), mark)[0] if lines else "none given."


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines) or "(nothing in particular)"
