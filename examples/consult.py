"""Consult a panel from a script of one's own, through any MCP client: here the SDK's.

python examples/consult.py "Your question" [model ...]
"""

from __future__ import annotations

import os
import sys

import anyio
from mcp import Client, StdioServerParameters


async def main(question: str, models: list[str]) -> None:
    """Start the server as a child, ask, print the report as text."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "consortium_mcp"], env=dict(os.environ)
    )
    async with Client(server) as client:
        asked = {"prompt": question} | ({"models": models} if models else {})
        result = await client.call_tool("consult_consortium", asked)
        for part in result.content:
            print(getattr(part, "text", ""))


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(__doc__)
    anyio.run(main, sys.argv[1], sys.argv[2:])
