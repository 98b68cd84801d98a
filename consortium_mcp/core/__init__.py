"""Decides: what is asked, what an answer says, who agrees, when to stop.

Pure: the standard library, pydantic and anyio; no clock, no environment, no llm, no SQL, no MCP.
Begin with `domain` for the words and `engine.consultation` for the loop.
"""
