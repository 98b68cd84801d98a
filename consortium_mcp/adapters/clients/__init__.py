"""The settings files of MCP clients, edited in place: comments and order stay.

A file is changed whole or not at all, and a copy is kept. Begin with `configs`.
"""
