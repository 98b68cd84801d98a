"""Where the bundle's host starts the server."""

from consortium_mcp.frontends.cli.main import main

main()
