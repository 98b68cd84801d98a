"""One walk through every door with B's token: nothing of A's is behind any of them.

The doors are those that the server lists, so a new one is in the walk by itself. Each argument that
takes a text is given A's ids and names, one after the other. What comes back must not have anything
of A's, and must be what an id that does not exist gives.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference, ResourceTemplateReference
from starlette.routing import Route

from consortium_mcp.frontends.browser.app import make_app
from tests.acceptance.conftest import ERAS
from tests.support.client import PANEL, data_of, text_of
from tests.support.team import TeamServer, team_server, token_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from mcp import Client

    from tests.support.postgres import Server

SECRET = "quagga"  # noqa: S105 (a word)
"""A word of A's prompt, and of nothing else."""
PRIVATE = "okapi"
"""A word of A's saved consortium."""
NAME = "alices-panel"
NO_NAME = "nobodys-panel"
NO_RUN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
MODELS = "sure,agrees"
BODY = '{"visibility": "team"}'


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def database_url(postgres: Server) -> Iterator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture(scope="module")
def tokens(database_url: str) -> dict[str, str]:
    """Of two users; and of an admin, who sees no more of other people's texts."""
    return {who: token_for(database_url, who) for who in ("alice", "bob")} | {
        "carol": token_for(database_url, "carol", ("consult", "read", "admin"))
    }


@pytest.fixture(scope="module")
def server(
    database_url: str,
    tokens: dict[str, str],  # noqa: ARG001 (with one there is a login)
    tmp_path_factory: pytest.TempPathFactory,
    environment: dict[str, str],
) -> Iterator[TeamServer]:
    here = {"LLM_USER_PATH": str(tmp_path_factory.mktemp("llm"))}
    with team_server(environment | here, database_url, CONSORTIUM_MODELS=MODELS) as made:
        yield made


@pytest.fixture(scope="module")
async def alices(server: TeamServer, tokens: dict[str, str]) -> AsyncIterator[str]:
    """Alice has asked and saved something; the id of her run."""
    async with server.client(tokens["alice"]) as client:
        saved = {"name": NAME, "description": PRIVATE, "models": ["sure"], "system": PRIVATE}
        data_of(await client.call_tool("save_consortium", saved))
        asked = {"prompt": f"How many stripes has a {SECRET}?"} | PANEL
        run_id = str(data_of(await client.call_tool("consult_consortium", asked))["run_id"])
        data_of(
            await client.call_tool("rate_run", {"run_id": run_id, "correct": True, "note": SECRET})
        )
        yield run_id


def texts_of(tool: Any) -> list[str]:  # noqa: ANN401 (the SDK's)
    """The arguments of a tool that take a text, or a list of texts."""
    found = []
    for name, schema in tool.input_schema["properties"].items():
        if "string" in json.dumps(schema):
            found.append(name)
    return found


def plain(answer: Any, *given: str) -> str:  # noqa: ANN401
    """What a door gives, without what was asked for."""
    text = answer if isinstance(answer, str) else answer.model_dump_json()
    for word in given:
        text = re.sub(re.escape(word), "GIVEN", text, flags=re.IGNORECASE)
    return text


async def called(client: Client, tool: Any, argument: str, value: str) -> str:  # noqa: ANN401
    required = dict.fromkeys(tool.input_schema.get("required", ()), "x")
    result = await client.call_tool(tool.name, required | {argument: value})
    return f"{result.is_error} {text_of(result)} {json.dumps(result.structured_content)}"


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_no_tool_has_anything_of_hers(
    server: TeamServer, tokens: dict[str, str], alices: str, era: str
) -> None:
    walked = 0
    async with server.client(tokens["bob"], era) as client:
        for tool in (await client.list_tools()).tools:
            for argument in texts_of(tool):
                for hers, nobodys in ((alices, NO_RUN), (NAME, NO_NAME), (SECRET, "gnu")):
                    found = await called(client, tool, argument, hers)
                    instead = await called(client, tool, argument, nobodys)
                    where = f"{tool.name}({argument}={hers})"
                    walked += 1
                    rest = plain(found, hers)
                    for word in {alices, NAME, SECRET, PRIVATE} - {hers}:
                        assert word not in rest, f"{where} gives {word}"
                    if found.startswith("True") or argument in {"run_id", "consortium", "name"}:
                        assert plain(found, hers) == plain(instead, nobodys), where
    assert walked > 50


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_no_resource_has(
    server: TeamServer, tokens: dict[str, str], alices: str, era: str
) -> None:
    async with server.client(tokens["carol"], era) as client:
        listed = (await client.list_resources()).model_dump_json()
        assert not [word for word in (alices, NAME, SECRET, PRIVATE) if word in listed]
        templates = (await client.list_resource_templates()).resource_templates
        assert len(templates) >= 4
        for template in templates:
            answers = []
            for run_id, name in ((alices, NAME), (NO_RUN, NO_NAME)):
                uri = template.uri_template.replace("{run_id}", run_id).replace("{name}", name)
                assert "{" not in uri, "fill in the new variable"
                with pytest.raises(MCPError) as refused:
                    await client.read_resource(uri)
                answers.append(plain(str(refused.value), run_id, name))
            assert answers[0] == answers[1]


@pytest.mark.anyio
@pytest.mark.parametrize("era", ERAS)
async def test_no_prompt_and_no_completion_has(
    server: TeamServer, tokens: dict[str, str], alices: str, era: str
) -> None:
    async with server.client(tokens["carol"], era) as client:
        references: list[tuple[Any, list[str]]] = [
            (PromptReference(name=each.name), [it.name for it in each.arguments or []])
            for each in (await client.list_prompts()).prompts
        ]
        references += [
            (ResourceTemplateReference(uri=each.uri_template), ["run_id", "name", "consortium"])
            for each in (await client.list_resource_templates()).resource_templates
        ]
        for reference, arguments in references:
            for argument in arguments:
                for prefix in ("", alices[:20], NAME[:4], SECRET[:3]):
                    found = await client.complete(reference, {"name": argument, "value": prefix})
                    text = found.model_dump_json()
                    assert not [word for word in (alices, NAME, SECRET) if word in text], argument
        for prompt in (await client.list_prompts()).prompts:
            given = {each.name: alices for each in prompt.arguments or []}
            try:
                text = (await client.get_prompt(prompt.name, given)).model_dump_json()
            except MCPError as refused:
                text = str(refused)
            assert SECRET not in text, prompt.name
            assert PRIVATE not in text, prompt.name


@pytest.mark.anyio
async def test_no_task_is_hers(server: TeamServer, tokens: dict[str, str], alices: str) -> None:
    extension: dict[str, Any] = {"io.modelcontextprotocol/tasks": {}}
    for method in ("tasks/get", "tasks/cancel", "tasks/update"):
        answers = []
        for run_id in (alices, NO_RUN):
            params: dict[str, Any] = {
                "taskId": run_id,
                "_meta": {
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
                    "io.modelcontextprotocol/clientCapabilities": {"extensions": extension},
                },
            }
            if method == "tasks/update":
                params["inputResponses"] = {}
            async with server.http(tokens["carol"]) as http:
                answer = await http.post(
                    "/mcp",
                    json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params},
                    headers={
                        "accept": "application/json, text/event-stream",
                        "mcp-protocol-version": "2026-07-28",
                        "mcp-method": method,
                        "mcp-name": run_id,
                    },
                )
            assert "There is no task" in answer.text, answer.text
            answers.append(plain(answer.text, run_id))
        assert answers[0] == answers[1]


@pytest.mark.anyio
async def test_no_page_has(server: TeamServer, tokens: dict[str, str], alices: str) -> None:
    async def nobody() -> Any:  # noqa: ANN401
        raise AssertionError

    walked = 0
    async with server.http(tokens["carol"]) as http:
        for route in make_app(nobody).routes:
            assert isinstance(route, Route)
            for method in (route.methods or set()) - {"HEAD"}:
                for action in ("cancel", "resume", "rate", "share", "other"):
                    answers = []
                    for run_id, name in ((alices, NAME), (NO_RUN, NO_NAME)):
                        path = route.path.replace("{run_id}", run_id).replace("{name}", name)
                        path = path.replace("{action:str}", action)
                        assert "{" not in path, "fill in the new variable"
                        asked = f"{path}?query={SECRET}&consortium={NAME}"
                        headers = {"x-consortium": "1"}
                        answer = await http.request(method, asked, headers=headers, content=BODY)
                        found = f"{answer.status_code} {answer.text}"
                        answers.append(plain(found, run_id, name))
                        walked += 1
                    assert answers[0] == answers[1], (method, route.path)
                    assert not [word for word in (NAME, SECRET, PRIVATE) if word in answers[0]]
    assert walked > 20


@pytest.mark.anyio
async def test_what_she_shares_is_read_by_others_and_changed_by_nobody(
    server: TeamServer, tokens: dict[str, str]
) -> None:
    other = {"x-consortium": "1"}
    async with server.client(tokens["alice"]) as alice, server.client(tokens["bob"]) as bob:
        asked = {"prompt": "May others read this?"} | PANEL
        run_id = data_of(await alice.call_tool("consult_consortium", asked))["run_id"]
        await alice.call_tool("save_consortium", {"name": "shared-panel"} | PANEL)
        assert (await bob.call_tool("get_run", {"run_id": run_id})).is_error
        hers = (f"/api/runs/{run_id}", "/api/consortiums/shared-panel")
        async with server.http(tokens["alice"]) as http:
            for path in hers:
                assert (await http.get(f"{path}/sharing")).json() == {"visibility": "private"}
                answer = await http.post(f"{path}/share", headers=other, content=BODY)
                assert answer.status_code == 200, answer.text
                assert (await http.get(f"{path}/sharing")).json() == {"visibility": "team"}
            wrong = await http.post(f"/api/runs/{run_id}/share", headers=other, content="{}")
            assert wrong.status_code == 400
            assert "Say who may read it" in wrong.text
        assert data_of(await bob.call_tool("get_run", {"run_id": run_id}))["run_id"] == run_id
        assert "shared-panel" in text_of(await bob.call_tool("list_consortiums", {}))
        with_hers = {"prompt": "?", "consortium": "shared-panel"}
        assert data_of(await bob.call_tool("consult_consortium", with_hers))["status"]
        for tool, given in (
            ("cancel_run", {"run_id": run_id}),
            ("delete_consortium", {"name": "shared-panel"}),
        ):
            refused = await bob.call_tool(tool, given)
            assert refused.is_error
            assert "somebody else's" in text_of(refused), text_of(refused)
        async with server.http(tokens["bob"]) as http:
            for path in hers:  # not his to share
                assert (await http.get(f"{path}/sharing")).json() == {"visibility": None}
            answer = await http.post(f"/api/runs/{run_id}/share", headers=other, content=BODY)
            assert answer.status_code >= 400
        async with server.http(tokens["alice"]) as http:
            back = '{"visibility": "private"}'
            await http.post(f"/api/runs/{run_id}/share", headers=other, content=back)
        assert (await bob.call_tool("get_run", {"run_id": run_id})).is_error


@pytest.mark.anyio
async def test_she_herself_finds_everything(
    server: TeamServer, tokens: dict[str, str], alices: str
) -> None:
    async with server.client(tokens["alice"]) as client:
        assert SECRET in text_of(await client.call_tool("list_runs", {"query": SECRET}))
        assert SECRET in json.dumps(data_of(await client.call_tool("get_run", {"run_id": alices})))
        assert NAME in text_of(await client.call_tool("list_consortiums", {}))
        listed = (await client.list_resources()).model_dump_json()
        assert alices in listed
        assert NAME in listed
    async with server.http(tokens["alice"]) as http:
        found = (await http.get("/api/runs")).json()
        assert alices in {run["run_id"] for run in found["runs"]}
