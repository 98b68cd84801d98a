"""What may change in a client's settings, and that nothing else does."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from consortium_mcp.adapters.clients import jsonc
from consortium_mcp.adapters.clients.changes import adding, removing
from consortium_mcp.adapters.clients.configs import CLIENTS
from consortium_mcp.core.domain.errors import ConfigError

HERE = "/here/consortium-mcp"
ENV = {"CONSORTIUM_LOG": "INFO"}
PATH = Path("settings")


def parsed(client: str, text: str) -> dict[str, Any]:
    """What a client reads in its file."""
    return tomllib.loads(text) if CLIENTS[client].form == "toml" else jsonc.read(text)


def add(
    client: str,
    text: str,
    name: str = "consortium",
    *,
    env: dict[str, str] | None = None,
    force: bool = False,
) -> str:
    entry = CLIENTS[client].entry(HERE, ["-x"], env or {})
    return adding(CLIENTS[client], PATH, name, entry, force=force)(text)


def remove(client: str, text: str, name: str = "consortium") -> str:
    return removing(CLIENTS[client], PATH, name)(text)


def lines_that_went(before: str, after: str) -> list[str]:
    left = after.splitlines()
    gone = []
    for line in before.splitlines():
        if line in left:
            left.remove(line)
        else:
            gone.append(line)
    return gone


@pytest.mark.parametrize("client", CLIENTS)
def test_an_entry_is_added_once_and_everything_else_stays(client: str) -> None:
    kind = CLIENTS[client]
    if kind.form == "json":
        text = json.dumps({"theme": "Zürich", kind.section: {"other": {"command": "x"}}}, indent=4)
    else:
        text = '# mine\ntheme = "Zürich"\n\n[mcp_servers.other]\ncommand = "x"'
    now = add(client, text, env=ENV)
    assert parsed(client, now) == {
        "theme": "Zürich",
        kind.section: {
            "other": {"command": "x"},
            "consortium": dict(kind.also) | {"command": HERE, "args": ["-x"], "env": ENV},
        },
    }
    assert now.startswith('# mine\ntheme = "Zürich"' if kind.form == "toml" else '{\n    "theme"')
    assert add(client, now, env=ENV) == now
    assert remove(client, now).strip() == text.strip()


@pytest.mark.parametrize("client", CLIENTS)
def test_an_empty_file_is_begun(client: str) -> None:
    begun = add(client, "")
    assert add(client, "\n") == begun
    assert parsed(client, begun)[CLIENTS[client].section]["consortium"]["command"] == HERE
    assert not parsed(client, remove(client, begun)).get(CLIENTS[client].section)
    assert remove(client, "") == ""


def test_another_server_of_the_name_is_replaced_only_when_told_to_and_its_keys_are_not_shown() -> (
    None
):
    other = {"command": "somebody-elses", "args": ["--key=s3cret"], "env": {"KEY": "s3cret"}}
    text = json.dumps({"mcpServers": {"consortium": other}})
    with pytest.raises(ConfigError, match=r"somebody-elses.*--force.*--name") as raised:
        add("cursor", text)
    assert "s3cret" not in str(raised.value)
    with pytest.raises(ConfigError, match="not ours") as raised:
        remove("cursor", text)
    assert "s3cret" not in str(raised.value)
    both = add("cursor", add("cursor", text, "ours"), force=True)
    assert json.loads(both)["mcpServers"] == {
        "ours": {"command": HERE, "args": ["-x"]},
        "consortium": {"command": HERE, "args": ["-x"]},
    }


USED = {
    "cursor": """{ // mine
  "mcpServers": {
    // the one that asks several
    "consortium": {
      "command": "/moved/consortium-mcp", // since May
      "args": ["-x"],
      "env": { "OPENAI_API_KEY": "s3cret", "CONSORTIUM_DB": "/mine.db" }, // keys
      "autoApprove": ["list_runs"], /* always */
      "disabled": false
    }, // the end of it
    "other": { "command": "y" }
  }
}
""",
    "vscode": """{
\t"inputs": [],
\t"servers": {
\t\t"consortium": {
\t\t\t"type": "stdio",
\t\t\t"command": "/moved/consortium-mcp",
\t\t\t"args": ["-x"],
\t\t\t"env": { "OPENAI_API_KEY": "s3cret", "CONSORTIUM_DB": "/mine.db" },
\t\t\t"dev": { "watch": "x" },
\t\t},
\t},
}
""",
    "codex": """# mine
model = "x"

[mcp_servers.consortium] # ours
command = "/moved/consortium-mcp" # since May
args = ["-x"]
startup_timeout_sec = 30
# tool_timeout_sec = 60

[mcp_servers.consortium.env]
OPENAI_API_KEY = "s3cret" # keys
CONSORTIUM_DB = "/mine.db"

[mcp_servers.consortium.tools.get_run]
approval_mode = "approve"

# about the look

[tui]
theme = "dark" # at night
""",
}


@pytest.mark.parametrize("client", USED)
def test_an_entry_of_ours_is_pointed_here_and_keeps_all_that_its_user_put_there(
    client: str,
) -> None:
    text = USED[client]
    with pytest.raises(ConfigError, match=r"another copy.*/moved/.*--force") as raised:
        add(client, text)
    assert "s3cret" not in str(raised.value)
    now = add(client, text, env={"CONSORTIUM_DB": "/shell.db"}, force=True)
    assert now == text.replace("/moved/consortium-mcp", HERE)
    assert add(client, now) == now
    with pytest.raises(ConfigError, match="lacks settings that this shell has"):
        add(client, now, env=ENV)
    more = parsed(client, add(client, now, env=ENV, force=True))
    entry = more[CLIENTS[client].section]["consortium"]
    assert entry["env"] == {"OPENAI_API_KEY": "s3cret", "CONSORTIUM_DB": "/mine.db"} | ENV


LEFT = {
    "cursor": """{ // mine
  "mcpServers": {
    // the one that asks several
    // the end of it
    "other": { "command": "y" }
  }
}
""",
    "vscode": """{
\t"inputs": [],
\t"servers": {},
}
""",
    "codex": """# mine
model = "x"

# about the look

[tui]
theme = "dark" # at night
""",
}


@pytest.mark.parametrize("client", USED)
def test_our_entry_is_taken_out_and_nothing_else(client: str) -> None:
    assert remove(client, USED[client]) == LEFT[client]
    assert remove(client, LEFT[client]) == LEFT[client]


ZED = """// Mine, see https://zed.dev "docs"
{
\t"theme": "One", /* the { best */
\t"url": "http://x//y", // {
\t"context_servers": { // none yet
\t},
\t"last": [1, 2,],
}
"""


def test_comments_order_and_indentation_of_settings_stay() -> None:
    now = add("zed", ZED)
    assert lines_that_went(ZED, now) == ['\t"context_servers": { // none yet']
    assert '\t"context_servers": {\n\t\t"consortium": {\n\t\t\t"source": "custom",' in now
    assert "\t\t} // none yet\n\t},\n" in now
    assert remove("zed", now) == ZED
    two = add("zed", now, "two")
    assert jsonc.read(two)["context_servers"].keys() == {"consortium", "two"}
    other = two.replace('"-x"', '"-y"')
    assert add("zed", other, "two", force=True) == other.replace('"-y"', '"-x"', 1)
    assert remove("zed", two, "two") == now


INLINE = "consortium = { command = '/moved/consortium-mcp', x = 1 }"


@pytest.mark.parametrize(
    "text",
    [
        "mcp_servers = {}",
        "mcp_servers = { other = { command = 'x' } } # mine\n[tui]\nx = 1\n",
        f"mcp_servers = {{ {INLINE} }}\n",
        f"mcp_servers = {{ a = {{ command = 'x' }}, {INLINE}, b = {{ command = 'y' }} }}\n",
        f"mcp_servers = {{ a = {{ command = 'x' }}, {INLINE} }}\n",
        f"[mcp_servers]\n{INLINE} # ours\n# more\n[mcp_servers.other]\ncommand = 'x'\n",
        "[mcp_servers]\n# none\n\n# look\n[tui]\n",
        "mcp_servers.other.command = 'x'\n[tui]\nx = 1\n",
        "mcp_servers.consortium.command = '/m/consortium-mcp'\nmcp_servers.consortium.x = 1\n",
        (
            "[mcp_servers]\nconsortium.command = '/m/consortium-mcp'\nconsortium.x = 1\n"
            "[mcp_servers.other]\ncommand = 'x'\n"
        ),
        "text = '''\n[mcp_servers.consortium]\n'''\n[mcp_servers.consortium]\nx = 1",
        "[mcp_servers.'consortium']\ncommand = 'consortium-mcp'\n[tui]\n",
        "[mcp_servers.other]\nx = 1\n\n# look\n\n[tui]\na = 1\n# end",
        (
            "[mcp_servers.consortium]\ncommand = 'consortium-mcp'\n# look\n\n[tui]\na = 1\n"
            "[mcp_servers.consortium.env]\nA = 'u'\n# next\n[mcp_servers.other]\nx = 1\n"
        ),
        "[mcp_servers.consortium.env]\nA = 'u'\n# next\n[mcp_servers.other]\nx = 1\n",
        (
            "[mcp_servers.consortium]\ncommand = 'consortium-mcp'\nargs = [\n  # all\n  '[',\n]\n"
            "[[mcp_servers.consortium.x]]\na = 1\n[[mcp_servers.consortium.x]]\na = 2\n"
            "# look\n[tui]\n"
        ),
        "# only a word",
    ],
)
def test_any_layout_of_toml_can_be_edited(text: str) -> None:
    before = tomllib.loads(text)
    servers = before.get("mcp_servers", {})
    there = servers.get("consortium")
    kept = there if there and "consortium-mcp" in str(there.get("command")) else {}
    now = add("codex", text, env=ENV, force=True)
    entry = kept | {"command": HERE, "args": ["-x"], "env": kept.get("env", {}) | ENV}
    assert tomllib.loads(now) == before | {"mcp_servers": servers | {"consortium": entry}}
    out = remove("codex", now)
    assert tomllib.loads(out).get("mcp_servers", {}) == {
        name: server for name, server in servers.items() if name != "consortium"
    }
    for comment in ("# mine", "# more", "# look", "# next", "# end", "# none", "# only a word"):
        assert (comment in out) == (comment in now) == (comment in text), comment


@pytest.mark.parametrize("indent", [None, 0, 1, 4, "\t"])
@pytest.mark.parametrize("null", [False, True])
@pytest.mark.parametrize("data", [{}, {"mcpServers": {}}, {"a": [{}], "mcpServers": {"b": {}}}])
def test_any_layout_of_json_can_be_edited(
    indent: int | str | None, data: dict[str, Any], *, null: bool
) -> None:
    text = json.dumps(data | ({"mcpServers": None} if null else {}), indent=indent)
    now = add("cursor", text)
    servers = {} if null else data.get("mcpServers", {})
    entry = {"command": HERE, "args": ["-x"]}
    expected = json.loads(text) | {"mcpServers": servers | {"consortium": entry}}
    assert json.loads(now) == expected
    if data.get("mcpServers") is not None and not null:
        assert remove("cursor", now) == text
    assert json.loads(remove("cursor", now))["mcpServers"] == servers


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{"mcpServers": {"consortium": X, "b": {}}}', '{"mcpServers": {"b": {}}}'),
        ('{"mcpServers": {"a": {}, "consortium": X}}', '{"mcpServers": {"a": {}}}'),
        (
            '{"mcpServers": {\n "a": {}, // a\n // ours\n "consortium": X // b\n}}',
            '{"mcpServers": {\n "a": {} // a\n // ours\n // b\n}}',
        ),
        ('{"mcpServers": {\n "a": {},\n "consortium": X,\n}}', '{"mcpServers": {\n "a": {},\n}}'),
        ('{"mcpServers": { // c\n "consortium": X }}', '{"mcpServers": { // c\n}}'),
        (
            '{"mcpServers": {"consortium": null, "a": 1}}',
            '{"mcpServers": {"consortium": null, "a": 1}}',
        ),
    ],
)
def test_a_comma_goes_with_our_entry_and_comments_stay(text: str, left: str) -> None:
    assert remove("cursor", text.replace("X", '{"command": "consortium-mcp"}')) == left


@pytest.mark.parametrize(
    ("client", "text", "why"),
    [
        ("cursor", '{"mcpServers": ', "cannot be read as JSON"),
        ("cursor", "[1]", "it is not an object"),
        ("cursor", '{"a": ' + "[" * 100_000, "nested too deeply"),
        ("cursor", '{"mcpServers": []}', "does not hold servers"),
        ("cursor", '{\n"mcpServers": {},\n"mcpServers": {}}', r'"mcpServers".*lines 2 and 3'),
        (
            "cursor",
            '{"mcpServers": {"consortium": {"command": "consortium-mcp"}, "consortium": {}}}',
            r'"consortium" stands in it twice',
        ),
        ("codex", "mcp_servers = ", "cannot be read as TOML"),
        ("codex", "[mcp_servers]\n[mcp_servers]\n", "cannot be read as TOML"),
        ("codex", "mcp_servers = []\n", "does not hold servers"),
    ],
)
def test_what_is_not_understood_is_left_alone_with_the_block_to_paste(
    client: str, text: str, why: str
) -> None:
    with pytest.raises(ConfigError, match=why) as raised:
        add(client, text, force=True)
    block = str(raised.value).partition("\n\n")[2]
    assert parsed(client, block)[CLIENTS[client].section]["consortium"]["command"] == HERE


def test_a_server_under_another_name_is_named() -> None:
    text = add("cursor", "{}", "mine")
    assert remove("cursor", text) == text
    other = add("cursor", '{"mcpServers": {"consortium": {"command": "x"}}}', "mine")
    with pytest.raises(ConfigError, match=r"there as 'mine': say so with --name"):
        remove("cursor", other)
