"""`consortium-mcp uninstall`, as its user sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from consortium_mcp.adapters.clients.configs import CLIENTS
from consortium_mcp.frontends.cli.client_files import this_machine
from consortium_mcp.frontends.cli.main import main


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(arguments))
    return result.exit_code, result.output


BEFORE = {
    "json": '{\n  "theme": "dark",\n  "SECTION": {\n    "other": {\n      "command": "x"\n    }\n'
    "  }\n}\n",
    "toml": '# mine\nmodel = "x"\n\n[mcp_servers.other]\ncommand = "x"\n',
}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("client", CLIENTS)
def test_what_install_has_put_in_is_taken_out_again(client: str) -> None:
    kind = CLIENTS[client]
    path = kind.path(this_machine())
    path.parent.mkdir(parents=True, exist_ok=True)
    before = BEFORE[kind.form].replace("SECTION", kind.section)
    path.write_text(before, encoding="utf-8")
    assert run("install", client)[0] == 0
    installed = path.read_text(encoding="utf-8")
    code, shown = run("uninstall", client, "--dry-run")
    assert code == 0, shown
    assert "-" in shown
    assert path.read_text(encoding="utf-8") == installed
    code, output = run("uninstall", client)
    assert code == 0, output
    assert f"Took 'consortium' out of {path}. The old file is kept as {path.name}." in output
    assert path.read_text(encoding="utf-8").strip() == before.strip()
    backups = {each.read_text(encoding="utf-8") for each in path.parent.glob("*.backup-*")}
    assert backups == {before, installed}
    code, output = run("uninstall", client)
    assert code == 0
    assert "has no server 'consortium'; nothing was changed" in output
    assert path.read_text(encoding="utf-8").strip() == before.strip()


def test_another_server_of_the_name_stays_and_ours_is_named(home: Path) -> None:
    path = home / ".cursor" / "mcp.json"
    other = {"command": "npx", "env": {"KEY": "s3cret"}}
    path.write_text(json.dumps({"mcpServers": {"consortium": other}}), encoding="utf-8")
    assert run("install", "cursor", "--name", "ours")[0] == 0
    before = path.read_text(encoding="utf-8")
    code, output = run("uninstall", "cursor")
    assert code == 1
    assert "is not ours" in output
    assert "'ours': say so with --name" in output
    assert "s3cret" not in output
    assert path.read_text(encoding="utf-8") == before
    assert run("uninstall", "cursor", "--name", "ours")[0] == 0
    assert json.loads(path.read_text(encoding="utf-8")) == {"mcpServers": {"consortium": other}}


@pytest.mark.usefixtures("home")
def test_a_client_that_is_not_there_is_said() -> None:
    code, output = run("uninstall", "zed")
    assert code == 1
    assert output.startswith("Error: Zed does not seem to be installed")


def told(*arguments: str) -> dict[str, Any]:
    code, output = run(*arguments, "--json")
    assert code == 0, output
    found: dict[str, Any] = json.loads(output)
    return found


def test_what_changed_is_told_as_json(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "made-up-secret")
    path = home / ".cursor" / "mcp.json"
    path.write_text('{"mcpServers": {}}', encoding="utf-8")
    planned = told("install", "cursor", "--dry-run")
    assert planned["dry_run"]
    [change] = planned["changes"]
    assert (change["change"], change["backup"]) == ("added", None)
    assert '+    "consortium": {' in change["diff"]
    added = told("install", "cursor")
    [change] = added["changes"]
    backup = change.pop("backup")
    assert change == {"change": "added", "file": str(path)}
    assert Path(backup).read_text(encoding="utf-8") == '{"mcpServers": {}}'
    entry = json.loads(path.read_text(encoding="utf-8"))["mcpServers"]["consortium"]
    assert added["command"] == [entry["command"], *entry.get("args", [])]
    assert (added["client"], added["server"]) == ("cursor", "consortium")
    assert ["OPENAI_API_KEY is set in this shell only" in note for note in added["notes"]] == [True]
    assert told("install", "cursor")["changes"][0]["change"] == "none"
    removed = told("uninstall", "cursor")
    assert removed["changes"][0]["change"] == "removed"
    assert Path(removed["changes"][0]["backup"]).exists()
    assert told("uninstall", "cursor")["changes"][0]["change"] == "none"
