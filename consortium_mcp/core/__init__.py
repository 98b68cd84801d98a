"""Decides. Pure: standard library, pydantic and anyio; no llm, no SQLite, no MCP, no clock."""
