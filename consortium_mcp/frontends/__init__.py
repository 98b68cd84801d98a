"""Speaks: to MCP clients, to `llm`, in a terminal, to Python code.

A front end turns words into a request and a report into words; nothing is decided here. Begin with
the room of the front end you care about.
"""
