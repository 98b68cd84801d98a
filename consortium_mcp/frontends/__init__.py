"""The front ends: the MCP server, the llm plugin, the command line and the Python API.

A front end turns its input into a request and a report into text; it decides nothing. Begin with
the folder of the front end you need.
"""
