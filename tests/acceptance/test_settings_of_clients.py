"""Clients' settings under the real program, with several of it at work at once."""

from __future__ import annotations

import json
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from consortium_mcp.adapters.clients.configs import CLIENTS, Machine
from tests.support.installs import install_at_once

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("one", "two", "three")
TRIALS = {"cursor": 20, "codex": 20}
BEGUN = {
    "json": '{\r\n  // mine\r\n  "theme": "dark",\r\n}\r\n',
    "toml": '# mine\r\ntheme = "dark"\r\n',
}


@pytest.mark.parametrize("client", TRIALS)
def test_installs_at_once_lose_no_server_and_no_original(
    client: str, child_environment: dict[str, str], tmp_path: Path
) -> None:
    kind = CLIENTS[client]
    for trial in range(TRIALS[client]):
        home = tmp_path / str(trial)
        path = kind.path(Machine(home, sys.platform, {}))
        path.parent.mkdir(parents=True)
        path.write_bytes(BEGUN[kind.form].encode())
        install_at_once(
            client, child_environment | {"HOME": str(home), "USERPROFILE": str(home)}, *NAMES
        )
        texts = [each.read_bytes().decode() for each in path.parent.iterdir()]
        assert len(texts) == 1 + len(NAMES), list(path.parent.iterdir())
        held = sorted(servers(kind.form, kind.section, text) for text in texts)
        assert sorted(map(len, held)) == [0, 1, 2, 3]  # each original is in a backup
        assert set(servers(kind.form, kind.section, path.read_bytes().decode())) == set(NAMES)
        assert BEGUN[kind.form] in texts
        assert all("mine\r\n" in text and "\n" not in text.replace("\r\n", "") for text in texts)


def servers(form: str, section: str, text: str) -> list[str]:
    plain = text.replace("// mine", "").replace('"dark",\r\n}', '"dark"\r\n}')
    data: dict[str, Any] = tomllib.loads(text) if form == "toml" else json.loads(plain)
    return sorted(data.get(section, {}))
