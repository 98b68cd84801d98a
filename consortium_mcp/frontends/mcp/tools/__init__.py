"""The MCP tools, and the fields, schemas and results that they share.

Tool descriptions cost tokens in every conversation: keep them short. Begin with `consultation`.
"""
