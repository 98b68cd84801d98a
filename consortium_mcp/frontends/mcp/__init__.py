"""The MCP server over stdio and HTTP, with its resources, prompts and completions.

The tools are in `tools`; progress, tasks, cancellation and the like are in `protocol`. Starting the
server does not import llm. Begin with `server`.
"""
