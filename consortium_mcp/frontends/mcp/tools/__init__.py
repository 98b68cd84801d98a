"""The MCP tools, and the fields, schemas and results that they share.

What a tool says is paid for in every conversation: keep it short. Begin with `consultation`.
"""
