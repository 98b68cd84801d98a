"""The page inside a conversation: a real host bridge, and the real server on scripted models."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from consortium_mcp.frontends.page.files import page_for_host
from tests.support.relay import MODERN, Relay
from tests.web.conftest import WEB
from tests.web.test_axe import violations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from playwright.sync_api import Browser, FrameLocator, Page, Route

HOST, SANDBOX = "http://host.test/", "http://sandbox.test/"
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
"""As hosts set it where a page asks for nothing."""
EVERYTHING: dict[str, dict[str, object]] = {
    "serverTools": {},
    "openLinks": {},
    "message": {},
    "downloadFile": {},
}
PANEL = {"models": ["sure", "agrees", "wrong"], "arbiter": "judge", "strategy": "vote"}
HELD = PANEL | {"models": ["sure", "held"]}


@pytest.fixture(scope="session")
def host_script(node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """`web/test/host.ts`, with the bridge of the package."""
    file = tmp_path_factory.mktemp("host") / "host.js"
    build = ["npx", "--no-install", "esbuild", "test/host.ts", "--bundle", "--format=iife"]
    assert node_modules
    subprocess.run([*build, f"--outfile={file}", "--log-level=error"], cwd=WEB, check=True)
    return file.read_text(encoding="utf-8")


@dataclass
class Conversation:
    """A host's window with one call in it."""

    window: Page
    relay: Relay
    environment: dict[str, str]
    calls: list[str] = field(default_factory=list)
    before_call: Callable[[], None] = lambda: None
    """Called before each call of the page's goes to the server."""

    @property
    def page(self) -> FrameLocator:
        return self.window.frame_locator("iframe")

    @property
    def status(self) -> str:
        return self.page.get_by_role("status").inner_text().replace("\u00a0", " ")

    def begin(
        self,
        capabilities: dict[str, Any] | None = None,
        call_id: int | None = None,
        **context: Any,  # noqa: ANN401
    ) -> None:
        """Mount the page for the call of this id."""
        tool = {"name": "consult_consortium", "inputSchema": {"type": "object"}}
        if call_id is not None:
            context["toolInfo"] = {"id": call_id, "tool": tool}
        given = EVERYTHING if capabilities is None else capabilities
        self.window.evaluate(
            "([address, can, context]) => testHost.begin(address, can, context)",
            [SANDBOX, given, context],
        )

    def consult(self, **arguments: Any) -> Future[dict[str, Any]]:  # noqa: ANN401
        """Call the tool, mount its page, and give the page its input."""
        result = self.relay.call("consult_consortium", arguments)
        self.begin(call_id=self.relay.last_id)
        self.window.evaluate("(args) => testHost.input(args)", arguments)
        return result

    def give(self, result: dict[str, Any]) -> None:
        self.window.evaluate("(result) => testHost.result(result)", result)

    def wait_for(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for(timeout=60_000)

    def next_turn(self) -> None:
        """Let one more call of the model `in turn` be answered."""
        with Path(self.environment["LLM_USER_PATH"], "turns").open("a", encoding="utf-8") as turns:
            turns.write(".")

    def release(self) -> None:
        """Let the model `held` answer."""
        Path(self.environment["LLM_USER_PATH"], "release").touch()


@pytest.fixture
def talk(
    browser: Browser, child_environment: dict[str, str], host_script: str
) -> Iterator[Callable[..., Conversation]]:
    """Opens a host's window, with a server of its own."""
    open_ones: list[Conversation] = []
    faults: list[str] = []

    def opened(
        era: str = "2025-11-25",
        client: dict[str, Any] | None = None,
        settings: dict[str, str] | None = None,
        **window: Any,  # noqa: ANN401
    ) -> Conversation:
        page = browser.new_context(**window).new_page()
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        relay = Relay(child_environment | (settings or {}), era, **client or {}).__enter__()
        found = Conversation(page, relay, child_environment)

        def call_tool(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
            found.calls.append(name)
            found.before_call()
            return relay.call(name, arguments).result(60)

        def host(route: Route) -> None:
            body = '<!doctype html><meta charset="utf-8"><body style="margin:0"><div id="chat">'
            route.fulfill(content_type="text/html", body=body)

        def sandbox(route: Route) -> None:
            headers = {"Content-Security-Policy": POLICY}
            route.fulfill(content_type="text/html", headers=headers, body=page_for_host())

        page.route(f"{HOST}**", host)
        page.route(f"{SANDBOX}**", sandbox)
        page.expose_function("callTool", call_tool)
        page.goto(HOST)
        page.add_script_tag(content=host_script)
        open_ones.append(found)
        return found

    yield opened
    for each in open_ones:
        each.relay.__exit__()
        each.window.context.close()
    assert faults == []


@pytest.mark.parametrize("era", ["2025-11-25", MODERN])
def test_a_run_is_seen_while_it_works_and_when_it_has_ended(
    talk: Callable[..., Conversation], era: str
) -> None:
    chat = talk(era)
    result = chat.consult(prompt="6x7?", wait_seconds=60, **HELD)
    chat.wait_for("1 of 2 members have answered")
    assert chat.page.get_by_role("button", name="Stop").count() == 1
    chat.release()
    chat.wait_for("Finished")
    chat.give(result.result(60))
    assert "42" in chat.page.get_by_label("Answer").inner_text()
    assert chat.page.get_by_role("meter").count() == 1
    assert {*chat.calls} == {"get_run"}


def test_each_of_three_equal_calls_shows_its_own_run(talk: Callable[..., Conversation]) -> None:
    chat = talk()
    prompts = [chat.relay.call("consult_consortium", {"prompt": "6x7?", "system": name} | HELD)
               for name in ("one", "two")]  # fmt: skip
    assert prompts
    chat.consult(prompt="6x7?", system="three", wait_seconds=60, **HELD)
    chat.wait_for("1 of 2 members have answered")
    shown = chat.page.locator(".identity").inner_text()
    newest = chat.relay.call("list_runs", {"limit": 3}).result(60)["structuredContent"]["runs"]
    mine = [run["run_id"] for run in newest if run["run_id"] in shown]
    report = chat.relay.call("get_run", {"run_id": mine[0], "include": ["exchanges"]}).result(60)
    assert "three" in str(report)


def test_it_is_stopped(talk: Callable[..., Conversation]) -> None:
    chat = talk()
    chat.consult(prompt="6x7?", wait_seconds=60, **HELD)
    chat.page.get_by_role("button", name="Stop").click(timeout=60_000)
    chat.wait_for("Cancelled")


def test_a_server_that_has_gone_is_told_of(talk: Callable[..., Conversation]) -> None:
    chat = talk()
    chat.consult(prompt="6x7?", wait_seconds=60, **HELD)
    chat.wait_for("1 of 2 members have answered")
    chat.relay.wire.process.kill()
    chat.wait_for("The server")
    assert "as of" in chat.status


def test_without_tools_it_shows_what_it_has_and_says_of_when(
    talk: Callable[..., Conversation],
) -> None:
    chat = talk()
    result = chat.relay.call("consult_consortium", {"prompt": "6x7?", "wait_seconds": 1} | HELD)
    chat.begin({})
    chat.give(result.result(60))
    chat.wait_for("As of")
    assert chat.page.get_by_role("button", name="Stop").count() == 0
    assert chat.page.get_by_text("Compare with").count() == 0
    assert chat.calls == []


def test_what_the_host_can_do_is_done_by_the_host(talk: Callable[..., Conversation]) -> None:
    chat = talk()
    result = chat.consult(prompt="6x7?", **PANEL)
    chat.give(result.result(60))
    chat.wait_for("Finished")
    chat.page.get_by_role("button", name="This is right").click()
    chat.wait_for("Rated right")
    chat.page.get_by_role("button", name="Ask further").first.click()
    chat.page.get_by_role("button", name="Save as JSON").click()
    chat.window.wait_for_function("testHost.asked.length === 2")
    (message, said), (save, saved) = chat.window.evaluate("testHost.asked")
    assert (message, save) == ("ui/message", "ui/download-file")
    assert "continue_run" in said["content"][0]["text"]
    assert saved["contents"][0]["resource"]["uri"].endswith(".json")


def test_the_page_speaks_as_the_schema_of_the_extension_says(
    talk: Callable[..., Conversation], node_modules: Path
) -> None:
    """Of `@modelcontextprotocol/ext-apps`, whose package the page does not use."""
    chat = talk()
    result = chat.consult(prompt="6x7?", **PANEL)
    chat.give(result.result(60))
    chat.wait_for("Finished")
    chat.page.get_by_role("button", name="Ask further").first.click()
    chat.page.get_by_role("button", name="Save as JSON").click()
    chat.window.wait_for_function("testHost.asked.length === 2")
    package = node_modules / "@modelcontextprotocol/ext-apps/dist/src/generated/schema.json"
    schema = json.loads(package.read_text(encoding="utf-8"))
    kinds = {
        each["properties"]["method"].get("const"): name
        for name, each in schema["$defs"].items()
        if "method" in each.get("properties", {})
    }
    seen = set()
    for message in chat.window.evaluate("testHost.raw"):
        method = message.get("method")
        if not str(method).startswith("ui/"):
            continue
        seen.add(method)
        told = {name: message[name] for name in ("method", "params") if name in message}
        jsonschema.validate(told, {"$ref": f"#/$defs/{kinds[method]}", "$defs": schema["$defs"]})
    assert seen == {
        "ui/initialize",
        "ui/notifications/initialized",
        "ui/notifications/size-changed",
        "ui/message",
        "ui/download-file",
    }


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ({"dry_run": True}, "A plan"),
        ({"models": ["down"]}, "Failed"),
        ({"models": ["nowhere"]}, "came to nothing"),
        ({"strategy": "synthesis", "arbiter": "down"}, "Finished without an arbiter"),
        ({"strategy": "debate", "max_iterations": 3, "min_iterations": 3}, "Finished"),
    ],
)
def test_every_outcome_has_a_picture(
    talk: Callable[..., Conversation], arguments: dict[str, Any], shown: str
) -> None:
    chat = talk()
    result = chat.consult(**{"prompt": "6x7?"} | PANEL | arguments)
    chat.give(result.result(60))
    chat.wait_for(shown)
    for width in (320, 360, 1000):
        chat.window.set_viewport_size({"width": width, "height": 600})
        assert chat.window.frames[-1].evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_interrupted_run_is_resumed(
    talk: Callable[..., Conversation], child_environment: dict[str, str]
) -> None:
    with Relay(child_environment) as killed:
        begun = killed.call("consult_consortium", {"prompt": "6x7?", "wait_seconds": 1} | HELD)
        run_id = begun.result(60)["structuredContent"]["run_id"]
    chat = talk()
    while True:  # until its process counts as dead
        found = chat.relay.call("get_run", {"run_id": run_id}).result(60)
        if found["structuredContent"]["status"] == "interrupted":
            break
        chat.window.wait_for_timeout(500)
    chat.begin()
    chat.give(found)
    chat.wait_for("Interrupted")
    chat.page.get_by_role("button", name="Resume").click()
    chat.wait_for("1 of 2 members have answered")
    chat.release()
    chat.wait_for("Finished")


def test_a_cancelled_call_and_one_that_never_comes_are_told(
    talk: Callable[..., Conversation],
) -> None:
    chat = talk()
    chat.begin()
    chat.wait_for("has not given this page its call again")
    chat.window.evaluate("testHost.cancelled('the user stopped it')")
    chat.wait_for("The call was cancelled (the user stopped it).")


def test_the_frame_is_as_high_as_the_page(talk: Callable[..., Conversation]) -> None:
    chat = talk(viewport={"width": 360, "height": 500})
    chat.window.evaluate("document.getElementById('chat').style.marginTop = '4000px'")
    result = chat.consult(prompt="6x7?", **PANEL)
    chat.give(result.result(60))
    chat.window.wait_for_function("testHost.sizes.at(-1) > 300")
    frame = chat.window.frames[-1]

    def heights() -> tuple[int, int]:
        inner = frame.evaluate("Math.ceil(document.documentElement.getBoundingClientRect().height)")
        return inner, chat.window.evaluate("testHost.sizes.at(-1)")

    assert heights()[0] == heights()[1]
    assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
    chat.window.evaluate("document.getElementById('chat').style.marginTop = '0'")
    tall = heights()[1]
    chat.page.locator(".member summary").first.click()
    chat.window.wait_for_function("(before) => testHost.sizes.at(-1) > before", arg=tall)
    chat.page.locator(".member summary").first.click()
    chat.window.wait_for_function("(before) => testHost.sizes.at(-1) === before", arg=tall)


WATCH = """(member) => {
    const part = document.getElementById(member);
    const text = part.querySelector(".markdown p").firstChild;
    part.querySelector("summary").focus();
    getSelection().setBaseAndExtent(text, 0, text, 4);
    const selected = getSelection().toString();
    window.kept = [];
    window.watch = new MutationObserver(() => window.kept.push(
        document.getElementById(member).open
        && document.activeElement.parentElement.id === member
        && selected !== "" && getSelection().toString() === selected));
    window.watch.observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


def test_what_is_open_stays_while_twenty_members_answer(talk: Callable[..., Conversation]) -> None:
    chat = talk()
    chat.consult(prompt="6x7?", wait_seconds=60, **PANEL | {"models": ["in turn:21", "sure"]})
    chat.wait_for("1 of 22 members have answered")
    chat.page.get_by_text("This one").click()
    member = chat.page.locator("details.member").get_attribute("id")
    chat.page.locator(f"#{member} > summary").click()
    chat.page.locator(f"#{member} .markdown p").first.wait_for()
    frame = chat.window.frames[-1]
    frame.evaluate(WATCH, member)
    looks = iter(range(20))
    # Each look of the page finds one more answer.
    chat.before_call = lambda: chat.next_turn() if next(looks, None) is not None else None
    chat.wait_for("21 of 22 members have answered")
    frame.evaluate("window.watch.disconnect()")
    kept = frame.evaluate("window.kept")
    assert len(kept) >= 20
    assert all(kept)
    chat.next_turn()
    chat.wait_for("Finished")
    assert frame.evaluate("(member) => document.getElementById(member).open", member)


def test_an_answer_is_compared_with_that_of_an_earlier_run(
    talk: Callable[..., Conversation], node_modules: Path
) -> None:
    chat = talk()
    question = "What is six times seven?" + " Mind the table." * 60
    for prompt, model in (("Something else?", "sure"), (question, "wrong")):
        asked = {"prompt": prompt} | PANEL | {"models": [model]}
        chat.relay.call("consult_consortium", asked).result(60)
    result = chat.consult(prompt=question, **PANEL | {"models": ["sure"]})
    chat.give(result.result(60))
    chat.wait_for("Finished")
    chat.page.get_by_text("Compare with an earlier run").click()
    part = chat.page.locator("#compare")
    part.get_by_role("button").first.wait_for()
    assert part.get_by_role("button").count() == 1
    assert "41" in part.inner_text()
    part.get_by_role("button").click()
    part.get_by_role("group", name="The earlier answer").wait_for()
    assert "41" in "".join(part.locator("del").all_inner_texts())
    assert "42" in "".join(part.locator("ins").all_inner_texts())
    for width in (320, 1000):
        chat.window.set_viewport_size({"width": width, "height": 600})
        assert chat.window.frames[-1].evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(chat.window.frames[-1], node_modules) == []


def forget(environment: dict[str, str]) -> None:
    """Delete all runs, as `consortium-mcp runs prune` does."""
    prune = [sys.executable, "-m", "consortium_mcp", "runs", "prune", "--older-than", "0d"]
    subprocess.run([*prune, "--delete"], env=environment, check=True, capture_output=True)


def test_a_run_that_is_deleted_keeps_its_answer_and_loses_its_buttons(
    talk: Callable[..., Conversation], child_environment: dict[str, str]
) -> None:
    chat = talk()
    result = chat.consult(prompt="6x7?", **PANEL)
    chat.give(result.result(60))
    chat.wait_for("Finished")
    forget(child_environment)
    chat.page.get_by_role("button", name="This is right").click()
    chat.wait_for("This run has been deleted from the database.")
    assert "42" in chat.page.get_by_label("Answer").inner_text()
    assert chat.page.get_by_role("button", name="This is right").count() == 0
    assert chat.page.get_by_role("button", name="Ask further").count() == 0


def test_a_run_that_was_deleted_before_its_page_was_mounted_again(
    talk: Callable[..., Conversation], child_environment: dict[str, str]
) -> None:
    chat = talk()
    begun = chat.relay.call("consult_consortium", {"prompt": "6x7?", "wait_seconds": 1} | HELD)
    working = begun.result(60)
    chat.release()
    run = {"run_id": working["structuredContent"]["run_id"], "wait_seconds": 60}
    assert chat.relay.call("get_run", run).result(60)["structuredContent"]["status"] == "completed"
    forget(child_environment)
    chat.begin()
    chat.give(working)
    chat.wait_for("no longer in the database")
    assert chat.status == "No consultation here"


def test_a_page_says_that_its_call_waits_for_a_confirmation(
    talk: Callable[..., Conversation],
) -> None:
    settings = {"CONSORTIUM_CONFIRM_CALLS": "1"}
    chat = talk(client={"elicitation": {"form": {}}}, settings=settings)
    result = chat.consult(prompt="6x7?", **PANEL)
    question = chat.relay.asked.get(timeout=60)
    chat.wait_for("Nothing has been called: you are asked first")
    assert chat.status == "Waiting for you"
    chat.relay.answer(question, {"action": "accept", "content": {"proceed": True}})
    chat.give(result.result(60))
    chat.wait_for("Finished")


def test_a_result_that_asks_for_a_confirmation_is_told_as_a_question(
    talk: Callable[..., Conversation],
) -> None:
    settings = {"CONSORTIUM_CONFIRM_CALLS": "1"}
    chat = talk(MODERN, client={"elicitation": {"form": {}}}, settings=settings)
    result = chat.relay.call("consult_consortium", {"prompt": "6x7?"} | PANEL).result(60)
    chat.begin()
    chat.give({"content": []} | result)
    chat.wait_for("you want to be asked above 1. Proceed?")
    assert chat.status == "Waiting for you"


def test_a_plan_says_that_it_waits_to_be_confirmed(talk: Callable[..., Conversation]) -> None:
    chat = talk(settings={"CONSORTIUM_CONFIRM_CALLS": "1"})
    result = chat.consult(prompt="6x7?", **PANEL)
    chat.give(result.result(60))
    chat.wait_for("A plan")
    chat.wait_for("Nothing was called: this may take up to")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_has_a_background_of_its_own_in_the_hosts_theme(
    talk: Callable[..., Conversation], theme: str, scheme: str
) -> None:
    chat = talk(color_scheme=scheme)
    result = chat.relay.call("consult_consortium", {"prompt": "6x7?"} | PANEL)
    chat.begin(theme=theme)
    chat.give(result.result(60))
    chat.wait_for("Finished")
    colour = chat.window.frames[-1].evaluate("getComputedStyle(document.body).backgroundColor")
    channels = [int(part) for part in colour.removeprefix("rgb(").rstrip(")").split(",")]
    assert (sum(channels) > 380) is (theme == "light")
