"""The settings files of MCP clients, edited in place: comments and order stay.

A file is changed as a whole or not at all, and a backup is kept. Begin with `changes`.
"""
