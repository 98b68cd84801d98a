"""Puts every tool through the strict converters of four libraries, and calls it filled in.

    python converters_client.py SERVER [ARGUMENT ...]

Runs in an environment of its own, as these libraries need another version of `mcp`. Strict modes
make a model fill in every field, so each tool is called with every optional one as null, as an
empty text, and as zero. Prints what went wrong as JSON lines; nothing if all is well.
"""

import asyncio
import copy
import json
import os
import sys
import warnings

from agents.strict_schema import ensure_strict_json_schema
from google.genai import _mcp_utils
from google.genai import types as gemini
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_mcp_adapters.tools import load_mcp_tools
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from pydantic_ai.profiles.openai import OpenAIJsonSchemaTransformer

warnings.simplefilter("ignore")
REQUIRED = {
    "prompt": "Six × 7?", "run_id": "latest", "name": "two", "models": ["sure", "agrees"],
    "arbiter": "judge", "dry_run": True, "overwrite": True, "correct": True,
}  # fmt: skip
GEMINI_WORDS = set(gemini.Schema.model_fields) | {
    field.alias for field in gemini.Schema.model_fields.values() if field.alias
}


def words_of(schema: object) -> set[str]:
    """Every keyword of a JSON Schema."""
    if isinstance(schema, list):
        return set().union(*(words_of(each) for each in schema))
    if not isinstance(schema, dict):
        return set()
    inner = (words_of(v) for k, v in schema.items() if k != "properties")
    fields = (words_of(each) for each in schema.get("properties", {}).values())
    return set(schema).union(*inner, *fields)


def converted(tool: object) -> None:
    """Convert one tool in every way; raises where that is refused."""
    ensure_strict_json_schema(copy.deepcopy(tool.inputSchema), _reject_open_objects=True)
    strict = OpenAIJsonSchemaTransformer(tool.inputSchema, strict=True)
    strict.walk()
    if unknown := words_of(tool.inputSchema) - GEMINI_WORDS:
        raise ValueError(f"Gemini's declarations refuse {unknown}")
    [declared] = _mcp_utils.mcp_to_gemini_tools([tool])
    if not declared.function_declarations:
        raise ValueError("google-genai made no declaration of it")


async def main() -> None:
    """Convert and call each tool."""
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:], env=dict(os.environ))
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        tools = (await session.list_tools()).tools
        chain = {tool.name: tool for tool in await load_mcp_tools(session)}
        asked = {"prompt": "Six × 7?", "models": ["sure", "agrees"], "arbiter": "judge"}
        await session.call_tool("consult_consortium", asked)
        for tool in tools:
            try:
                converted(tool)
                convert_to_openai_tool(chain[tool.name], strict=True)
            except Exception as error:  # noqa: BLE001 (whatever a converter raises is the finding)
                sys.stdout.write(json.dumps([tool.name, repr(error)]) + "\n")
            for nothing in (None, "", 0):
                filled = {
                    name: REQUIRED.get(name, _nothing(field, nothing))
                    for name, field in tool.inputSchema["properties"].items()
                }
                if filled.get("limit") == 0 or tool.name == "delete_consortium":
                    await session.call_tool("save_consortium", asked_to_save())
                result = await session.call_tool(tool.name, filled)
                if result.isError:
                    said = [tool.name, repr(nothing), result.content[0].text]
                    sys.stdout.write(json.dumps(said) + "\n")
        sys.stderr.write(f"{len(tools)} tools\n")


def _nothing(field: dict[str, object], nothing: object) -> object:
    """Zero only where a number is wanted."""
    is_number = field["type"] in {"integer", "number"}
    return None if nothing == 0 and not is_number else nothing


def asked_to_save() -> dict[str, object]:
    """A consortium that the other calls may name."""
    return {"name": "two", "models": ["sure", "agrees"], "arbiter": "judge", "overwrite": True}


asyncio.run(main())
