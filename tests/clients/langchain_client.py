"""Consults through LangChain's adapters in their default way: a server process for each call.

    python langchain_client.py SERVER [ARGUMENT ...]

Runs in an environment of its own, as the adapters need another version of `mcp`. Follows each
`next_step` to the end of the run and prints the report as JSON.
"""

import ast
import asyncio
import json
import os
import sys

from langchain_mcp_adapters.client import (  # type: ignore[import-not-found]  # not in ours
    MultiServerMCPClient,
)

ASKED = {
    "prompt": "Six × 7?", "models": ["sure", "6 seconds"], "arbiter": "judge",
    "strategy": "synthesis",
}  # fmt: skip
MOST_CALLS = 8


async def main() -> None:
    """Consult, and follow each `next_step`."""
    server = {
        "command": sys.argv[1], "args": sys.argv[2:], "transport": "stdio", "env": dict(os.environ),
    }  # fmt: skip
    client = MultiServerMCPClient({"consortium": server})
    tools = {tool.name: tool for tool in await client.get_tools()}
    name, arguments = "consult_consortium", dict(ASKED)
    for _ in range(MOST_CALLS):
        call = {"name": name, "args": arguments, "id": "1", "type": "tool_call"}
        message = await tools[name].ainvoke(call)
        report = message.artifact["structured_content"]
        if report["status"] not in {"working", "interrupted"}:
            break
        step = ast.parse(report["next_step"], mode="eval").body
        name = step.func.id
        arguments = {each.arg: ast.literal_eval(each.value) for each in step.keywords}
    sys.stdout.write(json.dumps(report))


asyncio.run(main())
