"""The table of docs/providers.md: what each plugin does with each case, from a run.

python -m tests.providers.table >docs/providers.md
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from importlib.metadata import packages_distributions, version
from pathlib import Path

import anyio
import anyio.to_thread

from consortium_mcp.adapters.calls.retries import Retrier
from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.errors import MemberError
from tests.providers.kit import ANSWER, FAULTS, JUDGEMENT, Api
from tests.providers.plugins import PLUGINS, caller_of, id_of, installed

CASES = ("ok", "thinks", "judge", "cut", "refused", *FAULTS, "hang")
INTRODUCTION = """# Providers

What the plugins of llm do with each case, put to the real plugin against a loopback server that \
speaks the provider's API. `.ci/providers` makes this table and holds it against the code.

`again`: it is asked again within the call's time. `for good`: it is not. `waits 7 s`: as the \
provider asked. `as empty`: the plugin keeps no reason, so a refusal looks like an empty reply. \
`thinks`: what becomes of the thinking in a reply. `judge`: how an arbiter's verdict comes back, \
where `in words` means that the plugin knows no schema, so that the verdict comes in tags. \
`hang`: what becomes of the connection of a call that is given up.
"""


async def outcome(name: str, case: str) -> str:
    """What comes of one case, in a few words."""
    schema = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}
    question = Question(
        role="member",
        label="A",
        model=id_of(name),
        prompt=f"What? case:{case}",
        json_schema=schema if case in {"schema", "judge"} else None,
        iteration=1,
        timeout=1 if case == "hang" else 60,
    )
    with tempfile.TemporaryDirectory() as folder, caller_of(name, Path(folder)) as caller:
        os.environ["LLM_USER_PATH"] = folder  # where the made-up keys are
        Api.hung_up.clear()
        try:
            reply = await (Retrier(caller) if case == "schema" else caller)(question)
        except MemberError as error:
            if case == "hang":
                closed = await anyio.to_thread.run_sync(Api.hung_up.wait, 5)
                return "is closed" if closed else "stays for its own timeout"
            return _failure(error)
        return _success(reply, case)


def _failure(error: MemberError) -> str:
    if error.kind in {"refused", "empty"}:
        return "named" if error.kind == "refused" else "as empty"
    if error.retry_after:
        return f"again, waits {error.retry_after:.0f} s"
    return "again" if error.passing else "for good"


def _success(reply: Reply, case: str) -> str:
    if case == "ok":
        return "answers" if reply.input_tokens else "answers, no tokens"
    if case == "thinks":
        return "left out" if reply.text == ANSWER else "in the text"
    if case == "judge":
        return "as JSON" if reply.text == json.dumps(JUDGEMENT) else "in words"
    if case == "cut":
        return "said" if any("cut short" in each for each in reply.warnings) else "not known"
    return "answers without it"


async def page() -> str:
    """The page, made by running every case with every plugin."""
    lines = [
        INTRODUCTION,
        "| plugin | " + " | ".join(f"{c} {FAULTS.get(c, '')}".strip() for c in CASES) + " |",
        "|---" * (len(CASES) + 1) + "|",
    ]
    packages = packages_distributions()
    for name in PLUGINS:
        if not installed(name):
            continue
        package = packages.get(f"llm_{name}", ["llm"])[0]
        cells = [await outcome(name, case) for case in CASES]
        lines.append(f"| {name} ({package} {version(package)}) | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    # To a file, as plugins print.
    Path(sys.argv[1]).write_text(anyio.run(page), encoding="utf-8")
