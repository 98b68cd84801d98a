"""Start a server as an MCP client would, and see that it is all there.

python packaging/check_server.py COMMAND [ARGUMENT…]
"""

from __future__ import annotations

import importlib.metadata
import os
import sys

import anyio
from mcp import Client, StdioServerParameters

TOOLS = 10


async def check(command: str, args: list[str]) -> str:
    """What the server says of itself; it must be of this version and have all its tools."""
    server = StdioServerParameters(command=command, args=args, env=dict(os.environ))
    async with Client(server, mode="legacy", read_timeout_seconds=120) as client:
        tools = (await client.list_tools()).tools
        info = client.server_info
    assert info is not None
    version = importlib.metadata.version("consortium-mcp")
    assert info.version == version, f"{info.version} and not {version}"
    assert len(tools) == TOOLS, f"{len(tools)} tools"
    return f"{info.name} {info.version}, {len(tools)} tools"


print(anyio.run(check, sys.argv[1], sys.argv[2:]))
