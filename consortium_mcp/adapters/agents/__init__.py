"""Agent programs that are signed in on this machine, asked as models that only answer.

Each call is a process of its own: no tool, no MCP server, no file of the user's, nothing left
behind. `programs` says what a program is to us; one file for each says how it is started and read.
Begin with `models`.
"""
