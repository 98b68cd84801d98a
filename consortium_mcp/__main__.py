"""`python -m consortium_mcp` runs the command `consortium-mcp`."""

from consortium_mcp.frontends.cli.main import main

if __name__ == "__main__":
    main()
