"""Shows attachments with a question: as files to models that take them, as quoted text to others.

The engine does this with every question of a run, so no strategy has to know of attachments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consortium_mcp.core.prompts.quoting import boundary, quote
from consortium_mcp.core.prompts.rendering import render

if TYPE_CHECKING:
    from consortium_mcp.core.domain.ask import Question
    from consortium_mcp.core.domain.attachment import Attachment
    from consortium_mcp.core.domain.run import Run


def with_attachments(question: Question, run: Run) -> Question:
    """The question with the run's attachments, in the form in which its model takes each.

    What is quoted stands first, the same in every iteration, so that providers' prompt caches hit.
    """
    if not run.attachments:
        return question
    # An arbiter reads what members write, so its mark is not theirs.
    mark = boundary(run, f"attachments for {question.role}")
    files = tuple(each for each in run.attachments if question.model in each.shown_to)
    shown = "\n\n".join(
        _shown(each, mark, is_file=question.model in each.shown_to) for each in run.attachments
    )
    prompt = render("attached", boundary=mark, files=shown, prompt=question.prompt)
    cached = question.worth_caching
    if cached is not None:
        cached += len(prompt) - len(question.prompt)
    return question.model_copy(
        update={"attachments": files, "prompt": prompt, "worth_caching": cached}
    )


def _shown(attachment: Attachment, mark: str, *, is_file: bool) -> str:
    """What the prompt says of it: with a file a model gets no name otherwise."""
    name = f"{attachment.name} ({attachment.type})"
    if is_file:
        return f"{name} comes with the question."
    if attachment.text is None:
        return f"{name} cannot be shown here; others may have seen it."
    return f"{name}:\n{quote(attachment.text, mark, len(attachment.text))[0]}"
