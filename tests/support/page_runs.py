"""Runs for the page, made by the real engine from scripted replies, without a database.

`RUNS` has one of each kind: `page_of("answered")` is the data of its page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import anyio

from consortium_mcp.core.domain.ask import Question, Reply
from consortium_mcp.core.domain.attachment import Attachment
from consortium_mcp.core.domain.errors import MemberError
from consortium_mcp.core.domain.run import Parent, Run, Turn
from consortium_mcp.core.domain.tool_use import ToolUse
from consortium_mcp.core.records.exchange import Exchange
from consortium_mcp.core.records.run_record import RunRecord
from consortium_mcp.core.reports.report import Plan, Usage
from consortium_mcp.core.reports.reporting import report_of, report_of_plan, tools_used
from consortium_mcp.frontends.page.model import RunNotice
from consortium_mcp.frontends.page.page_data import plan_page, run_page
from tests.support.fakes import FakeAsk, Said, consulted, reply, run_of, verdict
from tests.support.peers import check, code_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consortium_mcp.core.domain.ask import Ask
    from consortium_mcp.frontends.page.model import RunPage

BEGAN = "2026-11-20T09:30:00.000+00:00"
QUESTION = (
    "Our job queue runs on PostgreSQL. Two workers sometimes take the same job. "
    "Should we use SELECT … FOR UPDATE SKIP LOCKED or an advisory lock?"
)
ANSWER = """Use **`FOR UPDATE SKIP LOCKED`**. It locks the row that is handed out, and a worker that
dies gives it back with its transaction. As B argues, an advisory lock has to be released by hand.

```sql
UPDATE jobs SET taken_at = now()
WHERE id = (SELECT id FROM jobs WHERE taken_at IS NULL
            ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1)
RETURNING *;
```

With $n$ workers and a job of mean time $\\bar t$, the queue keeps up while
$\\lambda < \\frac{n}{\\bar t}$.

| | `SKIP LOCKED` | advisory lock |
|---|---|---|
| released on a crash | with the transaction | with the session |
| works behind a pooler | yes | not in transaction mode |
"""


class Recording:
    """An `Ask` that keeps every exchange.

    Args:
        ask: answers.
        seconds: what a call takes, made up.
    """

    def __init__(self, ask: Ask, seconds: float = 3.4) -> None:
        self._ask = ask
        self._seconds = seconds
        self.exchanges: list[Exchange] = []

    async def __call__(self, question: Question, /) -> Reply:
        seconds = self._seconds + 0.7 * (len(self.exchanges) % 4)
        try:
            said = await self._ask(question)
        except MemberError as error:
            self.exchanges.append(Exchange.of(question, error, BEGAN))
            raise
        spent = {"input_tokens": len(question.prompt) // 4, "output_tokens": len(said.text) // 4}
        said = said.model_copy(update=spent | {"seconds": seconds, "cost_usd": 0.0021})
        self.exchanges.append(Exchange.of(question, said, BEGAN))
        return said


def record_of(run: Run, said: Ask | Mapping[str, str | MemberError | Sequence[Said]]) -> RunRecord:
    """The record of a run whose models say what the script has, or what this `Ask` does."""
    ask = Recording(FakeAsk(**said) if isinstance(said, Mapping) else said)
    with ThreadPoolExecutor(1) as thread:  # Playwright has a loop in this one
        ended = thread.submit(anyio.run, consulted, run, ask).result()
    return _record(ended, ask.exchanges)


def _record(run: Run, exchanges: Sequence[Exchange]) -> RunRecord:
    spent = Usage(
        calls=len(exchanges),
        input_tokens=sum(e.input_tokens or 0 for e in exchanges),
        output_tokens=sum(e.output_tokens or 0 for e in exchanges),
        cost_usd=0.0021 * len(exchanges),
        priced_calls=len(exchanges),
        seconds=11.8,
    )
    return RunRecord.of(run, report_of(run, spent, BEGAN), exchanges, ())


PANEL = ("claude-opus-5", "gpt-5.2", "gemini-3-pro", "grok-4.1", "deepseek-v4")
LOCK = reply("FOR UPDATE SKIP LOCKED", 0.8, "A row lock ends with its transaction.")


def _answered() -> RunRecord:
    run = run_of(*PANEL, "mistral-large", "qwen-3", prompt=QUESTION, max_iterations=1)
    judged = verdict(
        synthesis=ANSWER,
        final_answer="FOR UPDATE SKIP LOCKED",
        support="A, B, C",
        groups="A, B, C; D, E",
        dissent="D, E: An advisory lock needs no open transaction while a long job runs, so it "
        "blocks neither vacuum nor a pooled connection.",
        ranking="B, A, C, D, E",
        refinements="How long may one job take?",
        confidence="0.9",
    )
    script: dict[str, str | MemberError] = {
        PANEL[0]: reply("FOR UPDATE SKIP LOCKED", 0.85, "Take the row lock; it ends by itself."),
        PANEL[1]: reply("`SELECT … FOR UPDATE SKIP LOCKED`", 0.8, "A crash must free the job."),
        PANEL[2]: LOCK,
        PANEL[3]: reply("an advisory lock", 0.7, "Long transactions stop vacuum."),
        PANEL[4]: reply("an advisory lock", 0.6, "It is cheaper."),
        "mistral-large": "It depends on how long a job takes; both can work.",
        "qwen-3": MemberError("HTTP 503: overloaded. Try again later.", kind="overloaded"),
        "judge": judged,
    }
    return record_of(run, script)


def _debate() -> RunRecord:
    run = run_of(
        "claude-opus-5",
        "gpt-5.2",
        "gemini-3-pro",
        prompt="How many trailing zeros has $100!$?",
        strategy="debate",
        max_iterations=3,
        min_iterations=3,
        confidence_threshold=1.0,
    )
    text = "The zeros are the factors 5: $\\lfloor 100/5 \\rfloor + \\lfloor 100/25 \\rfloor$."
    script: dict[str, str | list[Said]] = {
        "claude-opus-5": reply("24", 0.9, text),
        "gpt-5.2": [reply("20", 0.6, "There are 20 fives."), reply("24", 0.9, text)],
        "gemini-3-pro": [
            reply("21", 0.4, "Perhaps 21."),
            reply("20", 0.5, "There are 20 fives."),
            reply("24", 0.95, text),
        ],
        "judge": [
            verdict(
                synthesis=f"Probably 24: {text} B counts each multiple of 5 once.",
                final_answer="24",
                support="A",
                groups="A; B; C",
                dissent="B: There are 20 multiples of 5.",
                confidence="0.5",
                needs_iteration="true",
            ),
            verdict(
                synthesis=f"It is 24: {text} C counts each multiple of 5 once.",
                final_answer="24",
                support="A, B",
                groups="A, B; C",
                dissent="C: There are 20 multiples of 5.",
                confidence="0.7",
                needs_iteration="true",
            ),
            verdict(
                synthesis=f"It is 24: {text} All agree by now.",
                final_answer="24",
                support="A, B, C",
                groups="A, B, C",
                confidence="0.97",
            ),
        ],
    }
    return record_of(run, script)


def _degraded() -> RunRecord:
    run = run_of("a", "b", prompt="Six × 7?", max_iterations=1)
    return record_of(
        run,
        {
            "a": reply("42", 0.9),
            "b": reply("41", 0.3),
            "judge": MemberError("HTTP 401: the key is refused.", kind="auth", permanent=True),
        },
    )


def _failed() -> RunRecord:
    run = run_of("a", "b", prompt="Six × 7?", max_iterations=1)
    down = MemberError("HTTP 401: the key is refused.", kind="auth", permanent=True)
    return record_of(run, {"a": down, "b": down, "judge": verdict()})


def _begun(status: str, **more: object) -> RunRecord:
    """A run of three, two of which have answered."""
    run = run_of(*PANEL[:3], prompt=QUESTION)
    exchanges = [
        Exchange.of(
            Question(
                role="member", label=label, model=model, prompt=QUESTION, iteration=1, timeout=120
            ),
            Reply(text=LOCK, seconds=2.5, input_tokens=40, output_tokens=30),
            BEGAN,
        )
        for label, model in (("A", PANEL[0]), ("C", PANEL[2]))
    ]
    return _record(run.model_copy(update={"status": status} | more), exchanges)


def _verified() -> RunRecord:
    prompt = "Which is the larger: $e^\\pi$ or $\\pi^e$?"
    run = run_of("a", "b", "c", prompt=prompt, strategy="verify", max_iterations=1)
    answers = {"a": reply("e^π", 0.9), "b": reply("e^π", 0.8), "c": reply("π^e", 0.7)}

    async def ask(question: Question) -> Reply:
        if question.role == "member":
            return Reply(text=answers[question.model], seconds=1.0)
        wrong = "π^e" in question.prompt.rpartition("Somebody's answer")[2]
        found = ("wrong", "C's logarithm is wrong.") if wrong else ("right",)
        return Reply(text=check(code_in(question.prompt), *found), seconds=1.0)

    return record_of(run, ask)


def _many() -> RunRecord:
    """32 members of four models, in three groups."""
    names = [PANEL[n % 4] for n in range(32)]
    run = run_of(*names, prompt=QUESTION, strategy="vote", max_iterations=1)
    answers = ["row lock"] * 20 + ["advisory lock"] * 9 + ["either"] * 3
    said: dict[str, list[str]] = {}
    for name, answer in zip(names, answers, strict=True):
        said.setdefault(name, []).append(reply(answer, 0.7, "A reason. " * 30))
    return record_of(run, {**said, "judge": verdict()})


def _object() -> RunRecord:
    types = {"vendor": "string", "total": "number", "paid": "boolean"}
    fields = {name: {"type": kind} for name, kind in types.items()}
    schema = {"type": "object", "properties": fields}
    run = run_of("a", "b", "c", prompt="Read the invoice.", json_schema=schema, max_iterations=1)
    run = run.model_copy(
        update={"attachments": (Attachment.of("invoice.pdf", "application/pdf", b"%PDF-1.7"),)}
    )
    total = {"a": 120.5, "b": 120.5, "c": 12.05}
    said = {
        name: json.dumps({"vendor": "Example Ltd", "total": total[name], "paid": False})
        for name in "abc"
    }
    return record_of(run, {**said, "judge": verdict()})


def _outer() -> tuple[RunRecord, RunRecord]:
    """A run one of whose members is a consortium, and that one's run."""
    inner = record_of(
        run_of("c", "d", prompt="Six × 7?", strategy="vote").model_copy(
            update={"run_id": "01INNER", "parent": Parent(run_id="01TEST", call="1/member/B/1")}
        ),
        {"c": reply("42", 0.9), "d": reply("41", 0.2), "judge": verdict()},
    )
    run = run_of("a", "inner", prompt="Six × 7?", max_iterations=1).model_copy(
        update={"history": (Turn(prompt="Five × 7?", synthesis="It is **35**."),)}
    )
    outer = record_of(run, {"a": reply("42", 0.9), "inner": reply("42", 0.5), "judge": verdict()})
    use = ToolUse(
        iteration=1, role="member", label="A", attempt=1, name="multiply", repeat=1,
        arguments='{"a": 6, "b": 7}', result="42", seconds=0.1, created_at=BEGAN,
    )  # fmt: skip
    report = outer.report.model_copy(update={"tools": tools_used([use])})
    outer = outer.model_copy(update={"tool_uses": (use,), "report": report})
    return outer, inner


def _plan() -> RunPage:
    plan = Plan(
        fewest_calls=4,
        most_calls=12,
        calls={"answers": (3, 9), "verdicts": (1, 3)},
        estimated_input_tokens=412,
        least_cost_usd=0.01,
        most_cost_usd=0.08,
        priced_calls=12,
    )
    return plan_page(report_of_plan(run_of(*PANEL[:3], prompt=QUESTION), plan, (), BEGAN))


RUNS: dict[str, Callable[[], RunPage | RunNotice]] = {
    "answered": lambda: run_page(_answered()),
    "debate": lambda: run_page(_debate()),
    "degraded": lambda: run_page(_degraded()),
    "failed": lambda: run_page(_failed()),
    "working": lambda: run_page(_begun("working")),
    "cancelled": lambda: run_page(_begun("cancelled", stop_reason="cancelled")),
    "interrupted": lambda: run_page(_begun("interrupted")),
    "verified": lambda: run_page(_verified()),
    "many": lambda: run_page(_many()),
    "object": lambda: run_page(_object()),
    "nested": lambda: run_page(_outer()[0], _outer()[1:]),
    "plan": _plan,
    "pruned": lambda: RunNotice(notice="pruned", run_id="01TEST"),
    "error": lambda: RunNotice(notice="error", text="models: none was found. Run `llm keys set`."),
    "waiting": lambda: RunNotice(notice="waiting"),
    "asking": lambda: RunNotice(notice="asking", text="May it make 9 calls?"),
}
"""The kinds of runs, and how the data of each page is made."""


def page_of(kind: str) -> RunPage:
    """The data of the page of a run of this kind."""
    page = RUNS[kind]()
    assert not isinstance(page, RunNotice)
    return page
