"""Every decision: what to ask, what an answer says, who agrees, when to stop.

It is pure: the standard library, pydantic and anyio; no clock, environment, llm, SQL or MCP.
Begin with `domain` for the vocabulary and `engine.consultation` for the loop.
"""
