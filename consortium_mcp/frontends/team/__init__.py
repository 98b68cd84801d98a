"""A server for a team: one address, a login, everyone their own.

MCP at `/mcp`, the pages of runs at `/`, and what a machine asks: `/healthz`, `/readyz`, `/metrics`.
Nothing here is imported by the server of one person. Begin with `app`.
"""
