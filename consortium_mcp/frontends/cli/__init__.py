"""The command `consortium-mcp`, one file a command.

`main` imports a command's file only when it runs, so that serving starts fast. Begin with `main`.
"""
