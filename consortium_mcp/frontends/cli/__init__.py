"""The command `consortium-mcp`, with one file per subcommand.

`main` imports a subcommand only when it runs, so that the server starts fast. Begin with `main`.
"""
