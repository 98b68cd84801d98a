"""consortium-mcp: ask several language models at once and get one weighed answer."""
