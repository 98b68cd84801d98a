"""Speaks: MCP, the command line, llm's plugin hooks."""
