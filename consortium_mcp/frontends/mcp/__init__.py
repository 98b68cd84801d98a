"""The MCP server on its two wires (stdio and HTTP), with its resources, prompts and completions.

The tools have the room `tools`, and what calls need besides them the room `protocol`. Nothing of
llm is imported when the server starts. Begin with `server`.
"""
